"""`reconciler plan`: what differs, field by field; sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.commands.options import Options
from reconciler.commands.output import formats_option, say, write


@click.command("plan")
@click.argument("addresses", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan, for `apply PLANFILE`.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option("--allow-deletes", type=click.IntRange(min=1), help="Allow exactly this many deletes.")
@formats_option
@click.pass_obj
def command(
    options: Options,
    addresses: tuple[str, ...],
    out: Path | None,
    detailed_exitcode: bool,
    allow_deletes: int | None,
    formats: tuple[str, ...],
) -> int:
    """Show what differs between the files and the target, field by field. Sends no write.

    With ADDRESSES (KIND/KEY), only these are planned, and nothing is deleted.
    """
    from reconciler.commands.formats import plan_renderers
    from reconciler.commands.planning import exit_of, plan_live
    from reconciler.commands.session import Session
    from reconciler.core.document import summarise
    from reconciler.engine import planfile

    session = Session(options)
    planned = plan_live(session, addresses, allow_deletes)
    say(options, (*planned.loaded.diagnostics, *planned.plan.diagnostics))
    write(options, formats, plan_renderers(planned.plan, options))
    if out is not None:
        planfile.save(planned.plan, session.root / out)
    summary = summarise(planned.plan)
    changes = sum(summary[action] for action in ("create", "update", "delete", "adopt", "move", "release"))
    return exit_of(planned.plan, detailed_exitcode, changes)
