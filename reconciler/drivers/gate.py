"""The rate gate: how many requests a minute one credential may send, shared by all threads."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

WINDOW_SECONDS = 60.0


class Gate(Protocol):
    """Says when the next request of a credential may go out. Safe from several threads."""

    def reserve(self) -> float:
        """Take the next free place; seconds from now until it is due."""
        ...

    def close(self, seconds: float) -> None:
        """Let nothing through for so many seconds from now."""
        ...


class RateGate:
    """At most `per_minute` requests in any 60 seconds; short runs are not slowed down.

    A remote that says "too many" closes the gate for everybody until the time it names.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._sent: deque[float] = deque(maxlen=per_minute)
        self._per_minute = per_minute
        self._clock = clock
        self._closed_until = 0.0
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take the next free place; seconds from now until it is due."""
        with self._lock:
            now = self._clock()
            due = max(now, self._closed_until)
            if len(self._sent) == self._per_minute:
                due = max(due, self._sent[0] + WINDOW_SECONDS)
            self._sent.append(due)
            return due - now

    def close(self, seconds: float) -> None:
        """Let nothing through for so many seconds from now."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)


def gates_of(reads: int, writes: int, both: int | None, clock: Callable[[], float]) -> Mapping[bool, Gate]:
    """The gates of one process, for reads (False) and writes (True): the same one where a remote counts `both`."""
    if both is not None:
        shared = RateGate(both, clock)
        return {False: shared, True: shared}
    return {False: RateGate(reads, clock), True: RateGate(writes, clock)}
