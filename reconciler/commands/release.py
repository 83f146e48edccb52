"""`reconciler release`: stop managing an object, and keep it."""

from __future__ import annotations

import click

from reconciler.commands.completing import complete_addresses
from reconciler.commands.options import Options
from reconciler.commands.verbs import verb


@verb
@click.command("release")
@click.argument("address", shell_complete=complete_addresses)
@click.pass_obj
def command(options: Options, address: str) -> int:
    from reconciler.commands.named import parse_address
    from reconciler.commands.ownership import change_marks
    from reconciler.commands.session import Session
    from reconciler.core.model import Change
    from reconciler.core.ownership import Ownership

    wanted = parse_address(address)

    def decide(ownership: Ownership) -> list[Change]:
        change = ownership.release(wanted.key)
        return [change] if change else []

    nothing = f"no live object of ours has the address {wanted}"
    return change_marks(Session(options), {wanted.kind}, decide, nothing)
