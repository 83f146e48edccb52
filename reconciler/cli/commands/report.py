"""`reconciler report`: what applies left behind."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.group("report")
def command() -> None: ...


def _content(root: Path, name: Path) -> bytes:
    from reconciler.engine.state.planfile import LARGEST
    from reconciler.tree import tree_of

    tree, path = tree_of(root, name)
    return tree.read(path, LARGEST)


@command.command("merge")
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it here instead of to stdout.")
@click.pass_obj
def merge(options: Options, reports: tuple[Path, ...], out: Path | None) -> int:
    """Put the REPORTS of the shards of one apply together. Exit 5 where something was not done, 4 where blocked."""
    from reconciler.config.errors import ConfigError, error
    from reconciler.diagnostics import Code
    from reconciler.drivers.transport.json_encoding import decoded
    from reconciler.engine.state import planfile
    from reconciler.formats.merge import merged_reports
    from reconciler.formats.outcome import Result
    from reconciler.formats.plan_document import document_text

    try:
        documents = [decoded(_content(options.directory, path)) for path in reports]
        whole = merged_reports(documents)
    except ValueError as problem:
        hint = "name the reports of the shards of one apply, each once"
        raise ConfigError(
            [error(Code.BAD_REPORT, f"the reports cannot be merged: {problem}", None, "", hint)]
        ) from None
    if out is None:
        click.echo(document_text(whole), nl=False)
    else:
        planfile.write_document(options.directory / out, document_text(whole), options.directory)
    if any(whole["totals"][result.value] for result in (Result.FAILED, Result.SKIPPED, Result.UNKNOWN)):
        return Exit.PARTLY
    return Exit.BLOCKED if whole["blocked"] else Exit.DONE
