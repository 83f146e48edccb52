"""`reconciler show`: read a saved plan."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import formats_option, print_diagnostics, write
from reconciler.cli.verbs import verb


@verb
@click.command("show")
@click.argument("plan_file", type=click.Path(path_type=Path, dir_okay=False))
@formats_option
@click.pass_obj
def command(options: Options, plan_file: Path, formats: tuple[str, ...]) -> int:
    from reconciler.cli.output.formats import plan_renderers
    from reconciler.engine.state import planfile

    plan, document = planfile.load_with_document(options.directory / plan_file, options.directory)
    print_diagnostics(options, plan.diagnostics)
    write(options, formats, plan_renderers(plan, options, unchanged=document["summary"]["noop"]))
    return 0
