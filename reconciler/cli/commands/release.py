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
@click.option("--lost-create", is_flag=True, help="Forget a create whose answer was lost: it made nothing.")
@click.option("--id", metavar="ID", help="Release this one of several objects of the address: a duplicate.")
@click.pass_obj
def command(options: Options, address: str, lost_create: bool, id: str | None) -> int:
    """With --lost-create, nothing is sent; the next apply creates the object."""
    from reconciler.cli.mark_changes import write_marks
    from reconciler.cli.session import session_of
    from reconciler.operations.ownership import forget_create, release
    from reconciler.operations.project.address_lookup import parse_address

    wanted, session = parse_address(address), session_of(options)
    if lost_create and id:
        raise click.UsageError("a create whose answer was lost has no --id")
    if lost_create:
        forget_create(session, wanted)
        click.echo(f"{wanted}  its create is forgotten; the next apply creates it")
        return Exit.DONE
    return write_marks(session, options, release(session, wanted, id))
