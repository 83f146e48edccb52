"""Caches which files were valid, from one run to the next, in one file.

    magic, digest of the rest, then for each record: its key (16 bytes), its length (4 bytes), its payload

The digest is keyed with a secret of this user's on this machine, kept outside the project: what somebody put into the
project, what was cut off or damaged, and what another version of this tool or other settings wrote, is not even looked
at. Without the secret nothing is remembered. A record is found by the bytes it was made from.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from hmac import compare_digest
from pathlib import Path
from typing import Final

from reconciler.tree import PRIVATE, Tree

KEY_BYTES: Final = 16
FEWEST: Final = 200
"""With fewer files than this there is nothing to gain."""
_MAGIC: Final = b"reconciler memory 1\n"
_DIGEST_BYTES: Final = 32
_LENGTH_BYTES: Final = 4
_SECRET_BYTES: Final = 32
_LARGEST: Final = 1 << 30
_MOST_FILES: Final = 16
_SUFFIX: Final = ".records"


class ValidationCache:
    """Records by key, for the target `name`.

    `state` is this user's directory for state; `context` stands for all that decides beside a file's own bytes;
    `prepare` makes what has to be there before `directory`. With fewer than `fewest` files nothing is written.
    """

    def __init__(
        self,
        directory: Tree,
        name: str,
        state: Path,
        context: Callable[[], bytes],
        *,
        prepare: Callable[[], object] = lambda: None,
        fewest: int = FEWEST,
    ) -> None:
        self._cache = directory
        self._file = f"{name}{_SUFFIX}"
        self._state = state
        self._context = cache(context)
        self._prepare = prepare
        self._fewest = fewest
        self._old = self._read()
        self._index = self._indexed()
        self._size = len(self._index)
        self._new: list[bytes] = []
        self._used = 0

    def get(self, key: bytes) -> bytes | None:
        """The payload that was put under a key; it is given once, so that less and less is held."""
        self._used += 1
        if self._used == self._fewest:
            self._context()  # now, and not when it is saved: somebody may install another version meanwhile
        if (at := self._index.pop(key, None)) is None:
            return None
        start = at + _LENGTH_BYTES
        return self._old[start : start + int.from_bytes(self._old[at:start])]

    def put(self, key: bytes, payload: bytes) -> None:
        """Remember a payload, once all is over."""
        self._new.append(key + len(payload).to_bytes(_LENGTH_BYTES) + payload)

    def close(self) -> None:
        """Write what is new, if there is anything and it is worth it, and hold nothing any more."""
        if self._new and self._used >= self._fewest:
            with suppress(OSError):
                self._save()
        self._old, self._index, self._new = b"", {}, []

    def _save(self) -> None:
        """Write what is new. Where most of what is there was not asked for, that is forgotten. Raises OSError."""
        if (key := self._key(make=True)) is None:
            return
        kept = self._old if self._size + len(self._new) <= 2 * self._used else b""
        content = (kept, *self._new)
        self._prepare()
        self._cache.make()
        self._forget_others()
        self._cache.replace(self._file, (_MAGIC, _sealed(content, key), *content), PRIVATE)

    def _read(self) -> bytes:
        head = len(_MAGIC) + _DIGEST_BYTES
        try:
            found = self._cache.read(self._file, head + _LARGEST)
        except OSError:
            return b""
        start, content = found[:head], found[head:]
        key = self._key(make=False)
        return content if key and compare_digest(start, _MAGIC + _sealed([content], key)) else b""

    def _key(self, *, make: bool) -> bytes | None:
        secret = _secret(self._state, make)
        return hashlib.blake2b(self._context(), key=secret, digest_size=_DIGEST_BYTES).digest() if secret else None

    def _indexed(self) -> dict[bytes, int]:
        """Where the length of each record stands, by its key."""
        found: dict[bytes, int] = {}
        at = 0
        while at < len(self._old):
            length = at + KEY_BYTES
            found[self._old[at:length]] = length
            at = length + _LENGTH_BYTES + int.from_bytes(self._old[length : length + _LENGTH_BYTES])
        return found

    def _forget_others(self) -> None:
        """Keep the directory small: targets come and go."""
        ages: dict[str, float] = {}
        for name in self._cache.names():
            if name.endswith(_SUFFIX):
                with self._cache.opened(name, os.O_RDONLY) as file:
                    ages[name] = os.fstat(file).st_mtime
        for name in sorted(ages, key=ages.__getitem__)[:-_MOST_FILES]:
            self._cache.remove(name)


def _sealed(parts: Iterable[bytes], key: bytes) -> bytes:
    digest = hashlib.blake2b(key=key, digest_size=_DIGEST_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _secret(state: Path, make: bool) -> bytes | None:
    """The secret below this user's directory for state; None where there is none, or none can be kept."""
    files, name = Tree(state, "reconciler", top=state), "memory.key"
    try:
        if make and name not in files.names():
            state.mkdir(parents=True, exist_ok=True, mode=0o700)
            files.make(mode=0o700)
            files.replace(name, secrets.token_bytes(_SECRET_BYTES), PRIVATE)
        found = files.read(name, _SECRET_BYTES)
    except OSError:
        return None
    return found if len(found) == _SECRET_BYTES else None
