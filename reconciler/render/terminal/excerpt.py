"""Shows the lines around a place in a file, with the place underlined, as compilers do.

Only the start of a place is known; where it ends is read off its line. What stands where a secret belongs, or is called
like one, is never shown; what is shaped like one is hidden by whoever gives the lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from reconciler.diagnostics import Source
from reconciler.render.escape import escaped
from reconciler.render.terminal.color import Paint

Lines: TypeAlias = Callable[[str], Sequence[str] | None]
"""The lines of a file, by its name in messages; None where it cannot be shown."""

MASK: Final = "***"
_AROUND: Final = 1
_STRUCTURED: Final = (".yaml", ".yml", ".json")
_LEAST_ROOM: Final = 20
_REACH: Final = 2000
_SHOWN_BEFORE: Final = 3  # of a long line, a third of the room is for what stands before the place
_WHOLE: Final = re.compile(  # what starts here and ends in this line by its own rules
    r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|\[[^\[\]{}]*\]|\{[^\[\]{}]*\}|[\[{|>]"""
)
_PLAIN_END: Final = re.compile(r"\s*:(?:\s|$)|\s+#|\s*$")
_PLAIN_END_IN_BRACKETS: Final = re.compile(r"\s*:(?:\s|$)|\s+#|\s*[,\]}]|\s*$")

_SECRET_BLOCK: Final = re.compile(r"""^(\s*(?:-\s+)?)["']?(?:credentials|headers)["']?\s*:\s*(.*)$""")
_FROM_ENVIRONMENT: Final = re.compile(r"""\s*["']?[^\s"':]+["']?\s*:\s*(?:!env\s+\S+\s*)?(?:#.*)?""")
_HARMLESS_BRACKETS: Final = re.compile(r"(?:\{(?:\s*[^\s:,{}]+\s*:\s*!env\s+[^\s,{}]+\s*,?)*\s*\}\s*)?(?:#.*)?")
_ENTRY: Final = re.compile(r"^(\s*[^:]+:\s*)")
_SECRET_NAME: Final = re.compile(
    r"""(?i)(["']?[\w-]{0,40}(?:authorization|cookie|api[-_]?key|virtual[-_]?key|token|secret|password|passwd)["']?\s*:\s*)"""
    r"""(?!!env\b|!var\b)(["']?[^\s"',}\]]{6,}.*)"""
)


def excerpt(source: Source, lines: Sequence[str], room: int, paint: Paint, style: str) -> Iterator[str]:
    """The lines around a place, at most `room` columns each; nothing where nothing stands in that line.

      |
    3 | temprature: 0.2
      | ^^^^^^^^^^
    """
    if not (0 < source.line <= len(lines) and lines[source.line - 1].strip()):
        return
    first, last = max(source.line - _AROUND, 1), min(source.line + _AROUND, len(lines))
    gutter = len(str(last)) + 2
    room = max(room - gutter, _LEAST_ROOM)
    edge = paint(" " * gutter + "|", "dim")
    yield edge
    for number in range(first, last + 1):
        text, start = _safe_part(lines, number, source.column - 1 if number == source.line else 0)
        if number != source.line:
            if text.strip():
                yield f"{paint(f'{number:>{gutter - 1}} |', 'dim')} {''.join(_pieces(text, 0, 0, room))}"
            continue
        before, within, after = _pieces(text, start, start + _length(source, text, start, lines), room)
        yield f"{paint(f'{number:>{gutter - 1}} |', 'dim')} {before}{within}{after}".rstrip()
        yield f"{edge} {' ' * _columns(before)}{paint('^' * max(_columns(within), 1), style)}"


def _pieces(text: str, start: int, end: int, room: int) -> tuple[str, str, str]:
    """A line as safe texts, cut to its room: before the place, the place itself, and after it."""
    left = max(start - room // _SHOWN_BEFORE, 0) if len(text) > room else 0
    right = min(left + room, len(text))
    before = ("…" if left else "") + escaped(text[left:start])
    after = escaped(text[end:right])
    return before, escaped(text[start : min(end, right)]), f"{after}…" if right < len(text) else after


def _length(source: Source, text: str, start: int, lines: Sequence[str]) -> int:
    """How many characters belong to what starts here: one, in prose."""
    if start >= len(text):
        return 0
    if not _is_structured(source, lines):
        return 1
    if whole := _WHOLE.match(text, start):
        return len(whole.group())
    before = text[:start]
    inside = before.count("[") + before.count("{") > before.count("]") + before.count("}")
    end = (_PLAIN_END_IN_BRACKETS if inside else _PLAIN_END).search(text, start + 1)
    return end.start() - start if end else 1


def _is_structured(source: Source, lines: Sequence[str]) -> bool:
    """Whether the line is YAML or JSON: all of some files, and the front matter of Markdown."""
    if source.file.endswith(".md") and lines[0].rstrip() == "---":
        return "---" not in [line.rstrip() for line in lines[1 : source.line]]
    return source.file.endswith(_STRUCTURED)


def _safe_part(lines: Sequence[str], number: int, at: int) -> tuple[str, int]:
    """What of a line may be shown, and where in it `at` is now: without what is or may be a secret.

    Rather too much is masked than too little. Of a long line only what is near is looked at: prompts have megabytes.
    """
    text = _without_block(lines, number)
    left = max(at - _REACH, 0)
    text = _SECRET_NAME.sub(rf"\1{MASK}", text[left : at + _REACH])
    start = min(at - left, len(text))
    # What is hidden is underlined where its mask is.
    return text, min(start, len(text) - len(MASK)) if text.endswith(MASK) else start


def _without_block(lines: Sequence[str], number: int) -> str:
    text = lines[number - 1]
    if (opened := _SECRET_BLOCK.match(text)) and not _HARMLESS_BRACKETS.fullmatch(opened.group(2)):
        return text[: opened.start(2)] + MASK
    if _is_in_secret_block(lines, number) and not _FROM_ENVIRONMENT.fullmatch(text):
        named = _ENTRY.match(text)
        return (named.group() if named else text[: _depth(text)]) + MASK
    return text


def _is_in_secret_block(lines: Sequence[str], number: int) -> bool:
    """Whether a line stands below `credentials:` or `headers:`, further in."""
    depth = _depth(lines[number - 1])
    for line in reversed(lines[: number - 1]):
        if line.strip() and not line.lstrip().startswith("#") and _depth(line) < depth:
            if _SECRET_BLOCK.match(line):
                return True
            depth = _depth(line)
    return False


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _columns(text: str) -> int:
    """How many columns of a terminal a safe text takes."""
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return len(text) + wide - sum(unicodedata.combining(each) > 0 for each in text)
