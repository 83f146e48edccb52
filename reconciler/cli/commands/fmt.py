"""`reconciler fmt`: the canonical layout of manifests."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import print_diagnostics, print_file_change
from reconciler.cli.verbs import verb


@verb
@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 2 if a file is not formatted.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.pass_obj
def command(options: Options, paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Formats manifests, the files they extend (`_*.yaml`) and settings: fields in the order of the schema, two-space
    indentation, texts of several lines as blocks, no trailing spaces. Without PATHS, it formats all of them. Comments
    and values do not change: files that cannot be formatted safely are skipped and reported.
    """
    from reconciler.operations.files.format import Formatter
    from reconciler.operations.project.project_target import ProjectTarget

    formatter = Formatter(ProjectTarget(options))
    print_diagnostics(options, formatter.settings_problems)
    changed = 0
    for each in formatter.changes(paths):
        changed += 1
        print_file_change(each.name, each.old, each.new, diff)
        if not (check or diff):
            formatter.write(each)
    print_diagnostics(options, formatter.problems)
    if formatter.problems:
        return Exit.ERROR
    return Exit.CHANGES if check and changed else Exit.DONE
