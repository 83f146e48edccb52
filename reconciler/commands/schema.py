"""`reconciler schema`: the JSON Schema of a kind, for editors."""

from __future__ import annotations

import click

from reconciler.commands.options import Options


@click.command("schema")
@click.argument("kind", default="assistant")
@click.pass_obj
def command(options: Options, kind: str) -> int:
    """Print the JSON Schema of a manifest of KIND: what editors complete and check against."""
    import json

    from reconciler.commands.session import Session

    session = Session(options)
    spec = session.provider.kinds.get(kind)
    if spec is None:
        known = ", ".join(session.provider.kinds)
        raise click.BadParameter(f"{session.provider.name} has no kind {kind!r}; it has: {known}", param_hint="KIND")
    click.echo(json.dumps(session.schemas.manifest_schema(spec.schema), indent=2, ensure_ascii=False))
    return 0
