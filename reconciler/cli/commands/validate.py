"""`reconciler validate`: the files alone, offline."""

from __future__ import annotations

import os

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import PROBLEM_FORMATS, checked_formats, print_diagnostics
from reconciler.cli.verbs import verb


@verb
@click.command("validate")
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="F[=FILE]",
    callback=checked_formats(PROBLEM_FORMATS),
    help=f"Output format: {', '.join(PROBLEM_FORMATS)}. F=FILE writes to a file. Can be repeated.",
)
@click.pass_obj
def command(options: Options, formats: tuple[str, ...]) -> int:
    """Reports all problems at once. Needs no network and no credentials. Exits 4 if the files are valid but violate a
    policy.
    """
    from reconciler.cli.output.formats import write_problems
    from reconciler.config.cpu_limit import cpu_limit, seconds_of
    from reconciler.config.errors import has_errors, in_order
    from reconciler.operations.files.check import check_files

    with cpu_limit(seconds_of(os.environ)):
        checked = check_files(options)
    diagnostics = in_order([*checked.found, *checked.refused])
    print_diagnostics(options, diagnostics)
    write_problems(diagnostics, options, formats)
    if has_errors(diagnostics):
        count = sum(has_errors([each]) for each in diagnostics)
        click.echo(f"{count} problem{'s' if count != 1 else ''}; nothing was sent", err=True)
        return Exit.ERROR if has_errors(checked.found) else Exit.BLOCKED
    if not options.quiet and "text" in {each.partition("=")[0] for each in formats or ("text",)}:
        counted = "1 manifest is" if checked.manifests == 1 else f"{checked.manifests} manifests are"
        click.echo(f"{counted} valid for {', '.join(checked.targets)}")
    return Exit.DONE
