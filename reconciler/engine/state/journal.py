"""Records creates on disk before they are sent, so that none is forgotten when the process is killed.

One append-only file for each run below `.reconciler/journal/`, in a directory for the url and the owner. One JSON line
an event, flushed to the disk before the request goes out. A run holds its file. Files
of runs that have ended are removed once their creates have long settled.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Final, Protocol

from reconciler.core.values.model import Address
from reconciler.tree import Tree

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_SUFFIX: Final = ".jsonl"
LARGEST: Final = 256 * 1024 * 1024
"""Bytes of the creates of one run: some million of them."""
KEPT_SECONDS: Final = 3600
"""How long settled creates are remembered: a duplicate that shows late is still known to be one of this machine."""


@dataclass(frozen=True, slots=True)
class CreateAttempt:
    """One create that was sent: at `at` (seconds since the epoch), with `nonce` in its mark; `id` once it is known.

    `ticks` are seconds since the machine's start `boot`, `account` is the account that the remote reported. An
    `entered` one was no create: this machine wrote the line of a lock file for an object that existed.
    """

    kind: str
    key: str
    nonce: str
    at: float
    id: str | None = None
    ticks: float = math.nan
    boot: str | None = None
    account: str | None = None
    entered: bool = False

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
    """The journal of an owner's creates at a url.

    `clock` gives seconds since the epoch, `settle_seconds` how long lists may lag behind writes. `ticks` gives seconds
    that nobody can set, until the machine restarts: with them, setting the clock does not end a grace period. `account`
    is the account that the remote reports, after the first response.
    """

    def __init__(
        self,
        directory: Tree,
        url: str,
        settle_seconds: float,
        clock: Callable[[], float],
        *,
        owner: str = "",
        ticks: Callable[[], float] | None = None,
        account: Callable[[], str | None] = lambda: None,
    ) -> None:
        place = hashlib.sha256(json.dumps([url, owner]).encode()).hexdigest()[:16]
        self._directory = directory.within(place)
        self._settle_seconds = settle_seconds
        self._clock = clock
        self._ticks = ticks
        self._account = account
        self._file: int | None = None
        self._lock = threading.Lock()
        self.nonces: set[str] = set()
        self._known: set[tuple[str, str, str]] = set()

    def attempt(self, address: Address, nonce: str) -> None:
        """Record that a create is about to be sent; on disk when this returns. Raises OSError."""
        self._append(self._event(address, nonce))
        self.nonces.add(nonce)

    def entered(self, address: Address, nonce: str, id: str) -> None:
        """Record that a line of the lock file is this machine's; where that fails, it is asked for once more."""
        if (address.kind, nonce, id) not in self._known:
            self._known.add((address.kind, nonce, id))
            with contextlib.suppress(OSError):
                self._append(self._event(address, nonce) | {"entered": id})

    def knows(self, kind: str, nonce: str, id: str) -> bool:
        """Whether this machine remembers making an object, or entering it into a lock file."""
        return (kind, nonce, id) in self._known

    def _event(self, address: Address, nonce: str) -> dict[str, object]:
        event: dict[str, object] = {"kind": address.kind, "key": address.key, "nonce": nonce, "at": self._clock()}
        if self._ticks is not None:
            event |= {"ticks": self._ticks(), "boot": _boot()}
        if account := self._account():
            event["account"] = account
        return event

    def made(self, nonce: str, id: str) -> None:
        """Record that a create was answered; where that fails, a later run waits where it need not have."""
        with contextlib.suppress(OSError):
            self._append({"nonce": nonce, "id": id})

    def refused(self, nonce: str) -> None:
        """Record that a create certainly made nothing; where that fails, a later run waits in vain."""
        with contextlib.suppress(OSError):
            self._append({"nonce": nonce, "refused": True})

    def recent(self) -> list[CreateAttempt]:
        """Creates of earlier runs that may not show in lists yet, whatever account they went to.

        Files of runs that have ended are removed, where their creates settled more than an hour ago.
        """
        found: list[CreateAttempt] = []
        for name in self._directory.names():
            if not name.endswith(_SUFFIX):
                continue
            attempts = list(_read(self._directory, name))
            self.nonces.update(attempt.nonce for attempt in attempts if not attempt.entered)
            self._known.update((each.kind, each.nonce, each.id) for each in attempts if each.id is not None)
            if attempts and min(map(self._age, attempts)) > self._settle_seconds + KEPT_SECONDS:
                _remove_ended(self._directory, name)
            found += [each for each in attempts if not each.entered and self._age(each) < self._settle_seconds]
        return found

    def is_here(self, attempt: CreateAttempt) -> bool:
        """Whether a create went to the account that answers now, as far as that is known."""
        return None in (attempt.account, self._account()) or attempt.account == self._account()

    def seconds_to_settle(self, attempts: list[CreateAttempt]) -> float:
        """How long until all of these creates must show in a list if they happened."""
        return max((self._settle_seconds - self._age(attempt) for attempt in attempts), default=0.0)

    def _age(self, attempt: CreateAttempt) -> float:
        """How long ago a create was sent: never more than it is, unless the machine was started anew and its clock set.

        One from later than now, because a clock was set back, may have been sent just now.
        """
        if self._ticks is not None and attempt.boot == _boot() and (passed := self._ticks() - attempt.ticks) >= 0:
            return passed
        return max(0.0, self._clock() - attempt.at)

    def close(self) -> None:
        """End this run's file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, event: dict[str, object]) -> None:
        line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            if self._file is None:
                self._file = self._opened()
            try:
                if os.write(self._file, line) < len(line):
                    raise OSError(errno.ENOSPC, "the line is truncated", str(self._directory.path))
                os.fsync(self._file)
            except OSError:
                self.close()  # a line after a torn one would be lost with it: the next one starts another file
                raise

    def _opened(self) -> int:
        """A new file, held until it is closed: no other run removes it."""
        self._directory.make()
        name = f"{self._clock():.6f}-{os.getpid()}-{token_hex(4)}{_SUFFIX}"
        file = self._directory.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        _hold(file)
        return file


def seconds_up() -> float:
    """Seconds since the machine was started: no clock that somebody sets takes part in it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@cache
def _boot() -> str:
    """What the machine's start is known by, or the machine where nothing tells."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return platform.node()


def _remove_ended(directory: Tree, name: str) -> None:
    """Remove a file, unless its run goes on."""
    with contextlib.suppress(OSError), directory.opened(name, os.O_RDWR) as file:
        if _hold(file):
            directory.remove(name)


def _hold(file: int) -> bool:
    """Whether a file is held from now on, until it is closed: False where another run holds it, or nothing can."""
    if fcntl is None:
        return True  # Windows: a file that is open cannot be removed there
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _read(directory: Tree, name: str) -> Iterator[CreateAttempt]:
    """The attempts of one file that were not refused; a torn last line is passed over."""
    attempts: dict[str, CreateAttempt] = {}
    entered: list[CreateAttempt] = []
    with contextlib.suppress(OSError):
        for line in directory.read(name, LARGEST).splitlines():
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
                        ticks, boot, account = event.get("ticks", math.nan), event.get("boot"), event.get("account")
                        at = float(event["at"])
                        found = CreateAttempt(kind, key, nonce, at, None, float(ticks), boot, account)
                        if "entered" in event:
                            entered.append(replace(found, id=str(event["entered"]), entered=True))
                        else:
                            attempts[nonce] = found
    return iter([*attempts.values(), *entered])
