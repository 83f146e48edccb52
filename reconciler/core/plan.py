"""From manifests and live objects to the ordered changes: the plan as a value.

Each manifest is paired with at most one live object (`pairing`), its units are decided one by one (`decide`), and what
must not happen is blocked with the line that would allow it (`policy`). The same inputs, in any order, give the same
plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.core import policy
from reconciler.core.base import NO_BASE, BaseSource
from reconciler.core.decide import AS_USUAL, ConflictPolicy
from reconciler.core.dependencies import levels, without_broken, without_kept, without_used
from reconciler.core.kind_plan import KindPlanner
from reconciler.core.model import (
    Action,
    Address,
    Change,
    Manifest,
    Plan,
    ReadCount,
    TargetIdentity,
)
from reconciler.core.pairing import Observation, index
from reconciler.core.refs import paired_ids, resolved
from reconciler.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be planned.

    `only` narrows to some addresses (then nothing is deleted); `prune` allows deletes at all; `digests` says that marks
    remember what is applied. `elsewhere` are addresses that have a manifest for another target: perhaps that one is in
    the same account, so their objects are no orphans. `unresolved` are those of creates whose answer was lost, where no
    mark on an object can show what became of them.
    """

    owner: str
    prune: bool = False
    allow_deletes: int | None = None
    only: frozenset[Address] | None = None
    stance: ConflictPolicy = AS_USUAL
    digests: bool = False
    elsewhere: frozenset[Address] = frozenset()
    unresolved: frozenset[Address] = frozenset()


def make_plan(
    target: TargetIdentity,
    scope: Scope,
    config_digest: str,
    manifests: Iterable[Manifest],
    observed: Sequence[Observation],
    base: BaseSource = NO_BASE,
) -> Plan:
    """The plan that makes the target look like the manifests.

    `observed` holds one observation for each kind in order of dependency: kinds come after those they refer to.
    """
    wanted = list(manifests)
    indexes = [index(observation.kind, observation.objects, scope.owner) for observation in observed]
    ids: dict[Address, str] = {}
    referred = {address.kind for manifest in wanted for address in manifest.refs.values()} | base.referred()
    for found in indexes:
        if found.kind.name in referred:
            ids |= paired_ids(found, wanted)
    changes: list[Change] = []
    said: list[Diagnostic] = []
    owned = unmanaged = 0
    for found in indexes:
        planner = KindPlanner(
            found,
            {m.address.key: resolved(m, ids) for m in wanted if m.address.kind == found.kind.name},
            scope.owner,
            base=base.knowing(ids),
            stance=scope.stance,
            digests=scope.digests,
            elsewhere=scope.elsewhere,
        )
        planner.run(scope.only, scope.prune)
        changes += planner.changes
        said += planner.said
        owned += len(planner.index.ours)
        unmanaged += len(planner.index.unmanaged_objects) - planner.adopted
    changes = policy.refuse_unresolved(changes, {m.address: m for m in wanted}, scope.unresolved)
    possible = without_used(without_broken(changes), observed)
    guarded, kept = without_kept(without_used(policy.guard(possible, owned, scope.allow_deletes), observed))
    said += kept
    return Plan(
        target=target,
        owner=scope.owner,
        config_digest=config_digest,
        changes=in_order(guarded, [observation.kind.name for observation in observed]),
        read={o.kind.name: ReadCount(len(o.objects), o.requests) for o in observed},
        unmanaged=unmanaged,
        diagnostics=tuple(sorted(said, key=lambda d: (str(d.address), d.code, d.summary))),
    )


def in_order(changes: Iterable[Change], kinds: Sequence[str]) -> tuple[Change, ...]:
    """Changes as they are applied: by kind, in the order of dependency given; deletes last, and those in reverse.

    Within a kind, what is needed comes before what needs it.
    """
    changes = list(changes)
    rank = {kind: place for place, kind in enumerate(kinds)}
    level = levels(changes)

    def turn(change: Change) -> int:
        kind = rank[change.address.kind]
        return 2 * len(rank) - kind if change.action in (Action.DELETE, Action.RELEASE) else kind

    # The least first, and one after the other: what is sorted by tuples has one for each change.
    changes.sort(key=lambda change: change.id or "")
    changes.sort(key=lambda change: change.address.key)
    changes.sort(key=lambda change: level.get(change.address, 0))
    changes.sort(key=turn)
    return tuple(changes)
