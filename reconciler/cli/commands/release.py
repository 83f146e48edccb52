"""`reconciler release`: stop managing an object, and keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.cli.completers import complete_addresses
from reconciler.cli.options import Options
from reconciler.cli.verbs import verb
from reconciler.exits import Exit

if TYPE_CHECKING:
    from reconciler.core.values.model import Address
    from reconciler.operations.project.session import Session


@verb
@click.command("release")
@click.argument("address", shell_complete=complete_addresses)
@click.option("--lost-create", is_flag=True, help="Forget a create whose answer was lost: it made nothing.")
@click.option("--id", metavar="ID", help="Release this one of several objects of the address: a duplicate.")
@click.pass_obj
def command(options: Options, address: str, lost_create: bool, id: str | None) -> int:
    """With --lost-create, nothing is sent; the next apply creates the object."""
    from reconciler.core.ownership import Ownership
    from reconciler.core.values.model import Change
    from reconciler.operations.applying.change_marks import change_marks
    from reconciler.operations.project.address_lookup import parse_address
    from reconciler.operations.project.session import session_of

    wanted, session = parse_address(address), session_of(options)
    if lost_create and id:
        raise click.UsageError("a create whose answer was lost has no --id")
    if lost_create:
        return _forget(session, wanted)

    def decide(ownership: Ownership) -> list[Change]:
        change = ownership.release(wanted.key, id)
        return [change] if change else []

    nothing = f"no live object of ours has the address {wanted}" + (f" and the id {id}" if id else "")
    return change_marks(session, {wanted.kind}, decide, nothing)


def _forget(session: Session, address: Address) -> int:
    """Forget a create of which the lock file has no answer. Raises ConfigError where there is none."""
    from reconciler.config.errors import ConfigError, error
    from reconciler.diagnostics import Code
    from reconciler.operations.applying.target_lock import locked

    session.refresh({address.kind})
    if address not in session.unresolved():
        raise ConfigError([error(Code.NO_SUCH_ADDRESS, f"no create of {address} waits for an answer", None)])
    with locked(session), session.held():
        session.forget_create(address)
    click.echo(f"{address}  its create is forgotten; the next apply creates it")
    return Exit.DONE
