"""The plan that takes back what an apply did, with the same checks: it refuses where somebody changed things since.

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

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.core import marks, policy
from reconciler.core.changes import deletion
from reconciler.core.decide import assemble
from reconciler.core.marks import Mark
from reconciler.core.model import (
    ABSENT,
    Action,
    Address,
    Change,
    FieldChange,
    Json,
    LiveObject,
    Outcome,
    Plan,
    Reason,
    Result,
    Unit,
)
from reconciler.core.pairing import Index, mark_of, mark_text
from reconciler.core.plan import in_order
from reconciler.core.precondition import ABSENT_OBJECT, precondition
from reconciler.core.replacing import claims
from reconciler.core.semantics import MARK_ENTRY, Kind, can_clear, is_mark, meaning_of, units
from reconciler.diagnostics import Code, Diagnostic, Severity

_BACK = {
    Action.UPDATE: Action.UPDATE,
    Action.MOVE: Action.MOVE,
    Action.ADOPT: Action.RELEASE,
    Action.RELEASE: Action.ADOPT,
}


def rollback(plan: Plan, found: Mapping[str, Index], outcomes: Sequence[Outcome]) -> Plan:
    """The inverse of what was done. `found` holds what was live before, by kind; outcomes tell what is live now."""
    planned = {(change.address, change.action, change.id): change for change in plan.changes}
    changes: list[Change] = []
    said: list[Diagnostic] = []
    deleted = frozenset(o.id for o in outcomes if o.action is Action.DELETE and o.result is Result.DONE)
    for outcome in outcomes:
        known = planned.get((outcome.address, outcome.action, outcome.id)) or planned.get(
            (outcome.address, outcome.action, None)
        )
        if outcome.result is Result.DONE and known is not None:
            change, problems = _undone(known, outcome, found[outcome.address.kind], deleted)
            changes += [change] if change else []
            said += problems
    owned = sum(len(index.ours) for index in found.values()) + sum(c.action is Action.DELETE for c in changes)
    return Plan(
        plan.target,
        plan.owner,
        plan.config_digest,
        in_order(policy.guard(changes, owned, None), list(found)),
        read={},
        diagnostics=tuple(said),
        rollback=True,
    )


def _undone(
    change: Change, outcome: Outcome, found: Index, deleted: frozenset[str | None]
) -> tuple[Change | None, list[Diagnostic]]:
    kind, before = found.kind, found.by_id.get(change.id or "")
    if kind.fixed and (change.action is Action.DELETE or Reason.REPLACE in change.reasons):
        said = f"the earlier content of {change.address} is not kept anywhere: check the earlier files out, and apply"
        return None, [_warning(Code.NOT_THE_SAME, said, change.address)]
    if Reason.EXPIRED in change.reasons:
        said = f"{change.address} took the place of one whose time was over: it stays"
        return None, [_warning(Code.NOT_THE_SAME, said, change.address)]
    if change.action is Action.DELETE and before is not None:
        if Reason.REPLACED in change.reasons:
            return None, []
        alike = [owned.live.id for owned in claims(found, change.address.key)]
        if before.id in alike[1:] or not deleted.issuperset(alike):
            said = (
                f"{before.id} was one of {len(alike)} objects of {change.address}: rolling back does not bring it back"
            )
            return None, [_warning(Code.NOT_THE_SAME, said, change.address)]
        said = f"{before.id} was deleted: rolling back makes another object with its content, under another id"
        return _made_again(kind, change.address, before), [_warning(Code.NOT_THE_SAME, said, change.address)]
    if outcome.after is None or outcome.id is None:
        return None, []
    after = LiveObject(kind.name, outcome.id, outcome.after)
    if change.action is Action.CREATE:
        return deletion(kind, change.address, after, Reason.ROLLBACK), []
    if before is None:
        return None, []
    return _put_back(kind, change, before, after)


def _put_back(
    kind: Kind, change: Change, before: LiveObject, after: LiveObject
) -> tuple[Change | None, list[Diagnostic]]:
    """The earlier values of the units a change wrote, the mark among them."""
    present, writes, said = units(kind, before.body), {}, []
    for name in sorted(kind.managed_maps & {unit[0] for unit in change.units}):
        text = f"the entries of {name} stay as they are: check the earlier files out, and apply"
        said.append(_warning(Code.NOT_THE_SAME, text, change.address))
    for unit in change.units:
        if unit[0] in kind.managed_maps:
            continue
        value = _earlier(kind, unit, before, present)
        if value is ABSENT and not can_clear(kind, unit):
            text = f"{'.'.join(unit)} had no value before, and cannot be cleared: it stays as it is"
            said.append(_warning(Code.CANNOT_CLEAR, text, change.address))
        else:
            writes[unit] = value
    mark = mark_of(kind, before)
    key = mark.key if isinstance(mark, Mark) else change.address.key
    undone = Change(
        address=Address(kind.name, key),
        action=_BACK[change.action],
        id=after.id,
        reasons=(Reason.ROLLBACK,),
        fields=tuple(_backwards(field) for field in change.fields if field.path[:1] in _named(writes)),
        units=tuple(sorted(writes)),
        patch=assemble(kind, writes, after.body),
        precondition=precondition(kind, after, writes),
    )
    return (undone if writes else None), said


def _earlier(kind: Kind, unit: Unit, before: LiveObject, present: Mapping[Unit, Json]) -> Json:
    """What a unit was; for one that had no value, what clears it (`ABSENT` where nothing does)."""
    if is_mark(kind, unit):
        text = mark_text(kind, before)
        return ABSENT if text is None else text
    value = present.get(unit, ABSENT)
    if (len(unit) == 1 or kind.maps == "merge") and (value is ABSENT or value is None):
        return meaning_of(kind, unit).on_remove
    return value


def _made_again(kind: Kind, address: Address, before: LiveObject) -> Change:
    mark = mark_of(kind, before)
    present = units(kind, before.body).items()
    writes = {unit: value for unit, value in present if value is not None and unit[0] not in kind.managed_maps}
    if isinstance(mark, Mark):
        writes[(kind.mark_field, MARK_ENTRY)] = marks.write(replace(mark, nonce=marks.NO_NONCE))
    return Change(
        address=address,
        action=Action.CREATE,
        reasons=(Reason.ROLLBACK,),
        fields=tuple(
            FieldChange(unit, ABSENT, writes[unit], Reason.ROLLBACK)
            for unit in sorted(writes)
            if not is_mark(kind, unit)
        ),
        units=tuple(sorted(writes)),
        patch=assemble(kind, writes, {}),
        precondition=ABSENT_OBJECT,
    )


def _named(writes: Mapping[Unit, Json]) -> set[tuple[str | int, ...]]:
    return {unit[:1] for unit in writes}


def _backwards(field: FieldChange) -> FieldChange:
    return replace(field, before=field.after, after=field.before, reason=Reason.ROLLBACK, source=None)


def _warning(code: Code, summary: str, address: Address) -> Diagnostic:
    return Diagnostic(Severity.WARNING, code, summary, address=str(address))
