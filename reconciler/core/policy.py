"""What must not happen without being asked for: each rule is a function that answers with a `Block` or None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from reconciler.core.base import Base
from reconciler.core.decide import ConflictPolicy, Decision, OnDrift
from reconciler.core.marks import Mark, NewerMark
from reconciler.core.model import Action, Address, Block, Blocker, Change, LiveObject, Manifest, Reason
from reconciler.core.pairing import Index, Managed, mark_of
from reconciler.core.semantics import Kind, meaning_of

GUARD_COUNT = 1
GUARD_SHARE = 0.2


def guard(changes: Sequence[Change], owned: int, allowed: int | None) -> list[Change]:
    """Block deletes that are many (more than one), or a large share (over a fifth), or all of what we own.

    `allowed` must name the exact number. Twins and what is superseded are not counted: their address keeps an object.
    """
    kept = {Reason.DUPLICATE, Reason.REPLACED}
    wanted = [c for c in changes if c.action is Action.DELETE and c.blocked is None and kept.isdisjoint(c.reasons)]
    count = len(wanted)
    harmless = count <= GUARD_COUNT and count <= owned * GUARD_SHARE  # so never all of what we own
    if not count or harmless or count == allowed:
        return list(changes)
    block = Block(Blocker.GUARD, f"{count} of {owned} would be deleted: if that is meant, add --allow-deletes {count}")
    counted = set(map(id, wanted))
    return [replace(c, blocked=block) if id(c) in counted else c for c in changes]


def refuse_same_name(found: Index, bound: Set[str | None], manifest: Manifest) -> Block | None:
    """A create beside an object of the same name that is not ours: neither adopted nor duplicated in silence.

    Objects that a manifest names by id (`bound`) are on their way to be ours.
    """
    field = found.kind.name_field
    if field is None or manifest.same_name_allowed:
        return None
    namesakes = sorted(live.id for live in found.strangers_named(manifest.body.get(field)) if live.id not in bound)
    if not namesakes:
        return None
    shown = ", ".join(namesakes[:3]) + (f" and {len(namesakes) - 3} more" if len(namesakes) > 3 else "")
    first = namesakes[0]
    hint = (
        f"{shown} has the same {field} and is not managed here. To manage it: `reconciler adopt {manifest.address} "
        f"{first}` (or add `reconciler: {{id: {first}}}`). To create another: `reconciler: {{same_name: allow}}`"
    )
    return Block(Blocker.SAME_NAME, hint)


def refuse_unresolved(
    changes: Sequence[Change], manifests: Mapping[Address, Manifest], unresolved: Set[Address]
) -> list[Change]:
    """The changes, with each create blocked where an earlier one of its address, or a former one, has no answer."""
    return [_unless_unresolved(change, manifests.get(change.address), unresolved) for change in changes]


def _unless_unresolved(change: Change, manifest: Manifest | None, unresolved: Set[Address]) -> Change:
    former = Address(change.address.kind, manifest.moved_from or "") if manifest else change.address
    lost = next((address for address in (change.address, former) if address in unresolved), None)
    if change.action is not Action.CREATE or change.blocked or lost is None:
        return change
    hint = (
        f"the answer to a create of {lost} was lost, and nobody knows whether it happened. If the object is there: "
        f"`reconciler adopt {change.address} ID`. If it is not: `reconciler release {lost} --lost-create`"
    )
    return replace(change, blocked=Block(Blocker.UNRESOLVED, hint))


def refuse_fixed(kind: Kind) -> Block:
    """Objects that cannot be changed get their mark when they are made, and keep it."""
    hint = f"a {kind.name} cannot be changed, its mark included: it is managed from its creation to its end"
    return Block(Blocker.IMMUTABLE, hint)


def refuse_newer(found: Index, owner: str, manifest: Manifest) -> Block | None:
    """A create for an address that has an object already, made by a newer version."""
    for live, mark in found.newer:
        if mark.owner == owner and mark.key in (manifest.address.key, manifest.moved_from):
            hint = f"{live.id} of this address was written by a newer reconciler: upgrade to change it"
            return Block(Blocker.READ_ONLY_MARK, hint)
    return None


def refuse_chain(manifest: Manifest, found: Index, manifests: Mapping[str, Manifest]) -> Block | None:
    """A rename to a key whose object is being renamed as well: it has to leave before another can take its place."""
    old, new = found.ours.get(manifest.moved_from or ""), found.ours.get(manifest.address.key)
    if old is None or new is None or old.mark.key in manifests:
        return None
    hint = (
        f"{old.live.id} of {old.mark.key} cannot become {manifest.address.key}, which {new.live.id} has already: "
        "apply one rename after the other, or remove `moved_from`"
    )
    return Block(Blocker.ALREADY_BOUND, hint)


def refuse_move(moved: Managed, manifests: Mapping[str, Manifest], taken: Address | None) -> Block | None:
    """Why the object of another key cannot become this manifest's."""
    if moved.mark.key in manifests:
        return Block(Blocker.ALREADY_BOUND, f"moved_from names {moved.mark.key}, which still has a manifest")
    return Block(Blocker.ALREADY_BOUND, f"{moved.live.id} already becomes {taken}") if taken else None


def refuse_second(held: Managed) -> Block:
    """An address that has an object already does not get another one's."""
    hint = f"{held.live.id} is already managed under this address: release it first, or remove `id`"
    return Block(Blocker.ALREADY_BOUND, hint)


def refuse_binding(
    found: Index, owner: str, live: LiveObject | None, id: str, held: Managed | None, taken: Address | None
) -> Block | None:
    """Why a manifest cannot be bound to the object it names by id; `held` is what its address has already."""
    if taken is not None:
        return Block(Blocker.ALREADY_BOUND, f"{id} is already bound by {taken}")
    if live is None:
        return Block(Blocker.NO_SUCH_ID, f"the target has no {found.kind.name} with id {id}: correct or remove `id`")
    if held is not None and held.live.id != id:
        return refuse_second(held)
    mark = mark_of(found.kind, live)
    if isinstance(mark, Mark) and mark.owner != owner:
        way = f"they release it, or `reconciler takeover --from {mark.owner}`"
        return Block(Blocker.FOREIGN_OWNER, f"{id} is managed by {mark.owner!r}, not {owner!r}: {way}")
    if isinstance(mark, NewerMark):
        return Block(Blocker.READ_ONLY_MARK, f"{id} was written by a newer reconciler: upgrade to change it")
    return None


def refuse_immutable(kind: Kind, decision: Decision) -> Block | None:
    """A field that can only be set at create."""
    fixed = [write.unit[0] for write in decision.writes if meaning_of(kind, write.unit).immutable]
    if not fixed:
        return None
    return Block(Blocker.IMMUTABLE, f"{', '.join(fixed)} can only be set when the object is created")


def refuse_conflict(manifest: Manifest, decision: Decision, base: Base, stance: ConflictPolicy) -> Block | None:
    """A unit that was changed here and on the remote since it was last applied, where that is certain."""
    names = _units_of(decision, Reason.CONFLICT)
    if not names or not base.certain or stance.resolve is not None:
        return None
    hint = (
        f"{names} changed both here and outside these files: `--resolve ours` sends what the file says, "
        f"`--resolve theirs` keeps what is live, `reconciler pull --theirs {manifest.address}` takes it into the file"
    )
    return Block(Blocker.CONFLICT, hint)


def refuse_drift(manifest: Manifest, decision: Decision, stance: ConflictPolicy) -> Block | None:
    """A unit that was changed on the remote, where that was asked to be refused."""
    names = _units_of(decision, Reason.DRIFTED)
    if not names or stance.on_drift is not OnDrift.FAIL:
        return None
    hint = (
        f"{names} changed outside these files: `--on-drift revert` sends what the file says, `--on-drift keep` leaves "
        f"it, `reconciler pull --theirs {manifest.address}` takes it into the file"
    )
    return Block(Blocker.DRIFT, hint)


def _units_of(decision: Decision, reason: Reason) -> str:
    return ", ".join(".".join(write.unit) for write in decision.writes if write.reason is reason)


def refuse_full_map(kind: Kind, change: Change, live: LiveObject) -> Block | None:
    """Entries of others, ours and the mark together above what the remote takes."""
    sent = (change.patch or {}).get(kind.mark_field, {})
    after = sent if kind.maps == "whole" else {**(live.body.get(kind.mark_field) or {}), **sent}
    entries = sum(1 for value in after.values() if value is not None) if sent else 0
    if kind.max_entries is None or entries <= kind.max_entries:
        return None
    hint = f"{live.id} would have {entries} {kind.mark_field} entries with those of others; at most {kind.max_entries}"
    return Block(Blocker.METADATA_FULL, hint)


def release_guard(changes: Sequence[Change], allowed: int | None) -> list[Change]:
    """Unblock the deletes that the guard holds back, where `allowed` is exactly their number."""
    held = [c for c in changes if c.blocked and c.blocked.by is Blocker.GUARD]
    if len(held) != allowed:
        return list(changes)
    return [replace(c, blocked=None) if c.blocked and c.blocked.by is Blocker.GUARD else c for c in changes]
