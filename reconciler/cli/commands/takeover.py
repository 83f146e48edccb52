"""`reconciler takeover`: manage here what another owner managed."""

from __future__ import annotations

import click

from reconciler.cli.completers import complete_addresses
from reconciler.cli.options import Options
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
    from reconciler.config.errors import ConfigError, error
    from reconciler.core.ownership import Ownership
    from reconciler.core.values.model import Change
    from reconciler.diagnostics import Code
    from reconciler.operations.applying.change_marks import change_marks
    from reconciler.operations.project.address_lookup import parse_address
    from reconciler.operations.project.session import session_of

    session = session_of(options)
    named = [parse_address(text) for text in addresses]
    wanted = named or [manifest.address for manifest in session.load().manifests]

    def decide(ownership: Ownership) -> list[Change]:
        changes: list[Change] = []
        for address in (each for each in wanted if each.kind == ownership.kind.name):
            manifest = ownership.manifests.get(address.key)
            change = ownership.take_over(manifest, owner) if manifest else None
            if change is not None:
                changes.append(change)
            elif named:
                why = f"{owner} has no object for it" if manifest else "it has no manifest here"
                raise ConfigError([error(Code.NO_SUCH_ADDRESS, f"{address} cannot be taken over: {why}", None)])
        return changes

    nothing = f"{owner} manages nothing that has a manifest here"
    asks = owner == session.owner and not yes
    return change_marks(session, {address.kind for address in wanted}, decide, nothing, asks=asks)
