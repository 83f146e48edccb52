"""Parses strict JSON, with the same limits, positions and messages as YAML.

JSON is almost YAML 1.2, and the parser we use for YAML is not quite 1.2: it refuses surrogate pairs (`\\ud83d\\ude00`,
which is how most tools write an emoji), raw U+007F and keys over 1,024 characters, and folds U+0085 into one space.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from json import JSONDecodeError, decoder
from typing import Final, NoReturn

from reconciler.config.errors import error
from reconciler.config.message_text import short_json
from reconciler.config.syntax.document import Position
from reconciler.config.syntax.document_builder import Builder, UnreadableFile
from reconciler.diagnostics import Code, Source

_BLANK = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_SCAN: Final[Callable[[str, int, bool], tuple[str, int]]] = vars(decoder)["scanstring"]
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_HINTS: Final = {
    "'": 'JSON takes "double quotes" only',
    "/": "JSON has no comments; a .yaml file may have them",
    "#": "JSON has no comments; a .yaml file may have them",
}


def read(text: str, builder: Builder) -> None:
    """Feed the one document of a JSON text to the builder. Raises Refused where it is not JSON."""
    reader = _JsonReader(text, builder)
    reader.blank()
    if reader.at == len(text):
        return
    builder.start_document(reader.mark())
    reader.value()
    while reader.nesting:
        reader.next()
    reader.blank()
    if reader.at < len(text):
        reader.refuse("the end of the file")
    builder.end_document()


class _JsonReader:
    """A position in the text and the brackets around it."""

    def __init__(self, text: str, builder: Builder) -> None:
        self.text = text
        self.builder = builder
        self.at = 0
        self.line = 0
        self.line_start = 0
        self.nesting: list[str] = []
        self.fresh = False

    def mark(self) -> Position:
        """Where we are, as the builder counts."""
        return Position(self.line, self.at - self.line_start)

    def place(self) -> Source:
        """Where we are, for people."""
        return Source(self.builder.file, self.line + 1, self.at - self.line_start + 1)

    def blank(self) -> str:
        """Skip whitespace; returns the next character, or an empty text at the end."""
        found = _BLANK.match(self.text, self.at)
        end = found.end() if found else self.at
        if lines := self.text.count("\n", self.at, end):
            self.line += lines
            self.line_start = self.text.rfind("\n", self.at, end) + 1
        self.at = end
        return self.text[end : end + 1]

    def refuse(self, expected: str) -> NoReturn:
        """Stop here, saying what should have stood here."""
        found = self.text[self.at : self.at + 1]
        summary = f"not valid JSON: expected {expected}, found {short_json(found) if found else 'the end of the file'}"
        raise UnreadableFile(error(Code.INVALID_YAML, summary, self.place(), hint=_HINTS.get(found, "")))

    def value(self) -> None:
        """Read a scalar, or open a bracket."""
        first = self.blank()
        mark = self.mark()
        if first == '"':
            self.builder.scalar(self.string(), mark, None, None, False)
        elif first in ("{", "["):
            self.builder.open({} if first == "{" else [], mark, None, None)
            self.nesting.append("}" if first == "{" else "]")
            self.at += 1
            self.fresh = True
        elif word := _WORD.match(self.text, self.at):
            self.at = word.end()
            self.builder.scalar(word.group(), mark, None, None, True)
        else:
            self.refuse("a value")

    def next(self) -> None:
        """Inside a bracket: read the next entry, or close it."""
        closing = self.nesting[-1]
        found = self.blank()
        if found == closing:
            self.at += 1
            self.nesting.pop()
            self.builder.close()
            self.fresh = False
            return
        if not self.fresh:
            if found != ",":
                self.refuse(f"a comma or {closing}")
            self.at += 1
            found = self.blank()
        self.fresh = False
        if closing == "}":
            self.key(found)
        self.value()

    def key(self, found: str) -> None:
        """Read a key and its colon."""
        if found != '"':
            self.refuse('a key in "double quotes"')
        mark = self.mark()
        self.builder.scalar(self.string(), mark, None, None, False)
        if self.blank() != ":":
            self.refuse("a colon")
        self.at += 1

    def string(self) -> str:
        """Read a string; the position is at its opening quote."""
        try:
            string, end = _SCAN(self.text, self.at + 1, True)
        except JSONDecodeError as wrong:
            place = Source(self.builder.file, self.line + 1, wrong.pos - self.line_start + 1)
            raise UnreadableFile(error(Code.INVALID_YAML, f"not valid JSON: {wrong.msg}", place)) from None
        if _SURROGATE.search(string):
            place = self.place()
            raise UnreadableFile(error(Code.BAD_ENCODING, "half of a surrogate pair is not a character", place))
        self.at = end
        return string
