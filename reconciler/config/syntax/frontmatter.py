"""Edits the front matter or the prose of a Markdown file, and leaves the other half as it is."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from reconciler.config.syntax.positions import NotMapped

_FENCE: Final = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_LINE_BREAK: Final = re.compile(r"\r?\n")


class FrontMatterSpans(NamedTuple):
    """The front matter is `text[start:end]`, the prose `text[prose:]`; `apart` says that a blank line is between."""

    start: int
    end: int
    prose: int
    apart: bool


def halves(text: str) -> FrontMatterSpans:
    """Where the halves of a Markdown manifest are. Raises NotMapped where it has no front matter."""
    opening = _FENCE.match(text)
    closing = _FENCE.search(text, opening.end()) if opening else None
    if not opening or not closing:
        raise NotMapped("no front matter")
    below = _after_break(text, closing.end())
    prose = _after_break(text, below)
    return FrontMatterSpans(_after_break(text, opening.end()), closing.start(), prose, prose > below)


def with_prose(text: str, parts: FrontMatterSpans, prose: str) -> str:
    """The text with other prose; one blank line above it and one line break at its end are not part of it."""
    head, old = text[: parts.prose], text[parts.prose :]
    if not old and not head.endswith("\n"):
        head += "\n"
    ends = not old or old.endswith("\n") or prose.endswith("\n")
    new = ("" if parts.apart else "\n") * (not old or prose.startswith("\n")) + prose + "\n" * ends
    return head + as_in(text, new)


def as_in(text: str, new: str) -> str:
    """New text with the line ends that a file has."""
    return new.replace("\n", "\r\n") if "\r\n" in text else new


def _after_break(text: str, at: int) -> int:
    found = _LINE_BREAK.match(text, at)
    return found.end() if found else at
