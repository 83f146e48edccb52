"""SIGINT and SIGTERM, heard for as long as a block runs."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def heard(act: Callable[[], None]) -> Iterator[None]:
    """Have both signals do this instead of what they did before. In the main thread only."""

    def hear(number: int, frame: FrameType | None) -> None:
        act()

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
