"""Writes values and names into messages: short, on one line, without terminal escapes."""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Iterable

from reconciler.core.values.model import Json, Path

LONGEST_VALUE = 80
LONGEST_SLUG = 60
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def printable(text: str) -> str:
    """The text with every character that is not printable written as an escape."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode("ascii") for c in text)


def cut(text: str, longest: int = LONGEST_VALUE) -> str:
    """The text, printable, and cut to `longest` characters."""
    text = printable(text[: longest + 1])
    return text if len(text) <= longest else text[: longest - 1] + "…"


def short_json(value: Json) -> str:
    """A value as JSON, cut to what fits in a message."""
    match value:
        case str():
            # Only the head is encoded: a prompt of a megabyte is not copied to show 80 characters of it.
            return cut(json.dumps(value[: LONGEST_VALUE + 1], ensure_ascii=False))
        case dict():
            return f"a mapping of {count(len(value), 'entry')}"
        case list():
            return f"a list of {count(len(value), 'item')}"
        case None | bool() | int() | float():
            return cut(json.dumps(value))
    return cut(str(value))


def count(number: int | float, noun: str) -> str:
    """`1 item`, `256,001 characters`."""
    if number == 1:
        return f"1 {noun}"
    plural = noun[:-1] + "ies" if noun.endswith("ry") or noun.endswith("ty") else noun + "s"
    return f"{number:,} {plural}"


def dotted(path: Path) -> str:
    """A path for people: `tools[2].function.name`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{cut(part)}"
    return text.removeprefix(".")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if one is near."""
    candidates = sorted(known)
    by_folded = {each.casefold().replace("-", "_"): each for each in candidates}
    folded = word.casefold().replace("-", "_")
    if folded in by_folded:
        return by_folded[folded]
    found = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.7)
    return by_folded[found[0]] if found else None


def listed(words: Iterable[str]) -> str:
    """`a, b or c`."""
    parts = list(words)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}" if parts else "nothing"


def slug(text: str) -> str:
    """A text as part of a file name: small letters, digits and dashes; empty where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text).casefold().encode("ascii", "ignore").decode()
    return _NOT_SLUG.sub("-", plain)[:LONGEST_SLUG].strip("-")
