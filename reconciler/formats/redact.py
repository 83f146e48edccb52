"""Redacts a plan: its contents are left out, and restored from a plan that is made again.

    plan -> redact -> file -> restore (with the plan that the files and the target give now) -> the same plan

A seal is over one unit and its value, so that what others keep in the same map does not break it. Values with few
possible contents, such as a temperature, can be guessed from a digest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan
from reconciler.core.references import has_place, placeholder, with_values
from reconciler.core.values import marks
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import (
    ABSENT,
    Action,
    Address,
    Block,
    Blocker,
    Change,
    FieldChange,
    Json,
    LiveObject,
    Path,
    Unit,
)
from reconciler.core.values.semantics import Kind, canonical, digest, is_mark, meaning_of
from reconciler.core.verify import expected, planned_writes
from reconciler.diagnostics import Code, Diagnostic

_UNSAID: Final = "a policy is violated: `reconciler plan` shows which"


def redact(plan: Plan, kinds: Mapping[str, Kind]) -> Plan:
    """The plan without contents: for each change the units it writes, and a digest of what it writes to each."""
    changes = tuple(_redacted(change, kinds[change.address.kind]) for change in plan.changes)
    diagnostics = tuple(_unquoted(each) if each.code is Code.POLICY else each for each in plan.diagnostics)
    return replace(plan, sealed=True, changes=changes, diagnostics=diagnostics)


def _redacted(change: Change, kind: Kind) -> Change:
    fields = dict.fromkeys(_without_contents(field, change.units) for field in change.fields)
    block = change.blocked
    if block is not None and block.by is Blocker.POLICY:  # policies quote what they refuse
        block = Block(block.by, _UNSAID)
    seals = {} if change.patch is None else _seals(change, kind)
    return replace(change, fields=tuple(fields), patch=None, seals=seals, blocked=block)


def _unquoted(diagnostic: Diagnostic) -> Diagnostic:
    return replace(diagnostic, summary=_UNSAID, detail="", hint="")


def _without_contents(field: FieldChange, written: tuple[Unit, ...]) -> FieldChange:
    """The unit a field belongs to, for a path inside it may be made of values."""
    unit = max((u for u in written if field.path[: len(u)] == u), key=len, default=field.path[:1])
    return FieldChange(unit, ABSENT, ABSENT, field.reason, field.source, field.sensitive)


def _seals(change: Change, kind: Kind) -> dict[Unit, str]:
    return {unit: digest({repr(unit): _text(kind, unit, v)}) for unit, v in planned_writes(change, kind).items()}


def _text(kind: Kind, unit: Unit, value: Json) -> str:
    """What a seal is over; of a mark, its nonce aside, for that may be drawn meanwhile."""
    if len(unit) > 1 and (value is ABSENT or value is None):
        return "taken out"
    mark = marks.read(value) if is_mark(kind, unit) else None
    if isinstance(mark, Mark):
        value = marks.write(replace(mark, nonce=marks.NO_NONCE))
    return canonical(meaning_of(kind, unit), value)


def restore(plan: Plan, again: Plan, observed: Sequence[Observation]) -> tuple[Plan, tuple[Change, ...]]:
    """The plan with its contents back, and the changes whose contents the files and the target do not give any more.

    `again` is the plan as it is now, made of the same files with the same policy, and `observed` what it was made of.
    """
    now = {(change.address, change.id): change for change in again.changes}
    now |= {(c.address, None): c for c in again.changes if c.action is Action.NOOP}
    kinds = {each.kind.name: each.kind for each in observed}
    ids = {change.id for change in plan.changes if change.seals}
    there = {(each.kind.name, live.id): live for each in observed for live in each.objects if live.id in ids}
    changes: list[Change] = []
    lost: list[Change] = []
    for sealed in plan.changes:
        kind, live = sealed.address.kind, there.get((sealed.address.kind, sealed.id or ""))
        found = now.get((sealed.address, sealed.id))
        restored = _restored(sealed, found, kinds[kind], live) if sealed.seals else sealed
        lost += [] if restored else [sealed]
        changes.append(restored or sealed)
    return replace(plan, changes=tuple(changes), sealed=False), tuple(lost)


def _restored(sealed: Change, now: Change | None, kind: Kind, live: LiveObject | None) -> Change | None:
    """The sealed change with the contents of the one that the plan has now; None where they differ.

    Units that have their value by now are not written any more. A release has no contents but that the mark goes.
    """
    if now is None:
        return replace(sealed, patch={}, seals={}) if sealed.action is Action.RELEASE else None
    if live is not None and _not_wanted(sealed, now, kind, live):
        return None
    if now.action is Action.NOOP:
        return replace(sealed, units=(), patch={}, seals={}, refs=(), expects={}, id=now.id)
    if now.action is not sealed.action or now.patch is None:
        return None
    seals = _seals(replace(now, patch=_with_placeholders(now, sealed.refs)), kind)
    if any(sealed.seals.get(unit) != seal for unit, seal in seals.items()):
        return None
    expects = {unit: was for unit, was in sealed.expects.items() if unit in now.expects}
    return replace(sealed, patch=now.patch, units=now.units, seals={}, expects=expects, refs=now.refs)


def _not_wanted(sealed: Change, now: Change, kind: Kind, live: LiveObject) -> bool:
    """Whether the files do not want what was sealed: it is not written any more, and the object is as it was.

    Of entries of managed maps nothing is known: one that was named by a placeholder is named by an id by now.
    """
    left = [u for u in sealed.seals if u not in now.units and u[0] not in kind.managed_maps]
    as_it_is = expected(kind, live, left)
    return any(as_it_is[unit] == sealed.expects.get(unit) for unit in left if not meaning_of(kind, unit).uncompared)


def _with_placeholders(change: Change, refs: tuple[tuple[Path, Address], ...]) -> dict[str, Json]:
    """The patch as it was sealed: with placeholders for ids that were not known yet."""
    patch = change.patch or {}
    return with_values(patch, {path: placeholder(at) for path, at in refs if has_place(patch, path)})
