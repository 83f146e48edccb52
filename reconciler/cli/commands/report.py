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


@command.command("merge")
@click.argument("reports", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default: stdout.")
@click.pass_obj
def merge(options: Options, reports: tuple[Path, ...], out: Path | None) -> int:
    """Merge the reports of all shards of one apply.

    Exits 5 if something was not done, 4 if something was blocked.
    """
    from reconciler.engine.state import planfile
    from reconciler.formats.outcome import Result
    from reconciler.formats.plan_document import document_text
    from reconciler.operations.applying.apply_artifacts import merge_reports

    whole = merge_reports(options.directory, reports)
    if out is None:
        click.echo(document_text(whole), nl=False)
    else:
        planfile.write_document(options.directory / out, document_text(whole), options.directory)
    if any(whole["totals"][result.value] for result in (Result.FAILED, Result.SKIPPED, Result.UNKNOWN)):
        return Exit.PARTLY
    return Exit.BLOCKED if whole["blocked"] else Exit.DONE
