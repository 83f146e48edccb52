"""A rate gate that all workers share: one row for each credential, one statement for each request.

The generic cell rate algorithm with places that are taken in advance: a request takes the next free place on the
database's clock, gives the connection back, and sleeps until its place has come.
"""

from __future__ import annotations

import time
from typing import Final

from reconciler.engine.fleet.database import Database

BURST: Final = 4
"""Places that went by unused and may be made up for: a little lateness costs nothing then."""

_RESERVE: Final = """
    INSERT INTO reconciler_gate AS gate (key, due) VALUES (%(key)s, extract(epoch FROM clock_timestamp()))
    ON CONFLICT (key) DO UPDATE SET due = greatest(
        gate.due + %(step)s, extract(epoch FROM clock_timestamp()) - %(step)s * %(burst)s)
    RETURNING due - extract(epoch FROM clock_timestamp())::float8
"""
_CLOSE: Final = """
    UPDATE reconciler_gate SET due = greatest(due, extract(epoch FROM clock_timestamp()) + %(seconds)s)
    WHERE key = %(key)s
"""


class SharedGate:
    """At most `per_minute` requests a minute, evenly, over all processes that use the same key."""

    def __init__(self, database: Database, key: str, per_minute: float) -> None:
        self._database = database
        self._key = key
        self._step = 60.0 / per_minute
        self._closed_until = 0.0

    def reserve(self) -> float:
        """Take the next free place; seconds from now until it is due. Raises StoreError."""
        row = self._database.one(_RESERVE, {"key": self._key, "step": self._step, "burst": BURST})
        assert row is not None
        return max(0.0, float(row[0]))

    def close(self, seconds: float) -> None:
        """Let nothing through for so many seconds from now. Raises StoreError."""
        self._closed_until = time.monotonic() + seconds
        self._database.run(_CLOSE, {"key": self._key, "seconds": seconds})

    def opens_in(self) -> float:
        """Seconds until it lets anything through again, as far as this process knows."""
        return max(0.0, self._closed_until - time.monotonic())
