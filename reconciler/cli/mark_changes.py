"""What `adopt`, `release` and `takeover` print while their marks are written."""

from __future__ import annotations

import click

from reconciler.cli.confirmation import apply_confirmed
from reconciler.cli.exit_codes import apply_exit
from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import print_diagnostics
from reconciler.cli.output.formats import plan_renderers
from reconciler.core.values.model import Action, Change, Reason
from reconciler.formats.outcome import Result
from reconciler.operations.applying.apply_plan import carry_out
from reconciler.operations.ownership_changes import MarkPlan
from reconciler.operations.project.session import Session
from reconciler.render.view.labels import SIGNED


def write_marks(session: Session, options: Options, planned: MarkPlan, *, asks: bool = False) -> int:
    """Carry out a plan of marks, and print what happened; with `asks`, show the plan and ask first."""
    plan = planned.plan
    if asks:
        click.echo(plan_renderers(plan, options)["text"](True), nl=False)
        if not apply_confirmed():
            click.echo("nothing was sent", err=True)
            return Exit.ERROR
    outcomes = carry_out(session, plan, planned.snapshot)
    done = {outcome.number for outcome in outcomes if outcome.result in (Result.DONE, Result.ALREADY_APPLIED)}
    for change in plan.changes:
        if change.action is Action.NOOP or change.number in done:
            _print_change(change, session.owner)
    print_diagnostics(options, [outcome.error for outcome in outcomes if outcome.error])
    return apply_exit(plan, outcomes, session.stop.is_set())


def _print_change(change: Change, owner: str) -> None:
    results = {
        Action.ADOPT: "is now managed here",
        Action.RELEASE: "is no longer managed here; nothing else was changed",
        Action.NOOP: "was already managed here",
    }
    more = ", no longer by its former owner" if Reason.TAKEOVER in change.reasons else ""
    text = SIGNED if change.former_owner == owner else f"{results[change.action]}{more}"
    click.echo(f"{change.address}  {change.id} {text}")
