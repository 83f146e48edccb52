"""Keeping worker processes alive: one that ends without being told to is started again, after a growing pause."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 15.0
STEADY_SECONDS: Final = 30.0
"""A worker that ran for so long starts again with the first pause."""


@dataclass(slots=True)
class _Place:
    """One worker's place: the process in it, when it began, and when the next may begin."""

    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    due: float = 0.0
    pause: float = field(default=FIRST_PAUSE_SECONDS)


def supervise(command: Sequence[str], count: int, say: Callable[[str], None]) -> int:
    """Run `count` processes of a command until SIGINT or SIGTERM, which they get as well; 0 when all ended then."""
    stop = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in before:
        signal.signal(number, ask_to_stop)
    places = [_Place() for _ in range(count)]
    try:
        while not stop.wait(0.1):
            for place in places:
                _look_after(place, command, say)
        return _end(places)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _look_after(place: _Place, command: Sequence[str], say: Callable[[str], None]) -> None:
    now = time.monotonic()
    if place.process is not None and (code := place.process.poll()) is not None:
        place.pause = FIRST_PAUSE_SECONDS if now - place.began > STEADY_SECONDS else place.pause * 2
        place.pause = min(place.pause, LONGEST_PAUSE_SECONDS)
        place.process, place.due = None, now + place.pause
        say(f"a worker ended with {code}; another starts in {place.pause:.1f} s")
    if place.process is None and now >= place.due:
        place.process, place.began = subprocess.Popen(command), now  # noqa: S603


def _end(places: Sequence[_Place]) -> int:
    running = [place.process for place in places if place.process is not None]
    for process in running:
        process.send_signal(signal.SIGTERM)
    return max((abs(process.wait()) for process in running), default=0)
