"""`reconciler adopt`: start managing an object that exists."""

from __future__ import annotations

import click

from reconciler.cli.completers import complete_addresses
from reconciler.cli.options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("adopt")
@click.argument("address", shell_complete=complete_addresses)
@click.argument("id")
@click.pass_obj
def command(options: Options, address: str, id: str) -> int:
    """Nothing else of it is changed; `plan` shows what differs."""
    from reconciler.core.ownership import Ownership
    from reconciler.core.values.model import Change
    from reconciler.operations.applying.change_marks import change_marks
    from reconciler.operations.project.address_lookup import known_addresses
    from reconciler.operations.project.session import session_of

    session = session_of(options)
    [wanted] = known_addresses([address], session.load().manifests)

    def decide(ownership: Ownership) -> list[Change]:
        return [ownership.adopt(ownership.manifests[wanted.key], id)]

    return change_marks(session, {wanted.kind}, decide, f"no manifest has the address {wanted}")
