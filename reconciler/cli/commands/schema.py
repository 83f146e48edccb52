"""`reconciler schema`: the JSON Schema of a kind, for editors."""

from __future__ import annotations

import click

from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("schema")
@click.argument("kind", default="assistant")
@click.pass_obj
def command(options: Options, kind: str) -> int:
    """Editors use the schema for completion and checks."""
    import json

    from reconciler.config.schema.editor_schema import editor_schema
    from reconciler.operations.project.address_lookup import kind_named
    from reconciler.operations.project.project_target import ProjectTarget

    target = ProjectTarget(options)
    schema = target.schemas.manifest_schema(kind_named(target.provider, target.schemas, kind).schema)
    click.echo(json.dumps(editor_schema(schema), indent=2, ensure_ascii=False))
    return 0
