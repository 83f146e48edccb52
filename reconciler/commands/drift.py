"""`reconciler drift`: is the target still as the files say? Read-only."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.commands.options import Options
from reconciler.commands.output import formats_option, say, write
from reconciler.core.model import Action, Change, Plan, Reason
from reconciler.exits import Exit


@click.command("drift")
@click.argument("addresses", nargs=-1)
@formats_option
@click.pass_obj
def command(options: Options, addresses: tuple[str, ...], formats: tuple[str, ...]) -> int:
    """Tell whether the live objects we manage still look like the files; exit 2 when one does not.

    What the files say and was never applied (new manifests, removed ones) is counted, not shown: `plan` shows it. An
    edit of a file that was not applied yet shows like an edit by hand, and an object deleted by hand like one that was
    never made: nothing but the object itself remembers what was last applied.
    """
    from reconciler.commands.formats import plan_renderers
    from reconciler.commands.planning import plan_live
    from reconciler.commands.session import Session

    session = Session(options)
    planned = plan_live(session, addresses, None)
    differs, waiting = _separate(planned.plan)
    say(options, (*planned.loaded.diagnostics, *planned.plan.diagnostics))
    write(options, formats, plan_renderers(differs, options))
    if waiting and not options.quiet:
        click.echo(f"{waiting} not applied yet: `reconciler plan` shows what", err=True)
    return Exit.CHANGES if _changes(differs) else Exit.DONE


def _separate(plan: Plan) -> tuple[Plan, int]:
    """The plan with only the differences of objects that are managed already, and how many changes that leaves out."""
    kept = [c for c in plan.changes if c.action is Action.NOOP or _is_drift(c)]
    return replace(plan, changes=tuple(kept)), len(plan.changes) - len(kept)


def _is_drift(change: Change) -> bool:
    """A managed object whose fields differ; without a base, a hand's edit and a file's look the same."""
    return change.action is Action.UPDATE and bool(change.fields) and change.reasons != (Reason.REMOVED,)


def _changes(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.action is not Action.NOOP]
