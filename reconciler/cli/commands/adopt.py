"""`reconciler adopt`: start managing an object that exists."""

from __future__ import annotations

import click

from reconciler.cli.options.completers import complete_addresses
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("adopt")
@click.argument("address", shell_complete=complete_addresses)
@click.argument("id")
@click.pass_obj
def command(options: Options, address: str, id: str) -> int:
    """Puts the mark of the manifest ADDRESS on the live object ID. Nothing else of the object is changed: `plan` shows
    what differs.
    """
    from reconciler.cli.mark_changes import write_marks
    from reconciler.cli.open_session import session_of
    from reconciler.operations.ownership_changes import adopt
    from reconciler.operations.project.address_lookup import addresses_of_manifests

    session = session_of(options)
    [wanted] = addresses_of_manifests([address], session.load().manifests)
    return write_marks(session, options, adopt(session, wanted, id))
