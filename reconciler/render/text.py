"""A plan as text for people: one screen for a typical pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.render.paint import Paint, painter
from reconciler.render.prose import Line, ProseDiff
from reconciler.render.view import ChangeView, FieldView, PlanView

DEFAULT_WIDTH: Final = 120

_RIGHT: Final = 52
"""How much of the width the right column gets: places and reasons."""
_MAX_NAME: Final = 32


def render(view: PlanView, color: bool = False, width: int = DEFAULT_WIDTH) -> str:
    """The plan, ending with a line break. Without colour, changed words stand in `[-…-]` and `[+…+]`."""
    paint = painter(color)
    lines = [paint(_header(view), "bold")]
    for change in view.changes:
        lines += _change(change, paint, color, max(width - _RIGHT, 40))
    lines.append(paint(_total(view), "bold"))
    if not view.complete:
        lines.append(paint("Not everything could be read: this plan cannot be applied.", "!"))
    return "\n".join(lines) + "\n"


def _header(view: PlanView) -> str:
    where = ", ".join(part for part in (view.provider, view.host) if part)
    counts = f"{view.managed} managed, {view.summary['unmanaged']} unmanaged"
    return f"{view.target} ({where}) · owner {view.owner} · {counts}"


def _total(view: PlanView) -> str:
    if not view.changes:
        return _no_changes(view)
    count = view.summary
    said = [f"{count[action]} to {action}" for action in ("update", "create", "delete")]
    said += [f"{count[action]} to {action}" for action in ("adopt", "move", "release") if count[action]]
    if count["blocked"]:
        said.append(f"{count['blocked']} blocked")
    return f"{', '.join(said)}. {view.unchanged} unchanged."


def _no_changes(view: PlanView) -> str:
    if view.unchanged == view.managed:
        return f"No changes. {view.managed} managed, all as in the files."
    return f"No changes. {view.unchanged} as in the files, of {view.managed} managed."


def _change(change: ChangeView, paint: Paint, color: bool, column: int) -> Iterator[str]:
    left = f"{change.address}  {change.short_id}".rstrip()
    blocked = change.blocked
    if blocked:
        head = f"{paint('!', '!')} {left.ljust(33)}"
        yield f"{head}  {paint(f'{change.action} blocked: {blocked.words}', '!')}"
        yield f"    {blocked.hint}"
        if change.action == "create":
            return
    else:
        told = f"  {change.action}: {change.note}" if change.note else ""
        yield _row(f"{change.marker} {left}{told}", change.place, paint, column, change.marker)
    names = max((len(field.path) for field in change.fields), default=0)
    for field in change.fields:
        yield from _field(field, min(names, _MAX_NAME), paint, color, column)


def _row(left: str, right: str, paint: Paint, column: int, style: str = "") -> str:
    if not right:
        return paint(left, style)
    return f"{paint(left, style)}{' ' * max(column - len(left), 2)}{paint(right, 'dim')}"


def _field(field: FieldView, names: int, paint: Paint, color: bool, column: int) -> Iterator[str]:
    left = f"    {field.path.ljust(names)}   {field.summary}"
    right = field.note if field.prose is None else "  ".join(part for part in (field.note, field.place) if part)
    yield _row(left, right or field.place, paint, column)
    if field.prose is not None:
        yield from _prose(field.prose, paint, color)


def _prose(prose: ProseDiff, paint: Paint, color: bool) -> Iterator[str]:
    for hunk in prose.hunks:
        yield "      " + paint(f"@@ {hunk.line} @@", "@")
        yield from (f"      {_line(line, paint, color)}".rstrip() for line in hunk.lines)
    if prose.hidden:
        yield f"      … {prose.hidden} more changed lines: see --format json"


def _line(line: Line, paint: Paint, color: bool) -> str:
    if color:
        parts = [paint(segment.text, line.tag + ("word" if segment.mark else "")) for segment in line.segments]
        return f"{paint(line.tag, line.tag)} {''.join(parts)}"
    return f"{line.tag} {_plain(line)}"


def _plain(line: Line) -> str:
    parts: Sequence[str] = [f"[{s.mark}{s.text}{s.mark}]" if s.mark else s.text for s in line.segments]
    return "".join(parts)
