"""Our bookkeeping on a live object: who owns it, under which key, and which of its units we manage.

The only module that knows the format. Version 1 is one text of five words, or six:

    1 OWNER KEY NONCE FLAGS UNITS [DIGESTS]

`FLAGS` is `-` or letters (`p` protect, `d` on_remove delete, `r` on_remove release), and `<` with six characters for
the key that the object had before, where it was moved: a `moved_from` that stays in a file is then known to be done.
`UNITS` is `-` or six characters
for each managed unit: 36 bits of the SHA-256 of its name, because sixteen names of 64 characters would not fit.
`DIGESTS` is seven characters for each of them, in the same order: 42 bits of the SHA-256 of the value last applied.
How long a mark may be is a fact about the remote: 512 characters where the values of its metadata are limited like
those of most, and `MAX_LENGTH` where they are not (see `Kind.max_mark`).
A mark that starts with another number was written by a newer version: its object is read-only for us. Every version
begins with these three words, so that an older one still knows whose object it is and makes no second.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from reconciler.core.model import Json, OnRemove, Unit, is_key

MAX_LENGTH: Final = 1 << 20
"""The longest text that is looked at: a document has at most 20,000 values, and a mark 13 characters for each."""
MAX_OWNER: Final = 32
MAX_NONCE: Final = 16
NO_NONCE: Final = "~"
"""The nonce of a plan: apply draws the real one, so that the same inputs give the same plan."""

_CODE_LENGTH: Final = 6
_DIGEST_LENGTH: Final = 7
_VERSION: Final = "1"
_WORDS: Final = re.compile(
    r"1 ([a-z0-9][a-z0-9._-]{0,31}) ([^ ]+) ([A-Za-z0-9]{1,16}|~)"
    r" (-|[pdr]{1,3})(?:<([A-Za-z0-9_-]{6}))? (-|(?:[A-Za-z0-9_-]{6})+)(?: ((?:[A-Za-z0-9_-]{7})+))?",
    re.ASCII,
)
_NEWER: Final = re.compile(r"[0-9]{1,4} ([^ ]*) ?([^ ]*).*", re.ASCII | re.DOTALL)
NO_DIGESTS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Mark:
    """What a mark says. `units` holds unit codes (see `code`), not names.

    `digests` has what was last applied to each of them (see `digest_of`) by its code; empty where none is kept.
    `former` stands for the key before the last move (see `key_code`).
    """

    owner: str
    key: str
    nonce: str = NO_NONCE
    protect: bool = False
    on_remove: OnRemove | None = None
    units: frozenset[str] = frozenset()
    digests: Mapping[str, str] = field(default_factory=lambda: NO_DIGESTS)
    former: str | None = None

    def manages(self, unit: Unit) -> bool:
        """Whether a unit was managed when the mark was written."""
        return code(unit) in self.units


@dataclass(frozen=True, slots=True)
class NewerMark:
    """A mark of a format this version does not know, but for whose it is."""

    owner: str
    key: str


@dataclass(frozen=True, slots=True)
class DamagedMark:
    """A text in the mark's place that is no mark: edited by hand, or not ours."""


@lru_cache(maxsize=4096)
def code(unit: Unit) -> str:
    """The six characters that stand for a unit in a mark."""
    name = json.dumps(list(unit), ensure_ascii=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest())[:_CODE_LENGTH].decode()


def key_code(key: str) -> str:
    """The six characters that stand for a former key in a mark."""
    return code((key,))


def digest_of(canonical: str) -> str:
    """The seven characters that stand for a value in a mark; `canonical` is its text (`semantics.canonical`)."""
    hashed = hashlib.sha256(canonical.encode(errors="surrogatepass")).digest()
    return base64.urlsafe_b64encode(hashed)[:_DIGEST_LENGTH].decode()


def codes(managed: Iterable[Unit]) -> frozenset[str]:
    """The codes of several units."""
    return _codes_of(tuple(managed))


@lru_cache(maxsize=1024)
def _codes_of(managed: tuple[Unit, ...]) -> frozenset[str]:
    return frozenset(code(unit) for unit in managed)


def write(mark: Mark) -> str:
    """The text of a mark.

    Raises ValueError where it would not be read back the same: a bad owner or key, or too long.
    """
    flags = ("p" if mark.protect else "") + (mark.on_remove.value[0] if mark.on_remove else "")
    units = sorted(mark.units)
    former = f"<{mark.former}" if mark.former else ""
    words = [_VERSION, mark.owner, mark.key, mark.nonce, (flags or "-") + former, "".join(units) or "-"]
    if mark.digests:
        words.append("".join(mark.digests.get(unit, "") for unit in units))
    text = " ".join(words)
    if len(text) > MAX_LENGTH or read(text) != mark:
        raise ValueError(f"no mark can be written for owner {mark.owner!r}, key {mark.key!r}, {len(mark.units)} units")
    return text


def longest(owner: str, key: str, units: int, *, moved: bool = True) -> int:
    """How many characters a mark for so many units has at the most, without digests."""
    flags = "pd<" + "k" * _CODE_LENGTH if moved else "pd"
    words = (_VERSION, owner, key, "n" * MAX_NONCE, flags, "u" * (units * _CODE_LENGTH) or "-")
    return len(" ".join(words))


def with_digests(mark: Mark, digests: Mapping[str, str], most: int) -> Mark:
    """The mark with a digest for each of its units, or as it is where that may have more than `most` characters."""
    bare = longest(mark.owner, mark.key, len(mark.units), moved=mark.former is not None)
    length = bare + 1 + sum(map(len, digests.values()))
    return replace(mark, digests=digests) if length <= most else mark


def read(text: Json) -> Mark | NewerMark | DamagedMark | None:
    """What an entry in the mark's place says; None when there is none. Total: any JSON value has an answer."""
    if text is None or text == "":  # empty: a mark that was taken off where entries cannot be
        return None
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        return DamagedMark()
    words = _WORDS.fullmatch(text)
    if not words:
        newer = None if text.startswith("1 ") else _NEWER.fullmatch(text)
        return NewerMark(*newer.groups()) if newer else DamagedMark()
    owner, key, nonce, flags, former, packed, digests = words.groups()
    units, managed = _codes_in(packed)
    kept = _cut(digests or "", _DIGEST_LENGTH)
    if not is_key(key) or ("d" in flags and "r" in flags) or len(kept) not in (0, len(units)):
        return DamagedMark()
    if len(managed) != len(units):
        return DamagedMark()
    on_remove = OnRemove.DELETE if "d" in flags else OnRemove.RELEASE if "r" in flags else None
    digests_of = dict(zip(units, kept, strict=True)) if kept else NO_DIGESTS
    return Mark(owner, key, nonce, "p" in flags, on_remove, managed, digests_of, former)


@lru_cache(maxsize=1024)
def _codes_in(packed: str) -> tuple[list[str], frozenset[str]]:
    # Most marks of an account name the same units: a set for each of them would be most of what is kept of an object.
    units = _cut("" if packed == "-" else packed, _CODE_LENGTH)
    return units, frozenset(units)


def _cut(packed: str, length: int) -> list[str]:
    return [packed[at : at + length] for at in range(0, len(packed), length)]


def draw(text: str, nonce: str) -> str:
    """The text of a mark with its nonce filled in, where none was drawn yet."""
    mark = read(text)
    return write(replace(mark, nonce=nonce)) if isinstance(mark, Mark) and mark.nonce == NO_NONCE else text
