"""Passes over targets, several at once, so that one that hangs or fails holds up no other.

Each target keeps its connections from pass to pass. How many passes run at once, and what is kept between them, depends
on how many descriptors the process may have: a thousand targets fit into 1,024.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import count
from typing import Any, Final, NamedTuple

from reconciler.config.errors import ConfigError
from reconciler.operations.applying.signals import on_first_signal
from reconciler.operations.planning.git_base import DriftChoices
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.project.project_target import ProjectTarget
from reconciler.operations.reporter import SILENT, Reporter
from reconciler.operations.running.health_endpoints import PassStatistics, page
from reconciler.operations.running.probe_server import Listener
from reconciler.operations.running.target_loop import Log, PassSchedule, TargetLoop
from reconciler.operations.running.tracing import Spans, no_spans

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

_MOST_AT_ONCE: Final = 32
"""More passes at once do not get done sooner: what they do between requests takes turns."""
_RESERVED: Final = 64
"""Descriptors for what is not a pass: files of the interpreter, the listener, traces."""
_BESIDE: Final = 16
"""Descriptors of a pass beside its connections: its files, git, the lock."""
_IDLE: Final = 4
"""Descriptors that a target keeps between passes where it keeps any: a connection, or a database of three files."""


class PassLimits(NamedTuple):
    """How many passes may run at once, and whether targets keep connections and databases open between them."""

    at_once: int
    spare: bool

    @classmethod
    def within(cls, descriptors: int, targets: int, concurrency: int) -> PassLimits:
        """What fits into so many descriptors. A pass that failed may have connections left while the next one runs."""
        spare = _IDLE * targets <= descriptors / 4
        left = descriptors - _RESERVED - (_IDLE * targets if spare else 0)
        fitting = left // (2 * concurrency + _BESIDE)
        return cls(max(1, min(fitting, _MOST_AT_ONCE, targets)), spare)


class Ended(NamedTuple):
    """How a run ended: whether a pass was cut short, and whether the last pass over some target failed."""

    cut_short: bool
    failing: bool


def run(
    options: ProjectOptions,
    pace: PassSchedule,
    log: Log,
    *,
    on_drift: str = "revert",
    listen: str | None = None,
    traces: bool = False,
    reporter: Reporter = SILENT,
) -> Ended:
    """Pass over the targets until a signal asks to stop, or for as many passes as asked.

    What is in flight is finished then, the rest skipped. Raises ConfigError, InvalidArgument and OSError.
    """
    project = ProjectTarget(options)
    names = [project.target.name] if options.target else list(project.settings.targets)
    if not options.target and len(names) > 1:
        names.remove("local")  # it is always there, and meant only where it is named
    room = PassLimits.within(_descriptors(), len(names), _concurrency(project, names))
    stop = threading.Event()
    ended: queue.SimpleQueue[TargetLoop | None] = queue.SimpleQueue()  # which a signal handler may put something into

    def ask_to_stop() -> None:
        stop.set()
        ended.put(None)
        log("stopping")

    figures = {name: PassStatistics() for name in names}
    with ExitStack() as stack:
        stack.enter_context(on_first_signal(ask_to_stop))
        spans = stack.enter_context(_spans(traces))
        if listen:
            listener = stack.enter_context(Listener(listen, lambda path: page(path, figures, pace.pass_limit)))
            log("listening", url=listener.url)
        choices = DriftChoices(on_drift=on_drift)
        loops = [
            stack.enter_context(
                TargetLoop(options, name, pace, log, choices, figures[name], stop, room.spare, reporter)
            )
            for name in names
        ]
        _take_turns(loops, room.at_once, spans, ended)
    log("stopped")
    failing = any(each.failures_in_a_row for each in figures.values())
    return Ended(any(loop.cut_short for loop in loops), failing)


def _take_turns(
    loops: Sequence[TargetLoop], at_once: int, spans: Spans, ended: queue.SimpleQueue[TargetLoop | None]
) -> None:
    """Have each loop make its passes when they are due, until all have ended or `ended` gives None."""

    def turn(loop: TargetLoop) -> None:
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


def _descriptors() -> int:
    """How many descriptors this process may have."""
    if resource is None:
        return 512  # what the C library of Windows begins with
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 20 if soft == resource.RLIM_INFINITY else soft


def _concurrency(project: ProjectTarget, names: Iterable[str]) -> int:
    """The most requests that any of the targets may have in flight."""
    widest = 1
    for name in names:
        with suppress(ConfigError):  # its passes will say so
            target = project.settings.target(name)
            limits = project.schemas.limits(project.schemas.provider(target.provider, target.source), target)
            widest = max(widest, limits.concurrency)
    return widest


def _spans(traces: bool) -> Any:
    if not traces:
        return no_spans()
    from reconciler.operations.running.tracing import exported_spans

    return exported_spans()
