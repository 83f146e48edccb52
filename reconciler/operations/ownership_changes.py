"""What `adopt`, `release` and `takeover` share: a plan that changes nothing but marks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from reconciler.config.errors import ConfigError, error
from reconciler.core.ownership import Ownership
from reconciler.core.plan import Plan, match_all
from reconciler.core.values.model import Address, Change
from reconciler.diagnostics import Code, Diagnostic
from reconciler.engine.snapshot import Snapshot
from reconciler.operations.applying.target_lock import hold_lock
from reconciler.operations.project.session import Session


@dataclass(frozen=True, slots=True)
class MarkPlan:
    """A plan of marks, and the reading of the target that it was made from."""

    plan: Plan
    snapshot: Snapshot


def adopt(session: Session, address: Address, id: str) -> MarkPlan:
    """Plan the mark of a manifest on a live object. Raises ConfigError where that is refused."""

    def decide(ownership: Ownership) -> list[Change]:
        return [ownership.adopt(ownership.manifests[address.key], id)]

    return _plan(session, {address.kind}, decide, f"no manifest has the address {address}")


def release(session: Session, address: Address, id: str | None) -> MarkPlan:
    """Plan to take our mark off the object of an address, or off one of several. Raises ConfigError without any."""

    def decide(ownership: Ownership) -> list[Change]:
        change = ownership.release(address.key, id)
        return [change] if change else []

    nothing = f"no managed object has the address {address}" + (f" and the id {id}" if id else "")
    return _plan(session, {address.kind}, decide, nothing)


def take_over(session: Session, addresses: Sequence[Address], owner: str) -> MarkPlan:
    """Plan our marks on the objects of another owner: those of some addresses, or of all manifests.

    Raises ConfigError for an address that is named and cannot be taken over, and where there is none at all.
    """
    wanted = addresses or [manifest.address for manifest in session.load().manifests]

    def decide(ownership: Ownership) -> list[Change]:
        changes: list[Change] = []
        for address in (each for each in wanted if each.kind == ownership.kind.name):
            manifest = ownership.manifests.get(address.key)
            change = ownership.take_over(manifest, owner) if manifest else None
            if change is not None:
                changes.append(change)
            elif addresses:
                why = f"{owner} has no object at this address" if manifest else "it has no manifest here"
                raise ConfigError([error(Code.NO_SUCH_ADDRESS, f"{address} cannot be taken over: {why}", None)])
        return changes

    nothing = f"{owner} manages no object that has a manifest here"
    return _plan(session, {address.kind for address in wanted}, decide, nothing)


def forget_create(session: Session, address: Address) -> None:
    """Forget a create of which the lock file has no answer. Raises ConfigError where there is none."""
    session.refresh({address.kind})
    if address not in session.unresolved():
        raise ConfigError([error(Code.NO_SUCH_ADDRESS, f"no create of {address} is unresolved", None)])
    with hold_lock(session), session.held():
        session.forget_create(address)


def _plan(
    session: Session, kinds: Collection[str], decide: Callable[[Ownership], list[Change]], nothing: str
) -> MarkPlan:
    """Read the target, and let `decide` say for each of these kinds which marks change.

    Raises ConfigError where a change is refused, and with `nothing` where there is none.
    """
    loaded = session.load()
    snapshot = session.refresh(kinds)
    if unknown := sorted(set(kinds) - {observation.kind.name for observation in snapshot.observed}):
        raise ConfigError([error(Code.UNKNOWN_KIND, f"the target has no kind {kind!r}", None) for kind in unknown])
    changes: list[Change] = []
    matches = match_all(session.scope((), loaded, None), loaded.manifests, snapshot.observed)
    for kind in sorted(set(kinds)):
        changes += decide(Ownership(matches[kind], session.owner, session.digests))
    changes = [replace(change, number=number) for number, change in enumerate(changes)]
    if not changes:
        raise ConfigError([error(Code.NO_SUCH_ADDRESS, nothing, None)])
    if refused := [_refused(change) for change in changes if change.blocked]:
        raise ConfigError(refused)
    return MarkPlan(Plan(session.identity, session.owner, loaded.digest, tuple(changes), {}), snapshot)


def _refused(change: Change) -> Diagnostic:
    assert change.blocked is not None
    return error(Code.BLOCKED, f"{change.address}: {change.blocked.hint}", change.source)
