"""Finds control, invisible and reordering characters in texts (Trojan Source, smuggled prompts)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from reconciler.config.checks.text_search import is_printable, line_of, place_of
from reconciler.config.errors import error, warning
from reconciler.config.message_text import dotted
from reconciler.config.syntax.document import Document
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import ProviderKind

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CONTROL_OR_BREAK = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# Joiners (U+200C, U+200D) are left out: Persian and family emoji are written with them.
_HIDDEN = re.compile(
    "[\u200b\u200e\u200f\u061c\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def suspicious_text(document: Document, body: Json, kind: ProviderKind, texts: str) -> list[Diagnostic]:
    """What hides in the texts of a body: an error in short fields, which people compare by eye; else a warning.

    `texts` is all of them together.
    """
    name = body.get(kind.name_field or "")
    if is_printable(texts) and not (isinstance(name, str) and "\n" in name):
        return []
    return [found for path, text in _texts(body) for found in _judge(document, path, text, kind)]


def _texts(value: Json, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text and its path; a name of a field counts as text of the field."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield (*path, name), name
            yield from _texts(each, (*path, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, (*path, index))


def _judge(document: Document, path: Path, text: str, kind: ProviderKind) -> Iterator[Diagnostic]:
    prose = path == (kind.prose_field,) or (len(path) > 1 and path[0] != kind.mark_field)
    # Only the name people see has to be one line.
    control = (_CONTROL_OR_BREAK if path == (kind.name_field,) else _CONTROL).search(text)
    if control:
        tell = warning if prose else error
        summary = (
            f"{dotted(path)} contains the control character {_named(control.group())}{line_of(text, control.start())}"
        )
        yield tell(Code.SUSPICIOUS_TEXT, summary, place_of(document, path, text, control.start()), hint="remove it")
    hidden = _HIDDEN.search(text)
    if hidden:
        summary = (
            f"{dotted(path)} contains the invisible character {_named(hidden.group())}{line_of(text, hidden.start())}"
        )
        place = place_of(document, path, text, hidden.start())
        hint = "remove it, unless the language needs it: it can make a text mean something else than what is shown"
        yield warning(Code.SUSPICIOUS_TEXT, summary, place, hint=hint)


def _named(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
