"""`reconciler adopt`: start managing an object that exists."""

from __future__ import annotations

import click

from reconciler.commands.completing import complete_addresses
from reconciler.commands.options import Options
from reconciler.commands.verbs import verb


@verb
@click.command("adopt")
@click.argument("address", shell_complete=complete_addresses)
@click.argument("id")
@click.pass_obj
def command(options: Options, address: str, id: str) -> int:
    """Nothing else of it is changed; `plan` shows what differs."""
    from reconciler.commands.named import known_addresses
    from reconciler.commands.ownership import change_marks
    from reconciler.commands.session import session_of
    from reconciler.core.model import Change
    from reconciler.core.ownership import Ownership

    session = session_of(options)
    [wanted] = known_addresses([address], session.load().manifests)

    def decide(ownership: Ownership) -> list[Change]:
        return [ownership.adopt(ownership.manifests[wanted.key], id)]

    return change_marks(session, {wanted.kind}, decide, f"no manifest has the address {wanted}")
