"""`reconciler providers`: the capabilities of each provider."""

from __future__ import annotations

import os

import click

from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("providers")
@click.argument("names", nargs=-1, metavar="[PROVIDER]...")
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", help="Output format."
)
@click.pass_obj
def command(options: Options, names: tuple[str, ...], form: str) -> int:
    """Shows how each kind is updated, removed and listed, what its metadata allows, and on which hosts; `any` means the
    `url` of the target. A plan reports what a provider does not support at the field that needs it.
    """
    from reconciler.cli.output.provider_table import FORMATS
    from reconciler.config.schema.schemas import schemas_of
    from reconciler.operations.reference.provider_traits import rows

    schemas = schemas_of(options.directory.absolute(), os.environ)
    found = [row for name in names or schemas.provider_names() for row in rows(schemas.provider(name))]
    click.echo(FORMATS[form](found), nl=False)
    return 0
