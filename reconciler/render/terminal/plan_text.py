"""Renders a plan as text for a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reconciler.render.difference.prose_diff import Line, ProseDiff
from reconciler.render.terminal.color import Paint, painter
from reconciler.render.view.field_view import FieldView
from reconciler.render.view.headline import INCOMPLETE, headline, total
from reconciler.render.view.location import Location
from reconciler.render.view.plan_view import ChangeView, PlanView

DEFAULT_WIDTH: Final = 120

_RIGHT: Final = 52
"""How much of the width the right column gets: places and reasons."""
_MAX_NAME: Final = 32
_SENTENCE: Final = re.compile(r"(?<=\.) (?=[A-Z])")


def render(view: PlanView, color: bool = False, width: int = DEFAULT_WIDTH) -> str:
    """The plan, ending with a line break. Without colour, changed words stand in `[-…-]` and `[+…+]`."""
    paint = painter(color)
    lines = [paint(headline(view), "bold")]
    for change in view.changes:
        lines += _change(change, paint, color, max(width - _RIGHT, 40))
    lines.append(paint(total(view), "bold"))
    if not view.complete:
        lines.append(paint(INCOMPLETE, "!"))
    return "\n".join(lines) + "\n"


def _change(change: ChangeView, paint: Paint, color: bool, column: int) -> Iterator[str]:
    left = f"{change.address}  {change.short_id}".rstrip()
    blocked = change.blocked
    if blocked:
        head = f"{paint('!', '!')} {left.ljust(33)}"
        place = f"  {paint(str(change.place), 'dim')}" if change.place else ""
        yield f"{head}  {paint(f'{change.action} blocked: {blocked.words}', '!')}{place}"
        yield from (f"    {sentence}" for sentence in _SENTENCE.split(blocked.hint))
        if change.action == "create":
            return
    else:
        note = f"  {change.action}: {change.note}" if change.note else ""
        yield _row(f"{change.marker} {left}{note}", change.place, paint, column, change.marker)
    names = max((len(field.path) for field in change.fields), default=0)
    for field in change.fields:
        yield from _field(field, min(names, _MAX_NAME), paint, color, column)


def _row(left: str, right: str | Location | None, paint: Paint, column: int, style: str = "") -> str:
    if not right:
        return paint(left, style)
    return f"{paint(left, style)}{' ' * max(column - len(left), 2)}{paint(str(right), 'dim')}"


def _field(field: FieldView, names: int, paint: Paint, color: bool, column: int) -> Iterator[str]:
    left = f"    {field.path.ljust(names)}   {field.summary}"
    both = "  ".join(str(part) for part in (field.note, field.place) if part)
    yield _row(left, both if field.prose else field.note or field.place, paint, column)
    if field.prose is not None:
        yield from _prose(field.prose, paint, color)


def _prose(prose: ProseDiff, paint: Paint, color: bool) -> Iterator[str]:
    for hunk in prose.hunks:
        yield "      " + paint(f"@@ {hunk.line} @@", "@")
        yield from (f"      {_line(line, paint, color)}".rstrip(" ") for line in hunk.lines)
    if prose.hidden:
        yield f"      … {prose.hidden} more changed lines: see --format json"


def _line(line: Line, paint: Paint, color: bool) -> str:
    if color:
        parts = [paint(segment.text, line.tag + ("word" if segment.mark else "")) for segment in line.segments]
        return f"{paint(line.tag, line.tag)} {''.join(parts)}"
    return f"{line.tag} {line.marked}"
