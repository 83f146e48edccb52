"""`reconciler drift`: is the target still as the files say? Read-only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reconciler.cli.completers import complete_addresses
from reconciler.cli.drift_options import Choices, base_option
from reconciler.cli.options import Options
from reconciler.cli.output import formats_option, say, write
from reconciler.cli.verbs import verb
from reconciler.exits import Exit

if TYPE_CHECKING:
    from reconciler.core.plan import Plan
    from reconciler.core.values.model import Change, FieldChange


@verb
@click.command("drift")
@click.argument("addresses", nargs=-1, shell_complete=complete_addresses)
@base_option
@formats_option
@click.pass_obj
def command(options: Options, addresses: tuple[str, ...], base: str, formats: tuple[str, ...]) -> int:
    """What the files say and was never applied is counted, not shown: `plan` shows it. Where nothing remembers what was
    last applied (no `marks: digests`, no --base), an edit of a file that was not applied yet shows like an edit by
    hand, and an object deleted by hand like one that was never made.
    """
    from reconciler.cli.output_formats import plan_renderers
    from reconciler.core.values.model import Action
    from reconciler.operations.planning.live_plan import plan_live
    from reconciler.operations.project.session import session_of

    session = session_of(options)
    planned = plan_live(session, addresses, None, Choices(base=base, applied=True))
    differs, waiting = _separate(planned.plan)
    say(options, (*planned.loaded.diagnostics, *planned.plan.diagnostics))
    write(options, formats, plan_renderers(differs, options))
    if waiting and not options.quiet:
        click.echo(f"{waiting} not applied yet: `reconciler plan` shows what", err=True)
    return Exit.CHANGES if any(c.action is not Action.NOOP for c in differs.changes) else Exit.DONE


def _separate(plan: Plan) -> tuple[Plan, int]:
    """The plan with only the differences that arose on the remote, and how many changes have others."""
    from reconciler.core.values.model import Action, Reason

    kept: list[Change] = []
    waiting = 0
    for change in plan.changes:
        strayed = _strayed(change)
        if change.action is Action.NOOP or strayed or Reason.GONE in change.reasons:
            kept.append(replace(change, fields=strayed, blocked=None) if strayed else change)
        if change.action is not Action.NOOP and not (change.fields == strayed or Reason.GONE in change.reasons):
            waiting += 1
    return replace(plan, changes=tuple(kept)), waiting


def _strayed(change: Change) -> tuple[FieldChange, ...]:
    """The fields of a managed object that differ for another reason than an edit of the files."""
    from reconciler.core.values.model import Action, Reason

    if change.action not in (Action.UPDATE, Action.MOVE):
        return ()
    # What differs without anybody having touched the live object.
    waiting = (Reason.EDITED, Reason.REMOVED, Reason.COUPLED, Reason.MARK)
    return tuple(field for field in change.fields if field.reason not in waiting)
