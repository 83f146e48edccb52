"""Carrying out a plan: what everything that sends changes shares."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reconciler.core.plan import Plan
from reconciler.core.values.model import Action
from reconciler.engine.apply import ApplyOptions, apply_plan
from reconciler.engine.snapshot import Snapshot
from reconciler.formats.outcome import Outcome
from reconciler.operations.applying.signals import on_first_signal
from reconciler.operations.applying.target_lock import hold_lock
from reconciler.operations.planning.git_base import DriftChoices
from reconciler.operations.planning.live_plan import Planned, plan_live
from reconciler.operations.planning.saved_plan import load_saved_plan
from reconciler.operations.project.session import Session
from reconciler.operations.project.state_directory import ensure_state
from reconciler.operations.reporter import SILENT_OBSERVER, ApplyObserver


def fresh_plan(session: Session, addresses: Sequence[str], allow_deletes: int | None, choices: DriftChoices) -> Planned:
    """Plan now. Creates of an interrupted run that may yet show up are waited for first."""
    planned = plan_live(session, addresses, allow_deletes, choices)
    if _waited(session, planned.plan, planned.snapshot):
        planned = plan_live(session, addresses, allow_deletes, choices)
    return planned


def saved_plan(session: Session, plan: Plan, allow_deletes: int | None) -> tuple[Plan, Snapshot]:
    """The same for a plan that was made earlier: the plan as it can be carried out now, and what is live.

    Raises what `load_saved_plan` raises.
    """
    ready, snapshot = load_saved_plan(session, plan, allow_deletes)
    return load_saved_plan(session, plan, allow_deletes) if _waited(session, ready, snapshot) else (ready, snapshot)


def carry_out(
    session: Session,
    plan: Plan,
    snapshot: Snapshot,
    *,
    parallelism: int | None = None,
    stop_on_error: bool = False,
) -> list[Outcome]:
    """Apply a plan, and report how far it is; SIGINT, SIGTERM and SIGHUP end it after what is in flight.

    Raises StalePlan and LockFileError, before anything is sent.
    """
    total = sum(1 for change in plan.changes if change.is_due)
    with session.reporter.applying(total) as observer, _signals(session):
        session.sent = observer.sent
        return send(session, plan, snapshot, parallelism=parallelism, stop_on_error=stop_on_error, observer=observer)


def send(
    session: Session,
    plan: Plan,
    snapshot: Snapshot,
    *,
    parallelism: int | None = None,
    stop_on_error: bool = False,
    observer: ApplyObserver = SILENT_OBSERVER,
) -> list[Outcome]:
    """Apply a plan; `session.stop` ends it after what is in flight. Raises like `carry_out`, and like `hold_lock`."""
    ensure_state(session.state)  # for the journal
    with hold_lock(session), session.held():
        options = ApplyOptions(
            concurrency=parallelism or session.limits.concurrency,
            settle_seconds=session.limits.settle_seconds,
            fresh_seconds=session.limits.fresh_seconds,
            read_at=snapshot.read_at,
            neighbours=session.neighbours,
            indexing_seconds=session.limits.indexing_seconds,
            stop_on_error=stop_on_error,
            report=observer.report,
            awaiting=observer.awaiting,
            stop=session.stop,
        )
        return apply_plan(plan, session.driver, session.kinds, snapshot.observed, session.journal, options)


def _waited(session: Session, plan: Plan, snapshot: Snapshot) -> bool:
    """Wait for creates of an interrupted run that may yet show up; False where there are none of the plan's."""
    creates = {change.address for change in plan.changes if change.action is Action.CREATE}
    unsettled = [attempt for attempt in snapshot.unsettled if attempt.address in creates]
    seconds = session.journal.seconds_to_settle(unsettled)
    if seconds <= 0:
        return False
    session.reporter.waiting(seconds, len(unsettled))
    session.stop.wait(seconds)
    return True


@contextmanager
def _signals(session: Session) -> Iterator[None]:
    """The first signal stops the session, a second one ends the process. Only the main thread can handle signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask_to_stop() -> None:
        session.stop.set()
        session.reporter.stopping()

    with on_first_signal(ask_to_stop):
        yield
