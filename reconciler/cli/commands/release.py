"""`reconciler release`: stop managing an object, and keep it."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.completers import complete_addresses
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("release")
@click.argument("address", shell_complete=complete_addresses)
@click.option("--lost-create", is_flag=True, help="Forget a create whose response was lost, if it created nothing.")
@click.option("--id", metavar="ID", help="Release only this object, if the address has duplicates.")
@click.pass_obj
def command(options: Options, address: str, lost_create: bool, id: str | None) -> int:
    """Removes the mark of this project from the live object. Nothing else of the object is changed. Remove its manifest
    as well. With --lost-create, nothing is sent, and the next apply creates the object.
    """
    from reconciler.cli.mark_changes import write_marks
    from reconciler.cli.open_session import session_of
    from reconciler.operations.ownership_changes import forget_create, release
    from reconciler.operations.project.address_lookup import parse_address

    wanted, session = parse_address(address), session_of(options)
    if lost_create and id:
        raise click.UsageError("--lost-create takes no --id")
    if lost_create:
        forget_create(session, wanted)
        click.echo(f"{wanted}  create forgotten; the next apply creates it")
        return Exit.DONE
    return write_marks(session, options, release(session, wanted, id))
