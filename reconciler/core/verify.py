"""Checks that a change still fits the object, and that the remote stored what was sent.

A plan may be carried out hours later. A unit is sent where it is still as it was compared with; one that has its wanted
value by now is not sent again; any other has changed, and the change is stale. What others did elsewhere is no matter.
After the write, the answer is compared with what was sent and what was there: without this, a gateway that overrides a
field shows up as a difference that never ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.matching.index import Index, mark_of, mark_text
from reconciler.core.patch import assemble
from reconciler.core.values import marks
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import ABSENT, Action, Body, Change, Json, LiveObject, Unit
from reconciler.core.values.semantics import (
    MARK_ENTRY,
    Kind,
    as_far_as_wanted,
    canonical,
    digest,
    final_entry,
    is_mark,
    meaning_of,
    same,
    units,
)
from reconciler.diagnostics import Code, Diagnostic, Severity

_OVERRIDDEN: Final = (
    "a gateway may override it, or the remote ignores it: every plan shows it again until that is fixed"
)
_MEDDLED: Final = "somebody changed it at the same moment, or a gateway overrides it"
_ALL: Final[Unit] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """The change can be carried out by sending `patch` (None for a delete)."""

    patch: Body | None


@dataclass(frozen=True, slots=True)
class AlreadyApplied:
    """The object already is as the change wants it."""

    id: str | None


@dataclass(frozen=True, slots=True)
class Stale:
    """The world moved on since the plan was made: `why` says how."""

    why: str


def expected(kind: Kind, live: LiveObject, writes: Iterable[Unit]) -> dict[Unit, str]:
    """The digests of an object's mark and of the units to be written, as a change expects to find them."""
    present, mark = units(kind, live.body), (kind.mark_field, MARK_ENTRY)
    return {unit: _digest(kind, unit, live, present) for unit in (*writes, mark)}


def expected_of_all(kind: Kind, live: LiveObject) -> dict[Unit, str]:
    """The digest of all that the schema knows of an object, its mark included."""
    present = units(kind, live.body)
    fields = [(name,) for name, meaning in kind.fields.items() if not (meaning.granular or meaning.uncompared)]
    chosen: list[Unit] = [*fields, *(unit for unit in present if len(unit) > 1)]
    parts = {repr(unit): canonical(meaning_of(kind, unit), _lasting(kind, unit, present)) for unit in chosen}
    return {_ALL: digest(parts | {"mark": str(mark_text(kind, live))})}


def _digest(kind: Kind, unit: Unit, live: LiveObject, present: Mapping[Unit, Json]) -> str:
    if is_mark(kind, unit):
        return digest({"mark": str(mark_text(kind, live))})
    return digest({repr(unit): canonical(meaning_of(kind, unit), _lasting(kind, unit, present))})


def _lasting(kind: Kind, unit: Unit, present: Mapping[Unit, Json]) -> Json:
    """What a unit is; of an entry of a managed map, once the remote is done with it."""
    value = present.get(unit)
    return final_entry(meaning_of(kind, unit), value) if unit[0] in kind.managed_maps else value


def check(change: Change, found: Index) -> Ready | AlreadyApplied | Stale:
    """Compare one change with the live objects of its kind as they are now."""
    if change.action is Action.CREATE:
        return _check_create(change, found)
    live = found.by_id.get(change.id or "")
    if live is not None:
        return check_live(change, found.kind, live)
    if change.action is Action.DELETE:
        return AlreadyApplied(change.id)
    return Stale(f"{change.id} no longer exists")


def _check_create(change: Change, found: Index) -> Ready | AlreadyApplied | Stale:
    there = [each for each in found.candidates(change.address.key) if each.live.id not in change.replaces]
    if not there:
        return Ready(change.patch)
    if made := next((each for each in there if _is_made(change, found.kind, each.live)), None):
        return AlreadyApplied(made.live.id)
    return Stale(f"{there[0].live.id} has been created for {change.address} since the plan was made")


def _is_made(change: Change, kind: Kind, live: LiveObject) -> bool:
    present = units(kind, live.body)
    return all(_is_wanted(kind, unit, value, live, present) for unit, value in planned_writes(change, kind).items())


def check_live(change: Change, kind: Kind, live: LiveObject) -> Ready | AlreadyApplied | Stale:
    """Compare a change of an object with the object as it is now, unit by unit."""
    if change.action is Action.DELETE:
        as_it_was = expected_of_all(kind, live) == change.expects
        return Ready(None) if as_it_was else Stale(f"{live.id} has changed since the plan was made")
    present, writes = units(kind, live.body), planned_writes(change, kind)
    now = expected(kind, live, writes)
    wanted = {unit for unit, value in writes.items() if _is_wanted(kind, unit, value, live, present)}
    on_its_way = {unit for unit, value in writes.items() if _is_on_its_way(kind, unit, value, present)}
    changed = {unit for unit, was in change.expects.items() if now.get(unit) != was}
    if touched := changed - wanted - on_its_way:
        return Stale(f"{live.id} has changed in {_names(touched, kind)} since the plan was made")
    if wanted.issuperset(writes):
        return AlreadyApplied(live.id)
    done = {unit for unit in wanted if unit in changed or unit[0] in kind.managed_maps}
    left = {unit: value for unit, value in writes.items() if unit not in done}
    return Ready(assemble(kind, left, live.body))


def _is_on_its_way(kind: Kind, unit: Unit, wanted: Json, present: Mapping[Unit, Json]) -> bool:
    """Whether an entry of a managed map was put in already, and the remote is not done with it.

    One that is not shown (a list may lag behind) is put in again, which does no harm.
    """
    if unit[0] not in kind.managed_maps:
        return False
    if present.get(unit) is None:
        return True
    meaning = meaning_of(kind, unit)
    there = as_far_as_wanted(meaning, wanted, _lasting(kind, unit, present))
    return same(meaning, None if wanted is ABSENT else wanted, there)


def planned_writes(change: Change, kind: Kind) -> dict[Unit, Json]:
    """The units a change writes and their new values; `ABSENT` for an entry it takes away."""
    patch = change.patch or {}
    writes: dict[Unit, Json] = {}
    for unit in change.units:
        value = patch.get(unit[0], ABSENT)
        if len(unit) > 1:
            value = value.get(unit[1], ABSENT) if isinstance(value, dict) else ABSENT
        writes[unit] = ABSENT if value is None and unit[0] in kind.managed_maps else value
    return writes


def _is_wanted(kind: Kind, unit: Unit, value: Json, live: LiveObject, present: Mapping[Unit, Json]) -> bool:
    """Whether a unit has the value that a change gives it; what the remote does not show counts as if it had."""
    if is_mark(kind, unit):
        return _same_mark(value, mark_of(kind, live))
    meaning, there = meaning_of(kind, unit), present.get(unit)
    if unit[0] in kind.managed_maps:
        there = as_far_as_wanted(meaning, value, there)
    return meaning.uncompared or same(meaning, None if value is ABSENT else value, there)


def _same_mark(planned: Json, live: object) -> bool:
    """Whether two marks mean the same; a nonce not yet drawn fits any."""
    wanted = None if planned is ABSENT else marks.read(planned)
    if not (isinstance(wanted, Mark) and isinstance(live, Mark)):
        return wanted is None and live is None
    if live.proof is Proof.EARLIER or live.proof.is_doubtful:
        return False  # it is to be signed
    return replace(wanted, nonce=live.nonce if wanted.nonce == marks.NO_NONCE else wanted.nonce) == live


def _names(chosen: Iterable[Unit], kind: Kind) -> str:
    return ", ".join("its mark" if is_mark(kind, unit) else ".".join(unit) for unit in sorted(chosen))


def verify(kind: Kind, address: str, sent: Body, prior: Body | None, answer: Body) -> tuple[Diagnostic, ...]:
    """Findings: units that were sent and not kept, and units that changed though nobody sent them.

    `prior` is the object before the write, None for a create (what a create leaves out is the remote's to fill in).
    """
    return tuple(_findings(kind, address, sent, prior, answer))


def _findings(kind: Kind, address: str, sent: Body, prior: Body | None, answer: Body) -> Iterator[Diagnostic]:
    wanted, found = units(kind, sent), units(kind, answer)
    granular = {name for name in sent if (meaning := kind.fields.get(name)) and meaning.granular}
    whole_maps = granular if kind.maps == "whole" else set()
    for unit, value in wanted.items():
        if not _uncompared(kind, unit) and not same(meaning_of(kind, unit), value, found.get(unit)):
            yield _not_kept(address, unit, found.get(unit, ABSENT))
    marked = kind.mark_field in whole_maps or _mark(kind, sent, ABSENT) is not ABSENT
    if marked and _mark(kind, sent) != _mark(kind, answer):
        yield _not_kept(address, (kind.mark_field, MARK_ENTRY), _mark(kind, answer))
    before = units(kind, prior) if prior is not None else {}
    for unit in {**before, **(found if prior is not None else {})}:
        known = unit[0] in kind.fields and not _uncompared(kind, unit)
        if not known or unit in wanted:
            continue
        if unit[0] in whole_maps and unit in before:
            if unit in found:
                yield _warning(address, unit, Code.NOT_KEPT, "was removed, but the remote kept it", _OVERRIDDEN)
        elif not same(meaning_of(kind, unit), before.get(unit), found.get(unit)):
            yield _warning(address, unit, Code.CHANGED_UNASKED, "was not sent, but changed with this write", _MEDDLED)


def _uncompared(kind: Kind, unit: Unit) -> bool:
    return meaning_of(kind, unit).uncompared


def _mark(kind: Kind, body: Body, otherwise: Json = None) -> Json:
    carrier = body.get(kind.mark_field)
    return carrier.get(MARK_ENTRY, otherwise) if isinstance(carrier, dict) else otherwise


def _not_kept(address: str, unit: Unit, got: Json) -> Diagnostic:
    shown = "nothing" if got is ABSENT or got is None else "another value"
    return _warning(address, unit, Code.NOT_KEPT, f"was sent, but the remote returned {shown}", _OVERRIDDEN)


def _warning(address: str, unit: Unit, code: Code, what: str, hint: str) -> Diagnostic:
    return Diagnostic(Severity.WARNING, code, f"{'.'.join(unit)} {what}", hint=hint, address=address)
