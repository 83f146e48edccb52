"""All texts of a value as one, so that a question about each of them is asked once: nearly always the answer is no."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.core.values.model import Json

_BETWEEN: Final = ": "
"""A name and its text stand side by side as they do in a file."""


def together(value: Json) -> str:
    """Every text in a value, and every name with its text right behind it; all begin with a colon and a blank."""
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


def begins_with(texts: str, beginnings: Iterable[str]) -> bool:
    """Whether one of the texts that are together begins with any of these; sometimes where none does, never not."""
    return any(_BETWEEN + each in texts for each in beginnings)


def is_printable(texts: str) -> bool:
    """Whether there is nothing in them but printable characters and line breaks."""
    return texts.isprintable() or texts.replace("\n", "").isprintable()
