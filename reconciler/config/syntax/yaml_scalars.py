"""Reads plain scalars by the core schema of YAML 1.2, and the tags of this tool."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from reconciler.config.message_text import cut
from reconciler.core.values.model import Json

KNOWN_TAGS: Final = ("!file", "!ref", "!var", "!env", "!csv", "!json")
_STANDARD = "tag:yaml.org,2002:"

WORDS: Final[dict[str, Json]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC = "-+.0123456789"
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OTHER_BASE = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST_INTEGER = 20
_LARGEST_INTEGER = 2**64 - 1
_SMALLEST_INTEGER = -(2**63)


class RefusedScalar(Exception):
    """A number that JSON or the APIs cannot carry."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A leaf still to be resolved: `!file prompts/a.md`. The tag is empty where the reader refused the value."""

    tag: str
    text: str

    def __str__(self) -> str:
        return f"{self.tag} {self.text}".strip()


def tag_name(tag: str) -> str:
    """A tag as people write it: `!!set`, not `tag:yaml.org,2002:set`."""
    return "!!" + tag.removeprefix(_STANDARD) if tag.startswith(_STANDARD) else tag


def read_plain(text: str) -> Json:
    """The value of an unquoted scalar; `no`, `on`, `1:30` and `2026-01-01` are text. Raises RefusedScalar."""
    if text in WORDS:
        return WORDS[text]
    if text[0] > "9" or text[0] not in _NUMERIC:
        return text
    if _DECIMAL.fullmatch(text):
        return _integer(text, 10)
    if _OTHER_BASE.fullmatch(text):
        return _integer(text, 0)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise RefusedScalar(f"{cut(text, 30)} is too large for a number")
        return number
    if _NOT_FINITE.fullmatch(text):
        raise RefusedScalar(f"{text} is not a number that JSON can represent")
    return text


def is_plain_text(text: str) -> bool:
    """Whether an unquoted mapping key is text; `<<` is not, because YAML 1.1 gave it a meaning."""
    if text in WORDS or text == "<<":
        return False
    if text[0] > "9" or text[0] not in _NUMERIC:
        return True
    return not any(each.fullmatch(text) for each in (_DECIMAL, _OTHER_BASE, _FLOAT, _NOT_FINITE))


def spelled_differently(value: Json, text: str) -> bool:
    """Whether a number, printed again, would not read as it was written: 017, 1.10, 1e3."""
    return type(value) in (int, float) and str(value) != text


def _integer(text: str, base: int) -> int:
    # Length first: turning a million digits into an integer takes seconds.
    if len(text) > _LONGEST_INTEGER + 4:
        raise RefusedScalar(f"{cut(text, 30)} is too large for an integer")
    number = int(text, base)
    if not _SMALLEST_INTEGER <= number <= _LARGEST_INTEGER:
        raise RefusedScalar(f"{cut(text, 30)} is too large for an integer")
    return number
