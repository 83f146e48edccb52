"""Reconciles some addresses of one target: the unit of work of the worker fleet.

Level-triggered: it compares and writes what differs, so it may run twice, or twice at once, on any machine, and be
killed at any moment. What several runs must agree on is in an `ObjectRegistry` that they share: which object an address
has, and who is creating one. A create goes out only after the memory has taken its nonce down for the address; nobody
else's is taken down before the first one has settled.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import Observation, content_of, folded
from reconciler.core.matching.similarity import sketch_of
from reconciler.core.plan import Plan, Scope, TargetIdentity, in_order, make_plan, without_kept
from reconciler.core.references import ObjectRef, refuse_broken, resolved
from reconciler.core.values.model import Action, Address, Block, Blocker, Change, LiveObject, Manifest, Removal
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.drivers.base import Driver, NotFound, RemoteError
from reconciler.engine.apply import ApplyOptions, apply_plan, draw_nonce
from reconciler.engine.chunk_settlement import BatchedOutcomes, DeferredSettlement
from reconciler.engine.registry import KnownAddresses, LookalikeQuery, ObjectRegistry
from reconciler.engine.snapshot import KindOnTarget, live_object
from reconciler.formats.outcome import Outcome, Result

SOON_SECONDS: Final = 1.0
_PASSING: Final = frozenset(
    {Code.UNREACHABLE, Code.REFUSED_CREDENTIAL, Code.RATE_LIMITED, Code.SERVER_ERROR, Code.ROUTE_CHANGED}
    | {Code.BAD_RESPONSE, Code.INCOMPLETE_LIST, Code.UNRESOLVED_CREATE, Code.OVERTAKEN, Code.STALE_PLAN}
)
"""Failures that another run may not meet; all others are the manifest's own."""


@dataclass(frozen=True, slots=True)
class ChunkTarget:
    """A target, as a chunk needs it. `manifests` gives those of some addresses; one that has none is left out.

    `elsewhere` gives all addresses that have a manifest, of this target or another, `bound` the objects that those of
    this target name by id. `clock` counts seconds; `pause` waits, and answers True when the worker is to stop.
    """

    identity: TargetIdentity
    scope: Scope
    driver: Driver
    kinds: Sequence[KindOnTarget]
    manifests: Callable[[Collection[Address]], Sequence[Manifest]]
    memory: ObjectRegistry
    settle_seconds: float = 30
    fresh_seconds: float = 5
    concurrency: int = 8
    draw: Callable[[], str] = draw_nonce
    judge: Callable[[Plan, Sequence[Manifest]], Plan] = lambda plan, manifests: plan
    elsewhere: Callable[[], Container[Address]] = frozenset
    bound: Callable[[], frozenset[ObjectRef]] = frozenset
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], bool] | None = None


@dataclass(frozen=True, slots=True)
class RequestBudget:
    """The most requests a run may send, apart from repeats; what is left over is for another run."""

    requests: int = 1000


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did: outcomes of what it finished, and the addresses that need another run, with seconds to wait.

    `trouble` is set where the target could not be worked with at all.
    """

    outcomes: tuple[Outcome, ...] = ()
    again: Mapping[Address, float] = field(default_factory=dict)
    requests: int = 0
    trouble: Diagnostic | None = None


def reconcile_chunk(
    target: ChunkTarget,
    addresses: Collection[Address],
    budget: RequestBudget = RequestBudget(),
    tell: Callable[[Sequence[Outcome]], None] = lambda outcomes: None,
) -> Report:
    """Make the objects of these addresses look like their manifests: read each, then send what differs.

    `tell` hears, from several threads, of what is done for good, a few at a time. Nothing is deleted but what
    this run made too much. Raises what a lost memory raises; nothing more is sent then.
    """
    manifests = {manifest.address: manifest for manifest in target.manifests(addresses)}
    missing = [_missing(address) for address in sorted(set(addresses) - set(manifests))]
    try:
        known = target.memory.known(_involved(manifests.values()), _likeness(target.kinds, manifests.values()))
        again = {address: seconds for address, seconds in known.unsettled.items() if address in manifests}
        ready, left = _within(budget, [m for a, m in sorted(manifests.items()) if a not in again], known)
        read_at = target.clock()  # of the first object: the last one may come much later, where there is a rate limit
        live, requests = _read(target, ready, known)
    except RemoteError as error:
        return Report(tuple(missing), dict.fromkeys(manifests, SOON_SECONDS), 1, error.diagnostic)
    again |= dict.fromkeys(left, 0.0)
    observed = _observations(target.kinds, [*live, *known.alike])
    plan = _plan(target, ready, observed, known)
    outcomes = _carry_out(target, plan, observed, read_at, tell)
    return _report(plan, [*missing, *outcomes], again, requests)


def _involved(manifests: Iterable[Manifest]) -> set[Address]:
    """The addresses whose objects matter: the manifests' own, those they had before, and those they refer to."""
    found: set[Address] = set()
    for manifest in manifests:
        found |= {manifest.address, *manifest.refs.values()}
        if manifest.moved_from is not None:
            found.add(Address(manifest.address.kind, manifest.moved_from))
    return found


def _likeness(kinds: Iterable[KindOnTarget], manifests: Iterable[Manifest]) -> dict[str, LookalikeQuery]:
    """What objects have that may be what one of these manifests would create."""
    by_name = {each.kind.name: each.kind for each in kinds}
    groups: dict[str, list[Manifest]] = {}
    for manifest in manifests:
        groups.setdefault(manifest.address.kind, []).append(manifest)
    return {
        name: LookalikeQuery(
            frozenset(filter(None, (folded(m.body.get(by_name[name].name_field or "")) for m in several))),
            frozenset(content_of(by_name[name], m.body) for m in several),
            frozenset(m.address.key for m in several),
            frozenset(sketch.frame for m in several if (sketch := sketch_of(by_name[name], m.body))),
        )
        for name, several in groups.items()
    }


def _candidates(manifest: Manifest, known: KnownAddresses) -> tuple[str, ...]:
    """The ids of the objects that may be a manifest's."""
    former = Address(manifest.address.kind, manifest.moved_from or "")
    bound = (manifest.id,) if manifest.id is not None else ()
    return tuple(dict.fromkeys((*bound, *known.ids.get(manifest.address, ()), *known.ids.get(former, ()))))


def _within(
    budget: RequestBudget, manifests: Sequence[Manifest], known: KnownAddresses
) -> tuple[list[Manifest], list[Address]]:
    """The manifests that the budget is enough for, at a read of each object and a write, and what is left."""
    ready: list[Manifest] = []
    spent = 0
    for manifest in manifests:
        spent += len(_candidates(manifest, known)) + 1
        if spent > budget.requests and ready:
            return ready, [each.address for each in manifests[len(ready) :]]
        ready.append(manifest)
    return ready, []


def _read(target: ChunkTarget, manifests: Sequence[Manifest], known: KnownAddresses) -> tuple[list[LiveObject], int]:
    """The objects as they are right now, and how many requests that took. Raises RemoteError."""
    kinds = {each.kind.name: each for each in target.kinds}
    wanted = {id: manifest.address.kind for manifest in manifests for id in _candidates(manifest, known)}

    def read(id: str) -> LiveObject | None:
        try:
            return live_object(kinds[wanted[id]], target.driver.read(wanted[id], id))
        except NotFound:
            return None  # the memory still counts it: it is not made again before a whole list says it is gone

    if not wanted:
        return [], 0
    with ThreadPoolExecutor(max(1, min(target.concurrency, len(wanted))), thread_name_prefix="read") as pool:
        found = list(pool.map(read, wanted))
    return [live for live in found if live is not None], len(wanted)


def _observations(kinds: Iterable[KindOnTarget], objects: Iterable[LiveObject]) -> list[Observation]:
    by_id = {(live.kind, live.id): live for live in reversed(list(objects))}
    return [
        Observation(each.kind, tuple(live for live in by_id.values() if live.kind == each.kind.name), 0)
        for each in kinds
    ]


def _plan(
    target: ChunkTarget, manifests: Sequence[Manifest], observed: Sequence[Observation], known: KnownAddresses
) -> Plan:
    """The plan of these addresses alone, with what the survey knows of all others; what cannot be known is blocked."""
    here = {manifest.address for manifest in manifests}
    scope = replace(target.scope, prune=False, elsewhere=target.elsewhere(), bound=target.bound())
    scope = replace(scope, settle_seconds=target.settle_seconds)
    ids = {address: ids[0] for address, ids in known.ids.items() if ids}
    wanted = [resolved(manifest, ids) for manifest in manifests]
    plan = make_plan(target.identity, scope, "", wanted, observed, BaseSource())
    kept = [_unless_known(change, known) for change in plan.changes if change.address in here]
    kept = without_kept(refuse_broken(kept))[0]
    return target.judge(replace(plan, changes=in_order(kept, [o.kind.name for o in observed])), wanted)


def _unless_known(change: Change, known: KnownAddresses) -> Change:
    if change.removal is Removal.DUPLICATE and (
        change.blocked is None or change.blocked.by in (Blocker.GUARD, Blocker.PRUNE)
    ):
        hint = (
            f"{change.id} is a duplicate, and workers cannot count the deletes of all jobs: `reconciler apply` "
            "deletes it"
        )
        return replace(change, blocked=Block(Blocker.GUARD, hint))
    if change.action is not Action.CREATE or change.blocked:
        return change
    if change.replaces:
        hint = "workers do not renew expired objects: apply this target from one machine"
        return replace(change, blocked=Block(Blocker.ALREADY_BOUND, hint))
    if not (ids := known.ids.get(change.address)):
        return change
    hint = f"{ids[0]} no longer exists; it is created again if a complete list does not show it"
    return replace(change, blocked=Block(Blocker.NO_SUCH_ID, hint))


def _carry_out(
    target: ChunkTarget,
    plan: Plan,
    observed: Sequence[Observation],
    read_at: float,
    tell: Callable[[Sequence[Outcome]], None],
) -> list[Outcome]:
    attempts = target.memory.attempts()
    several = {change.address for change in plan.changes if change.action is Action.DELETE}
    notes = BatchedOutcomes(attempts, several, tell, target.clock)
    options = ApplyOptions(
        concurrency=target.concurrency,
        settle_seconds=target.settle_seconds,
        fresh_seconds=target.fresh_seconds,
        read_at=read_at,
        users_known=False,
        neighbours=target.scope.neighbours,
        report=notes.take,
        draw=target.draw,
        clock=target.clock,
        stop=target.stop,
        pause=target.pause,
    )
    waits = (target.settle_seconds, target.pause or target.stop.wait, target.clock)
    settling = partial(DeferredSettlement, plan.owner, attempts, *waits)
    return apply_plan(plan, target.driver, target.kinds, observed, attempts, options, settling)


def _missing(address: Address) -> Outcome:
    hint = "the files of this worker differ from those that were submitted: roll them out, then submit again"
    error = Diagnostic(Severity.ERROR, Code.NO_SUCH_ADDRESS, f"no manifest has the address {address}", hint=hint)
    return Outcome(address, Action.NOOP, Result.FAILED, error=error)


def _report(plan: Plan, outcomes: Sequence[Outcome], again: dict[Address, float], requests: int) -> Report:
    """Sort what happened into what is final and what another run has to look at."""
    final: list[Outcome] = []
    passing: list[Outcome] = []
    for outcome in outcomes:
        code = outcome.error.code if outcome.error else None
        undecided = outcome.result in (Result.UNKNOWN, Result.SKIPPED) or code in _PASSING
        (passing if undecided else final).append(outcome)
    for change in plan.changes:
        if change.blocked and change.blocked.by is Blocker.DEPENDENCY:
            again[change.address] = SOON_SECONDS
        elif change.blocked:
            error = Diagnostic(Severity.ERROR, Code.BLOCKED, f"blocked: {change.blocked.hint}", source=change.source)
            final.append(Outcome(change.address, change.action, Result.SKIPPED, change.id, error=error))
        elif change.action is Action.NOOP:
            final.append(Outcome(change.address, change.action, Result.DONE, change.id))
    again |= {outcome.address: SOON_SECONDS for outcome in passing}
    done = any(outcome.result in (Result.DONE, Result.ALREADY_APPLIED) for outcome in outcomes)
    trouble = next((o.error for o in passing if o.error and o.error.code is not Code.OVERTAKEN), None)
    return Report(
        tuple(outcome for outcome in final if outcome.address not in again),
        again,
        requests + sum(outcome.requests for outcome in outcomes),
        None if done else trouble,
    )
