"""Suggests how to fix a text that is not valid YAML."""

from __future__ import annotations

import re
from typing import Final

from reconciler.config.message_text import cut

_INDENTATION: Final = "check the indentation, fields of one mapping start in the same column; and where quotes end"
_TAB: Final = "indent with spaces, not tabs"
# The parser's words → what to do about it, where the line does not say it better.
_HINTS: Final = (
    ("mapping values are not allowed", "a text that contains ': ' must be quoted; or the line above lacks its colon"),
    ("violates indentation", _TAB),
    ("alphabetic or numeric character", "a text that starts with * or & must be quoted"),
    ("found unexpected ':'", "put a space after the colon"),
    ("cannot start any token", "a text that starts with @, ` or % must be quoted"),
    ("could not find expected ':'", "every field is written `name: value`; quote or indent text of several lines"),
    ("did not find expected key", _INDENTATION),
    ("expected <block end>", _INDENTATION),
    ("did not find expected '-'", "check the indentation: items of one list start in the same column"),
    ("unexpected end of stream", "the quote that opens here is never closed"),
    ("expected ',' or", "a bracket is opened and not closed, or a comma is missing"),
    ("unknown escape character", 'in "double quotes" write \\\\ for a backslash, or use single quotes'),
    ("Unicode character escape", "write the character itself: JSON's pairs like \\ud83d\\ude00 are not YAML"),
    ("undefined tag handle", "the tags are !csv, !file, !json, !ref, !var and !env"),
    ("control characters are not allowed", 'remove it, or write it as an escape in "double quotes"'),
)
_ENTRY: Final = re.compile(r"[ -]*[^\s:#-][^:#]*:\s+(?P<value>[^\s#'\"|>\[{&*!].*)")
_LONGEST_LINE: Final = 2000
_LONGEST_QUOTED: Final = 60
_MAY_BE_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{20,}|(?i:key|token|secret|password|authorization)")


def yaml_hint(problem: str, lines: list[str], line: int, column: int) -> tuple[str, int, int]:
    """The remedy for what the parser says, and the place to show it at; lines and columns from 1."""
    here = lines[line - 1][:_LONGEST_LINE] if line <= len(lines) else ""
    indent = here[: len(here) - len(here.lstrip(" \t"))]
    if "\t" in indent and ("token" in problem or "indentation" in problem):
        return _TAB, line, indent.index("\t") + 1
    if "mapping values are not allowed" in problem:
        above = max((n for n in range(1, line) if _says(lines[n - 1])), default=0)
        return _two_values(lines, line, column, above)
    if "cannot start any token" in problem and (quoted := _quoted(here)):
        return f"a text that starts with @, ` or % must be quoted: {quoted}", line, column
    return next((hint for words, hint in _HINTS if words in problem), ""), line, column


def _two_values(lines: list[str], line: int, column: int, above: int) -> tuple[str, int, int]:
    """A colon where none can be: in a text, after a line that lacks its own, or in a line too far to the right."""
    here = lines[line - 1][:_LONGEST_LINE] if line <= len(lines) else ""
    before = lines[above - 1] if above else ""
    if (entry := _ENTRY.fullmatch(here)) and entry.start("value") < column:
        example = _quoted(here)
        hint = "a text that contains ': ' must be quoted" + (f": {example}" if example else "")
        return hint, line, entry.start("value") + 1
    if before and ":" not in before:
        return "every field is written `name: value`: this line lacks its colon", above, _depth(before) + 1
    if before and _depth(here) > _depth(before):
        hint = (
            f"it is indented more than line {above}, which has a value already: fields of one mapping start in the "
            "same column"
        )
        return hint, line, _depth(here) + 1
    return _HINTS[0][1], line, column


def _quoted(line: str) -> str:
    """The entry of a line with its value in quotes; empty where that is no help, or might repeat a secret."""
    found = re.fullmatch(r"[ -]*([^:#]+:)\s+([^#]*?)\s*(?:#.*)?", line)
    if found is None or len(found.group(2)) > _LONGEST_QUOTED or "'" in found.group(2) or _MAY_BE_SECRET.search(line):
        return ""
    return cut(f"{found.group(1)} '{found.group(2)}'")


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
