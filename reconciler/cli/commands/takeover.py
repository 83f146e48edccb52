"""`reconciler takeover`: manage here what another owner managed."""

from __future__ import annotations

import click

from reconciler.cli.options.completers import complete_addresses
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("takeover")
@click.argument("addresses", nargs=-1, shell_complete=complete_addresses)
@click.option("--from", "owner", required=True, metavar="OWNER", help="Whose objects to take over.")
@click.option("--yes", is_flag=True, help="Do not ask; only asked where OWNER is the owner here.")
@click.pass_obj
def command(options: Options, addresses: tuple[str, ...], owner: str, yes: bool) -> int:
    """An object is taken over under the key of its manifest: OWNER's key, or the object that `id:` names. Nothing but
    its mark is changed, and nothing of OWNER that has no manifest here. Where OWNER is the owner here, these are the
    objects whose marks are not believed, not signed or new in the lock file: look at each before you say yes.
    """
    from reconciler.cli.mark_changes import write_marks
    from reconciler.cli.session import session_of
    from reconciler.operations.ownership import take_over
    from reconciler.operations.project.address_lookup import parse_address

    session = session_of(options)
    planned = take_over(session, [parse_address(text) for text in addresses], owner)
    return write_marks(session, options, planned, asks=owner == session.owner and not yes)
