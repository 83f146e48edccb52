"""What must not happen without being asked for: each rule is one function that answers with a `Block` or None.

Rules of a change are functions of (change, world). They run when a plan is made, when a saved plan is loaded, and right
before a request is sent, always through `refusal`. Rules of a decision look at one resource's units; the guard looks at
a whole plan.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from reconciler.core.base import Base
from reconciler.core.decide import ChangedBy, Decision
from reconciler.core.index import Index, content_of, folded, mark_of
from reconciler.core.marks import Mark, NewerMark
from reconciler.core.match import Match
from reconciler.core.model import (
    Action,
    Address,
    Block,
    Blocker,
    Change,
    ConflictPolicy,
    LiveObject,
    Manifest,
    OnDrift,
    Path,
    Removal,
)
from reconciler.core.patch import stuck_parts
from reconciler.core.references import Held
from reconciler.core.semantics import MARK_ENTRY, Kind, meaning_of

GUARD_COUNT: Final = 1
GUARD_SHARE: Final = 0.2


@dataclass(frozen=True)
class World:
    """What rules look at: the live objects by kind, and how manifests are paired with them, where those are known.

    `bound` are objects that become ours with the plan, `fresh` those that were read again since. `elsewhere` are
    addresses that have a manifest for another target, `unresolved` those of creates whose answer was lost. `neighbours`
    are the owners of other targets in these settings: what they manage is known not to be ours.

    `settle_seconds` is how long lists may lag behind creates, `made` are the nonces of creates that this machine
    remembers, and `kept` the objects that addresses keep, where pairs are not known.
    """

    found: Mapping[str, Index]
    matches: Mapping[str, Match] = field(default_factory=dict)
    bound: frozenset[Held] = frozenset()
    fresh: Mapping[Held, LiveObject] = field(default_factory=dict)
    elsewhere: Container[Address] = frozenset()
    unresolved: frozenset[Address] = frozenset()
    neighbours: frozenset[str] = frozenset()
    settle_seconds: float = 0
    made: Container[str] = frozenset()
    kept: Mapping[Address, str] = field(default_factory=dict)

    def live(self, change: Change) -> LiveObject | None:
        """The object of a change as it was last read."""
        held = (change.address.kind, change.id or "")
        return self.fresh.get(held) or self.found[held[0]].by_id.get(held[1])

    def kept_instead(self, change: Change) -> LiveObject | None:
        """The object that the address of a duplicate keeps."""
        found, matched = self.found[change.address.kind], self.matches.get(change.address.kind)
        pair = matched.pairs.get(change.address.key) if matched else None
        if pair is not None:
            return pair.live
        if id := self.kept.get(change.address):
            return found.by_id.get(id)
        elsewhere = {id for address, id in self.kept.items() if address.kind == change.address.kind}
        claims = (each.live for each in found.candidates(change.address.key) if each.live.id not in elsewhere)
        return next((live for live in claims if live.id != change.id), None)

    def keys(self, change: Change) -> tuple[str, ...]:
        """The key of a change, and the one that its manifest had before."""
        key, matched = change.address.key, self.matches.get(change.address.kind)
        pair = matched.pairs.get(key) if matched else None
        former = pair.manifest.moved_from if pair else None
        return (key, former) if former else (key,)

    def is_stranger(self, kind: Kind, live: LiveObject) -> bool:
        """Whether an object that is not ours may be what a create is about."""
        mark = mark_of(kind, live)
        known = isinstance(mark, Mark) and mark.owner in self.neighbours
        return not known and (kind.name, live.id) not in self.bound


Rule: TypeAlias = Callable[[Change, World], Block | None]


def refusal(change: Change, world: World) -> Block | None:
    """Why a change must not be carried out in this world, the first reason of all."""
    return next((block for rule in _RULES.get(change.action, ()) if (block := rule(change, world))), None)


def newer_object(change: Change, world: World) -> Block | None:
    """An address that has an object already (or had one before a move), whose mark a newer version wrote."""
    found, keys = world.found[change.address.kind], world.keys(change)
    for live, mark in found.newer:
        if mark.owner == found.owner and mark.key in keys:
            hint = f"{live.id} of this address was written by a newer reconciler: upgrade to change it"
            return Block(Blocker.READ_ONLY_MARK, hint)
    return None


def other_owner_has_key(change: Change, world: World) -> Block | None:
    """A create of an address that another owner has: the owner in the settings may have been changed.

    Teams may have the same keys in one account: where both have a name, another name is another object.
    """
    found = world.found[change.address.kind]
    other = found.foreign_of(change.address.key)
    if other is None or change.same_name_allowed or not world.is_stranger(found.kind, other.live):
        return None
    field = found.kind.name_field or ""
    names = [folded(body.get(field)) for body in (other.live.body, change.patch or {})]
    if all(names) and names[0] != names[1]:
        return None
    hint = (
        f"{other.live.id} has this address, and {other.mark.owner!r} manages it. To manage it here: "
        f"`reconciler takeover --from {other.mark.owner} {change.address}`. {_another()}"
    )
    return Block(Blocker.FOREIGN_OWNER, hint)


def probable_rename(change: Change, world: World) -> Block | None:
    """A create of what an object of ours without a manifest says already: then its file was renamed."""
    matched = world.matches.get(change.address.kind)
    if matched is None or (alike := matched.renamed_to(change.address.key)) is None:
        return None
    each, likeness = alike
    hint = (
        f"{each.live.id} of {change.address.kind}/{each.mark.key} has {likeness} and no manifest: "
        f"if it was renamed, add `reconciler: {{moved_from: {each.mark.key}}}`; "
        "if it is another, `reconciler: {same_name: allow}`"
    )
    return Block(Blocker.PROBABLE_RENAME, hint)


def lost_create(change: Change, world: World) -> Block | None:
    """A create where an earlier one of its address, or of a former one, has no answer, and no mark can show one."""
    addresses = (Address(change.address.kind, key) for key in world.keys(change))
    lost = next((address for address in addresses if address in world.unresolved), None)
    if lost is None:
        return None
    hint = (
        f"the answer to a create of {lost} was lost, and nobody knows whether it happened. If the object is there: "
        f"`reconciler adopt {change.address} ID`. If it is not: `reconciler release {lost} --lost-create`"
    )
    return Block(Blocker.UNRESOLVED, hint)


def same_content(change: Change, world: World) -> Block | None:
    """A create beside an object that is not ours and says the same: its mark may have been lost."""
    found = world.found[change.address.kind]
    if change.same_name_allowed or change.refs or found.kind.immutable:
        return None
    alike = found.unmanaged_like(content_of(found.kind, change.patch or {}))
    return _beside(change, world, alike, Blocker.SAME_CONTENT, "content")


def same_name(change: Change, world: World) -> Block | None:
    """A create beside an object of the same name that is not ours: neither adopted nor duplicated in silence."""
    found = world.found[change.address.kind]
    if found.kind.name_field is None or change.same_name_allowed:
        return None
    namesakes = found.unmanaged_named((change.patch or {}).get(found.kind.name_field))
    return _beside(change, world, namesakes, Blocker.SAME_NAME, found.kind.name_field)


def _beside(change: Change, world: World, objects: Sequence[LiveObject], by: Blocker, what: str) -> Block | None:
    kind = world.found[change.address.kind].kind
    strangers = [live for live in objects if world.is_stranger(kind, live)]
    if not strangers:
        return None
    ids = [live.id for live in strangers]
    shown = ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")
    if isinstance(mark := mark_of(kind, strangers[0]), Mark) and mark.owner != world.found[kind.name].owner:
        hint = (
            f"{shown} has the same {what}, and {mark.owner!r} manages it as {mark.key}. To manage it here: add "
            f"`reconciler: {{id: {ids[0]}}}`, then `reconciler takeover --from {mark.owner} {change.address}`. "
            f"{_another()}"
        )
        return Block(by, hint)
    hint = (
        f"{shown} has the same {what} and is not managed here. To manage it: `reconciler adopt {change.address} "
        f"{ids[0]}` (or add `reconciler: {{id: {ids[0]}}}`). {_another()}"
    )
    return Block(by, hint)


def _another() -> str:
    return "To create another: `reconciler: {same_name: allow}`"


def managed_by_others(change: Change, world: World) -> Block | None:
    """An object with the mark of another owner, or of a newer version."""
    found, live = world.found[change.address.kind], world.live(change)
    mark = mark_of(found.kind, live) if live else None
    if isinstance(mark, Mark) and mark.owner not in (found.owner, change.former_owner):
        way = f"they release it, or `reconciler takeover --from {mark.owner} {change.address}`"
        hint = f"{change.id} is managed by {mark.owner!r}, not {found.owner!r}: {way}"
        return Block(Blocker.FOREIGN_OWNER, hint)
    if isinstance(mark, NewerMark):
        return Block(Blocker.READ_ONLY_MARK, f"{change.id} was written by a newer reconciler: upgrade to change it")
    return None


def full_map(change: Change, world: World) -> Block | None:
    """Entries of others, ours and the mark together above what the remote takes."""
    kind, live = world.found[change.address.kind].kind, world.live(change)
    sent = (change.patch or {}).get(kind.mark_field) or {}
    if live is None or not sent or kind.max_entries is None:
        return None
    after = sent if kind.maps == "whole" else {**(live.body.get(kind.mark_field) or {}), **sent}
    entries = sum(1 for value in after.values() if value is not None)
    if entries <= kind.max_entries:
        return None
    hint = f"{live.id} would have {entries} {kind.mark_field} entries with those of others; at most {kind.max_entries}"
    return Block(Blocker.METADATA_FULL, hint)


def protected(change: Change, world: World) -> Block | None:
    """A delete of what its mark protects, whatever became of its manifest."""
    live = world.live(change)
    mark = mark_of(world.found[change.address.kind].kind, live) if live else None
    if not isinstance(mark, Mark) or not mark.protect:
        return None
    hint = "to delete it, bring its manifest back with `protect: false`, apply, then remove the manifest"
    return Block(Blocker.PROTECT, hint)


def cloned(change: Change, world: World) -> Block | None:
    """A clone of an object would take its place, and be the next to go."""
    clone = world.found[change.address.kind].clone_of(change.id or "")
    if clone is None:
        return None
    hint = f"{clone.id} is a copy of it and would go next: take the entry {MARK_ENTRY!r} off the copy first"
    return Block(Blocker.CLONE, hint)


def made_apart(change: Change, world: World) -> Block | None:
    """The end of a duplicate that is perhaps a stranger's: anybody who can write can copy a mark.

    Two applies at once make theirs within the time that lists lag. A duplicate that was made at another time is deleted
    only by the machine that remembers making it.
    """
    live, kind = world.live(change), world.found[change.address.kind].kind
    if change.removal is not Removal.DUPLICATE or live is None:
        return None
    mark = mark_of(kind, live)
    if isinstance(mark, Mark) and mark.nonce in world.made:
        return None
    stays = world.kept_instead(change)
    if stays and stays.created and live.created and abs(stays.created - live.created) <= world.settle_seconds:
        return None
    hint = f"{live.id} has this address as well, and perhaps others made it: both stay. Delete the wrong one by hand"
    if stays and not kind.immutable:
        release = f"`reconciler release {change.address} --id"
        hint += f", or keep it unmanaged: {release} {live.id}` (or {release} {stays.id}`, then {live.id} is managed)"
    return Block(Blocker.DUPLICATE, hint)


def managed_elsewhere(change: Change, world: World) -> Block | None:
    """The end of an object whose address has a manifest for another target."""
    if change.removal is not Removal.ORPHAN or change.address not in world.elsewhere:
        return None
    return Block(Blocker.ALREADY_BOUND, f"{change.address} has a manifest for another target")


def renamed(change: Change, world: World) -> Block | None:
    """The end of an object that a manifest was probably renamed for."""
    matched = world.matches.get(change.address.kind)
    address = matched.probably_becomes(change.address.key) if matched else None
    if address is None or change.removal is not Removal.ORPHAN:
        return None
    return Block(Blocker.PROBABLE_RENAME, f"it looks renamed to {address}: say so there with `moved_from`")


_RULES: Final[Mapping[Action, tuple[Rule, ...]]] = {
    Action.CREATE: (newer_object, probable_rename, other_owner_has_key, same_content, same_name, lost_create),
    Action.UPDATE: (managed_by_others, full_map),
    Action.MOVE: (managed_by_others, full_map),
    Action.ADOPT: (managed_by_others, full_map),
    Action.RELEASE: (managed_by_others, managed_elsewhere, cloned, renamed),
    Action.DELETE: (managed_by_others, managed_elsewhere, protected, cloned, made_apart, renamed),
}


def refuse_units(
    kind: Kind, manifest: Manifest, decision: Decision, base: Base, policy: ConflictPolicy
) -> Block | None:
    """Why the units of a resource must not be written as decided."""
    fixed = [write.unit[0] for write in decision.writes if meaning_of(kind, write.unit).immutable]
    if fixed:
        return Block(Blocker.IMMUTABLE, f"{', '.join(fixed)} can only be set when the object is created")
    if stuck := [_dotted(path) for path in staying_parts(kind, decision)]:
        hint = f"no request can take out {', '.join(stuck)}: write the value that is wanted, or the one that is there"
        return Block(Blocker.INEXPRESSIBLE, hint)
    names, theirs = _units_of(decision, ChangedBy.BOTH), f"`reconciler pull --theirs {manifest.address}`"
    if names and base.certain and policy.resolve is None:
        hint = (
            f"{names} changed both here and outside these files: `--resolve ours` sends what the file says, "
            f"`--resolve theirs` keeps what is live, {theirs} takes it into the file"
        )
        return Block(Blocker.CONFLICT, hint)
    names = _units_of(decision, ChangedBy.OTHERS)
    if names and base.certain and policy.on_drift is OnDrift.FAIL:
        hint = (
            f"{names} changed outside these files: `--on-drift revert` sends what the file says, `--on-drift keep` "
            f"leaves it, {theirs} takes it into the file"
        )
        return Block(Blocker.DRIFT, hint)
    return None


def staying_parts(kind: Kind, decision: Decision) -> list[Path]:
    """The parts that leave a manifest, and that no request can take out of the object."""
    if kind.nested != "merge":
        return []
    found = (stuck_parts(meaning_of(kind, w.unit), w.after, w.before, w.unit) for w in decision.writes)
    return [path for paths in found for path in paths]


def _units_of(decision: Decision, by: ChangedBy) -> str:
    return ", ".join(".".join(write.unit) for write in decision.writes if write.by is by)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


def guard(changes: Sequence[Change], managed: int, allowed: int | None) -> list[Change]:
    """Block removals that are many (more than one), or a large share (over a fifth), or all of what we own.

    `allowed` must name the exact number. What is replaced does not count: its address keeps an object, and it was asked
    for. Duplicates do: nobody asked for them to go.
    """
    count = sum(change.is_removal and change.is_due for change in changes)
    harmless = count <= GUARD_COUNT and count <= managed * GUARD_SHARE  # so never all of what we own
    if not count or harmless or count == allowed:
        return list(changes)
    released = any(change.is_due and change.is_removal and change.action is Action.RELEASE for change in changes)
    what = "deleted or released" if released else "deleted"
    hint = f"{count} of {managed} would be {what}: if that is meant, add --allow-deletes {count}"
    block = Block(Blocker.GUARD, hint)
    return [replace(change, blocked=block) if change.is_removal and change.is_due else change for change in changes]


def release_guard(changes: Sequence[Change], allowed: int | None) -> list[Change]:
    """Unblock the removals that the guard holds back, where `allowed` is exactly their number."""
    held = {change.number for change in changes if change.blocked and change.blocked.by is Blocker.GUARD}
    if len(held) != allowed:
        return list(changes)
    return [replace(change, blocked=None) if change.number in held else change for change in changes]
