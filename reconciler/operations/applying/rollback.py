"""The plan that takes back what an apply did: earlier values, decided and judged as every plan is.

done      | taken back by
----------|----------------------------------------------------------------------
create    | delete, if the object is still as it was made
update    | writing the earlier values, if the units are still as they were written
adopt     | the same, and the mark comes off again
move      | the same, and the earlier key comes back
release   | putting the mark back
delete    | a create: another object with the same content, under another id
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.core.changes import delete_change, write_change
from reconciler.core.decide import decide_create, decide_update
from reconciler.core.matching.index import Index, Observation, index, mark_of
from reconciler.core.plan import Plan, in_order
from reconciler.core.references import placeholder, reference_places, refuse_broken, refuse_used, with_values
from reconciler.core.rules.change_rules import refusal
from reconciler.core.rules.guard import guard
from reconciler.core.rules.world import World
from reconciler.core.values import marks
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import (
    ABSENT,
    Action,
    Address,
    Body,
    Change,
    FieldChange,
    LiveObject,
    Manifest,
    Reason,
    Removal,
    Unit,
)
from reconciler.core.values.semantics import Kind, is_mark, meaning_of, units
from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.formats.outcome import Outcome, Result

_BACK: Final = {
    Action.UPDATE: Action.UPDATE,
    Action.MOVE: Action.MOVE,
    Action.ADOPT: Action.RELEASE,
    Action.RELEASE: Action.ADOPT,
}
_WHY: Final = (Reason.ROLLBACK,)
_NOWHERE: Final = Source("", 1, 1)


def rollback(plan: Plan, before: Mapping[str, Index], outcomes: Sequence[Outcome]) -> Plan:
    """The inverse of what was done. `before` holds what was live then, by kind; outcomes tell what is live now."""
    done = {o.number: o for o in outcomes if o.result is Result.DONE}
    undoing = _Undoing(plan, before, done)
    changes = [replace(c, number=number, source=None) for number, c in enumerate(undoing.changes())]
    now = undoing.observed()
    world = World({o.kind.name: index(o.kind, o.objects, plan.owner) for o in now})
    judged = [replace(change, blocked=refusal(change, world)) for change in changes]
    managed = sum(len(found.managed) for found in world.found.values())
    possible = guard(refuse_used(refuse_broken(judged), now), managed, None, world.found)
    return Plan(
        plan.target,
        plan.owner,
        plan.config_digest,
        in_order(possible, list(before)),
        read={},
        diagnostics=tuple(undoing.diagnostics),
        rollback=True,
    )


class _Undoing:
    """The changes of one apply, taken back one by one."""

    def __init__(self, plan: Plan, before: Mapping[str, Index], done: Mapping[int, Outcome]) -> None:
        self._plan = plan
        self._before = before
        self._done = done
        self.diagnostics: list[Diagnostic] = []
        deletes = [c for c in plan.changes if c.number in done and c.action is Action.DELETE]
        self._gone = {(c.address.kind, c.id or "") for c in deletes}
        # What was deleted comes back under another id: what referred to it has to refer to that.
        self._lost = {(c.address.kind, c.id or ""): c.address for c in deletes if self._comes_back(c)}

    def changes(self) -> Iterator[Change]:
        """What takes each change back."""
        for change in self._plan.changes:
            if (outcome := self._done.get(change.number)) and (undone := self._undone(change, outcome)):
                yield undone

    def observed(self) -> list[Observation]:
        """What is live now."""
        now = {(o.address.kind, o.id or ""): o.after for o in self._done.values() if o.after is not None}
        result: list[Observation] = []
        for name, found in self._before.items():
            known = {live.id: live for live in found.objects if (name, live.id) not in self._gone}
            for (kind, id), body in now.items():
                if kind == name and body is not None:
                    created = known[id].created if id in known else float("inf")
                    known[id] = _as_we_wrote(found.kind, LiveObject(name, id, body, created))
            result.append(Observation(found.kind, tuple(known.values()), 0))
        return result

    def _undone(self, change: Change, outcome: Outcome) -> Change | None:
        kind, before = self._before[change.address.kind].kind, self._live_before(change)
        if kind.immutable and (change.action is Action.DELETE or change.replaces):
            if change.removal is not Removal.REPLACED:
                self._warn(
                    f"the earlier content of {change.address} is not stored: check out the earlier files and "
                    "apply them",
                    change,
                )
            return None
        if change.replaces:
            self._warn(f"{change.address} replaced an expired object: it stays", change)
            return None
        if change.action is Action.DELETE:
            return self._made_again(kind, change, before) if before else None
        if outcome.after is None or outcome.id is None:
            return None
        after = _as_we_wrote(kind, LiveObject(kind.name, outcome.id, outcome.after))
        if change.action is Action.CREATE:
            return delete_change(kind, change.address, after, Reason.ROLLBACK, Removal.ORPHAN)
        return self._put_back(kind, change, before, after) if before else None

    def _live_before(self, change: Change) -> LiveObject | None:
        return self._before[change.address.kind].by_id.get(change.id or "")

    def _comes_back(self, change: Change) -> bool:
        """Whether another object is made for one that was deleted: only for the first of its address, if all are gone.

        The content of immutable objects is not kept.
        """
        found = self._before[change.address.kind]
        ids = [each.live.id for each in found.candidates(change.address.key)]
        all_gone = all((found.kind.name, id) in self._gone for id in ids)
        return ids[:1] == [change.id] and all_gone and change.removal is Removal.ORPHAN and not found.kind.immutable

    def _made_again(self, kind: Kind, change: Change, before: LiveObject) -> Change | None:
        if not self._comes_back(change):
            if change.removal is not Removal.REPLACED:
                number = len(self._before[kind.name].candidates(change.address.key))
                self._warn(
                    f"{before.id} was one of {number} objects of {change.address}: rolling back does not restore it",
                    change,
                )
            return None
        self._warn(
            f"{before.id} was deleted: rolling back creates a new object with its content and another id", change
        )
        present = units(kind, before.body).items()
        wanted = {unit: value for unit, value in present if value is not None and _is_writable(kind, unit)}
        mark = replace(self._before[kind.name].managed[change.address.key].mark, nonce=marks.NO_NONCE)
        manifest = self._manifest(kind, change.address, wanted)
        made = write_change(kind, manifest, Action.CREATE, None, decide_create(kind, manifest), mark, _WHY)
        return replace(made, same_name_allowed=True, fields=_as_rollback(made))

    def _put_back(self, kind: Kind, change: Change, before: LiveObject, after: LiveObject) -> Change | None:
        """The earlier values of the units a change wrote, and the mark as it was."""
        present, chosen = units(kind, before.body), [u for u in change.units if not is_mark(kind, u)]
        for name in sorted(kind.managed_maps & {unit[0] for unit in chosen}):
            self._warn(f"the entries of {name} are not changed: check out the earlier files and apply them", change)
        chosen = [unit for unit in chosen if unit[0] not in kind.managed_maps]
        mark, now = mark_of(kind, before), mark_of(kind, after)
        key = mark.key if isinstance(mark, Mark) else change.address.key
        wanted = {unit: present[unit] for unit in chosen if present.get(unit) is not None}
        manifest = self._manifest(kind, Address(kind.name, key), wanted)
        managed = Mark(self._plan.owner, key, units=marks.codes(chosen))
        decision = decide_update(kind, manifest, after.body, managed)
        for each in decision.diagnostics:
            summary = (
                f"{each.summary.partition(' ')[0]} had no value before and cannot be cleared: the live value stays"
            )
            self._warn(summary, change, Code.CANNOT_CLEAR)
        earlier = mark if isinstance(mark, Mark) else ABSENT
        changed = None if mark == now else earlier
        if not decision.writes and changed is None:
            return None
        old = now if isinstance(now, Mark) else None
        undone = write_change(kind, manifest, _BACK[change.action], after, decision, changed, _WHY, old)
        return replace(undone, fields=_as_rollback(undone))

    def _manifest(self, kind: Kind, address: Address, wanted: Mapping[Unit, object]) -> Manifest:
        """Earlier values as a manifest; what refers to something that was deleted refers to what is made for it."""
        body: Body = {}
        for unit, value in wanted.items():
            if len(unit) == 1:
                body[unit[0]] = value
            else:
                body.setdefault(unit[0], {})[unit[1]] = value
        refs = {path: self._lost[held] for path, held in reference_places(kind, body) if held in self._lost}
        body = with_values(body, {path: placeholder(at) for path, at in refs.items()})
        return Manifest(address, body, _NOWHERE, refs=refs)

    def _warn(self, summary: str, change: Change, code: Code = Code.NOT_THE_SAME) -> None:
        self.diagnostics.append(Diagnostic(Severity.WARNING, code, summary, address=str(change.address)))


def _as_we_wrote(kind: Kind, live: LiveObject) -> LiveObject:
    """An object as this run left it: a signature on it is one of ours. To roll back, it is read and checked again."""
    mark = mark_of(kind, live)
    if isinstance(mark, Mark) and mark.proof is Proof.NO_KEY:
        return replace(live, mark=replace(mark, proof=Proof.SIGNED))
    return live


def _is_writable(kind: Kind, unit: Unit) -> bool:
    known = unit[0] in kind.fields and unit[0] not in kind.managed_maps
    meaning = meaning_of(kind, unit)
    return known and not (is_mark(kind, unit) or meaning.uncompared or meaning.read_only)


def _as_rollback(change: Change) -> tuple[FieldChange, ...]:
    return tuple(replace(field, reason=Reason.ROLLBACK, source=None) for field in change.fields)
