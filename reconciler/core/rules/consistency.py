"""Checks that a change of a saved plan does exactly what its rows show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.core.changes import FLAGS, flag_rows, unit_rows
from reconciler.core.decide import Write
from reconciler.core.matching.index import mark_of
from reconciler.core.patch import assemble, removal_value
from reconciler.core.values import marks
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import (
    ABSENT,
    Action,
    Change,
    FieldChange,
    Json,
    LiveObject,
    Manifest,
    Path,
    Reason,
    Unit,
)
from reconciler.core.values.semantics import MARK_ENTRY, Kind, as_far_as_wanted, meaning_of, units
from reconciler.core.verify import expected, planned_writes
from reconciler.diagnostics import Source

_NOWHERE: Final = Source("", 1, 1)


def find_mismatch(
    change: Change, kind: Kind, live: LiveObject | None, owner: str, *, sealed: bool = False
) -> str | None:
    """What a change does and does not show, or shows and does not do; None where it does what it shows.

    `live` is its object, or the one whose place a new one takes. Units that changed since the plan was made are passed
    over: they are stale, or have their value. Of a change that was `sealed` only the units are shown.
    """
    if change.action is Action.DELETE:
        is_plain = change.removal is not None and not (change.fields or change.units or change.patch)
        return None if is_plain else "it deletes without saying why, or writes something"
    if sealed and not change.units:
        return None  # all of it is done already
    writes, mark_unit = planned_writes(change, kind), (kind.mark_field, MARK_ENTRY)
    if change.action is Action.CREATE and change.patch != assemble(kind, writes, {}):
        return "it creates with more, or less, than its units say"
    mark = writes.pop(mark_unit, None)
    if not _is_right(change, mark, owner):
        return "its mark is not that of its address"
    if change.action is not Action.CREATE and not change.expects.keys() >= {*change.units}:
        return "it writes what it does not compare with anything"
    as_it_was = _as_it_was(change, kind, live, (*writes, mark_unit))
    for unit in writes.keys() & as_it_was:
        if not _is_shown(change, kind, live, unit, writes[unit], sealed=sealed):
            return f"{'.'.join(unit)} is not shown as it is sent"
    if sealed:
        return None
    if extra := [row.path for row in change.fields if not _belongs(row.path, (*change.units, (FLAGS,)))]:
        return f"{'.'.join(map(str, extra[0]))} is shown, and not sent"
    flags = {_shown_after(row) for row in change.fields if row.path[:1] == (FLAGS,)}
    if mark_unit in as_it_was and flags != {_shown_after(row) for row in _flags(change, kind, live, mark, writes)}:
        return "its mark is not shown as it is sent"
    return None


def _is_right(change: Change, mark: Json, owner: str) -> bool:
    """Whether a mark may be written by a change: that of its address, or none where the object is released."""
    if mark is None:
        return change.action is not Action.CREATE
    if mark is ABSENT or mark == "":
        return change.action is Action.RELEASE
    found = marks.read(mark)
    if not isinstance(found, Mark) or found.proof is not marks.Proof.LABEL:
        return False
    if found.owner != owner:
        return change.action is Action.RELEASE
    return found.key == change.address.key


def _as_it_was(change: Change, kind: Kind, live: LiveObject | None, chosen: Iterable[Unit]) -> set[Unit]:
    """The units that are as the change was planned on."""
    if change.action is Action.CREATE:
        return {*chosen}
    now = expected(kind, live, chosen) if live else {}
    return {unit for unit, digest in now.items() if digest == change.expects.get(unit)}


def _is_shown(change: Change, kind: Kind, live: LiveObject | None, unit: Unit, after: Json, *, sealed: bool) -> bool:
    """Whether the rows of a unit say what is written to it."""
    rows = [row for row in change.fields if row.path[: len(unit)] == unit]
    whole = [row.after for row in change.fields if row.path == unit[:1]] if unit[0] in kind.managed_maps else []
    if whole and not sealed:  # many entries have one row, with their keys
        return isinstance(whole[0], list) and (unit[1] in whole[0]) is (after is not ABSENT)
    present = units(kind, live.body) if live and (kind.immutable or change.action is not Action.CREATE) else {}
    before = present.get(unit, ABSENT)
    if unit[0] in kind.managed_maps and before is not ABSENT and after is not ABSENT:
        before = as_far_as_wanted(meaning_of(kind, unit), after, before)
    ways = [after, ABSENT] if len(unit) > 1 and after in (None, removal_value(kind, unit)) else [after]
    writes = [Write(unit, before, each, Reason.CHANGED) for each in ways]
    made = [{_shown_after(row) for row in unit_rows(kind, _manifest(change), write)} for write in writes]
    if sealed:
        return bool(rows or whole) or not all(made)
    if change.replaces and live is None:  # what it was is not known any more
        return {_shown_after(row) for row in rows} <= made[0]
    return {_shown_after(row) for row in rows} in made


def _flags(
    change: Change, kind: Kind, live: LiveObject | None, mark: Json, writes: Mapping[Unit, Json]
) -> Iterable[FieldChange]:
    new = marks.read(mark) if isinstance(mark, str) else None
    if not isinstance(new, Mark) or kind.immutable or change.former_owner is not None:
        return ()
    is_new = change.action is Action.CREATE or live is None
    old = None if is_new or live is None else mark_of(kind, live)
    old = old if isinstance(old, Mark) and change.action is not Action.ADOPT else None
    decided = {each for unit in writes for each in (unit, unit[:1])}
    return flag_rows(kind, _manifest(change), None if is_new else live, old, new, decided)


def _manifest(change: Change) -> Manifest:
    return Manifest(change.address, {}, _NOWHERE)


def _belongs(path: Path, chosen: Iterable[Unit]) -> bool:
    """Whether a row is about one of these units, or all of a map that they are in."""
    return any(path[: len(unit)] == unit or path == unit[:1] for unit in chosen)


def _shown_after(row: FieldChange) -> tuple[Path, str, bool]:
    """What a row says of the future. What was there before is the remote's to spell, and judged by its digest."""
    return row.path, "" if row.after is ABSENT else json.dumps(row.after, sort_keys=True), row.sensitive
