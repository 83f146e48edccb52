"""Marks on live objects: who owns an object, under which key, and which of its units are managed.

The only module that knows the format. Version 1 is one text of five words, or six:

    1 OWNER KEY NONCE FLAGS UNITS [DIGESTS]

`FLAGS` is `-` or letters (`p` protect, `d` on_remove delete, `r` on_remove release), and `<` with six characters for
the key that the object had before, where it was moved: a `moved_from` that stays in a file is then known to be done.
`UNITS` is `-` or six characters
for each managed unit: 36 bits of the SHA-256 of its name, because sixteen names of 64 characters would not fit.
`DIGESTS` is seven characters for each of them, in the same order: 42 bits of the SHA-256 of the value last applied.
How long a mark may be is a fact about the remote: 512 characters where the values of its metadata are limited like
those of most, and `MAX_LENGTH` where they are not (see `Kind.max_mark`).

Version 2 is the same text with a signature for a last word: 14 characters, 84 bits of an HMAC-SHA256 over the account
and all that stands before it. Version 0 is a mark that somebody claims: a line of a lock file that is not known to be
ours. Neither gives any power by itself: see `Proof`.
A mark that starts with another number was written by a newer version: its object is read-only for us. Every version
begins with these three words, so that an older one still knows whose object it is and makes no second.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from reconciler.core.values.model import Json, OnRemove, Unit, is_key

MAX_LENGTH: Final = 1 << 20
"""The longest text that is looked at: a document has at most 20,000 values, and a mark 13 characters for each."""
MAX_OWNER: Final = 32
MAX_NONCE: Final = 16
NO_NONCE: Final = "~"
"""The nonce of a plan: apply draws the real one, so that the same inputs give the same plan."""

_CODE_LENGTH: Final = 6
_DIGEST_LENGTH: Final = 7
_SIGNATURE_LENGTH: Final = 14
_VERSION: Final = "1"
_SIGNED: Final = "2"
_CLAIMED: Final = "0"
_WORDS: Final = re.compile(
    r"1 ([a-z0-9][a-z0-9._-]{0,31}) ([^ ]+) ([A-Za-z0-9]{1,16}|~)"
    r" (-|[pdr]{1,3})(?:<([A-Za-z0-9_-]{6}))? (-|(?:[A-Za-z0-9_-]{6})+)(?: ((?:[A-Za-z0-9_-]{7})+))?",
    re.ASCII,
)
_NEWER: Final = re.compile(r"[0-9]{1,4} ([^ ]*) ?([^ ]*).*", re.ASCII | re.DOTALL)
_SIGNATURE: Final = re.compile(r"[A-Za-z0-9_-]{14}", re.ASCII)
NO_DIGESTS: Final[Mapping[str, str]] = MappingProxyType({})


class Proof(Enum):
    """What shows that a mark is ours. Who can write on the remote can write a `LABEL`; no doubtful mark is believed."""

    LABEL = auto()
    """Nothing does, and nothing is asked for: no key is set."""
    SIGNED = auto()
    """Its signature, made with the key that signs."""
    EARLIER = auto()
    """Its signature, made with a key that only verifies: it is signed anew."""
    UNSIGNED = auto()
    WRONG = auto()
    """It is signed with another key, for another account, or was changed since."""
    NO_KEY = auto()
    """It is signed, and no key is set."""
    CLAIM = auto()
    """It is in a lock file, and was not there before."""

    @property
    def is_doubtful(self) -> bool:
        """Whether a mark is reported and not believed."""
        return self not in (Proof.LABEL, Proof.SIGNED, Proof.EARLIER)

    @property
    def is_signature(self) -> bool:
        """Whether only who has a key can have written the mark."""
        return self in (Proof.SIGNED, Proof.EARLIER)


@dataclass(frozen=True, slots=True)
class Signing:
    """What marks of an account are signed with: the first key signs, all of them verify."""

    keys: tuple[bytes, ...] = field(repr=False)
    account: str = ""

    def signature(self, text: str) -> str:
        """The signature of a text."""
        return _signature(self.keys[0], self.account, text)

    def verified(self, text: str, signature: str) -> Proof:
        """What a signature of a text is worth."""
        for place, key in enumerate(self.keys):
            if hmac.compare_digest(_signature(key, self.account, text), signature):
                return Proof.EARLIER if place else Proof.SIGNED
        return Proof.WRONG


def _signature(key: bytes, account: str, text: str) -> str:
    signed = json.dumps(["reconciler", account, text]).encode()
    return base64.urlsafe_b64encode(hmac.digest(key, signed, "sha256"))[:_SIGNATURE_LENGTH].decode()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a mark says. `units` holds unit codes (see `code`), not names.

    `digests` has what was last applied to each of them (see `digest_of`) by its code; empty where none is kept.
    `former` stands for the key before the last move (see `key_code`). `proof` is what shows that it is ours.
    """

    owner: str
    key: str
    nonce: str = NO_NONCE
    protect: bool = False
    on_remove: OnRemove | None = None
    units: frozenset[str] = frozenset()
    digests: Mapping[str, str] = field(default_factory=lambda: NO_DIGESTS)
    former: str | None = None
    proof: Proof = field(default=Proof.LABEL, compare=False)

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


def longest(owner: str, key: str, units: int, *, moved: bool = True, signed: bool = True) -> int:
    """How many characters a mark for so many units has at the most, without digests."""
    flags = "pd<" + "k" * _CODE_LENGTH if moved else "pd"
    words = (_VERSION, owner, key, "n" * MAX_NONCE, flags, "u" * (units * _CODE_LENGTH) or "-")
    return len(" ".join(words)) + (1 + _SIGNATURE_LENGTH if signed else 0)


def with_digests(mark: Mark, digests: Mapping[str, str], most: int) -> Mark:
    """The mark with a digest for each of its units, or as it is where that may have more than `most` characters."""
    signed, moved = mark.proof.is_signature, mark.former is not None
    bare = longest(mark.owner, mark.key, len(mark.units), moved=moved, signed=signed)
    length = bare + 1 + sum(map(len, digests.values()))
    return replace(mark, digests=digests) if length <= most else mark


def read(text: Json) -> Mark | NewerMark | DamagedMark | None:
    """What an entry in the mark's place says; None when there is none. Total: any JSON value has an answer.

    A signature is not looked at: see `checked`.
    """
    if text is None or text == "":  # empty: a mark that was taken off where entries cannot be
        return None
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        return DamagedMark()
    plain, _ = _split(text)
    if plain is not None:
        mark = _read(plain)
        return replace(mark, proof=Proof.NO_KEY) if isinstance(mark, Mark) else mark
    if text.startswith(f"{_CLAIMED} "):
        mark = _read(_VERSION + text[1:])
        return replace(mark, proof=Proof.CLAIM) if isinstance(mark, Mark) else mark
    return _read(text)


def checked(text: Json, signing: Signing | None) -> Mark | NewerMark | DamagedMark | None:
    """The same, and what the mark is worth where marks are signed."""
    mark = read(text)
    if signing is None or not isinstance(mark, Mark) or mark.proof is Proof.CLAIM:
        return mark
    plain, signature = _split(text)
    return replace(mark, proof=Proof.UNSIGNED if plain is None else signing.verified(plain, signature))


def _split(text: str) -> tuple[str | None, str]:
    """The text that was signed, and its signature; None where the text is not a signed one."""
    plain, _, signature = text.rpartition(" ")
    if not plain.startswith(f"{_SIGNED} ") or not _SIGNATURE.fullmatch(signature):
        return None, ""
    return _VERSION + plain[1:], signature


def signed(text: str, signing: Signing | None) -> str:
    """The text of a mark with a signature, where marks are signed."""
    return f"{_SIGNED}{text[1:]} {signing.signature(text)}" if signing and text.startswith(f"{_VERSION} ") else text


def unproven(text: str) -> str:
    """The text of a mark whose signature stands elsewhere, and is not one of ours."""
    return f"{_SIGNED}{text[1:]} {'-' * _SIGNATURE_LENGTH}"


def claimed(text: str) -> str:
    """The text of a mark that is not known to be ours; a signature still shows whether it is."""
    return _CLAIMED + text[1:] if text.startswith(f"{_VERSION} ") else text


def _read(text: str) -> Mark | NewerMark | DamagedMark:
    words = _WORDS.fullmatch(text)
    if not words:
        newer = None if text.startswith(f"{_VERSION} ") else _NEWER.fullmatch(text)
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


def draw(text: str, nonce: str, signing: Signing | None = None, most: int = MAX_LENGTH) -> str:
    """The text of a mark as it is sent: with its nonce filled in, where none was drawn yet, and signed.

    A signature comes before digests where there is no room for both in `most` characters.
    """
    mark = read(text)
    if isinstance(mark, Mark) and mark.nonce == NO_NONCE and mark.proof is Proof.LABEL:
        mark = replace(mark, nonce=nonce)
        text = write(mark)
    sent = signed(text, signing)
    if len(sent) > most and isinstance(mark, Mark) and mark.proof is Proof.LABEL:
        return signed(write(replace(mark, digests=NO_DIGESTS)), signing)
    return sent
