"""`reconciler convert`: manifests of one API rewritten for another."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import print_diagnostics, print_file_change
from reconciler.cli.verbs import verb


@verb
@click.command("convert")
@click.option("--to", "provider", required=True, metavar="PROVIDER", help="Provider to convert the manifests for.")
@click.option("--write", is_flag=True, help="Write the files; default: only report what would change.")
@click.option("--diff", is_flag=True, help="Show every line that changes.")
@click.pass_obj
def command(options: Options, provider: str, write: bool, diff: bool) -> int:
    """Comments are kept. For each file, it reports fields without a counterpart, what to do instead, and what is still
    missing afterwards. Live objects are not touched: the new target gets its own objects.
    """
    from reconciler.operations.files.convert_manifests import ProjectConversion
    from reconciler.operations.project.project_target import ProjectTarget

    conversion = ProjectConversion(ProjectTarget(options), provider)
    for each in conversion.files:
        if each.new != each.old:
            print_file_change(each.found.shown, each.old, each.new, diff)
    print_diagnostics(
        options, [*conversion.problems, *(diagnostic for each in conversion.files for diagnostic in each.diagnostics)]
    )
    if missing := conversion.missing():
        click.echo(f"\nTo do by hand, with the lines {'of the new files' if write else 'after --write'}:", err=True)
        print_diagnostics(options, missing, conversion.drafts)
    if write:
        conversion.write()
    if not options.quiet:
        click.echo(_next(provider, len(conversion.drafts.contents), write), err=True)
    return Exit.ERROR if conversion.problems else Exit.DONE


def _next(provider: str, count: int, write: bool) -> str:
    if not count:
        return "Nothing to convert."
    files = "1 file" if count == 1 else f"{count} files"
    if not write:
        return f"\n{files} would change; --diff shows the lines, --write writes them."
    return f"\n{files} written. Next: add a target with `provider: {provider}` to reconciler.yaml, and run plan for it."
