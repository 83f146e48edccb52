"""One changed field as every renderer shows it: its path, its values, and the diff of a long text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.values.model import ABSENT, Action, Change, FieldChange, Json, Path
from reconciler.diagnostics import Source
from reconciler.formats.policy_input import change_class
from reconciler.render.difference.prose_diff import MAX_LINES, Hunk, ProseDiff, count_lines, diff_prose
from reconciler.render.escape import visible
from reconciler.render.view import labels
from reconciler.render.view.location import ELSEWHERE, Checkout, Location, location_of
from reconciler.render.view.mask import SENSITIVE

NOT_SET: Final = "(not set)"
SEALED: Final = "(sealed)"

_SHORT: Final = 60
_PLAIN_KEY: Final = re.compile(r"(?![0-9]+$)[A-Za-z0-9_:/@-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldView:
    """One differing place. `summary` says it in a line; `before` and `after` are empty where a text has `prose`.

    `content` is what `summary` tells only the size of, for renderers with room: a value that came, went, was replaced.
    """

    path: str
    summary: str
    reason: str
    note: str
    place: Location | None
    kind_of_change: str
    before: str = ""
    after: str = ""
    prose: ProseDiff | None = None
    content: ProseDiff | None = None


@dataclass(frozen=True, slots=True)
class ViewContext:
    """What is the same for all of a plan: whether it is sealed, where its files are, lines for each text, its owner."""

    sealed: bool = False
    checkout: Checkout = ELSEWHERE
    room: int = MAX_LINES
    owner: str = ""


def field_view(field: FieldChange, change: Change, frame: ViewContext) -> FieldView:
    """The view of one field of a change."""
    path, reason = path_text(field.path), visible(field.reason)
    view = FieldView(
        path,
        "",
        reason,
        labels.FIELD_REASONS.get(field.reason, reason),
        location_of(field.source, frame.checkout) if _is_elsewhere(field, change) else None,
        change_class(field.path),
    )
    if field.sensitive:
        return replace(
            view, summary=SENSITIVE if change.action is Action.CREATE else "(sensitive, changed)", place=None
        )
    if frame.sealed:
        return replace(view, summary=SEALED)
    if isinstance(field.before, str) and isinstance(field.after, str) and _is_prose(field.before, field.after):
        return _edited(view, field, frame)
    before, after = short_value(field.before), short_value(field.after)
    if before == after:  # they differ in what is not shown of them
        after = f"other {after}"
    summary = after if field.before is ABSENT and change.action is Action.CREATE else f"{before} → {after}"
    content = None
    if has_long_text(field):
        content = _placed(diff_prose(_spelled(field.before), _spelled(field.after), frame.room), field)
    return replace(view, summary=summary, before=before, after=after, content=content)


def has_long_text(field: FieldChange) -> bool:
    """Whether a field is shown with lines of its own."""
    return _is_long(field.before) or _is_long(field.after)


def path_text(path: Path) -> str:
    """A path for people: `metadata.team`, `tools.function:search.description`, `metadata."odd key"`."""
    return visible(".".join(_step_text(step) for step in path))


def short_value(value: Json) -> str:
    """A value in a few words: short ones as they are, long texts and structures by their size."""
    if value is ABSENT:
        return NOT_SET
    if isinstance(value, str):
        if not _is_prose(value):
            return _quoted(value)
        return f"{_count(count_lines(value), 'line')}, {_count(len(value.split()), 'word')}"
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | dict) and len(text) > _SHORT:
        return f"{len(value)} entries" if len(value) != 1 else "1 entry"
    return visible(text)


def _edited(view: FieldView, field: FieldChange, frame: ViewContext) -> FieldView:
    """A text that became another one."""
    prose = _placed(diff_prose(field.before, field.after, frame.room), field)
    place = view.place
    if place and prose.hunks and field.source and _begins_a_line(field.source):
        place = location_of(field.source._replace(line=prose.hunks[0].line), frame.checkout)
    return replace(view, summary=_prose_summary(prose), place=place, prose=prose)


def _is_elsewhere(field: FieldChange, change: Change) -> bool:
    """Whether the place of a field tells more than the place of its resource; for a create only another file does."""
    if field.source is None or change.source is None:
        return field.source is not None
    if change.action is Action.CREATE:
        return field.source.file != change.source.file
    return field.source[:2] != change.source[:2]


def _is_prose(*texts: str) -> bool:
    return any("\n" in text or len(text) > _SHORT for text in texts)


def _is_long(value: Json) -> bool:
    if isinstance(value, str):
        return _is_prose(value)
    return isinstance(value, list | dict) and len(json.dumps(value, ensure_ascii=False)) > _SHORT


def _spelled(value: Json) -> str:
    """A value in full: a text as it is, anything else as indented JSON."""
    if value is ABSENT:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _begins_a_line(source: Source) -> bool:
    """Whether a text has its file's own lines (from `!file`, or the body of a Markdown manifest)."""
    return source.column == 1


def _placed(prose: ProseDiff, field: FieldChange) -> ProseDiff:
    """Hunks with the line numbers of the file where those are known, else of the text."""
    source = field.source
    if source is None or not isinstance(field.after, str) or not _begins_a_line(source):
        return prose
    hunks = (Hunk(hunk.line + source.line - 1, hunk.lines) for hunk in prose.hunks)
    return replace(prose, hunks=tuple(hunks))


def _prose_summary(prose: ProseDiff) -> str:
    lines = f"{prose.changed} of {_count(prose.total, 'line')}"
    if not prose.words:
        return lines
    sign = "+" if prose.words > 0 else "-"
    return f"{lines}, {sign}{_count(abs(prose.words), 'word')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _step_text(step: str | int) -> str:
    if isinstance(step, int):
        return str(step)
    if _PLAIN_KEY.fullmatch(step) and len(step) <= _SHORT:
        return step
    return _quoted(step if len(step) <= _SHORT else step[: _SHORT - 1] + "…")


def _quoted(text: str) -> str:
    return visible('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
