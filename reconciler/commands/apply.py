"""`reconciler apply`: make the target look like the files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import Options
from reconciler.commands.output import destinations, formats_option, say, write
from reconciler.exits import Exit

if TYPE_CHECKING:
    from reconciler.commands.session import Session
    from reconciler.core.model import Outcome, Plan, TargetIdentity
    from reconciler.engine.observe import Sight


@click.command("apply")
@click.argument("what", nargs=-1, metavar="[PLANFILE | ADDRESS...]")
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@click.option("--allow-deletes", type=click.IntRange(min=1), help="Allow exactly this many deletes.")
@click.option("--on-error", type=click.Choice(["continue", "stop"]), default="continue", help="After a failure.")
@click.option(
    "--parallelism", type=click.IntRange(1, 64), help="Requests in flight; default: the target's concurrency."
)
@formats_option
@click.pass_obj
def command(
    options: Options,
    what: tuple[str, ...],
    yes: bool,
    allow_deletes: int | None,
    on_error: str,
    parallelism: int | None,
    formats: tuple[str, ...],
) -> int:
    """Send the changes that `plan` shows: only the fields that differ, and nothing else.

    With PLANFILE (from `plan --out`), exactly what it holds, unless the target changed meanwhile in what it touches.
    """
    from reconciler.commands.applying import carry_out, exit_of
    from reconciler.commands.formats import apply_renderers
    from reconciler.commands.session import Session

    destinations(formats, ("text", "json"))
    session = Session(options)
    if len(what) == 1 and (what[0].endswith(".json") or (session.root / what[0]).is_file()):
        plan, sight = _saved(session, Path(what[0]), allow_deletes)
    else:
        plan, sight = _fresh(session, what, allow_deletes)
    say(options, plan.diagnostics)
    _show(options, plan, formats)
    outcomes: list[Outcome] = []
    if any(change.is_due for change in plan.changes):
        if not (yes or _confirmed()):
            click.echo("nothing was sent", err=True)
            return Exit.ERROR
        outcomes = carry_out(session, plan, sight, parallelism=parallelism, stop_on_error=on_error == "stop")
    write(options, formats, apply_renderers(plan, outcomes, options))
    return exit_of(plan, outcomes, session.stop.is_set())


def _fresh(session: Session, addresses: Sequence[str], allow_deletes: int | None) -> tuple[Plan, Sight]:
    """Plan now. Creates of an interrupted run that may yet show up are waited for first."""
    from reconciler.commands.planning import plan_live
    from reconciler.core.model import Action

    planned = plan_live(session, addresses, allow_deletes)
    creates = {change.address for change in planned.plan.changes if change.action is Action.CREATE}
    open_attempts = [attempt for attempt in planned.sight.unsettled if attempt.address in creates]
    seconds = session.journal.seconds_to_settle(open_attempts)
    if seconds > 0:
        click.echo(
            f"waiting {seconds:.0f} s: {len(open_attempts)} creates of an earlier run may still show up", err=True
        )
        session.stop.wait(seconds)
        planned = plan_live(session, addresses, allow_deletes)
    say(session.options, planned.loaded.diagnostics)
    return planned.plan, planned.sight


def _saved(session: Session, file: Path, allow_deletes: int | None) -> tuple[Plan, Sight]:
    """A saved plan, for this target and owner and no other."""
    from reconciler.config.errors import ConfigError, error
    from reconciler.core.codes import Code
    from reconciler.core.policy import lift_guard
    from reconciler.engine import planfile
    from reconciler.engine.observe import observe

    plan = planfile.load(session.root / file)
    sight = observe(session.driver, session.kinds, session.journal)
    if (plan.target, plan.owner) != (session.identity, session.owner):
        summary = f"the plan is for {_told(plan.target, plan.owner)}"
        detail = f"this is {_told(session.identity, session.owner)}"
        raise ConfigError([error(Code.BAD_PLAN_FILE, summary, None, detail, "choose its target, or plan again")])
    return replace(plan, changes=tuple(lift_guard(plan.changes, allow_deletes))), sight


def _told(target: TargetIdentity, owner: str) -> str:
    account = f", account {target.account}" if target.account else ""
    return f"{owner} on {target.name} ({target.provider}, {target.url}{account})"


def _show(options: Options, plan: Plan, formats: Sequence[str]) -> None:
    """The plan before it is applied: on stdout, or on stderr where stdout is for a machine."""
    from reconciler.commands.formats import plan_renderers

    machine = any(name != "text" and file is None for name, file in destinations(formats, ("text", "json")))
    if not (options.quiet and machine):
        click.echo(plan_renderers(plan, options)["text"](not machine), nl=False, err=machine)


def _confirmed() -> bool:
    """Ask. Raises ConfigError where nobody is there to be asked."""
    from reconciler.config.errors import ConfigError, error
    from reconciler.core.codes import Code

    if not sys.stdin.isatty():
        summary = "nobody is here to confirm, so nothing was sent"
        raise ConfigError([error(Code.CONFIRMATION_REQUIRED, summary, None, "", "add --yes")])
    return click.confirm("Apply these changes?", err=True)
