"""Splits a Markdown manifest into its YAML front matter and its prose."""

from __future__ import annotations

import re
from typing import NamedTuple

from reconciler.config.errors import error
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.diagnostics import Code, Source

_FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)


class MarkdownParts(NamedTuple):
    """The two halves of a Markdown manifest; `front` is padded so that its lines count as in the file."""

    front: str
    prose: str
    line: int


def split(text: str, file: str) -> MarkdownParts | None:
    """The front matter and the prose of a Markdown text, or None when it has no front matter: then it is only text.

    One blank line above the prose and one line break at its end belong to the file, not to the prose; line ends are
    `\\n` whatever the file has. Raises Refused when the front matter is never closed.
    """
    text = text.replace("\r\n", "\n")
    opening = _FENCE.match(text)
    if not opening:
        return None
    closing = _FENCE.search(text, opening.end())
    if not closing:
        hint = "end the front matter with a line `---`; a text that is not a manifest must not start with `---`"
        raise UnreadableFile(error(Code.INVALID_YAML, "the front matter is not closed", Source(file, 1, 1), hint=hint))
    prose = text[closing.end() + 1 :]
    line = text.count("\n", 0, closing.end()) + 2
    if prose.startswith("\n"):
        prose, line = prose[1:], line + 1
    return MarkdownParts("\n" + text[opening.end() + 1 : closing.start()], prose.removesuffix("\n"), line)
