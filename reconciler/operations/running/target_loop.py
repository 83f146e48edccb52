"""The passes over one target: each plans and applies, logs what it did, and is counted."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, Protocol

from reconciler.core.plan import Plan
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.base import Interrupted
from reconciler.formats.outcome import Outcome, Result
from reconciler.formats.plan_document import summarise
from reconciler.operations.applying.apply_plan import fresh_plan, send
from reconciler.operations.applying.target_lock import hold_lock
from reconciler.operations.invalid_argument import diagnostics_of
from reconciler.operations.planning.git_base import DriftChoices
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.project.session import Session
from reconciler.operations.project.shared_connections import SharedConnections
from reconciler.operations.reporter import Reporter
from reconciler.operations.running.health_endpoints import PassStatistics
from reconciler.operations.running.tracing import Spans

FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 900.0


class Log(Protocol):
    """Takes an event and what belongs to it, from several threads."""

    def __call__(self, event: str, **fields: object) -> None:
        """Keep the event."""


@dataclass(frozen=True, slots=True)
class PassSchedule:
    """Seconds between passes, the part of them that is left to chance, after how many passes to end, and the seconds
    that one may take before it counts as stuck."""

    interval: float
    jitter: float
    passes: int | None = None
    pass_limit: float = 1800.0

    def wait(self, failures: int, chance: float) -> float:
        """Seconds until the next pass, after so many failures in a row. `chance` is in [0, 1)."""
        seconds = self.interval
        if failures:
            pause = min(FIRST_PAUSE_SECONDS, self.interval) * 2.0 ** min(failures - 1, 16)
            seconds = max(min(pause, LONGEST_PAUSE_SECONDS), 0.1)
        return seconds * (1 + self.jitter * (2 * chance - 1))


class _Verdict(Enum):
    """How a pass ended; CUT_SHORT: it was stopped before it was done."""

    GOOD = "good"
    FAILED = "failed"
    CUT_SHORT = "cut short"


class TargetLoop:
    """The passes over one target. A context manager: leaving it closes what was kept between them."""

    def __init__(
        self,
        options: ProjectOptions,
        name: str,
        schedule: PassSchedule,
        log: Log,
        choices: DriftChoices,
        statistics: PassStatistics,
        stop: threading.Event,
        spare: bool,
        reporter: Reporter,
    ) -> None:
        self.name = name
        self.cut_short = False
        self._options = replace(options, target=name)
        self._log = log
        self._schedule = schedule
        self._choices = choices
        self._statistics = statistics
        self._stop = stop
        self._spare = spare
        self._reporter = reporter
        self._connections = SharedConnections()

    def __enter__(self) -> TargetLoop:
        return self

    def __exit__(self, *problem: object) -> None:
        self._connections.close()

    def turn(self, spans: Spans) -> None:
        """One pass, unless it is to stop."""
        if self._stop.is_set():
            return
        statistics = self._statistics
        statistics.since = begin = time.monotonic()
        try:
            with spans("pass", {"target": self.name}):
                verdict = self._pass_once(spans)
        finally:
            self._connections.close_idle(spare=self._spare)
            statistics.since = None
        statistics.seconds = time.monotonic() - begin
        statistics.passes += 1
        if verdict is _Verdict.FAILED:
            statistics.failures += 1
            statistics.failures_in_a_row += 1
        elif verdict is _Verdict.GOOD:
            statistics.failures_in_a_row = 0
            statistics.last_success = time.time()
        else:
            self.cut_short = True

    def wait(self) -> float | None:
        """Seconds until the next pass; None where there is none."""
        if self._schedule.passes is not None and self._statistics.passes >= self._schedule.passes:
            return None
        return self._schedule.wait(self._statistics.failures_in_a_row, random.random())  # noqa: S311

    def _pass_once(self, spans: Spans) -> _Verdict:
        try:
            with Session(self._options, connections=self._connections, reporter=self._reporter) as session:
                session.stop = self._stop
                plan, outcomes = self._plan_and_apply(session, spans)
        except Exception as problem:
            if isinstance(problem, Interrupted) and self._stop.is_set():
                self._log("pass cut short", target=self.name)
                return _Verdict.CUT_SHORT
            diagnostics = diagnostics_of(problem)
            problems = (
                [_problem_text(each) for each in diagnostics]
                if diagnostics
                else [f"bug: {type(problem).__name__}: {problem}"]
            )
            self._statistics.problem = _named(each.code for each in diagnostics) if diagnostics else "a bug"
            self._log(
                "pass failed", target=self.name, problems=problems, failures=self._statistics.failures_in_a_row + 1
            )
            return _Verdict.FAILED
        return self._log_result(plan, outcomes)

    def _plan_and_apply(self, session: Session, spans: Spans) -> tuple[Plan, list[Outcome]]:
        with hold_lock(session):
            with spans("plan", {"target": self.name}):
                planned = fresh_plan(session, (), None, self._choices)
            if not any(change.is_due for change in planned.plan.changes):
                return planned.plan, []
            with spans("apply", {"target": self.name}):
                return planned.plan, send(session, planned.plan, planned.snapshot)

    def _log_result(self, plan: Plan, outcomes: list[Outcome]) -> _Verdict:
        statistics = self._statistics
        statistics.planned = summarise(plan)
        results = dict(statistics.results)  # not changed in place: another thread reads it
        for outcome in outcomes:
            results[outcome.result.value] = results.get(outcome.result.value, 0) + 1
            statistics.requests += outcome.requests
            self._log(
                "change", target=self.name, address=str(outcome.address), action=outcome.action, result=outcome.result
            )
        statistics.results = results
        problems = [f"{o.address}: {_problem_text(o.error)}" for o in outcomes if o.error]
        blocked = [f"{c.address}: {c.blocked.hint}" for c in plan.changes if c.blocked]
        skipped = sum(1 for o in outcomes if o.result is Result.SKIPPED and not o.error) if self._stop.is_set() else 0
        more: dict[str, Any] = {"problems": problems} if problems else {}
        more |= {"blocked": blocked} if blocked else {}
        more |= {"skipped": skipped} if skipped else {}
        done = len(outcomes) - len(problems) - skipped
        self._log("pass", target=self.name, planned=statistics.planned, done=done, **more)
        if problems:
            statistics.problem = _named(o.error.code for o in outcomes if o.error)
        return _Verdict.CUT_SHORT if skipped else _Verdict.FAILED if problems else _Verdict.GOOD


def _problem_text(problem: Diagnostic) -> str:
    """A problem as an event says it: its place, where it has one, what is wrong, and the code."""
    place = f"{problem.source}: " if problem.source else ""
    return f"{place}{problem.summary} [{problem.code}]"


def _named(codes: Iterable[Code]) -> str:
    """The first of the codes and what it is for: nothing of anybody's text."""
    code = next(iter(codes))
    return f"{code} ({code.name.lower().replace('_', ' ')})"
