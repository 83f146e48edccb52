"""Searching the texts of a document: all of them at once, and the exact line of what was found.

Nearly always there is nothing to find, so that one search of all texts together is enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.config.syntax.document import Document
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Source

_BETWEEN: Final = ": "
"""A name and its text stand side by side as they do in a file."""


def joined_texts(value: Json) -> str:
    """Every text in a value, and every name with its text right behind it; each begins with a colon and a space."""
    texts = [""]
    rest: list[Json] = [value]
    while rest:
        each = rest.pop()
        if type(each) is str:
            texts.append(each)
        elif type(each) is dict:
            for name, inner in each.items():
                texts.append(name)
                if type(inner) is str:
                    texts.append(inner)
                elif type(inner) is dict or type(inner) is list:
                    rest.append(inner)
        elif type(each) is list:
            rest += each
    return _BETWEEN.join(texts)


def may_begin_with(texts: str, beginnings: Iterable[str]) -> bool:
    """Whether one of the texts that are together begins with any of these; sometimes where none does, never not."""
    return any(_BETWEEN + each in texts for each in beginnings)


def is_printable(texts: str) -> bool:
    """Whether there is nothing in them but printable characters and line breaks."""
    return texts.isprintable() or texts.replace("\n", "").isprintable()


def line_of(text: str, at: int) -> str:
    """Where in a text of several lines the character at this index is."""
    return f" in line {text.count(chr(10), 0, at) + 1} of the text" if "\n" in text else ""


def place_of(document: Document, path: Path, text: str, at: int) -> Source:
    """The exact line where the text is a file of its own, the start of the text otherwise."""
    place = document.place(path)
    if place.file == document.source.file:
        return place
    before = text[:at]
    return Source(place.file, place.line + before.count("\n"), len(before) - before.rfind("\n"))
