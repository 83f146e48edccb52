"""Marks in file names, for uploaded files that keep nothing else of ours.

The only module that knows the format. What people see stays in front, the suffix at the end:

    leave~1OOOOOKKKKKKKDDDDDDDDnnnnnnnnnnnn.md

After `~1` come five characters for the owner (30 bits of the SHA-256 of its name), seven for the key (42 bits), eight
for the content (48 bits) and the nonce as it is. Where marks are signed, `~2` stands for `~1`, and before it `~` and
the fourteen characters of a signature of all that follows. A mark that begins with another number was written by a
newer version, and so is one with `~2` to a version that knows no signatures.
The digest identifies the key. If the files no longer have that key, the readable name and the digest stand for it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.core.values import marks
from reconciler.core.values.marks import Mark, Signing

MAX_NAME: Final = 180
"""The longest name that takes a mark as well: file systems end at 255 bytes."""

_OWNER, _KEY, _CONTENT = 5, 7, 8
_MARKED: Final = re.compile(
    r"(?P<stem>.*)~(?P<version>[0-9])(?P<owner>[\w-]{5})(?P<key>[\w-]{7})(?P<content>[\w-]{8})"
    r"(?P<nonce>[A-Za-z0-9]{1,16})(?P<suffix>\.[^.]*)?",
    re.ASCII | re.DOTALL,
)
_SIGNATURE: Final = re.compile(r"(?P<stem>.*)~(?P<signature>[\w-]{14})", re.ASCII | re.DOTALL)
_UNKNOWN_OWNER: Final = "unknown-"
_NO_KEY_LETTER: Final = re.compile(r"[^A-Za-z0-9.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class MarkedName:
    """What a name says: the name without the mark, the text of the mark (None where there is none), the content."""

    name: str
    mark: str | None = None
    content: str | None = None


def content_of(sha256: str, size: int) -> str:
    """What stands for a content wherever it is compared and shown; `sha256` is in hexadecimal, the size in bytes."""
    return _content_text(_short(bytes.fromhex(sha256), _CONTENT), size)


def with_mark(name: str, mark: str, sha256: str, signing: Signing | None = None) -> str:
    """The name to upload a file with, signed where marks are.

    Raises ValueError where the text is no mark, or has no nonce yet.
    """
    known = marks.read(mark)
    if not isinstance(known, Mark) or known.nonce == marks.NO_NONCE:
        raise ValueError("a file is uploaded with a mark and a nonce")
    stem, suffix = _split(name)
    content = _short(bytes.fromhex(sha256), _CONTENT)
    fields = f"{_code(known.owner, _OWNER)}{_code(known.key, _KEY)}{content}{known.nonce}"
    return f"{stem}~{signing.signature(fields)}~2{fields}{suffix}" if signing else f"{stem}~1{fields}{suffix}"


def read(name: str, size: int, owner: str, keys: Mapping[str, str], signing: Signing | None = None) -> MarkedName:
    """What an uploaded name says. `keys` are those that may be met, by their codes (see `codes`).

    The text of its mark has a signature of its own, which is right where that of the name is.
    """
    found = _MARKED.fullmatch(name)
    if found is None:
        return MarkedName(name)
    signature = _SIGNATURE.fullmatch(found["stem"]) if found["version"] == "2" else None
    readable = f"{(signature or found)['stem']}{found['suffix'] or ''}"
    who = owner if found["owner"] == _code(owner, _OWNER) else _UNKNOWN_OWNER + found["owner"].encode().hex()
    key = keys.get(found["key"]) or f"{_as_word(readable)[:100]}.{found['key'].replace('_', '-')}"
    if found["version"] != "1" and signature is None:
        return MarkedName(readable, f"9 {who} {key}")
    mark = marks.write(Mark(who, key, found["nonce"]))
    if signature is not None:
        fields = "".join(found[part] for part in ("owner", "key", "content", "nonce"))
        proven = signing is not None and signing.verified(fields, signature["signature"]).is_signature
        mark = marks.signed(mark, signing) if proven else marks.unproven(mark)
    return MarkedName(readable, mark, _content_text(found["content"], size))


def codes(keys: Iterable[str]) -> dict[str, str]:
    """Keys by the codes that stand for them in names."""
    return {_code(key, _KEY): key for key in keys}


def _content_text(short: str, size: int) -> str:
    return f"{short}, {size:,} byte{'' if size == 1 else 's'}"


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem else (name, "")


def _as_word(text: str) -> str:
    """A text as a key may be spelled."""
    return _NO_KEY_LETTER.sub("-", text).strip(".-") or "x"


def _code(text: str, length: int) -> str:
    return _short(hashlib.sha256(text.encode(errors="surrogatepass")).digest(), length)


def _short(digest: bytes, length: int) -> str:
    return base64.urlsafe_b64encode(digest)[:length].decode()
