"""Carrying out a plan: what `apply`, `adopt` and `release` share."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from reconciler.cli.drift_options import Choices
from reconciler.cli.output import say
from reconciler.cli.progress import progress
from reconciler.config.errors import ConfigError, error
from reconciler.core.plan import Plan
from reconciler.core.values.model import Action, Address
from reconciler.diagnostics import Code
from reconciler.engine.apply import ApplyOptions, apply_plan
from reconciler.engine.snapshot import Snapshot
from reconciler.exits import Exit
from reconciler.formats.outcome import Outcome, Result
from reconciler.operations.applying.signals import heard_once
from reconciler.operations.applying.target_lock import locked
from reconciler.operations.planning.live_plan import plan_live
from reconciler.operations.project.session import Session
from reconciler.operations.project.state_directory import made

_HALF = (Code.NOT_INDEXED, Code.STILL_INDEXING)
"""What says of an outcome that part of it was done."""
_OVERTAKEN = {Code.STALE_PLAN, Code.VERSION_CONFLICT}


def fresh_plan(
    session: Session, addresses: Sequence[str], allow_deletes: int | None, choices: Choices
) -> tuple[Plan, Snapshot]:
    """Plan now. Creates of an interrupted run that may yet show up are waited for first."""
    planned = plan_live(session, addresses, allow_deletes, choices)
    if waited(session, planned.plan, planned.sight):
        planned = plan_live(session, addresses, allow_deletes, choices)
    say(session.options, planned.loaded.diagnostics)
    return planned.plan, planned.sight


def carry_out(
    session: Session,
    plan: Plan,
    sight: Snapshot,
    *,
    parallelism: int | None = None,
    stop_on_error: bool = False,
) -> list[Outcome]:
    """Apply a plan with progress on a terminal; SIGINT, SIGTERM and SIGHUP end it after what is in flight.

    Raises StalePlan and LockFileError, before anything is sent.
    """
    total = sum(1 for change in plan.changes if change.is_due)
    with progress(session.options, total) as shown, _signals(session.stop):
        if shown is not None:
            session.sent = shown.sent
        report = shown.report if shown else lambda outcome: None
        awaiting = shown.awaiting if shown else lambda address, count: None
        return send(
            session,
            plan,
            sight,
            parallelism=parallelism,
            stop_on_error=stop_on_error,
            report=report,
            awaiting=awaiting,
        )


def send(
    session: Session,
    plan: Plan,
    sight: Snapshot,
    *,
    parallelism: int | None = None,
    stop_on_error: bool = False,
    report: Callable[[Outcome], None] = lambda outcome: None,
    awaiting: Callable[[Address, int], None] = lambda address, count: None,
) -> list[Outcome]:
    """Apply a plan; `session.stop` ends it after what is in flight. Raises like `carry_out`, and like `locked`."""
    made(session.state)  # for the journal
    with locked(session), session.held():
        options = ApplyOptions(
            concurrency=parallelism or session.limits.concurrency,
            settle_seconds=session.limits.settle_seconds,
            fresh_seconds=session.limits.fresh_seconds,
            read_at=sight.read_at,
            neighbours=session.neighbours,
            indexing_seconds=session.limits.indexing_seconds,
            stop_on_error=stop_on_error,
            report=report,
            awaiting=awaiting,
            stop=session.stop,
        )
        return apply_plan(plan, session.driver, session.kinds, sight.observed, session.journal, options)


def confirmed() -> bool:
    """Ask whether to apply. Raises ConfigError where nobody is there to be asked."""
    if not sys.stdin.isatty():
        summary = "nobody is here to confirm, so nothing was sent"
        raise ConfigError([error(Code.CONFIRMATION_REQUIRED, summary, None, "", "add --yes")])
    return click.confirm("Apply these changes?", err=True)


def waited(session: Session, plan: Plan, sight: Snapshot) -> bool:
    """Wait for creates of an interrupted run that may yet show up; False where there are none of the plan's."""
    creates = {change.address for change in plan.changes if change.action is Action.CREATE}
    unsettled = [attempt for attempt in sight.unsettled if attempt.address in creates]
    seconds = session.journal.seconds_to_settle(unsettled)
    if seconds <= 0:
        return False
    if not session.options.quiet:
        click.echo(f"waiting {seconds:.0f} s: {len(unsettled)} creates of an earlier run may still show up", err=True)
    session.stop.wait(seconds)
    return True


def exit_of(plan: Plan, outcomes: Sequence[Outcome], interrupted: bool) -> Exit:
    """The exit code of an apply: the worst that happened."""
    if interrupted:
        return Exit.INTERRUPTED
    results = {outcome.result for outcome in outcomes}
    if any(outcome.error and outcome.error.code in _HALF for outcome in outcomes):
        return Exit.PARTLY
    if results & {Result.FAILED, Result.UNKNOWN, Result.SKIPPED}:
        failures = {outcome.error.code for outcome in outcomes if outcome.error and outcome.result is Result.FAILED}
        if failures and failures <= _OVERTAKEN and not results - {Result.FAILED, Result.SKIPPED}:
            return Exit.STALE
        return Exit.PARTLY if results - {Result.FAILED, Result.SKIPPED} else Exit.ERROR
    if any(finding.code is Code.NOT_KEPT for outcome in outcomes for finding in outcome.findings):
        return Exit.PARTLY
    return Exit.BLOCKED if any(change.blocked for change in plan.changes) else Exit.DONE


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """The first signal sets `stop`; a second one ends the process. Only the main thread can be told of any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask_to_stop() -> None:
        stop.set()
        click.echo("\nstopping after what is in flight; once more to stop at once", err=True)

    with heard_once(ask_to_stop):
        yield
