"""SIGINT, SIGTERM and SIGHUP, heard for as long as a block runs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_signals(act: Callable[[], None]) -> Iterator[None]:
    """Have each of the signals do this instead of what it did before. In the main thread only."""

    def hear(number: int, frame: FrameType | None) -> None:
        act()

    before = {number: signal.signal(number, hear) for number in _signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def on_first_signal(act: Callable[[], None]) -> Iterator[None]:
    """The same for the first of them; a second one ends the process at once, whatever it is at."""

    def hear() -> None:
        for number in _signals():  # before any output: its reader may send the second signal at once
            signal.signal(number, signal.SIG_DFL)
        act()

    with on_signals(hear):
        yield


def _signals() -> list[signal.Signals]:
    """Those that ask to end. A terminal that goes away is not heard where `nohup` has it ignored; Windows has none."""
    hangup: list[signal.Signals] = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []
    return [signal.SIGINT, signal.SIGTERM, *(n for n in hangup if signal.getsignal(n) is not signal.SIG_IGN)]
