"""Patterns of paths: `*`, `?` and `[…]` inside a name, `**` for any directories. Hidden names have to be named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

_MAGIC = re.compile(r"[*?\[]")


def is_pattern(text: str) -> bool:
    """Whether a text stands for any number of paths."""
    return bool(_MAGIC.search(text))


def fixed_part(pattern: str) -> str:
    """The directory that everything a pattern matches is in."""
    parts = pattern.split(os.sep)
    first = next(place for place, part in enumerate(parts) if _MAGIC.search(part))
    return os.sep.join(parts[:first]) or os.sep


def matching(pattern: str, paths: Iterable[str]) -> list[str]:
    """Those of some paths that a pattern matches, sorted."""
    wanted = pattern.split(os.sep)
    return sorted(path for path in paths if _matches(wanted, path.split(os.sep)))


def _matches(wanted: Sequence[str], parts: Sequence[str]) -> bool:
    if not wanted:
        return not parts
    if wanted[0] == "**":
        skipped = next((place for place, part in enumerate(parts) if part.startswith(".")), len(parts))
        return any(_matches(wanted[1:], parts[place:]) for place in range(skipped + 1))
    if not parts or (parts[0].startswith(".") and not wanted[0].startswith(".")):
        return False
    return fnmatchcase(parts[0], wanted[0]) and _matches(wanted[1:], parts[1:])
