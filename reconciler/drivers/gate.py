"""How many requests one credential may send: in a minute, and at once. Shared by all threads."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

WINDOW_SECONDS = 60.0


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


class Lane:
    """One request's way out; `limited` is set where the remote refused it because there were too many.

    Of those that were on their way together and were refused, one `counts`.
    """

    __slots__ = ("counts", "limited")

    def __init__(self) -> None:
        self.limited = False
        self.counts = True


class Lanes:
    """How many requests may be on their way at once: any number, until the remote says "too many".

    Then half of those that were, and one more for each round of answers without complaint. Otherwise a remote that
    takes twenty a second, and gets sixteen at once each time it opens again, refuses some of them until they give up.
    """

    def __init__(self) -> None:
        self._limit = math.inf
        self._busy = 0
        self._cuts = 0
        self._changed = threading.Condition()

    @contextmanager
    def lane(self) -> Iterator[Lane]:
        """Wait for a lane, and hold it."""
        lane = Lane()
        with self._changed:
            while self._busy + 1 > self._limit:
                self._changed.wait()
            self._busy += 1
            cuts = self._cuts
        try:
            yield lane
        finally:
            with self._changed:
                if cuts != self._cuts:  # it left before the last complaint and says nothing about what came of it
                    lane.counts = not lane.limited
                elif not lane.limited:
                    self._limit += 1 / self._limit
                else:
                    self._limit = max(1, self._busy / 2)
                    self._cuts += 1
                self._busy -= 1
                self._changed.notify_all()
