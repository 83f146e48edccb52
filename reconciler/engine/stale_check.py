"""Checks before anything is sent that each change of a plan still fits the target."""

from __future__ import annotations

from reconciler.core.plan import Plan
from reconciler.core.references import ObjectRef, with_ids_filled_in
from reconciler.core.rules.change_rules import refusal
from reconciler.core.rules.world import World
from reconciler.core.values.model import Action, Address, Change
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check
from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity
from reconciler.engine.admission import Step
from reconciler.formats.outcome import Outcome, Result

KEEPING = (Action.UPDATE, Action.MOVE, Action.ADOPT, Action.NOOP)


class StalePlan(ReconcilerError):
    """The world moved on since the plan was made; nothing was sent. `diagnostics` name the changes concerned."""


def bound_objects(plan: Plan) -> frozenset[ObjectRef]:
    """The objects that changes of a plan make ours, or keep."""
    return frozenset((change.address.kind, change.id) for change in plan.changes if change.id is not None)


def check_all(plan: Plan, world: World) -> tuple[list[Step], list[Outcome]]:
    """The steps to send, and the outcomes of changes that are in place already. Raises StalePlan."""
    steps: list[Step] = []
    already: list[Outcome] = []
    stale: list[Diagnostic] = []
    ids = _known_ids(plan, world)
    for planned in plan.changes:
        if not planned.is_due:
            continue
        change = with_ids_filled_in(planned, ids)
        kind_index = world.found[change.address.kind]
        verdict = check(change, kind_index)
        if isinstance(verdict, Ready) and (block := refusal(change, world)):
            verdict = Stale(f"{change.id or change.address} can no longer be changed: {block.hint}")
        match verdict:
            case Ready(patch):
                live = kind_index.by_id.get(change.id or "")
                steps.append(Step(change, kind_index.kind, patch, live.body if live else None))
            case AlreadyApplied(id):
                if id is not None and change.action is Action.CREATE:
                    ids[change.address] = id
                done = Outcome(change.address, change.action, Result.ALREADY_APPLIED, id, number=change.number)
                already.append(done)
            case Stale(why):
                stale.append(_stale(change, why))
    if stale:
        raise StalePlan(tuple(stale))
    return steps, already


def _known_ids(plan: Plan, world: World) -> dict[Address, str]:
    """The ids of what is there; what is still to be made has none yet, whatever it takes the place of."""
    indexes = world.found.items()
    ids = {Address(kind, key): each.live.id for kind, found in indexes for key, each in found.managed.items()}
    ids |= {c.address: c.id for c in plan.changes if c.id is not None and c.action in KEEPING}
    for change in plan.changes:
        if change.is_due and change.action is Action.CREATE:
            ids.pop(change.address, None)
    return ids


def _stale(change: Change, why: str) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        Code.STALE_PLAN,
        f"the plan is stale: {why}",
        hint="plan again and review what changed",
        source=change.source,
        address=str(change.address),
    )
