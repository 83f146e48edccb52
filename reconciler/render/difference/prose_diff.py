"""Diffs long texts by lines and sentences, with changed words marked.

    lines that differ  ->  cut into sentences where they are long  ->  hunks with context  ->  words marked

Every step works only on what the step before found to differ, so a large prompt with a few edits costs a few edits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from reconciler.render.difference.sequence_diff import ChangedRange, differences
from reconciler.render.difference.word_diff import mark_words
from reconciler.render.escape import escaped, visible, with_trailing_blanks

LONG_LINE: Final = 100
_LONG_BESIDE_LONG: Final = 50
"""A line of this length is cut as well where its neighbour or its other side is long: both are cut alike."""
CONTEXT: Final = 1
MAX_LINES: Final = 500
"""Lines shown of one text; what is left out is counted."""

_MAX_PIECE: Final = 200
# Sentence ends and commas of CJK texts are written by number: they look like ASCII ones.
_SENTENCE_END: Final = re.compile(r"""[.!?\u2026]["'\u201d\u2019)\]]*\s+|[\u3002\uff01\uff1f]""")
_CUT: Final = re.compile(  # at places that the text itself decides on, so that both sides are cut alike after a change
    r"(?s).{20}.{0,180}?\s(?=[bfgp])|.{60}.{0,60}?\s|.{80}.{0,320}?[,;:\uff0c\u3001\uff1b\uff1a7qzQZ]|.{1,400}"
)
_LIST_NUMBER: Final = re.compile(r"\s*[0-9]{1,3}[.)]\s+")
_BREAK: Final = "\n"


class Segment(NamedTuple):
    """A part of a shown line: safe text, and a mark `-` or `+` where its words changed (empty where they did not)."""

    text: str
    mark: str = ""


class Line(NamedTuple):
    """A shown line: tag `-`, `+`, or one space for context."""

    tag: str
    segments: tuple[Segment, ...]

    @property
    def marked(self) -> str:
        """The text with its changed words in `[-…-]` or `[+…+]`."""
        return "".join(f"[{s.mark}{s.text}{s.mark}]" if s.mark else s.text for s in self.segments)


_BLANK: Final = Line(" ", (Segment(""),))


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring changes with their context; `line` is the first changed line, counted from 1 in the new text."""

    line: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ProseDiff:
    """How one text became another. `hidden` counts changed lines left out for want of room."""

    changed: int
    total: int
    words: int
    hunks: tuple[Hunk, ...]
    hidden: int = 0


class _LinePiece(NamedTuple):
    """A piece of a line before it is drawn: its raw text, and the line of the new text it belongs to."""

    text: str
    line: int


def count_lines(text: str) -> int:
    """The number of lines of a text; a line break at its end starts no new one."""
    return text.count("\n") + (not text.endswith("\n")) if text else 0


def diff_prose(before: str, after: str, room: int = MAX_LINES) -> ProseDiff:
    """The difference of two texts, ready to be shown in at most `room` lines; an empty text has no lines."""
    if not (before and after):
        return _whole(before or after, "+" if after else "-", room)
    old, new = before.split("\n"), after.split("\n")
    blocks = differences(old, new)
    hunks: list[Hunk] = []
    hidden = 0
    for window in _windows(blocks, len(old)):
        for before_rows, after_rows, group in _groups(old, new, window):
            hunk, left_out = _hunk(before_rows, after_rows, group, room)
            room -= len(hunk.lines)
            hidden += left_out
            if hunk.lines:
                hunks.append(hunk)
    return ProseDiff(
        changed=sum(max(b.old_end - b.old_start, b.new_end - b.new_start) for b in blocks),
        total=count_lines(after),
        words=len(after.split()) - len(before.split()),
        hunks=tuple(hunks),
        hidden=hidden,
    )


def _whole(text: str, tag: str, room: int) -> ProseDiff:
    """A text that came or went, its long lines cut into sentences."""
    source = text.removesuffix("\n").split("\n") if text else []
    lines: list[Line] = []
    shown = 0
    while shown < len(source) and len(lines) < room:
        lines += [Line(tag, (Segment(visible(piece)),)) for piece in split_line(source[shown]) or [""]]
        shown += 1
    hidden = len(lines[room:]) + len(source) - shown
    hunks = (Hunk(1, tuple(lines[:room])),) if lines else ()
    words = len(text.split()) * (1 if tag == "+" else -1)
    return ProseDiff(len(source), len(source) if tag == "+" else 0, words, hunks, hidden)


def _windows(blocks: Sequence[ChangedRange], old_length: int) -> Iterator[ChangedRange]:
    """The blocks with a line of context on both sides; those that touch are one."""
    pending: ChangedRange | None = None
    for block in blocks:
        lead = min(CONTEXT, block.old_start)
        tail = min(CONTEXT, old_length - block.old_end)
        wide = ChangedRange(block.old_start - lead, block.old_end + tail, block.new_start - lead, block.new_end + tail)
        if pending and wide.old_start <= pending.old_end:
            pending = ChangedRange(pending.old_start, wide.old_end, pending.new_start, wide.new_end)
            continue
        if pending:
            yield pending
        pending = wide
    if pending:
        yield pending


_Group = tuple[list[_LinePiece], list[_LinePiece], list[ChangedRange]]


def _groups(old: Sequence[str], new: Sequence[str], window: ChangedRange) -> Iterator[_Group]:
    """What one window shows as hunks: one, or several where its lines are long and their changes far apart."""
    old_lines, new_lines = old[window.old_start : window.old_end], new[window.new_start : window.new_end]
    wrapped = any(len(line) > LONG_LINE for line in (*old_lines, *new_lines))
    before = _rows(old_lines, window.new_start, wrapped)
    after = _rows(new_lines, window.new_start, wrapped)
    group: list[ChangedRange] = []
    for block in differences([row.text for row in before], [row.text for row in after]):
        if group:
            between = before[group[-1].old_end : block.old_start]
            if sum(row.text != _BREAK for row in between) > 2 * CONTEXT:
                yield before, after, group
                group = []
        group.append(block)
    if group:
        yield before, after, group


def _rows(lines: Sequence[str], first: int, wrapped: bool) -> list[_LinePiece]:
    """Lines as rows; where some are long, in sentences, with the line breaks as rows of their own."""
    if not wrapped:
        return [_LinePiece(line, first + at) for at, line in enumerate(lines)]
    rows: list[_LinePiece] = []
    for at, line in enumerate(lines):
        rows += [_LinePiece(piece, first + at) for piece in split_line(line, _LONG_BESIDE_LONG)]
        rows.append(_LinePiece(_BREAK, first + at))
    return rows


def split_line(line: str, longest: int = LONG_LINE) -> list[str]:
    """A long line in pieces that begin and end at the same places when another piece changes: sentences, mostly.

    The blank between two sentences belongs to neither; any other white space is kept and shown. The number of a list's
    entry is no sentence.
    """
    if len(line) <= longest:
        return [line] if line else []
    pieces: list[str] = []
    start = 0
    for match in _SENTENCE_END.finditer(line, _after_number(line)):
        pieces.append(line[start : match.end()])
        start = match.end()
    pieces.append(line[start:])
    parts = [part for piece in pieces for part in ([piece] if len(piece) <= _MAX_PIECE else _CUT.findall(piece))]
    *inner, last = [part for part in parts if part]
    return [part.removesuffix(" ") for part in inner] + [last]


def _after_number(line: str) -> int:
    number = _LIST_NUMBER.match(line)
    return number.end() if number else 0


def _hunk(
    before: Sequence[_LinePiece], after: Sequence[_LinePiece], blocks: Sequence[ChangedRange], room: int
) -> tuple[Hunk, int]:
    """The hunk of some neighbouring changes in at most `room` lines, and how many changed lines it leaves out."""
    lines: list[Line] = []
    left_out = 0
    at = _start_of_context(after, blocks[0].new_start)
    for block in blocks:
        lines += [_context(row) for row in after[at : block.new_start] if row.text != _BREAK]
        old_texts = _shown([row.text for row in before[block.old_start : block.old_end]])
        new_texts = _shown([row.text for row in after[block.new_start : block.new_end]])
        free = max(room - len(lines), 0)
        kept_old = old_texts[: free if not new_texts else (free + 1) // 2]
        kept_new = new_texts[: free - len(kept_old)]
        left_out += len(old_texts) + len(new_texts) - len(kept_old) - len(kept_new)
        lines += _changed(kept_old, kept_new)
        at = block.new_end
    rest = (after[place] for place in range(at, len(after)))
    lines += [_context(row) for row in islice((row for row in rest if row.text != _BREAK), CONTEXT)]
    while lines and lines[-1] == _BLANK:
        lines.pop()
    while lines and lines[0] == _BLANK:
        lines.pop(0)
    first = blocks[0].new_start
    row = after[first] if first < len(after) else after[-1] if after else _LinePiece("", 0)
    return Hunk(row.line + 1, tuple(lines[: max(room, 0)])), left_out


def _start_of_context(rows: Sequence[_LinePiece], start: int) -> int:
    """Where the context before a change begins: `CONTEXT` rows back, line breaks not counted."""
    wanted = CONTEXT
    while start > 0 and wanted:
        start -= 1
        wanted -= rows[start].text != _BREAK
    return start


def _shown(texts: Sequence[str]) -> list[str]:
    """Rows to draw: a line break only where nothing else changed beside it."""
    return [text for text in texts if text != _BREAK] or list(texts)


def _context(row: _LinePiece) -> Line:
    return Line(" ", (Segment(visible(row.text)),))


def _changed(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """The lines of a replaced block, changed words marked where enough of a line stayed the same."""
    words = old and new and _BREAK not in (*old, *new)
    marked_old, marked_new = mark_words(old, new) if words else ([], [])
    drawn = [_draw("-", text, marked) for text, marked in zip(old, marked_old or [[]] * len(old), strict=True)]
    return drawn + [_draw("+", text, marked) for text, marked in zip(new, marked_new or [[]] * len(new), strict=True)]


def _draw(tag: str, text: str, marked: Sequence[tuple[str, bool]]) -> Line:
    changed = sum(len(part) for part, is_changed in marked if is_changed)
    if not marked or changed > 0.6 * len(text):
        marked = [(text, False)]
    segments = [Segment(escaped(part), tag if is_changed else "") for part, is_changed in marked]
    segments[-1] = segments[-1]._replace(text=with_trailing_blanks(segments[-1].text))
    if not text:
        segments = [Segment(escaped(_BREAK))]  # an empty line that came or went is shown
    return Line(tag, tuple(segments))
