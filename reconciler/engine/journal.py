"""What this machine tried to create, on disk before it is sent: no create is forgotten when the process is killed.

One append-only file for each run below `.reconciler/journal/TARGET/`, one JSON line an event, flushed to the disk
before the request goes out. Files whose creates have all settled are removed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex
from typing import Protocol

from reconciler.core.model import Address


@dataclass(frozen=True, slots=True)
class Attempt:
    """One create that was sent: at `at` (seconds since the epoch), with `nonce` in its mark; `id` once it is known."""

    kind: str
    key: str
    nonce: str
    at: float
    id: str | None = None

    @property
    def address(self) -> Address:
        """The address the create was for."""
        return Address(self.kind, self.key)


class Attempts(Protocol):
    """Where creates are remembered: a journal of this machine, or one that many machines share."""

    nonces: set[str]
    """The nonces drawn here: objects that carry one of them were made by this run, or by one this journal remembers."""

    def attempt(self, address: Address, nonce: str) -> None:
        """Record that a create is about to be sent; durable when this returns. What it raises keeps it from going."""
        ...

    def made(self, nonce: str, id: str) -> None:
        """Record that a create was answered."""
        ...

    def refused(self, nonce: str) -> None:
        """Record that a create certainly made nothing."""
        ...

    def close(self) -> None:
        """End this run's part."""
        ...


class Journal:
    """The journal of the target at a url.

    `clock` gives seconds since the epoch, `settle_seconds` how long lists may lag behind writes.
    """

    def __init__(self, directory: Path, url: str, settle_seconds: float, clock: Callable[[], float]) -> None:
        place = hashlib.sha256(url.encode()).hexdigest()[:16]
        self._directory = directory / place
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._file: int | None = None
        self._path: Path | None = None
        self._lock = threading.Lock()
        self.nonces: set[str] = set()

    def attempt(self, address: Address, nonce: str) -> None:
        """Record that a create is about to be sent; on disk when this returns. Raises OSError."""
        self._append({"kind": address.kind, "key": address.key, "nonce": nonce, "at": self._clock()})
        self.nonces.add(nonce)

    def made(self, nonce: str, id: str) -> None:
        """Record that a create was answered; where that fails, a later run waits where it need not have."""
        with contextlib.suppress(OSError):
            self._append({"nonce": nonce, "id": id})

    def refused(self, nonce: str) -> None:
        """Record that a create certainly made nothing; where that fails, a later run waits in vain."""
        with contextlib.suppress(OSError):
            self._append({"nonce": nonce, "refused": True})

    def recent(self) -> list[Attempt]:
        """Creates of earlier runs that may not show in lists yet; what has settled is forgotten."""
        found: list[Attempt] = []
        now = self._clock()
        oldest = now - self._settle_seconds
        for path in sorted(self._directory.glob("*.jsonl")):
            attempts = list(_read(path))
            self.nonces.update(attempt.nonce for attempt in attempts)
            # One from later than now, because a clock was set back, may have been sent just now.
            fresh = [replace(attempt, at=min(attempt.at, now)) for attempt in attempts if attempt.at > oldest]
            if not fresh and path != self._path and path.stat().st_mtime < oldest - 3600:
                path.unlink(missing_ok=True)
            found += fresh
        return found

    def seconds_to_settle(self, attempts: list[Attempt]) -> float:
        """How long until all of these creates must show in a list if they happened."""
        return max((a.at + self._settle_seconds - self._clock() for a in attempts), default=0.0)

    def close(self) -> None:
        """End this run's file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, event: dict[str, object]) -> None:
        line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            if self._file is None:
                self._directory.mkdir(parents=True, exist_ok=True)
                self._path = self._directory / f"{self._clock():.6f}-{os.getpid()}-{token_hex(4)}.jsonl"
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                if os.write(self._file, line) < len(line):
                    raise OSError(errno.ENOSPC, "the line was cut short", str(self._path))
                os.fsync(self._file)
            except OSError:
                self.close()  # a line after a torn one would be lost with it: the next one starts another file
                raise


def _read(path: Path) -> Iterator[Attempt]:
    """The attempts of one file that were not refused; a torn last line is passed over."""
    attempts: dict[str, Attempt] = {}
    with contextlib.suppress(OSError):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, KeyError, TypeError, OverflowError, RecursionError):
                event = json.loads(line)
                nonce = event["nonce"]
                if event.get("refused"):
                    attempts.pop(nonce, None)
                elif "id" in event:
                    attempts[nonce] = replace(attempts[nonce], id=str(event["id"]))
                else:
                    kind, key = event["kind"], event["key"]
                    if isinstance(kind, str) and isinstance(key, str) and isinstance(nonce, str):
                        attempts[nonce] = Attempt(kind, key, nonce, float(event["at"]))
    return iter(attempts.values())
