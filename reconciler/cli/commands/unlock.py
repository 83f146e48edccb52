"""`reconciler unlock`: see who holds the target's lock, and take it away."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("unlock")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@click.pass_obj
def command(options: Options, yes: bool) -> int:
    """A run that is still alive sends nothing more once it notices: before its next write with PostgreSQL, within half
    a minute with an object store.
    """
    from reconciler.cli.confirmation import ask_to_apply
    from reconciler.cli.session import session_of
    from reconciler.operations.applying.target_lock import open_lock
    from reconciler.render.escape import visible

    session = session_of(options)
    lock = open_lock(session)
    try:
        holder = lock.holder()
        if holder is None:
            click.echo(f"{session.target.name}: nobody holds the lock")
            return Exit.DONE
        click.echo(f"{session.target.name}: held by {visible(str(holder))}")
        nobody = "nobody is here to confirm, so the lock was left as it is"
        if not (yes or ask_to_apply("Take the lock away?", nobody)):
            return Exit.ERROR
        removed = lock.remove(holder)
        click.echo("the lock was taken away" if removed else "that run has ended meanwhile; the lock was left alone")
        return Exit.DONE
    finally:
        lock.release()
