"""What outlives a session of a target where passes follow one another: connections, rate gates, the embedded server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reconciler.drivers.provider import Limits
from reconciler.drivers.transport.rate_limiter import RateLimiter, rate_limiters_of

if TYPE_CHECKING:
    from reconciler.drivers.credentials.connection_settings import ConnectionSettings
    from reconciler.drivers.transport.connection_pool import ConnectionPool
    from reconciler.server import App

Gates: TypeAlias = Callable[[str, Limits], Mapping[bool, RateLimiter]]
"""The gates for reads (False) and writes (True): from a name for the credential, and the limits."""


class SharedConnections:
    """One channel and one embedded server, opened when first asked for, and anew where it has to be another one.

    A context manager: whoever made it closes it. For one session at a time. `gates` gives those that other processes
    share.
    """

    def __init__(self, gates: Gates | None = None) -> None:
        self.gates = gates or self._own_gates
        self._gates: dict[str, Mapping[bool, RateLimiter]] = {}
        self._channel: ConnectionPool | None = None
        self._way: object = None
        self._app: App | None = None
        self._file: object = None

    def __enter__(self) -> SharedConnections:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open. Closing twice is fine."""
        if self._channel is not None:
            self._channel.close()
        if self._app is not None:
            self._app.close()
        self._channel = self._app = None

    def channel(self, connection: ConnectionSettings, app: App | None) -> ConnectionPool:
        """The connections to a remote, or into an embedded server."""
        from reconciler.drivers.transport.connection_pool import ConnectionPool

        way = (connection.url, connection.timeout_seconds, app)
        if self._channel is None or self._way != way:
            if self._channel is not None:
                self._channel.close()
            self._channel, self._way = ConnectionPool(connection.url, connection.timeout_seconds, wsgi_app=app), way
        return self._channel

    def app(self, database: Path, profile: str) -> App:
        """The embedded server over a database; over another one where the file has been replaced. Raises StoreError."""
        from reconciler.server import create_app

        if self._app is None or self._file != _identity(database, profile):
            self.close()
            self._app = create_app(database, profile=profile, remember=0)
            self._file = _identity(database, profile)
        return self._app

    def close_idle(self, *, spare: bool) -> None:
        """Close what nobody needs before the next pass; where it is to be spared, one connection and the database stay.

        A TLS context is kept in any case: it has no descriptor, and takes long to load.
        """
        if self._app is not None and not spare:
            self.close()
        elif self._channel is not None:
            self._channel.close_idle(int(spare))

    def _own_gates(self, credential: str, limits: Limits) -> Mapping[bool, RateLimiter]:
        """The same for each session with a credential: what one has sent counts for the next."""
        key = f"{credential} {limits}"
        if key not in self._gates:
            reads, writes, both = limits.reads_per_minute, limits.writes_per_minute, limits.requests_per_minute
            self._gates[key] = rate_limiters_of(reads, writes, both, time.monotonic)
        return self._gates[key]


def _identity(database: Path, profile: str) -> object:
    """What tells one database from another at the same place; None where there is none."""
    try:
        found = os.stat(database)
    except OSError:
        return None
    return profile, database, found.st_dev, found.st_ino
