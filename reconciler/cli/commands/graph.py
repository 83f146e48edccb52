"""`reconciler graph`: what refers to what."""

from __future__ import annotations

import click

from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("graph")
@click.option(
    "--format", "form", type=click.Choice(["mermaid", "dot", "svg"]), default="mermaid", help="Output format."
)
@click.pass_obj
def command(options: Options, form: str) -> int:
    """Writes Mermaid, DOT or SVG to stdout."""
    from reconciler.operations.project.project_target import ProjectTarget
    from reconciler.render.graph import dot, graph_of, mermaid, svg

    draw = {"mermaid": mermaid, "dot": dot, "svg": svg}[form]
    click.echo(draw(graph_of(ProjectTarget(options).load().manifests)), nl=False)
    return 0
