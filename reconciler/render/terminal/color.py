"""Colours text for a terminal, or leaves it plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

Paint = Callable[[str, str], str]

_STYLES: Final = {
    "+": "32",
    "-": "31",
    "~": "33",
    "→": "36",
    "!": "1;31",
    "@": "36",
    "bold": "1",
    "dim": "2",
    "error": "1;31",
    "warning": "33",
    "info": "36",
    "+word": "1;4;32",
    "-word": "1;9;31",
}


def painter(color: bool) -> Paint:
    """A function `(text, style) -> text` that colours, or leaves the text as it is."""
    return _colored if color else lambda text, style: text


def _colored(text: str, style: str) -> str:
    code = _STYLES.get(style)
    return f"\x1b[{code}m{text}\x1b[0m" if code and text else text
