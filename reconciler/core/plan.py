"""Makes the plan: from manifests and live objects to the ordered changes, as a value.

Each manifest is paired with at most one live object (`match`), its units are decided one by one (`decide`), and what
must not happen is blocked with the line that would allow it (`rules`). The same inputs, in any order, give the same
plan.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reconciler.core.decide import DEFAULT_POLICY, ConflictPolicy
from reconciler.core.kind_plan import KindPlanner
from reconciler.core.last_applied import NO_BASE, BaseSource
from reconciler.core.matching.index import Index, Observation, index
from reconciler.core.matching.match import Match, match
from reconciler.core.references import ObjectRef, levels, refuse_broken, refuse_used, resolved
from reconciler.core.rules.change_rules import refusal
from reconciler.core.rules.guard import guard
from reconciler.core.rules.world import World
from reconciler.core.values.model import Action, Address, Change, Manifest, Removal
from reconciler.diagnostics import Code, Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be planned.

    `only` narrows to some addresses (then nothing is deleted); `prune` allows deletes at all; `digests` says that marks
    remember what is applied. `elsewhere` are addresses with a manifest that is not among those given: of another
    target, or another part of a fleet; perhaps their objects are in the same account, so they are no orphans.
    `unresolved` are those of creates whose answer was lost, where no mark on an object can show what became of them.
    `neighbours` are the owners of other targets, `bound` the objects that manifests elsewhere name by id.
    `settle_seconds` is how long lists may lag behind creates, and `made_here` are the nonces of creates that are
    remembered: they tell duplicates that applies at once made from those of strangers.
    """

    owner: str
    prune: bool = False
    allow_deletes: int | None = None
    only: frozenset[Address] | None = None
    policy: ConflictPolicy = DEFAULT_POLICY
    digests: bool = False
    elsewhere: Container[Address] = frozenset()
    unresolved: frozenset[Address] = frozenset()
    neighbours: frozenset[str] = frozenset()
    bound: frozenset[ObjectRef] = frozenset()
    settle_seconds: float = 30
    made_here: Container[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TargetIdentity:
    """What a plan is bound to: it is refused against any other. `account` is what the remote tells of itself."""

    name: str
    provider: str
    url: str
    account: str | None = None


@dataclass(frozen=True, slots=True)
class ReadCount:
    """How much was read of one kind."""

    objects: int
    requests: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered changes as a value.

    `changes` also holds what is blocked and what needs nothing; `unmanaged` counts the objects that are not ours.
    `against` names the files a plan compares with instead of a target (it cannot be applied), `sealed` says that
    contents were left out, `rollback` that it takes back what an apply did, `policy` what was decided beforehand about
    the changes of others.
    """

    target: TargetIdentity
    owner: str
    config_digest: str
    changes: tuple[Change, ...]
    read: Mapping[str, ReadCount]
    unmanaged: int = 0
    diagnostics: tuple[Diagnostic, ...] = ()
    complete: bool = True
    against: str | None = None
    sealed: bool = False
    rollback: bool = False
    policy: ConflictPolicy = DEFAULT_POLICY


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
    matches = match_all(scope, manifests, observed)
    known = base.with_ids({address: id for each in matches.values() for address, id in each.ids.items()})
    planners = [
        KindPlanner(each, scope.owner, base=known, policy=scope.policy, digests=scope.digests)
        for each in matches.values()
    ]
    changes = [c for planner in planners for c in planner.changes(scope.only, scope.prune)]
    changes = _refused(changes, world_of(scope, matches))
    managed = sum(len(each.found.managed) for each in matches.values())
    possible = refuse_used(refuse_broken(changes), observed)
    found = {name: each.found for name, each in matches.items()}
    guarded = refuse_used(guard(possible, managed, scope.allow_deletes, found), observed)
    kept, diagnostics = without_kept(guarded)
    diagnostics += [each for planner in planners for each in planner.diagnostics]
    diagnostics += _kept_elsewhere(scope, matches)
    adopted = sum(change.action is Action.ADOPT and change.blocked is None for change in kept)
    return Plan(
        target=target,
        owner=scope.owner,
        config_digest=config_digest,
        changes=in_order(kept, [observation.kind.name for observation in observed]),
        read={o.kind.name: ReadCount(len(o.objects), o.requests) for o in observed},
        unmanaged=sum(len(each.found.unmanaged) for each in matches.values()) - adopted,
        diagnostics=tuple(sorted(diagnostics, key=lambda d: (str(d.address), d.code, d.summary))),
        policy=scope.policy,
    )


def match_all(scope: Scope, manifests: Iterable[Manifest], observed: Sequence[Observation]) -> dict[str, Match]:
    """Every kind's manifests paired with its objects, references resolved as far as they can be."""
    wanted = _by_kind(manifests)
    matches: dict[str, Match] = {}
    ids: dict[Address, str] = {}
    for observation in observed:
        kind = observation.kind
        found = index(kind, observation.objects, scope.owner)
        manifests_of = {key: resolved(each, ids) for key, each in wanted.get(kind.name, {}).items()}
        bound = frozenset(id for name, id in scope.bound if name == kind.name)
        matches[kind.name] = match(found, manifests_of, scope.elsewhere, bound)
        ids |= matches[kind.name].ids
    return {name: _with_references(each, ids) for name, each in matches.items()}


def _with_references(matched: Match, ids: Mapping[Address, str]) -> Match:
    """References within a kind, or to a later one, are known only when all is paired."""
    waiting = {key: pair for key, pair in matched.pairs.items() if pair.manifest.refs}
    if not waiting:
        return matched
    known = {key: replace(pair, manifest=resolved(pair.manifest, ids)) for key, pair in waiting.items()}
    return replace(matched, pairs={**matched.pairs, **known})


def _kept_elsewhere(scope: Scope, matches: Mapping[str, Match]) -> Iterator[Diagnostic]:
    """Objects of ours that stay because another target has a manifest for them."""
    for name, each in matches.items() if scope.only is None else ():
        known = {pair.live.id for pair in each.pairs.values() if pair.live} if scope.elsewhere else set[str]()
        keys = [k for k in sorted(each.found.managed.keys() - each.pairs.keys()) if Address(name, k) in scope.elsewhere]
        kept = [f"{found.live.id} of {name}/{k}" for k in keys if (found := each.found.managed[k]).live.id not in known]
        if kept:
            shown = ", ".join(kept[:3]) + (f" and {len(kept) - 3} more" if len(kept) > 3 else "")
            summary = f"{shown}: its manifest is for another target only, so it stays"
            hint = (
                "if each target has its own account, delete it by hand, or run `reconciler release` for its "
                "address here"
            )
            yield Diagnostic(Severity.INFO, Code.ORPHAN, summary, hint=hint)


def world_of(scope: Scope, matches: Mapping[str, Match]) -> World:
    """What rules look at when a plan is made."""
    bound = frozenset((name, id) for name, each in matches.items() for id in each.bound)
    found: dict[str, Index] = {name: each.found for name, each in matches.items()}
    return World(
        found,
        matches,
        bound,
        elsewhere=scope.elsewhere,
        unresolved=scope.unresolved,
        neighbours=scope.neighbours,
        settle_seconds=scope.settle_seconds,
        made_here=scope.made_here,
        prune=scope.prune,
    )


def _by_kind(manifests: Iterable[Manifest]) -> dict[str, dict[str, Manifest]]:
    kinds: dict[str, dict[str, Manifest]] = {}
    for manifest in manifests:
        kinds.setdefault(manifest.address.kind, {})[manifest.address.key] = manifest
    return kinds


def _refused(changes: Iterable[Change], world: World) -> list[Change]:
    """The changes, numbered, those blocked that must not be carried out."""
    return [
        replace(change, number=number, blocked=change.blocked or refusal(change, world))
        if change.action is not Action.NOOP
        else replace(change, number=number)
        for number, change in enumerate(changes)
    ]


def without_kept(changes: Sequence[Change]) -> tuple[list[Change], list[Diagnostic]]:
    """Leave out deletes of what is replaced while something keeps it, and say so; nobody asked for them."""
    held = {c.address for c in changes if c.action is Action.CREATE and not c.is_due}
    left: list[Change] = []
    diagnostics: list[Diagnostic] = []
    for change in changes:
        if change.removal is not Removal.REPLACED or (change.is_due and change.address not in held):
            left.append(change)
        elif change.blocked:
            summary = f"{change.id} has been replaced and stays for now: {change.blocked.hint}"
            diagnostics.append(Diagnostic(Severity.INFO, Code.STILL_USED, summary, address=str(change.address)))
    return left, diagnostics


def in_order(changes: Iterable[Change], kinds: Sequence[str]) -> tuple[Change, ...]:
    """Changes as they are applied, numbered: by kind, in the order of dependency given; deletes last, in reverse.

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
    changes.sort(key=lambda change: level.get(change.number, 0))
    changes.sort(key=turn)
    places = {change.number: place for place, change in enumerate(changes)}
    return tuple(_renumbered(change, places) for change in changes)


def _renumbered(change: Change, places: Mapping[int, int]) -> Change:
    needs = tuple(sorted(places[number] for number in change.needs if number in places))
    number = places[change.number]
    if change.number == number and change.needs == needs:
        return change
    return replace(change, number=number, needs=needs)
