"""`reconciler drift`: is the target still as the files say? Read-only."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.completers import complete_addresses
from reconciler.cli.options.drift_options import base_option
from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import formats_option, print_diagnostics, write
from reconciler.cli.verbs import verb


@verb
@click.command("drift")
@click.argument("addresses", nargs=-1, shell_complete=complete_addresses)
@base_option
@formats_option
@click.pass_obj
def command(options: Options, addresses: tuple[str, ...], base: str, formats: tuple[str, ...]) -> int:
    """Exits 2 if a managed object differs. Edits in the files that are not applied yet are counted, not shown: `plan`
    shows them. If nothing records what was last applied (no `marks: digests`, no --base), an edit in the files looks
    like a manual change, and an object that was deleted by hand looks like one that was never created.
    """
    from reconciler.cli.open_session import session_of
    from reconciler.cli.output.formats import plan_renderers
    from reconciler.core.values.model import Action
    from reconciler.operations.planning.live_drift import find_drift

    drift = find_drift(session_of(options), addresses, base)
    print_diagnostics(options, drift.diagnostics)
    write(options, formats, plan_renderers(drift.plan, options))
    if drift.waiting and not options.quiet:
        click.echo(f"{drift.waiting} edited in the files, not applied yet: `reconciler plan` shows the edits", err=True)
    return Exit.CHANGES if any(c.action is not Action.NOOP for c in drift.plan.changes) else Exit.DONE
