"""What must still hold on the remote when a change is carried out, and what is then sent.

A saved plan may be applied hours later. A change is carried out only where the units it writes (for a delete: the whole
object) are as they were; a unit that already is as wanted is not written again; what others did elsewhere is no matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core import marks
from reconciler.core.decide import assemble
from reconciler.core.marks import Mark
from reconciler.core.model import ABSENT, Action, Body, Change, Json, LiveObject, Unit
from reconciler.core.pairing import Index, mark_of, mark_text
from reconciler.core.replacing import claims
from reconciler.core.semantics import (
    Kind,
    canonical,
    digest,
    is_mark,
    meaning_of,
    same,
    settled,
    spoken_of,
    units,
)

ABSENT_OBJECT: Final = "absent"
"""The precondition of a create: no object of ours has the address."""
NAME_FREE: Final = "absent, name free"
"""The precondition of a create that must not stand beside an object of the same name that is not ours."""
_REPLACING: Final = "replaces"


def replacing(ids: Iterable[str]) -> str:
    """The precondition of a create that takes the place of objects: no others of ours have the address."""
    return " ".join((_REPLACING, *sorted(ids)))


def precondition(kind: Kind, live: LiveObject, writes: Mapping[Unit, Json] | None) -> str:
    """`sha256:…` over the mark and the units to be written; over all that the schema knows where `writes` is None.

    Entries of managed maps that are written have a digest each behind that, in their order, so that a half is not done
    twice.
    """
    present = units(kind, live.body)
    if writes is None:
        fields = [(name,) for name, meaning in kind.fields.items() if not (meaning.granular or meaning.uncompared)]
        chosen: list[Unit] = [*fields, *(unit for unit in present if len(unit) > 1)]
    else:
        chosen = [unit for unit in writes if not is_mark(kind, unit) and unit[0] not in kind.managed_maps]
    parts = {repr(unit): canonical(meaning_of(kind, unit), _lasting(kind, unit, present.get(unit))) for unit in chosen}
    whole = digest(parts | {"mark": str(mark_text(kind, live))})
    return " ".join([whole, *(_entry_digest(kind, unit, present.get(unit)) for unit in _entries(kind, writes or ()))])


def _entries(kind: Kind, writes: Iterable[Unit]) -> list[Unit]:
    return sorted(unit for unit in writes if unit[0] in kind.managed_maps)


def _lasting(kind: Kind, unit: Unit, value: Json) -> Json:
    return settled(meaning_of(kind, unit), value) if unit[0] in kind.managed_maps else value


def _entry_digest(kind: Kind, unit: Unit, value: Json) -> str:
    return marks.fingerprint(canonical(meaning_of(kind, unit), _lasting(kind, unit, value)))


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


def check(change: Change, found: Index) -> Ready | AlreadyApplied | Stale:
    """Compare one change with the live objects of its kind as they are now."""
    if change.action is Action.CREATE:
        return _check_create(change, found)
    live = found.by_id.get(change.id or "")
    if live is None:
        if change.action is Action.DELETE:
            return AlreadyApplied(change.id)
        return Stale(f"{change.id} does not exist any more")
    if change.action is Action.DELETE:
        if copy := found.copy_of(live.id):
            return Stale(f"{copy.id} has been made as a copy of {live.id}, mark included, since the plan was made")
        unchanged = precondition(found.kind, live, None) == change.precondition
        return Ready(None) if unchanged else Stale(f"{change.id} has changed since the plan was made")
    return check_live(change, found.kind, live)


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


def _check_create(change: Change, found: Index) -> Ready | AlreadyApplied | Stale:
    there = [owned for owned in claims(found, change.address.key) if owned.live.id not in superseded(change)]
    if not there:
        namesake = _namesake(change, found) if change.precondition == NAME_FREE else None
        return Stale(f"{namesake} has its name, and is not managed here") if namesake else Ready(change.patch)
    if made := next((owned for owned in there if _is_done(change, found.kind, owned.live)), None):
        return AlreadyApplied(made.live.id)
    return Stale(f"{there[0].live.id} has been created for {change.address} since the plan was made")


def superseded(change: Change) -> frozenset[str]:
    """The ids of the objects whose place a create takes."""
    word, *ids = (change.precondition or "").split(" ")
    return frozenset(ids) if word == _REPLACING else frozenset()


def _namesake(change: Change, found: Index) -> str | None:
    """An object that is not ours and has the name that a create would give."""
    namesakes = found.strangers_named((change.patch or {}).get(found.kind.name_field or ""))
    return namesakes[0].id if namesakes else None


def check_live(change: Change, kind: Kind, live: LiveObject) -> Ready | AlreadyApplied | Stale:
    """Compare a change of an object (no create, no delete) with the object as it is now."""
    if _is_done(change, kind, live):
        return AlreadyApplied(live.id)
    writes, present = planned_writes(change, kind), units(kind, live.body)
    whole, *before = (change.precondition or "").split(" ")
    entries = _entries(kind, writes)
    rest = {unit: value for unit, value in writes.items() if unit[0] not in kind.managed_maps}
    if precondition(kind, live, rest) != whole or len(before) != len(entries):
        return Stale(f"{live.id} has changed in {_names(rest, kind)} since the plan was made")
    for unit, was in zip(entries, before, strict=True):
        wanted, there = writes[unit], present.get(unit)
        if _is_as_wanted(kind, unit, wanted, there):
            del writes[unit]
        elif _is_as_wanted(kind, unit, wanted, _lasting(kind, unit, there)):
            continue  # put in already, and not ready
        elif _entry_digest(kind, unit, there) != was:
            return Stale(f"{'.'.join(unit)} of {live.id} has changed since the plan was made")
    return Ready(assemble(kind, writes, live.body))


def _is_done(change: Change, kind: Kind, live: LiveObject) -> bool:
    present = units(kind, live.body)
    for unit, value in planned_writes(change, kind).items():
        if is_mark(kind, unit):
            if value != mark_text(kind, live) and not _same_mark(value, mark_of(kind, live)):
                return False
        elif not _is_as_wanted(kind, unit, value, present.get(unit)):
            return False
    return True


def _is_as_wanted(kind: Kind, unit: Unit, wanted: Json, present: Json) -> bool:
    meaning = meaning_of(kind, unit)
    if unit[0] in kind.managed_maps:
        present = spoken_of(meaning, wanted, present)
    return meaning.uncompared or same(meaning, None if wanted is ABSENT else wanted, present)


def _same_mark(planned: Json, live: object) -> bool:
    """Whether two marks say the same; a nonce not yet drawn fits any."""
    wanted = None if planned is ABSENT else marks.read(planned)
    if not (isinstance(wanted, Mark) and isinstance(live, Mark)):
        return wanted is None and live is None
    return replace(wanted, nonce=live.nonce if wanted.nonce == marks.NO_NONCE else wanted.nonce) == live


def _names(writes: Mapping[Unit, Json], kind: Kind) -> str:
    return ", ".join("its mark" if is_mark(kind, unit) else ".".join(unit) for unit in sorted(writes))
