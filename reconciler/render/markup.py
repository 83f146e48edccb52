"""Builds HTML elements, with all text escaped."""

from __future__ import annotations

from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "input", "meta"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | bool) -> Markup:
    """An element. Children that are not `Markup` are text; an attribute's `_` is a `-`, one at its end is dropped.

    An attribute that is True has no value, one that is False or empty is left out.
    """
    text = "".join(_attribute(name, value) for name, value in attributes.items() if value)
    if tag in _VOID:
        return Markup(f"<{tag}{text}>")
    return Markup(f"<{tag}{text}>{joined(*children)}</{tag}>")


def joined(*children: str) -> Markup:
    """Neighbours as one piece of markup."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))


def _attribute(name: str, value: str | bool) -> str:
    spelled = name.rstrip("_").replace("_", "-")
    return f" {spelled}" if value is True else f' {spelled}="{escape(str(value))}"'
