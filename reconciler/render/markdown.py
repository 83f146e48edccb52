"""Renders a plan as Markdown for a comment or a job's summary, in as much detail as fits.

Whatever comes from a plan stands in `<code>` elements of HTML blocks, where nothing but `<` and `&` means anything, or
in fences longer than any run of backticks inside. There no name is pinged, no number linked, no quick action obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from reconciler.render.difference.prose_diff import MAX_LINES, ProseDiff
from reconciler.render.difference.truncated_diff import truncated_diff
from reconciler.render.markup import Markup, element, joined
from reconciler.render.view.diagnostic_view import DiagnosticView
from reconciler.render.view.field_view import FieldView
from reconciler.render.view.headline import INCOMPLETE, headline, kinds_of_change, total
from reconciler.render.view.location import Location
from reconciler.render.view.plan_view import ChangeView, PlanView

COMMENT_LIMIT: Final = 65_536
"""What GitHub takes as a comment, in characters; it is kept in bytes, which are never fewer."""
SUMMARY_LIMIT: Final = 1_048_576
"""What GitHub takes as the summary of a job's step, in bytes."""

_LADDER: Final = (MAX_LINES, 60, 16, 0)
"""Lines shown of each text, tried from the left until the whole fits."""
_FEW: Final = 3
_LONGEST_NAME: Final = 200


def render(view: PlanView, limit: int = COMMENT_LIMIT) -> str:
    """The plan in at most `limit` bytes (8,000 or more): with diffs, with shorter ones, in a line for each change, as
    counts with the first addresses."""
    for room in _LADDER:
        if (text := _fitted(_full(view, room), limit)) is not None:
            return text
    if (text := _fitted(_in_lines(view), limit)) is not None:
        return text
    return _counts(view, limit)


def header(target: str) -> str:
    """The hidden first line, by which a comment is found again."""
    return f"<!-- reconciler:plan:{quote(target[:_LONGEST_NAME], safe='')} -->"


def code(text: str) -> Markup:
    """Text of a plan."""
    return element("code", text)


def cut(text: str, longest: int = _LONGEST_NAME) -> str:
    """A name that may be too long, so that what has to fit does."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def packed(blocks: Iterable[str], limit: int) -> tuple[list[str], int]:
    """The first blocks that fit `limit` bytes, a line break after each, and how many did not."""
    kept: list[str] = []
    left_out = 0
    for block in blocks:
        limit -= len(block.encode()) + 1
        if limit >= 0 and not left_out:
            kept.append(block)
        else:
            left_out += 1
    return kept, left_out


def _fitted(blocks: Iterator[str], limit: int) -> str | None:
    """The blocks with an empty line between, or None as soon as they are too long."""
    kept: list[str] = []
    for block in blocks:
        limit -= len(block.encode()) + 2
        if limit < 0:
            return None
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def _head(view: PlanView) -> Iterator[str]:
    yield header(view.target)
    kinds = kinds_of_change(view)
    lines = [
        element("h3", "Plan for ", code(cut(view.target))),
        element("p", code(cut(headline(view), 3 * _LONGEST_NAME))),
        element("p", element("strong", code(cut(total(view)))), f" {kinds}" if kinds else ""),
    ]
    if not view.complete:
        lines.append(element("p", element("strong", INCOMPLETE)))
    yield "\n".join(lines)


def _full(view: PlanView, room: int) -> Iterator[str]:
    """Everything, with at most `room` lines of each text."""
    yield from _head(view)
    if view.diagnostics:
        yield _items(_diagnostic(found) for found in view.diagnostics)
    for change in view.changes:
        yield from _change(change, room, is_open=len(view.changes) <= _FEW)
    if room < MAX_LINES and view.changes:
        yield _shortened()


def _in_lines(view: PlanView) -> Iterator[str]:
    """A line for each change."""
    yield from _head(view)
    yield _items([*(_diagnostic(found) for found in view.diagnostics), *(_line(change) for change in view.changes)])
    yield _shortened()


def _counts(view: PlanView, limit: int) -> str:
    """What always fits: counts, and as many addresses as there is room for."""
    head = "\n\n".join(_head(view))
    items = (element("li", change.marker, " ", code(cut(change.address))) for change in view.changes)
    kept, left_out = packed(items, limit - len(head.encode()) - 300)
    more = [element("li", f"… and {left_out} more")] if left_out else []
    more += [element("li", f"{len(view.diagnostics)} diagnostics")] if view.diagnostics else []
    return "\n\n".join([head, "\n".join(["<ul>", *kept, *more, "</ul>"]), _shortened()]) + "\n"


def _items(items: Iterable[str]) -> str:
    return "\n".join(["<ul>", *(element("li", item) for item in items), "</ul>"])


def _shortened() -> str:
    return element("p", element("em", "Shortened to fit: --format html shows more, and --format json everything."))


def _diagnostic(found: DiagnosticView) -> Markup:
    parts: list[str] = [element("strong", code(found.severity)), " ", code(found.code), " "]
    parts += [_link(found.place) if found.place else code(found.address), " "] if found.where else []
    parts += [code(found.summary)]
    parts += [Markup("<br>"), "expected: ", code(found.detail)] if found.detail else []
    parts += [Markup("<br>"), "hint: ", code(found.hint)] if found.hint else []
    return joined(*parts)


def _line(change: ChangeView) -> Markup:
    """A change in a line: what, which, and where it is written."""
    action = f"{change.action} blocked" if change.blocked else change.action
    parts: list[str] = [f"{change.marker} ", code(change.address), f" {action}"]
    if change.action == "update" and change.kinds_of_change:
        parts.append(f" · {', '.join(change.kinds_of_change)}")
    parts += [" · ", code(change.note)] if change.note else []
    parts += [" · ", _link(change.place)] if change.place else []
    return joined(*parts)


def _change(change: ChangeView, room: int, *, is_open: bool) -> Iterator[str]:
    head = f"<details{' open' if is_open else ''}>{element('summary', _line(change))}"
    lines = [head]
    if block := change.blocked:
        parts = element("strong", f"{change.action} blocked"), ": ", code(block.words), Markup("<br>"), code(block.hint)
        lines.append(element("p", *parts))
    if change.id:
        lines.append(element("p", "id ", code(change.id)))
    if change.fields:
        rows = [_row(field) for field in change.fields]
        names = "".join(element("th", name) for name in ("field", "change", "kind", "note", "place"))
        lines += ["<table>", element("tr", Markup(names)), *rows, "</table>"]
    yield "\n".join(lines)
    for field in change.fields:
        if (shown := field.prose or field.content) and room:
            yield from _diff(field.path, truncated_diff(shown, room))
    yield "</details>"


def _row(field: FieldView) -> Markup:
    place = _link(field.place) if field.place else ""
    note = code(field.note) if field.note else ""
    cells = (code(field.path), code(field.summary), field.kind_of_change, note, place)
    return element("tr", *(element("td", cell) for cell in cells))


def _diff(path: str, shown: ProseDiff) -> Iterator[str]:
    yield element("p", code(path))
    lines: list[str] = []
    for hunk in shown.hunks:
        lines += [f"@@ {hunk.line} @@", *(f"{line.tag}{line.marked}".rstrip(" ") for line in hunk.lines)]
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", "\n".join(lines))), default=0))
    yield "\n".join([f"{fence}diff", *lines, fence])
    if shown.hidden:
        yield element("p", element("em", f"… {shown.hidden} more changed lines"))


def _link(place: Location) -> Markup:
    text = code(str(place))
    return element("a", text, href=place.url) if place.url else text
