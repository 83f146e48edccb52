"""`reconciler adopt`: start managing an object that exists."""

from __future__ import annotations

import click

from reconciler.commands.completing import complete_addresses
from reconciler.commands.options import Options


@click.command("adopt")
@click.argument("address", shell_complete=complete_addresses)
@click.argument("id")
@click.pass_obj
def command(options: Options, address: str, id: str) -> int:
    """Put the mark of manifest ADDRESS on the live object ID.

    Nothing else of it is changed; `plan` shows what differs.
    """
    from reconciler.commands.ownership import change_marks
    from reconciler.commands.session import Session, parse_address
    from reconciler.config.errors import ConfigError, error
    from reconciler.core.codes import Code
    from reconciler.core.kind_plan import KindPlanner
    from reconciler.core.model import Change

    wanted = parse_address(address)

    def decide(planner: KindPlanner) -> list[Change]:
        if (manifest := planner.manifests.get(wanted.key)) is None:
            hint = "write the manifest first: it says what is managed"
            raise ConfigError([error(Code.NO_SUCH_ADDRESS, f"no manifest has the address {wanted}", None, "", hint)])
        return [planner.adoption(manifest, id)]

    return change_marks(Session(options), {wanted.kind}, decide, f"no manifest has the address {wanted}")
