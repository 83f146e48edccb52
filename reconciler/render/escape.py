"""Escapes text from anywhere: control characters, terminal escapes, invisible characters, CI commands.

Escaped are control characters (so ESC, OSC and C1 sequences), bidirectional controls, zero-width, tag and other unseen
characters, odd spaces, lone surrogates, and what CI systems read as commands (`::` at the start of a line, `##[`).
"""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL, C1
    "\u00a0\u2000-\u200a\u202f\u205f"  # spaces that look like a space
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0"  # soft hyphen, joiners, fillers
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"  # zero-width, separators, bidi
    "\ud800-\udfff"  # lone surrogates
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # format controls of shorthand and musical notation
    "\ufe00-\ufe0e\U000e0000-\U000e0fff"  # variation selectors and tags: they can carry hidden text
    "]"
    "|(?<![\u00a9-\u3299\U0001f000-\U0001faff])\ufe0f"  # ... but an emoji may ask for its colour
)
_NAMED: Final = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
_BLANKS: Final = " \u1680\u3000"  # those that are not escaped everywhere
_LOG_COMMAND: Final = re.compile(r"##(?=\w*(?:\[|$))")
_LINE_COMMAND: Final = re.compile(r"^(\s*):(?=:|$)")  # after any blank: runners trim; a `:` may follow the end


def escaped(text: str) -> str:
    """A part of a line with everything unseen as a visible escape."""
    return _LOG_COMMAND.sub(r"\\x23#", _UNSEEN.sub(_escape, text))


def visible(text: str) -> str:
    """One whole line, or a name that may stand at the start of one; line breaks in it are escaped too."""
    return _LINE_COMMAND.sub(r"\1\\x3a", with_trailing_blanks(escaped(text)))


def with_trailing_blanks(text: str) -> str:
    """The text with its trailing whitespace as visible escapes."""
    kept = text.rstrip(_BLANKS)
    return kept + "".join(map(_code_of, text[len(kept) :]))


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _NAMED.get(character) or _code_of(character)


def _code_of(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
