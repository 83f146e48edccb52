"""`reconciler takeover`: manage here what another owner managed."""

from __future__ import annotations

import click

from reconciler.cli.options.completers import complete_addresses
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("takeover")
@click.argument("addresses", nargs=-1, shell_complete=complete_addresses)
@click.option("--from", "owner", required=True, metavar="OWNER", help="Current owner of the objects.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; asked only if OWNER is the owner here.")
@click.pass_obj
def command(options: Options, addresses: tuple[str, ...], owner: str, yes: bool) -> int:
    """Without ADDRESSES, it takes over the objects of all manifests here. Each object keeps OWNER's key, or is the one
    that `id:` names. Only marks change, and only those of objects with a manifest here. If OWNER is the owner here,
    these are objects whose marks are not signed, not valid or new in the lock file: check each of them before you
    confirm.
    """
    from reconciler.cli.mark_changes import write_marks
    from reconciler.cli.open_session import session_of
    from reconciler.operations.ownership_changes import take_over
    from reconciler.operations.project.address_lookup import parse_address

    session = session_of(options)
    planned = take_over(session, [parse_address(text) for text in addresses], owner)
    return write_marks(session, options, planned, asks=owner == session.owner and not yes)
