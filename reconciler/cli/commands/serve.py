"""`reconciler serve`: the embedded server over HTTP."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb
from reconciler.operations.project.state_directory import NAME, database_in, database_of, ensure_state, state_of
from reconciler.tree import tree_of


@verb
@click.command("serve")
@click.option(
    "--profile",
    type=click.Choice(["assistants-v2", "agents-v1", "anthropic-agents"]),
    default="assistants-v2",
    help="API to serve.",
)
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; 0 picks a free port.")
@click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"SQLite file; default: {NAME}/{database_of('local')}.",
)
@click.option("--api-key", help="Require this API key; prefer the environment variable RECONCILER_SERVE_API_KEY.")
@click.option("--chaos", type=click.Path(path_type=Path, dir_okay=False), help="YAML file with faults to inject.")
@click.option("--adversary", type=int, metavar="SEED", help="Send valid but unusual responses, chosen by this seed.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Append each request to this file, as a JSON line.",
)
@click.pass_obj
def command(
    options: Options,
    profile: str,
    host: str,
    port: int,
    db: Path | None,
    api_key: str | None,
    chaos: Path | None,
    adversary: int | None,
    record: Path | None,
) -> int:
    """Listens on the loopback interface by default. Ctrl-C stops it."""
    from reconciler.server import Chaos, ChaosError, StoreError, create_app
    from reconciler.server.http import serve

    root = options.directory
    files, name = tree_of(root, db) if db else (ensure_state(state_of(root)), Path(database_of("local")))
    database = database_in(files, name)
    record, chaos = (each and _no_link(root, each) for each in (record, chaos))
    try:
        rules = Chaos.load(chaos) if chaos else None
        app = create_app(
            database,
            profile=profile,
            api_key=api_key,
            chaos=rules,
            adversary=adversary,
            record=record,
            remember=0,  # nobody asks a served one what it was sent
        )
    except (ChaosError, StoreError) as problem:
        raise click.ClickException(str(problem)) from problem
    with app, closing(serve(app, host, port)) as server:
        click.echo(f"{profile} on {server.url}/v1", nl=True)
        server.run_forever()
    return 0


def _no_link(root: Path, file: Path) -> Path:
    tree, path = tree_of(root, file)
    return tree.checked(path)
