"""A rate limit that all workers share through the database: one row for each credential.

The generic cell rate algorithm with places that are taken in advance: a request takes the next free place on the
database's clock, gives the connection back, and sleeps until its place has come. A process that sends one request
after the other takes a few places with one statement; those it does not come to use are lost, and it takes fewer then.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from reconciler.engine.fleet.database import Database

BURST: Final = 4
"""Places that went by unused and may be made up for: a little lateness costs nothing then."""
AHEAD_SECONDS: Final = 0.1
"""The most places that are taken at once: those of so long a time."""
LATE_SECONDS: Final = 0.05
"""A place that nobody came for is lost after so long: used late, it would crowd those of others."""
STILL_SECONDS: Final = 1.0
"""Places whose answer took longer to come are taken anew: the process may have stood still, and they have gone by."""

_RESERVE: Final = """
    INSERT INTO reconciler_gate AS gate (key, due)
    VALUES (%(key)s, extract(epoch FROM clock_timestamp()) + %(step)s * (%(places)s - 1))
    ON CONFLICT (key) DO UPDATE SET due = %(step)s * (%(places)s - 1) + greatest(
        gate.due + %(step)s, extract(epoch FROM clock_timestamp()) - %(step)s * %(burst)s)
    RETURNING due - extract(epoch FROM clock_timestamp())::float8
"""
_CLOSE: Final = """
    UPDATE reconciler_gate SET due = greatest(due, extract(epoch FROM clock_timestamp()) + %(seconds)s)
    WHERE key = %(key)s
"""


class SharedRateLimiter:
    """At most `per_minute` requests a minute, evenly, over all processes that use the same key."""

    def __init__(
        self, database: Database, key: str, per_minute: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._key = key
        self._step = 60.0 / per_minute
        self._clock = clock
        self._closed_until = 0.0
        self._most = max(1, int(AHEAD_SECONDS / self._step))
        self._places = 1  # how many to take next time
        self._free: deque[float] = deque()
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Take the next free place; seconds from now until it is due. Raises StoreError."""
        with self._lock:
            while self._free and self._free[0] < self._clock() - LATE_SECONDS:
                self._free.popleft()
                self._places = 1
            if not self._free:
                self._take()
            return max(0.0, self._free.popleft() - self._clock())

    def close(self, seconds: float) -> None:
        """Let nothing through for so many seconds from now. Raises StoreError."""
        self._closed_until = self._clock() + seconds
        with self._lock:
            self._free.clear()
        self._database.run(_CLOSE, {"key": self._key, "seconds": seconds})

    def opens_in(self) -> float:
        """Seconds until it lets anything through again, as far as this process knows."""
        return max(0.0, self._closed_until - self._clock())

    def _take(self) -> None:
        """Take places, twice as many as the last time: those were all used."""
        places = self._places
        values = {"key": self._key, "step": self._step, "burst": BURST, "places": float(places)}
        for _ in range(2):
            began = self._clock()
            row = self._database.one(_RESERVE, values)
            assert row is not None
            last = self._clock() + float(row[0])
            if self._clock() - began < STILL_SECONDS:
                break
        self._free.extend(last - self._step * before for before in reversed(range(places)))
        self._places = min(2 * places, self._most)
