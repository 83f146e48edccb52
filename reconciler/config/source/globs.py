"""Matches paths against globs: `*`, `?`, `[…]` and `**`. Hidden names have to be named."""

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
    """Whether the parts of a pattern match those of a path.

    Of each part of the pattern in turn it is noted how much of the path those up to it may have matched: to try each
    length of every `**` by itself takes a time that doubles with each of them.
    """
    ends = {0}
    for each in wanted:
        if each == "**":
            ends = _reached(ends, parts)
        else:
            ends = {end + 1 for end in ends if end < len(parts) and _is_named(each, parts[end])}
        if not ends:
            return False
    return len(parts) in ends


def _reached(ends: set[int], parts: Sequence[str]) -> set[int]:
    """Where any directories that are not hidden lead to, from each of these places."""
    reached: set[int] = set()
    for place in range(len(parts) + 1):
        if place in ends or (place - 1 in reached and not parts[place - 1].startswith(".")):
            reached.add(place)
    return reached


def _is_named(pattern: str, part: str) -> bool:
    return fnmatchcase(part, pattern) and (not part.startswith(".") or pattern.startswith("."))
