"""`reconciler unlock`: see who holds the target's lock, and take it away."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("unlock")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
@click.pass_obj
def command(options: Options, yes: bool) -> int:
    """Shows the holder of the lock and asks for confirmation. If that run is still active, it stops sending when it
    notices: before its next write with PostgreSQL, within half a minute with an object store.
    """
    from reconciler.cli.confirmation import ask_to_apply
    from reconciler.cli.open_session import session_of
    from reconciler.operations.applying.target_lock import open_lock
    from reconciler.render.escape import visible

    session = session_of(options)
    lock = open_lock(session)
    try:
        holder = lock.holder()
        if holder is None:
            click.echo(f"{session.target.name}: the lock is free")
            return Exit.DONE
        click.echo(f"{session.target.name}: lock held by {visible(str(holder))}")
        nobody = "cannot ask for confirmation (stdin is not a terminal); the lock was not removed"
        if not (yes or ask_to_apply("Remove the lock?", nobody)):
            return Exit.ERROR
        removed = lock.remove(holder)
        click.echo("the lock was removed" if removed else "that run has ended; the lock was not removed")
        return Exit.DONE
    finally:
        lock.release()
