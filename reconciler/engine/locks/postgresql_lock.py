"""A lock in PostgreSQL: an advisory lock, which ends with its connection and needs no table.

The name of the connection says who holds it. Every write asks the server first: if `unlock` or a crash ended the
connection, the lock is lost.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, Final, LiteralString
from urllib.parse import urlsplit

import psycopg

from reconciler.engine.locks.lock_protocol import Holder, LockTaken, LockUnusable, lost

SEND_WITHIN_SECONDS: Final = 2.5
_ALIVE: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds: a server that cannot be reached is a lock that cannot be relied on
}
_TRY: Final = "SELECT pg_try_advisory_lock(hashtextextended('reconciler lock ' || %(name)s, 0))"
_HOLDER: Final = """
    SELECT pid, application_name, coalesce(extract(epoch FROM backend_start), 0)::float8
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::int8 << 32) | objid::int8) = hashtextextended('reconciler lock ' || %(name)s, 0)
"""


class AdvisoryLock:
    """The lock of that name in the database at a url. Safe from several threads."""

    def __init__(self, url: str, name: str) -> None:
        if urlsplit(url).netloc.count("@") > 1:  # what the server says would quote a part of the password
            raise LockUnusable("the url of the lock is malformed", "write @ in its password as %40")
        self._url = url
        self._name = name
        self._connection: psycopg.Connection[Any] | None = None
        self._guard = threading.Lock()

    def acquire(self, holder: Holder) -> None:
        """Take it. Raises LockTaken and LockUnusable."""
        label = f"{holder.who[:14]}@{holder.host[:34]} {holder.run}"  # PostgreSQL keeps 63 bytes
        self._connection = self._connect(label)
        if not self._rows(_TRY)[0][0]:
            found = self.holder()
            self.release()
            raise LockTaken(self._name, found)

    def seconds_left(self) -> float:
        """How long a write may still be sent from now on, at least. Raises LockLost."""
        if self._connection is None:
            raise lost(self._name, "it was released")
        try:
            self._rows("SELECT 1")
        except LockUnusable as problem:
            raise lost(self._name, str(problem)) from problem
        return SEND_WITHIN_SECONDS

    def release(self) -> None:
        """Give it back, and end the connection."""
        with self._guard:
            if self._connection is not None:
                with suppress(psycopg.Error):  # lost: it is nobody's already
                    # A connection that ends frees its locks only when the server hears of it: the next run comes first.
                    self._connection.execute("SELECT pg_advisory_unlock_all()")
                self._connection.close()
                self._connection = None

    def holder(self) -> Holder | None:
        """Who holds it right now. Raises LockUnusable."""
        found = self._held()
        return found[1] if found else None

    def remove(self, holder: Holder) -> bool:
        """End the connection of this holder; whether it still had the lock. Raises LockUnusable."""
        found = self._held()
        if found is None or found[1] != holder:
            return False
        self._rows("SELECT pg_terminate_backend(%(pid)s, 5000)", pid=found[0])
        return True

    def _held(self) -> tuple[int, Holder] | None:
        for pid, label, since in self._rows(_HOLDER):
            place, _, run = label.rpartition(" ")
            who, _, host = place.partition("@")
            return pid, Holder(who, host, run, since)
        return None

    def _connect(self, label: str) -> psycopg.Connection[Any]:
        try:
            return psycopg.connect(self._url, autocommit=True, application_name=label, **_ALIVE)  # type: ignore[arg-type]
        except psycopg.OperationalError as problem:
            hint = "check that it runs, and the url of the lock"
            raise LockUnusable(f"the lock cannot be used: {_first_line(problem)}", hint) from None
        except psycopg.Error:
            raise LockUnusable("the url of the lock is malformed", "postgresql://USER@HOST/DATABASE") from None

    def _rows(self, statement: LiteralString, **values: object) -> list[tuple[Any, ...]]:
        with self._guard:
            if self._connection is None:
                self._connection = self._connect("reconciler unlock")
            try:
                return self._connection.execute(statement, {"name": self._name, **values}).fetchall()
            except psycopg.Error as problem:
                raise LockUnusable(f"the lock cannot be used: {_first_line(problem)}") from None


def _first_line(problem: psycopg.Error) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]
