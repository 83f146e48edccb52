"""Endpoints to monitor a continuous run: /healthz, /livez, /readyz, /metrics. No secrets, no texts of a remote."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.render.prometheus_text import Metric, exposition

MOST_FAILURES: Final = 3
"""So many failed passes in a row make a target an unhealthy one: one or two are an incident of somebody else's."""
_MOST_NAMED: Final = 20


@dataclass(slots=True)
class PassStatistics:
    """What is known of one target's passes. `since`: when the one that is running began, on the clock of `monotonic`;
    `problem`: the code of what failed last. Other times are in seconds since the epoch."""

    passes: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    since: float | None = None
    problem: str = ""
    last_success: float = 0.0
    seconds: float = 0.0
    requests: int = 0
    results: Mapping[str, int] = field(default_factory=dict)
    planned: Mapping[str, int] = field(default_factory=dict)


def page(path: str, figures: Mapping[str, PassStatistics], pass_limit: float) -> tuple[int, str]:
    """What a path is answered with: a status and a text. `pass_limit`: the seconds that a pass may take."""
    if path == "/metrics":
        return 200, exposition(_metrics(figures))
    if path == "/healthz":
        return _verdict([*_failing(figures), *_stuck(figures, pass_limit)])
    if path == "/livez":
        return _verdict(_stuck(figures, pass_limit))
    if path == "/readyz":
        return _verdict([f"{name}: no pass yet" for name, each in figures.items() if not each.last_success])
    return 404, "not found: /healthz, /livez, /readyz and /metrics are\n"


def _verdict(reasons: list[str]) -> tuple[int, str]:
    more = [f"and {len(reasons) - _MOST_NAMED} more"] if len(reasons) > _MOST_NAMED else []
    return (503, "".join(f"{line}\n" for line in reasons[:_MOST_NAMED] + more)) if reasons else (200, "ok\n")


def _failing(figures: Mapping[str, PassStatistics]) -> list[str]:
    return [
        f"{name}: {count} passes failed in a row, the last with {each.problem}"
        for name, each in figures.items()
        if (count := each.failures_in_a_row) >= MOST_FAILURES
    ]


def _stuck(figures: Mapping[str, PassStatistics], limit: float) -> list[str]:
    now = time.monotonic()
    times = {name: now - since for name, each in figures.items() if (since := each.since) is not None}
    return [
        f"{name}: a pass has been running for {seconds:.0f} s, and may take {limit:g}"
        for name, seconds in times.items()
        if seconds > limit
    ]


def _metrics(figures: Mapping[str, PassStatistics]) -> list[Metric]:
    def each(value: Callable[[PassStatistics], float]) -> dict[tuple[tuple[str, str], ...], float]:
        return {(("target", name),): value(found) for name, found in figures.items()}

    def by(
        label: str, group: Callable[[PassStatistics], Mapping[str, int]]
    ) -> dict[tuple[tuple[str, str], ...], float]:
        found = [(name, key, count) for name, each in figures.items() for key, count in group(each).items()]
        return {(("target", name), (label, key)): float(count) for name, key, count in found}

    return [
        Metric("reconciler_passes_total", "Passes over a target.", each(lambda f: f.passes), True),
        Metric("reconciler_failed_passes_total", "Passes that failed.", each(lambda f: f.failures), True),
        Metric("reconciler_requests_total", "Requests sent for changes.", each(lambda f: f.requests), True),
        Metric("reconciler_changes_total", "Changes by result.", by("result", lambda f: f.results), True),
        Metric("reconciler_planned", "The last plan, by action.", by("action", lambda f: f.planned)),
        Metric("reconciler_last_success_seconds", "When a pass last succeeded.", each(lambda f: f.last_success)),
        Metric("reconciler_pass_seconds", "How long the last pass took.", each(lambda f: f.seconds)),
        Metric("reconciler_failures_in_a_row", "Failed passes since one worked.", each(lambda f: f.failures_in_a_row)),
    ]
