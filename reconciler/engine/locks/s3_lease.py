"""A lock in S3 or a compatible store. The only module that imports obstore.

It is a lease. The holder renews it while it works; one that has not been renewed for its whole length is free, by the
store's own clock on both ends: the lock's time against that of an object written just now. The holder counts on its own
clock, from before it sent a renewal, and ends its writing earlier than that by the longest time a request may take.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import obstore
from obstore import exceptions, store

from reconciler.drivers.transport.json_encoding import decoded
from reconciler.engine.locks.lock_protocol import Holder, LockLost, LockTaken, LockUnusable, lost

SPAN_SECONDS: Final = 30.0
RENEWAL_SECONDS: Final = 8.0
RESOLUTION_SECONDS: Final = 1.0
"""The store's clock tells whole seconds."""
_TRIES: Final = 4
_HINT: Final = "check the url, AWS_ENDPOINT_URL, AWS_REGION and the credentials in AWS_*"


def steady_seconds() -> float:
    """A clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True)
class _StoredLock:
    """The object as it was read: its record, its version, and when it was written, on the store's clock."""

    record: Mapping[str, Any]
    e_tag: str
    at: datetime

    @property
    def holder(self) -> Holder | None:
        if self.record.get("free", True):
            return None
        who, host, run = (str(self.record.get(name, "?")) for name in ("who", "host", "run"))
        return Holder(who, host, run, float(self.record.get("since", 0)))


@dataclass(slots=True)
class _OwnLock:
    """A lock that this run holds. `until` is a time of this machine's clock; no write is sent after it."""

    holder: Holder
    e_tag: str
    until: float
    renewals: int = 0
    why_lost: str = ""
    end: threading.Event = field(default_factory=threading.Event)


class Lease:
    """The lock of that name below a url. `timeout_seconds` is the longest that one request may take."""

    def __init__(
        self, url: str, name: str, timeout_seconds: float, clock: Callable[[], float] = steady_seconds
    ) -> None:
        try:
            self._store = store.from_url(
                url,
                # An endpoint comes from the environment alone: who writes http:// there means it.
                client_options={"timeout": "10s", "connect_timeout": "5s", "allow_http": True},
                retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
            )
        except (exceptions.BaseError, ValueError) as problem:
            raise _unusable(problem) from None
        self._name = name
        self._path = f"{name}.lock"
        self._length = SPAN_SECONDS + timeout_seconds + RESOLUTION_SECONDS
        self._clock = clock
        self._held: _OwnLock | None = None
        self._guard = threading.Lock()
        self._renewing: threading.Thread | None = None

    def acquire(self, holder: Holder) -> None:
        """Take it, and renew it until it is released. Raises LockTaken and LockUnusable."""
        for _ in range(_TRIES):
            begin = self._clock()
            e_tag = self._put(self._record(holder, 0), None)
            if e_tag is None and (found := self._read()):
                if found.record.get("run") == holder.run:
                    e_tag = found.e_tag  # the answer to our own request was lost
                elif found.holder is not None and not self._is_over(found, holder):
                    raise LockTaken(self._name, found.holder)
                else:
                    begin = self._clock()
                    e_tag = self._put(self._record(holder, 0), found.e_tag)
            if e_tag is not None:
                self._held = _OwnLock(holder, e_tag, begin + SPAN_SECONDS)
                self._renewing = threading.Thread(target=self._renew, args=(self._held,), name="lease", daemon=True)
                self._renewing.start()
                return
        raise LockTaken(self._name, None)

    def seconds_left(self) -> float:
        """How long a write may still be sent from now on, at least. Raises LockLost."""
        with self._guard:
            held = self._held
            if held is None:
                raise lost(self._name, "it was released")
            if held.why_lost:
                raise lost(self._name, held.why_lost)
            left = held.until - self._clock()
        if left <= 0:
            raise lost(self._name, "it could not be renewed in time")
        return left

    def release(self) -> None:
        """Give it back; one that is lost, or whose store does not answer, is left to end by itself."""
        held, self._held = self._held, None
        if held is None or self._renewing is None:
            return
        held.end.set()
        self._renewing.join()
        with suppress(LockUnusable):
            self._put(_free(held.holder.run), held.e_tag)

    def holder(self) -> Holder | None:
        """Who holds it right now. Raises LockUnusable."""
        found = self._read()
        return found.holder if found else None

    def remove(self, holder: Holder) -> bool:
        """Take it away from this holder; whether that one still had it. Raises LockUnusable."""
        found = self._read()
        if found is None or found.holder != holder:
            return False
        return self._put(_free(holder.run), found.e_tag) is not None

    def _renew(self, held: _OwnLock) -> None:
        while not held.end.wait(RENEWAL_SECONDS):
            try:
                self.renew_once(held)
            except LockUnusable:
                continue  # as long as the lease lasts, it may work the next time
            except LockLost:
                return

    def renew_once(self, held: _OwnLock) -> None:
        """Make the lease last from now on. Raises LockLost where another run has it, and LockUnusable."""
        begin = self._clock()
        e_tag = self._put(self._record(held.holder, held.renewals + 1), held.e_tag)
        if e_tag is None:
            found = self._read()
            if found is None or found.record.get("run") != held.holder.run or found.holder is None:
                why = f"it was taken by {found.holder}" if found and found.holder else "it was removed"
                with self._guard:
                    held.why_lost = why
                raise lost(self._name, why)
            begin, e_tag = held.until - SPAN_SECONDS, found.e_tag  # an answer was lost: only the version is new
        with self._guard:
            held.e_tag, held.until, held.renewals = e_tag, begin + SPAN_SECONDS, held.renewals + 1

    def _record(self, holder: Holder, renewals: int) -> dict[str, Any]:
        return {**asdict(holder), "free": False, "renewals": renewals, "lease_seconds": self._length}

    def _is_over(self, found: _StoredLock, holder: Holder) -> bool:
        """Whether its lease has run out, on the store's clock: an object written now tells what time it is there."""
        probe = f"{self._path}.{holder.run}"
        try:
            obstore.put(self._store, probe, b"")
            now = obstore.head(self._store, probe)["last_modified"]
            obstore.delete(self._store, probe)
        except (exceptions.BaseError, OSError) as problem:
            raise _unusable(problem) from None
        return (now - found.at).total_seconds() >= float(found.record.get("lease_seconds", self._length))

    def _put(self, record: Mapping[str, Any], e_tag: str | None) -> str | None:
        """Write the object if it still has this version, or none; its new version, or None where it was otherwise."""
        try:
            mode: Any = "create" if e_tag is None else {"e_tag": e_tag}
            return obstore.put(self._store, self._path, json.dumps(record).encode(), mode=mode)["e_tag"]
        except (exceptions.AlreadyExistsError, exceptions.PreconditionError):
            return None
        except (exceptions.BaseError, OSError) as problem:
            if e_tag is not None and isinstance(problem, FileNotFoundError):
                return None
            raise _unusable(problem) from None

    def _read(self) -> _StoredLock | None:
        try:
            answer = obstore.get(self._store, self._path)
            record = decoded(bytes(answer.bytes()))
        except FileNotFoundError:
            return None
        except (exceptions.BaseError, OSError) as problem:
            raise _unusable(problem) from None
        except ValueError:
            record = None
        if not isinstance(record, dict):
            raise LockUnusable(
                f"{self._path} is not a lock", "another program's object is in its place: use another url"
            )
        return _StoredLock(record, answer.meta["e_tag"] or "", answer.meta["last_modified"])


def _free(run: str) -> dict[str, Any]:
    """The record of a lock that nobody holds; the run makes its version differ from all others."""
    return {"free": True, "released": run}


def _unusable(problem: Exception) -> LockUnusable:
    message = (str(problem).splitlines() or [type(problem).__name__])[0]
    return LockUnusable(f"the lock cannot be used: {message[:300]}", _HINT)
