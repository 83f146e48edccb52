"""The protocol of a target's lock, who holds it, and how it fails.

Vendors know nothing of it, so no token of ours can make them refuse a late write. What keeps a holder that has lost the
lock from writing is that it asks `seconds_left` right before each write, and sends within that time or not at all.
"""

from __future__ import annotations

import getpass
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Protocol

from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity
from reconciler.drivers.base import RemoteError


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: a user on a host, the id of the run, and since when, in seconds since the epoch."""

    who: str
    host: str
    run: str
    since: float

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{self.who} on {self.host} since {since}, run {self.run}"


class LockUnusable(ReconcilerError):
    """The lock cannot be taken or looked at: its url or its store is wrong, or the store does not answer."""

    def __init__(self, summary: str, hint: str = "") -> None:
        super().__init__([Diagnostic(Severity.ERROR, Code.LOCK_UNUSABLE, summary, hint=hint)])


class LockTaken(ReconcilerError):
    """Another run holds the lock."""

    def __init__(self, name: str, holder: Holder | None) -> None:
        who = f"held by {holder}" if holder else "held by another run, which has just ended or cannot be seen"
        hint = "wait for that run to end; if it died and left the lock behind, `reconciler unlock` removes it"
        super().__init__(
            [Diagnostic(Severity.ERROR, Code.LOCK_NOT_HELD, f"the target lock {name} is {who}", hint=hint)]
        )


class LockLost(RemoteError):
    """The lock is not ours any more, so nothing was sent."""

    code = Code.LOCK_NOT_HELD


class Lock(Protocol):
    """One lock, by name, in a store that all runs reach."""

    def acquire(self, holder: Holder) -> None:
        """Take it. Raises LockTaken and LockUnusable."""
        ...

    def seconds_left(self) -> float:
        """How long a write may still be sent from now on, at least. Raises LockLost."""
        ...

    def release(self) -> None:
        """Give it back; one that is lost, or whose store does not answer, is left to end by itself."""
        ...

    def holder(self) -> Holder | None:
        """Who holds it right now. Raises LockUnusable."""
        ...

    def remove(self, holder: Holder) -> bool:
        """Take it away from this holder; whether that one still had it. Raises LockUnusable."""
        ...


def this_run() -> Holder:
    """This process as a holder."""
    try:
        who = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        who = str(os.getuid())
    return Holder(who, socket.gethostname(), token_hex(4), time.time())


def lost(name: str, why: str) -> LockLost:
    """That a lock was lost, in words for people."""
    return LockLost(
        f"not sent: the target lock {name} was lost: {why}",
        hint="check whether another run is active, then apply again",
    )
