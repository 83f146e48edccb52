"""Sealed plans: what is to be written, as digests. Apply makes the contents again from the files and the live objects.

    plan -> sealed -> file -> unsealed (with the files and what is live) -> the same plan, or a refusal

A seal is over the units a change writes and their values, so that what others keep in the same map does not break it.
Values with few possible contents, such as a temperature, can be guessed from a digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core import marks
from reconciler.core.changes import mark_for
from reconciler.core.decide import assemble
from reconciler.core.desired import desired_units, managed_units
from reconciler.core.marks import Mark
from reconciler.core.model import (
    ABSENT,
    Action,
    Address,
    Block,
    Blocker,
    Body,
    Change,
    FieldChange,
    Json,
    LiveObject,
    Manifest,
    Plan,
    Unit,
)
from reconciler.core.pairing import Index, Managed, mark_of, mark_to_keep
from reconciler.core.precondition import planned_writes
from reconciler.core.refs import paired_ids, resolved
from reconciler.core.semantics import Kind, canonical, digest, is_mark, meaning_of, same, units
from reconciler.diagnostics import Code, Diagnostic

_UNSAID: Final = "a policy is not kept: `reconciler plan` says which"


def sealed(plan: Plan, kinds: Mapping[str, Kind]) -> Plan:
    """The plan without contents: for each change the units it writes, and the digest of what it writes to them."""
    changes = tuple(_sealed(change, kinds[change.address.kind]) for change in plan.changes)
    said = tuple(_unquoted(each) if each.code is Code.POLICY else each for each in plan.diagnostics)
    return replace(plan, sealed=True, changes=changes, diagnostics=said)


def _sealed(change: Change, kind: Kind) -> Change:
    fields = dict.fromkeys(_without_contents(field, change.units) for field in change.fields)
    seal = None if change.patch is None else _seal(kind, planned_writes(change, kind))
    block = change.blocked
    if block is not None and block.by is Blocker.POLICY:  # policies quote what they refuse
        block = Block(block.by, _UNSAID)
    return replace(change, fields=tuple(fields), patch=None, seal=seal, blocked=block)


def _unquoted(diagnostic: Diagnostic) -> Diagnostic:
    return replace(diagnostic, summary=_UNSAID, detail="", hint="")


def _without_contents(field: FieldChange, written: tuple[Unit, ...]) -> FieldChange:
    """The unit a field belongs to, for a path inside it may be made of values."""
    unit = max((u for u in written if field.path[: len(u)] == u), key=len, default=field.path[:1])
    return FieldChange(unit, ABSENT, ABSENT, field.reason, field.source, field.sensitive)


def _seal(kind: Kind, writes: Mapping[Unit, Json]) -> str:
    """The digest of what units will mean; of a mark, its nonce aside, for that may be drawn meanwhile."""
    return digest({repr(unit): _told(kind, unit, value) for unit, value in writes.items()})


def _told(kind: Kind, unit: Unit, value: Json) -> str:
    if value is ABSENT and len(unit) > 1:
        return "taken away"
    return canonical(meaning_of(kind, unit), _without_nonce(kind, unit, value))


def _without_nonce(kind: Kind, unit: Unit, value: Json) -> Json:
    mark = marks.read(value) if is_mark(kind, unit) and value is not ABSENT else None
    return marks.write(replace(mark, nonce=marks.NO_NONCE)) if isinstance(mark, Mark) else value


def unsealed(
    plan: Plan, manifests: Mapping[Address, Manifest], found: Mapping[str, Index], *, digests: bool
) -> tuple[Plan, tuple[Change, ...]]:
    """The plan with its contents back, and the changes that the files do not give any more.

    `found` holds what is live by kind; `digests` says that marks keep digests of what is applied.
    """
    ids: dict[Address, str] = {}
    for index in found.values():
        ids |= paired_ids(index, manifests.values())
    changes: list[Change] = []
    lost: list[Change] = []
    for change in plan.changes:
        again = change
        if change.seal is not None:
            unsealing = _Unsealing(change, plan.owner, found[change.address.kind], digests)
            again = unsealing.change_again(manifests.get(change.address), ids) or change
            lost += [change] if again is change else []
        changes.append(again)
    return replace(plan, changes=tuple(changes), sealed=False), tuple(lost)


@dataclass(frozen=True, slots=True)
class _Unsealing:
    """Making the contents of one sealed change again."""

    change: Change
    owner: str
    found: Index
    digests: bool

    @property
    def _live(self) -> LiveObject | None:
        return self.found.by_id.get(self.change.id or "")

    def change_again(self, manifest: Manifest | None, ids: Mapping[Address, str]) -> Change | None:
        """The change with its contents; None where they are not those that were sealed."""
        if manifest is not None:
            unknown = {address for _, address in self.change.refs}
            manifest = resolved(manifest, {address: id for address, id in ids.items() if address not in unknown})
        patch = self.patch(manifest)
        return None if patch is None else replace(self.change, patch=patch, seal=None)

    def patch(self, manifest: Manifest | None) -> Body | None:
        """The request body; None where it is not the one that was sealed."""
        kind, live = self.found.kind, self._live
        if self.change.action is Action.RELEASE:
            writes: dict[Unit, Json] = dict.fromkeys(self.change.units, ABSENT)
        elif manifest is None:
            return None
        else:
            wanted = desired_units(kind, manifest)
            writes = {unit: self._value(unit, wanted, manifest) for unit in self.change.units}
        if _seal(kind, writes) != self.change.seal:
            return None
        return assemble(kind, writes, live.body if live else {})

    def _value(self, unit: Unit, wanted: Mapping[Unit, Json], manifest: Manifest) -> Json:
        if is_mark(self.found.kind, unit):
            return marks.write(self._mark(manifest))
        if unit in wanted:
            return wanted[unit]
        return ABSENT if len(unit) > 1 else meaning_of(self.found.kind, unit).on_remove

    def _mark(self, manifest: Manifest) -> Mark:
        """The mark that goes along; a unit that differs and is not written keeps the digest it has."""
        kind, live = self.found.kind, self._live
        old = mark_of(kind, live) if live else None
        known = mark_to_keep(self.found, Managed(live, old)) if live and isinstance(old, Mark) else None
        managed = managed_units(kind, manifest)
        present = units(kind, live.body) if live else managed
        after = {
            unit: value
            for unit, value in managed.items()
            if unit in self.change.units or _agrees(kind, unit, value, present)
        }
        return mark_for(kind, self.owner, manifest, known, after if self.digests else None)


def _agrees(kind: Kind, unit: Unit, value: Json, present: Mapping[Unit, Json]) -> bool:
    meaning = meaning_of(kind, unit)
    return meaning.uncompared or same(meaning, value, present.get(unit))
