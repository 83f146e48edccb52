"""Passes over targets, several at once, so that one that hangs or fails holds up no other.

Each target keeps its connections from pass to pass. How many passes run at once, and what is kept between them, depends
on how many descriptors the process may have: a thousand targets fit into 1,024.
"""

from __future__ import annotations

import heapq
import json
import queue
import random
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum
from itertools import count
from typing import Any, Final, NamedTuple

from reconciler.cli.drift_options import Choices
from reconciler.cli.expected_errors import diagnostics_of
from reconciler.cli.options import Options
from reconciler.config.errors import ConfigError
from reconciler.core.plan import Plan
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.base import Interrupted
from reconciler.exits import Exit
from reconciler.formats.outcome import Outcome, Result
from reconciler.formats.plan_document import summarise
from reconciler.operations.applying.apply_plan import fresh_plan, send
from reconciler.operations.applying.signals import heard_once
from reconciler.operations.applying.target_lock import locked
from reconciler.operations.project.session import Session
from reconciler.operations.project.shared_connections import Kept
from reconciler.operations.running.health_endpoints import Figures, page
from reconciler.operations.running.probe_server import Listener
from reconciler.operations.running.tracing import Spans, no_spans

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 900.0
_MOST_AT_ONCE: Final = 32
"""More passes at once do not get done sooner: what they do between requests takes turns."""
_RESERVED: Final = 64
"""Descriptors for what is not a pass: files of the interpreter, the listener, traces."""
_BESIDE: Final = 16
"""Descriptors of a pass beside its connections: its files, git, the lock."""
_IDLE: Final = 4
"""Descriptors that a target keeps between passes where it keeps any: a connection, or a database of three files."""


@dataclass(frozen=True, slots=True)
class Pace:
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


class Room(NamedTuple):
    """How many passes may run at once, and whether targets keep connections and databases open between them."""

    at_once: int
    spare: bool

    @classmethod
    def within(cls, descriptors: int, targets: int, concurrency: int) -> Room:
        """What fits into so many descriptors. A pass that failed may have connections left while the next one runs."""
        spare = _IDLE * targets <= descriptors / 4
        left = descriptors - _RESERVED - (_IDLE * targets if spare else 0)
        fitting = left // (2 * concurrency + _BESIDE)
        return cls(max(1, min(fitting, _MOST_AT_ONCE, targets)), spare)


class _Verdict(Enum):
    """How a pass went; cut short is one that was told to stop before all was done."""

    GOOD = "good"
    FAILED = "failed"
    CUT_SHORT = "cut short"


def run(options: Options, pace: Pace, on_drift: str, listen: str | None, traces: bool) -> int:
    """Pass over the targets until a signal asks to stop, or for as many passes as asked.

    What is in flight is finished then, the rest skipped. Raises ConfigError and OSError.
    """
    with Session(options) as session:
        names = [session.target.name] if options.target else list(session.settings.targets)
        if not options.target and len(names) > 1:
            names.remove("local")  # it is always there, and meant only where it is named
        room = Room.within(_descriptors(), len(names), _concurrency(session, names))
    stop = threading.Event()
    ended: queue.SimpleQueue[_Loop | None] = queue.SimpleQueue()  # which a signal handler may put something into

    def ask_to_stop() -> None:
        stop.set()
        ended.put(None)
        log("stopping")

    figures = {name: Figures() for name in names}
    with ExitStack() as stack:
        stack.enter_context(heard_once(ask_to_stop))
        spans = stack.enter_context(_spans(traces))
        if listen:
            listener = stack.enter_context(Listener(listen, lambda path: page(path, figures, pace.pass_limit)))
            log("listening", url=listener.url)
        choices = Choices(on_drift=on_drift)
        loops = [
            stack.enter_context(_Loop(options, name, pace, choices, figures[name], stop, room.spare)) for name in names
        ]
        _take_turns(loops, room.at_once, spans, ended)
    log("stopped")
    if any(loop.cut_short for loop in loops):
        return Exit.INTERRUPTED
    bad = any(each.failures_in_a_row for each in figures.values())
    return Exit.PARTLY if bad and pace.passes else Exit.DONE


def _take_turns(loops: Sequence[_Loop], at_once: int, spans: Spans, ended: queue.SimpleQueue[_Loop | None]) -> None:
    """Have each loop make its passes when they are due, until all have ended or `ended` gives None."""

    def turn(loop: _Loop) -> None:
        try:
            loop.turn(spans)
        finally:
            ended.put(loop)

    numbers = count()  # of two that are due at once, the first
    due = [(0.0, next(numbers), loop) for loop in loops]
    busy = 0
    with ThreadPoolExecutor(at_once, thread_name_prefix="pass") as pool:
        while due or busy:
            now = time.monotonic()
            while due and due[0][0] <= now:
                pool.submit(turn, heapq.heappop(due)[2])
                busy += 1
            try:
                loop = ended.get(timeout=due[0][0] - now if due else None)
            except queue.Empty:
                continue
            if loop is None:
                return
            busy -= 1
            if (wait := loop.wait()) is not None:
                heapq.heappush(due, (time.monotonic() + wait, next(numbers), loop))


def log(event: str, **fields: object) -> None:
    """One line of JSON on stderr."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = json.dumps({"at": at, "event": event, **fields})
    print(f"{line}\n", end="", file=sys.stderr, flush=True)  # in one piece: other threads have lines as well


class _Loop:
    """The passes over one target. A context manager: leaving it closes what was kept between them."""

    def __init__(
        self,
        options: Options,
        name: str,
        pace: Pace,
        choices: Choices,
        figures: Figures,
        stop: threading.Event,
        spare: bool,
    ) -> None:
        self.name = name
        self.cut_short = False
        self._options = replace(options, target=name, quiet=True)
        self._pace = pace
        self._choices = choices
        self._figures = figures
        self._stop = stop
        self._spare = spare
        self._kept = Kept()

    def __enter__(self) -> _Loop:
        return self

    def __exit__(self, *problem: object) -> None:
        self._kept.close()

    def turn(self, spans: Spans) -> None:
        """One pass, unless it is to stop."""
        if self._stop.is_set():
            return
        figures = self._figures
        figures.since = begin = time.monotonic()
        try:
            with spans("pass", {"target": self.name}):
                verdict = self._pass_once(spans)
        finally:
            self._kept.rest(spare=self._spare)
            figures.since = None
        figures.seconds = time.monotonic() - begin
        figures.passes += 1
        if verdict is _Verdict.FAILED:
            figures.failures += 1
            figures.failures_in_a_row += 1
        elif verdict is _Verdict.GOOD:
            figures.failures_in_a_row = 0
            figures.last_success = time.time()
        else:
            self.cut_short = True

    def wait(self) -> float | None:
        """Seconds until the next pass; None where there is none."""
        if self._pace.passes is not None and self._figures.passes >= self._pace.passes:
            return None
        return self._pace.wait(self._figures.failures_in_a_row, random.random())  # noqa: S311

    def _pass_once(self, spans: Spans) -> _Verdict:
        try:
            with Session(self._options, kept=self._kept) as session:
                session.stop = self._stop
                plan, outcomes = self._brought_about(session, spans)
        except Exception as problem:
            if isinstance(problem, Interrupted) and self._stop.is_set():
                log("pass cut short", target=self.name)
                return _Verdict.CUT_SHORT
            said = diagnostics_of(problem)
            told = [_told(d) for d in said[0]] if said else [f"bug: {type(problem).__name__}: {problem}"]
            self._figures.problem = _named(d.code for d in said[0]) if said else "a bug"
            log("pass failed", target=self.name, problems=told, failures=self._figures.failures_in_a_row + 1)
            return _Verdict.FAILED
        return self._tell(plan, outcomes)

    def _brought_about(self, session: Session, spans: Spans) -> tuple[Plan, list[Outcome]]:
        with locked(session):
            with spans("plan", {"target": self.name}):
                plan, sight = fresh_plan(session, (), None, self._choices)
            if not any(change.is_due for change in plan.changes):
                return plan, []
            with spans("apply", {"target": self.name}):
                return plan, send(session, plan, sight)

    def _tell(self, plan: Plan, outcomes: list[Outcome]) -> _Verdict:
        figures = self._figures
        figures.planned = summarise(plan)
        results = dict(figures.results)  # not changed in place: another thread reads it
        for outcome in outcomes:
            results[outcome.result.value] = results.get(outcome.result.value, 0) + 1
            figures.requests += outcome.requests
            log("change", target=self.name, address=str(outcome.address), action=outcome.action, result=outcome.result)
        figures.results = results
        problems = [f"{o.address}: {_told(o.error)}" for o in outcomes if o.error]
        blocked = [f"{c.address}: {c.blocked.hint}" for c in plan.changes if c.blocked]
        skipped = sum(1 for o in outcomes if o.result is Result.SKIPPED and not o.error) if self._stop.is_set() else 0
        more: dict[str, Any] = {"problems": problems} if problems else {}
        more |= {"blocked": blocked} if blocked else {}
        more |= {"skipped": skipped} if skipped else {}
        done = len(outcomes) - len(problems) - skipped
        log("pass", target=self.name, planned=figures.planned, done=done, **more)
        if problems:
            figures.problem = _named(o.error.code for o in outcomes if o.error)
        return _Verdict.CUT_SHORT if skipped else _Verdict.FAILED if problems else _Verdict.GOOD


def _told(problem: Diagnostic) -> str:
    """A problem as an event says it: its place, where it has one, what is wrong, and the code."""
    place = f"{problem.source}: " if problem.source else ""
    return f"{place}{problem.summary} [{problem.code}]"


def _named(codes: Iterable[Code]) -> str:
    """The first of the codes and what it is for: nothing of anybody's text."""
    code = next(iter(codes))
    return f"{code} ({code.name.lower().replace('_', ' ')})"


def _descriptors() -> int:
    """How many descriptors this process may have."""
    if resource is None:
        return 512  # what the C library of Windows begins with
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 20 if soft == resource.RLIM_INFINITY else soft


def _concurrency(session: Session, names: Iterable[str]) -> int:
    """The most requests that any of the targets may have in flight."""
    widest = 1
    for name in names:
        with suppress(ConfigError):  # its passes will say so
            target = session.settings.target(name)
            limits = session.schemas.limits(session.schemas.provider(target.provider, target.source), target)
            widest = max(widest, limits.concurrency)
    return widest


def _spans(traces: bool) -> Any:
    if not traces:
        return no_spans()
    from reconciler.operations.running.tracing import exported_spans

    return exported_spans()
