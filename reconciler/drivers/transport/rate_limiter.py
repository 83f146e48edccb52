"""Limits how many requests one credential sends: per minute, and at once, over all threads."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

WINDOW_SECONDS = 60.0


class RateLimiter(Protocol):
    """Says when the next request of a credential may go out. Safe from several threads."""

    def reserve(self) -> float:
        """Take the next free place; seconds from now until it is due."""
        ...

    def close(self, seconds: float) -> None:
        """Let nothing through for so many seconds from now."""
        ...

    def opens_in(self) -> float:
        """Seconds until it lets anything through again, as far as this process knows."""
        ...


class LocalRateLimiter:
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

    def opens_in(self) -> float:
        """Seconds until it lets anything through again."""
        with self._lock:
            return max(0.0, self._closed_until - self._clock())


def rate_limiters_of(
    reads: int, writes: int, both: int | None, clock: Callable[[], float]
) -> Mapping[bool, RateLimiter]:
    """The gates of one process, for reads (False) and writes (True): the same one where a remote counts `both`."""
    if both is not None:
        shared = LocalRateLimiter(both, clock)
        return {False: shared, True: shared}
    return {False: LocalRateLimiter(reads, clock), True: LocalRateLimiter(writes, clock)}


class ConcurrencyLimit:
    """How many requests may be on their way at once: any number, until the remote says "too many".

    Then half of those that were, and one more for each round of answers without complaint. Otherwise a remote that
    takes twenty a second, and gets sixteen at once each time it opens again, refuses some of them until they give up.
    """

    def __init__(self) -> None:
        self._limit = math.inf
        self._busy = 0
        self._refusals = 0
        self._lock = threading.Lock()

    def enter(self) -> int | None:
        """Take a lane, if one is free: the answer belongs to `leave`."""
        with self._lock:
            if self._busy + 1 > self._limit:
                return None
            self._busy += 1
            return self._refusals

    def leave(self, entered: int, *, limited: bool) -> bool:
        """Free the lane; `limited` where the remote refused because there were too many.

        Whether that counts: of those that were on their way together and were refused, one does.
        """
        with self._lock:
            counts = entered == self._refusals
            if counts and limited:
                self._limit = max(1, self._busy / 2)
                self._refusals += 1
            elif counts:
                self._limit += 1 / self._limit
            self._busy -= 1
            return counts
