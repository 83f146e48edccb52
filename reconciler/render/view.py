"""A plan as it is shown: masked, escaped, summarised, hunks computed. Every renderer starts from here.

All texts in a view are safe for a terminal (see `visible`); a renderer adds the quoting of its own format, no more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from reconciler.core.document import summarise
from reconciler.core.model import (
    ABSENT,
    Action,
    Block,
    Change,
    FieldChange,
    Json,
    Path,
    Plan,
    Reason,
    Source,
)
from reconciler.render import words
from reconciler.render.diagnostics import DiagnosticView, diagnostic_view
from reconciler.render.mask import SENSITIVE, masked
from reconciler.render.prose import Hunk, ProseDiff, count_lines, diff_prose
from reconciler.render.visible import visible

NOT_SET: Final = "(not set)"

_SHORT: Final = 60
_PLAIN_KEY: Final = re.compile(r"(?![0-9]+$)[A-Za-z0-9_:/@-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldView:
    """One differing place. `summary` says it in a line; `before` and `after` are empty where a text has `prose`."""

    path: str
    summary: str
    reason: str
    note: str
    place: str
    before: str = ""
    after: str = ""
    prose: ProseDiff | None = None


@dataclass(frozen=True, slots=True)
class BlockView:
    """Why a change is refused: `by` as the plan says it, `words` for people, and what to do."""

    by: str
    words: str
    hint: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One resource's difference. `id` is whole, `short_id` fits a line."""

    address: str
    action: str
    marker: str
    id: str
    short_id: str
    place: str
    note: str
    fields: tuple[FieldView, ...] = ()
    blocked: BlockView | None = None


@dataclass(frozen=True, slots=True)
class PlanView:
    """A whole plan, without its no-ops; those are `unchanged`."""

    target: str
    provider: str
    host: str
    owner: str
    managed: int
    summary: Mapping[str, int]
    changes: tuple[ChangeView, ...]
    diagnostics: tuple[DiagnosticView, ...]
    complete: bool

    @property
    def unchanged(self) -> int:
        """How many resources already are as the files say."""
        return self.summary[Action.NOOP]


def plan_view(plan: Plan, unchanged: int | None = None) -> PlanView:
    """The view of a plan. A saved plan holds no no-ops: give their number (`summary.noop` of its document)."""
    plan = masked(plan)
    counts = summarise(plan)
    return PlanView(
        target=visible(plan.target.name),
        provider=visible(plan.target.provider),
        host=visible(_host(plan.target.url)),
        owner=visible(plan.owner),
        managed=max(sum(count.objects for count in plan.read.values()) - plan.unmanaged, 0),
        summary=counts if unchanged is None else counts | {Action.NOOP.value: unchanged},
        changes=tuple(_change(change) for change in plan.changes if change.action is not Action.NOOP),
        diagnostics=tuple(diagnostic_view(diagnostic) for diagnostic in plan.diagnostics),
        complete=plan.complete,
    )


def path_text(path: Path) -> str:
    """A path for people: `metadata.team`, `tools.function:search.description`, `metadata."odd key"`."""
    return ".".join(_step_text(step) for step in path)


def _step_text(step: str | int) -> str:
    if isinstance(step, int):
        return str(step)
    if _PLAIN_KEY.fullmatch(step) and len(step) <= _SHORT:
        return step
    return _quoted(step if len(step) <= _SHORT else step[: _SHORT - 1] + "…")


def _quoted(text: str) -> str:
    return visible('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')


def _host(url: str) -> str:
    """The host of a URL, never its user or password; the URL itself where it has no host (an embedded server)."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.rpartition("@")[2] or url


def _place(source: Source | None) -> str:
    return visible(f"{source.file}:{source.line}") if source else ""


def _change(change: Change) -> ChangeView:
    block = change.blocked
    told = dict.fromkeys(words.CHANGE_REASONS[reason] for reason in change.reasons if reason in words.CHANGE_REASONS)
    odd = dict.fromkeys(visible(reason) for reason in change.reasons if reason not in set(Reason))
    id = change.id or ""
    return ChangeView(
        address=visible(str(change.address)),
        action=change.action.value,
        marker=words.MARKERS[change.action] if block is None else words.BLOCKED_MARKER,
        id=visible(id),
        short_id=visible(id if len(id) <= 16 else f"{id[:8]}…{id[-3:]}"),
        place=_place(change.source),
        note=", ".join((*told, *odd)),
        fields=tuple(_field(field, change) for field in change.fields),
        blocked=_block(block) if block else None,
    )


def _block(block: Block) -> BlockView:
    by = visible(block.by)
    return BlockView(by, words.BLOCKERS.get(block.by, by), visible(block.hint))


def _field(field: FieldChange, change: Change) -> FieldView:
    path, reason = path_text(field.path), visible(field.reason)
    note = words.FIELD_REASONS.get(field.reason, reason)
    if field.sensitive:
        new = change.action is Action.CREATE
        return FieldView(path, SENSITIVE if new else "(sensitive, changed)", reason, note, "")
    place = _place(field.source) if _is_elsewhere(field, change) else ""
    if isinstance(field.before, str) and isinstance(field.after, str) and _is_prose(field.before, field.after):
        prose = _placed(diff_prose(field.before, field.after), field.source)
        if place and prose.hunks and field.source and _begins_a_line(field.source):
            place = _place(field.source._replace(line=prose.hunks[0].line))
        return FieldView(path, _prose_summary(prose), reason, note, place, prose=prose)
    before, after = short_value(field.before), short_value(field.after)
    if before == after:  # they differ in what is not shown of them
        after = f"other {after}"
    summary = after if field.before is ABSENT and change.action is Action.CREATE else f"{before} → {after}"
    return FieldView(path, summary, reason, note, place, before, after)


def _is_elsewhere(field: FieldChange, change: Change) -> bool:
    """Whether the place of a field tells more than the place of its resource; for a create only another file does."""
    if field.source is None or change.source is None:
        return field.source is not None
    if change.action is Action.CREATE:
        return field.source.file != change.source.file
    return field.source[:2] != change.source[:2]


def _is_prose(*texts: str) -> bool:
    return any("\n" in text or len(text) > _SHORT for text in texts)


def _begins_a_line(source: Source) -> bool:
    """Whether a text has its file's own lines (from `!file`, or the body of a Markdown manifest)."""
    return source.column == 1


def _placed(prose: ProseDiff, source: Source | None) -> ProseDiff:
    """Hunks with the line numbers of the file where those are known, else of the text."""
    if source is None or not _begins_a_line(source):
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
