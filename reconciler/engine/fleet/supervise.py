"""Keeps worker processes alive: one that crashes is started again, after a growing pause.

Workers are forked from the supervisor, which has read the files: they share what it holds, and start in no time.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Final

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 15.0
STEADY_SECONDS: Final = 30.0
"""A worker that ran for so long starts again with the first pause."""
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class _WorkerSlot:
    """One worker's place: the process in it, when it began, and when the next may begin."""

    process: ForkProcess | None = None
    began: float = 0.0
    due: float = 0.0
    pause: float = field(default=FIRST_PAUSE_SECONDS / 2)


def supervise(work: Callable[[], int], count: int, say: Callable[[str], None]) -> int:
    """Have `count` processes do some work until SIGINT or SIGTERM, which they get as well; 0 when all ended then.

    `work` answers with an exit code. The process that calls this must have one thread.
    """
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    def begin() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, before)
        sys.exit(work())

    for number in before:
        signal.signal(number, ask_to_stop)
    places = [_WorkerSlot() for _ in range(count)]
    gc.freeze()  # what workers share stays shared: no collection touches it
    try:
        while not stop.wait(0.1):
            for place in places:
                _look_after(place, begin, say)
        return _end(places)
    finally:
        gc.unfreeze()
        for number, handler in before.items():
            signal.signal(number, handler)


def _look_after(place: _WorkerSlot, begin: Callable[[], None], say: Callable[[str], None]) -> None:
    now = time.monotonic()
    if place.process is not None and (code := place.process.exitcode) is not None:
        place.pause = FIRST_PAUSE_SECONDS if now - place.began > STEADY_SECONDS else place.pause * 2
        place.pause = min(place.pause, LONGEST_PAUSE_SECONDS)
        place.process, place.due = None, now + place.pause
        say(f"a worker ended with {code}; another starts in {place.pause:.1f} s")
    if place.process is None and now >= place.due:
        place.process, place.began = get_context("fork").Process(target=begin), now
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # one that came now would be heard by our handlers, twice
        try:
            place.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _end(places: Sequence[_WorkerSlot]) -> int:
    running = [place.process for place in places if place.process is not None]
    for process in running:
        process.terminate()
    for process in running:
        process.join()
    return max((abs(process.exitcode or 0) for process in running), default=0)
