"""Passes over targets, each target in a thread of its own, so that one that hangs or fails holds up no other."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.commands.applying import fresh_plan, send
from reconciler.commands.choices import Choices
from reconciler.commands.failures import diagnostics_of
from reconciler.commands.listening import Listener
from reconciler.commands.locking import locked
from reconciler.commands.options import Options
from reconciler.commands.session import Session
from reconciler.commands.signals import heard
from reconciler.commands.tracing import Spans, no_spans
from reconciler.core.plan import Plan
from reconciler.drivers.gate import Gate, gates_of
from reconciler.drivers.provider import Limits
from reconciler.exits import Exit
from reconciler.formats.document import summarise
from reconciler.formats.outcome import Outcome
from reconciler.render.metrics import Metric, exposition

FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 900.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between passes, the part of them that is left to chance, and after how many passes to end."""

    interval: float
    jitter: float
    passes: int | None = None

    def wait(self, failures: int, chance: float) -> float:
        """Seconds until the next pass, after so many failures in a row. `chance` is in [0, 1)."""
        seconds = self.interval
        if failures:
            pause = min(FIRST_PAUSE_SECONDS, self.interval) * 2.0 ** min(failures - 1, 16)
            seconds = max(min(pause, LONGEST_PAUSE_SECONDS), 0.1)
        return seconds * (1 + self.jitter * (2 * chance - 1))


@dataclass(slots=True)
class Figures:
    """What is known of one target's passes. Times are in seconds since the epoch."""

    passes: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    began: float = 0.0
    last_success: float = 0.0
    seconds: float = 0.0
    requests: int = 0
    results: dict[str, int] = field(default_factory=dict)
    planned: dict[str, int] = field(default_factory=dict)


def run(options: Options, pace: Pace, on_drift: str, listen: str | None, traces: bool) -> int:
    """Pass over the targets until SIGINT or SIGTERM, or for as many passes as asked. Raises ConfigError and OSError."""
    session = Session(options)
    names = [session.target.name] if options.target else list(session.settings.targets)
    if not options.target and len(names) > 1:
        names.remove("local")  # it is always there, and meant only where it is named
    stop = threading.Event()
    figures = {name: Figures() for name in names}
    loops = [_Loop(options, name, pace, Choices(on_drift=on_drift), figures[name], stop) for name in names]
    with ExitStack() as stack:
        spans = stack.enter_context(_spans(traces))
        if listen:
            listener = stack.enter_context(Listener(listen, lambda path: _page(path, figures, pace)))
            log("listening", url=listener.url)
        stack.enter_context(heard(stop.set))
        threads = [threading.Thread(target=loop.run, args=(spans,), name=loop.name) for loop in loops]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    log("stopped")
    bad = any(each.failures_in_a_row for each in figures.values())
    return Exit.PARTLY if bad and pace.passes else Exit.DONE


def log(event: str, **fields: object) -> None:
    """One line of JSON on stderr."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(json.dumps({"at": at, "event": event, **fields}), file=sys.stderr, flush=True)


class _Loop:
    """The passes over one target."""

    def __init__(
        self, options: Options, name: str, pace: Pace, choices: Choices, figures: Figures, stop: threading.Event
    ) -> None:
        self.name = name
        self._options = replace(options, target=name, quiet=True)
        self._pace = pace
        self._choices = choices
        self._figures = figures
        self._stop = stop
        self._kept_gates: dict[str, Mapping[bool, Gate]] = {}

    def run(self, spans: Spans) -> None:
        """Pass after pass, until stopped."""
        figures = self._figures
        while not self._stop.is_set():
            figures.began, begin = time.time(), time.monotonic()
            with spans("pass", {"target": self.name}):
                problem = self._pass_once(spans)
            figures.seconds = time.monotonic() - begin
            figures.passes += 1
            figures.failures_in_a_row = figures.failures_in_a_row + 1 if problem else 0
            figures.failures += bool(problem)
            if not problem:
                figures.last_success = time.time()
            if self._pace.passes is not None and figures.passes >= self._pace.passes:
                return
            wait = self._pace.wait(figures.failures_in_a_row, random.random())  # noqa: S311
            self._stop.wait(wait)

    def _pass_once(self, spans: Spans) -> bool:
        """One pass; whether something went wrong."""
        session = Session(self._options, gates=self._gates)
        session.stop = self._stop
        try:
            with locked(session):
                with spans("plan", {"target": self.name}):
                    plan, sight = fresh_plan(session, (), None, self._choices)
                outcomes: list[Outcome] = []
                if any(change.is_due for change in plan.changes) and not self._stop.is_set():
                    with spans("apply", {"target": self.name}):
                        outcomes = send(session, plan, sight)
        except Exception as problem:
            said = diagnostics_of(problem)
            told = (
                [f"{d.summary} [{d.code}]" for d in said[0]] if said else [f"bug: {type(problem).__name__}: {problem}"]
            )
            log("pass failed", target=self.name, problems=told, failures=self._figures.failures_in_a_row + 1)
            return True
        return self._tell(plan, outcomes)

    def _tell(self, plan: Plan, outcomes: list[Outcome]) -> bool:
        figures = self._figures
        figures.planned = summarise(plan)
        for outcome in outcomes:
            figures.results[outcome.result.value] = figures.results.get(outcome.result.value, 0) + 1
            figures.requests += outcome.requests
            log("change", target=self.name, address=str(outcome.address), action=outcome.action, result=outcome.result)
        problems = [f"{o.address}: {o.error.summary} [{o.error.code}]" for o in outcomes if o.error]
        blocked = [f"{c.address}: {c.blocked.hint}" for c in plan.changes if c.blocked]
        more: dict[str, Any] = {"problems": problems} if problems else {}
        more |= {"blocked": blocked} if blocked else {}
        log("pass", target=self.name, planned=figures.planned, done=len(outcomes) - len(problems), **more)
        return bool(problems)

    def _gates(self, credential: str, limits: Limits) -> Mapping[bool, Gate]:
        """The gates of a credential, the same in every pass: what one has sent counts for the next."""
        key = f"{credential} {limits}"
        if key not in self._kept_gates:
            reads, writes, both = limits.reads_per_minute, limits.writes_per_minute, limits.requests_per_minute
            self._kept_gates[key] = gates_of(reads, writes, both, time.monotonic)
        return self._kept_gates[key]


def _page(path: str, figures: Mapping[str, Figures], pace: Pace) -> tuple[int, str]:
    """What /healthz, /readyz and /metrics answer."""
    if path == "/metrics":
        return 200, exposition(_metrics(figures))
    if path == "/healthz":
        oldest = time.time() - 3 * max(pace.interval, LONGEST_PAUSE_SECONDS)
        stuck = [name for name, each in figures.items() if each.began and each.began < oldest]
        return (503, f"stuck: {', '.join(stuck)}\n") if stuck else (200, "ok\n")
    if path == "/readyz":
        waiting = [name for name, each in figures.items() if not each.last_success]
        return (503, f"no pass yet: {', '.join(waiting)}\n") if waiting else (200, "ok\n")
    return 404, "not found: /healthz, /readyz and /metrics are\n"


def _metrics(figures: Mapping[str, Figures]) -> list[Metric]:
    def each(value: Callable[[Figures], float]) -> dict[tuple[tuple[str, str], ...], float]:
        return {(("target", name),): value(found) for name, found in figures.items()}

    def by(label: str, group: Callable[[Figures], Mapping[str, int]]) -> dict[tuple[tuple[str, str], ...], float]:
        found = [(name, key, count) for name, each in figures.items() for key, count in group(each).items()]
        return {(("target", name), (label, key)): float(count) for name, key, count in found}

    return [
        Metric("reconciler_passes_total", "Passes over a target.", each(lambda f: f.passes), True),
        Metric("reconciler_failed_passes_total", "Passes that failed.", each(lambda f: f.failures), True),
        Metric("reconciler_requests_total", "Requests that changes took.", each(lambda f: f.requests), True),
        Metric("reconciler_changes_total", "Changes by result.", by("result", lambda f: f.results), True),
        Metric("reconciler_planned", "The last plan, by action.", by("action", lambda f: f.planned)),
        Metric("reconciler_last_success_seconds", "When a pass last succeeded.", each(lambda f: f.last_success)),
        Metric("reconciler_pass_seconds", "How long the last pass took.", each(lambda f: f.seconds)),
        Metric("reconciler_failures_in_a_row", "Failed passes since one worked.", each(lambda f: f.failures_in_a_row)),
    ]


def _spans(traces: bool) -> Any:
    if not traces:
        return no_spans()
    from reconciler.commands.tracing import exported_spans

    return exported_spans()
