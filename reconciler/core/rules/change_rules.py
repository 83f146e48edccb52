"""Rules that block a change until somebody asks for it: each returns a `Block` or None.

Rules of a change are functions of (change, world). They run when a plan is made, when a saved plan is loaded, and right
before a request is sent, always through `refusal`. Rules of one resource's units are in `unit_rules`, what looks at a
whole plan is in `guard`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from reconciler.core.matching.index import content_of, folded, mark_of
from reconciler.core.rules.mark_rules import unproven, unproven_content, unproven_namesake
from reconciler.core.rules.world import World
from reconciler.core.values.marks import Mark, NewerMark
from reconciler.core.values.model import Action, Address, Block, Blocker, Change, LiveObject, Removal
from reconciler.core.values.semantics import MARK_ENTRY, Kind

MAKERS_TIMES: Final = 10
"""If this machine made the younger of two objects, the list that it read before may be this many grace periods old."""
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
        f"{each.live.id} of {change.address.kind}/{each.mark.key} has {likeness} and no manifest: if it was "
        f"renamed, add `reconciler: {{moved_from: {each.mark.key}}}`; if it is a different one, `reconciler: "
        f"{{same_name: allow}}`"
    )
    return Block(Blocker.PROBABLE_RENAME, hint)


def lost_create(change: Change, world: World) -> Block | None:
    """A create where an earlier one of its address, or of a former one, has no answer, and no mark can show one."""
    addresses = (Address(change.address.kind, key) for key in world.keys(change))
    lost = next((address for address in addresses if address in world.unresolved), None)
    if lost is None:
        return None
    hint = (
        f"the response to a create of {lost} was lost, so it is unknown whether it happened. If the object exists: "
        f"`reconciler adopt {change.address} ID`. If not: `reconciler release {lost} --lost-create`"
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
    hint = (
        f"{live.id} would have {entries} {kind.mark_field} entries, together with those of others; at most "
        f"{kind.max_entries}"
    )
    return Block(Blocker.METADATA_FULL, hint)


def protected(change: Change, world: World) -> Block | None:
    """A delete of what its mark protects, whatever became of its manifest."""
    live = world.live(change)
    mark = mark_of(world.found[change.address.kind].kind, live) if live else None
    if not isinstance(mark, Mark) or not mark.protect:
        return None
    hint = "to delete it, restore its manifest with `protect: false`, apply, then remove the manifest"
    if change.removal is not Removal.ORPHAN:
        hint = "its mark protects it: delete it by hand, if that is intended"
    return Block(Blocker.PROTECT, hint)


def cloned(change: Change, world: World) -> Block | None:
    """A clone of an object would take its place, and be the next to go."""
    clone = world.found[change.address.kind].clone_of(change.id or "")
    if clone is None:
        return None
    hint = f"{clone.id} is a copy of it and would be deleted next: remove the entry {MARK_ENTRY!r} from the copy first"
    return Block(Blocker.CLONE, hint)


def made_apart(change: Change, world: World) -> Block | None:
    """The end of a duplicate that is perhaps a stranger's: anybody who can write can copy a mark."""
    live, kind = world.live(change), world.found[change.address.kind].kind
    if change.removal is not Removal.DUPLICATE or live is None:
        return None
    stays = world.surviving_object(change)
    if stays and not _are_apart(stays, live, kind, world):
        return None
    hint = f"{live.id} has this address as well and may belong to others: both stay. Delete the wrong one by hand"
    if stays and not kind.immutable:
        release = f"`reconciler release {change.address} --id"
        hint += f", or keep it unmanaged: {release} {live.id}` (or {release} {stays.id}`, then {live.id} is managed)"
    return Block(Blocker.DUPLICATE, hint)


def contested(change: Change, world: World) -> Block | None:
    """A change of an object, or of what refers to it, while nobody knows which of two objects is the right one."""
    live = world.live(change)
    about = [(change.address, live.id)] if live else []
    for name, id in world.newly_used(change):
        if name in world.found and (each := world.found[name].marked.get(id)):
            about.append((Address(name, each.mark.key), id))
    for address, id in about:
        if rival := _rival_of(address, id, world):
            hint = (
                f"{id} and {rival.id} both have the mark of {address}, and one of them may belong to others. "
                f"Delete the wrong one by hand, or remove its mark: `reconciler release {address} --id ID`"
            )
            return Block(Blocker.DUPLICATE, hint)
    return None


def _rival_of(address: Address, id: str, world: World) -> LiveObject | None:
    """Another object with the mark of an address, made apart from the one it has."""
    found, matched = world.found[address.kind], world.matches.get(address.kind)
    if found.kind.immutable or id not in found.by_id:
        return None
    rivals = [each.live for each in found.candidates(address.key) if each.live.id not in {id, *world.kept.values()}]
    if matched is not None:
        pair = matched.pairs.get(address.key)
        if pair is None or pair.live is None or pair.live.id != id or pair.manifest.id:  # an `id` says which one it is
            return None
        rivals = [each.live for each, is_duplicate in matched.surplus.get(address.key, ()) if is_duplicate]
    return next((each for each in rivals if _are_apart(found.by_id[id], each, found.kind, world)), None)


def _are_apart(one: LiveObject, other: LiveObject, kind: Kind, world: World) -> bool:
    """Whether two objects of an address were not made at once, nor both by this machine.

    Two applies at once make theirs within the time that lists lag. The one that made the younger object may have looked
    at the list some time before.
    """
    made = [_is_made_here(each, kind, world) for each in sorted((one, other), key=lambda live: live.created)]
    if all(made):
        return False
    at_once = world.settle_seconds * (MAKERS_TIMES if made[1] else 1)
    return not (one.created and other.created and abs(one.created - other.created) <= at_once)


def _is_made_here(live: LiveObject | None, kind: Kind, world: World) -> bool:
    """Whether this machine remembers making an object."""
    mark = mark_of(kind, live) if live else None
    return isinstance(mark, Mark) and mark.nonce in world.made_here


def unpruned(change: Change, world: World) -> Block | None:
    """The end of a duplicate where the settings say that nothing is pruned: what others made stays.

    What this machine remembers making is taken back all the same, as two applies at once do it: it was never wanted.
    """
    kind = world.found[change.address.kind].kind
    if change.removal is not Removal.DUPLICATE or world.prune or _is_made_here(world.live(change), kind, world):
        return None
    hint = f"{change.id} has this address as well, and `prune: none` deletes nothing: delete one of them by hand"
    return Block(Blocker.PRUNE, hint)


def unfounded(change: Change, world: World) -> Block | None:
    """The end of an object for another reason than there is, where manifests are known: the guard counts by it."""
    matched, live = world.matches.get(change.address.kind), world.live(change)
    if matched is None or live is None or matched.removal_of(change.address.key, live.id) is change.removal:
        return None
    return Block(Blocker.ALREADY_BOUND, f"{live.id} is no object of {change.address} that is {change.removal} by now")


def another_object(change: Change, world: World) -> Block | None:
    """A change of an object that another address has, or that is not the one of its address."""
    matched, live = world.matches.get(change.address.kind), world.live(change)
    pair = matched.pairs.get(change.address.key) if matched else None
    if pair is None or pair.live is None or live is None or pair.live.id == live.id:
        return None
    return Block(Blocker.ALREADY_BOUND, f"{change.address} is {pair.live.id}, and not {live.id}")


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
    return Block(Blocker.PROBABLE_RENAME, f"it looks renamed to {address}: confirm it there with `moved_from`")


_RULES: Final[Mapping[Action, tuple[Rule, ...]]] = {
    Action.CREATE: (
        *(newer_object, unproven_namesake, probable_rename, other_owner_has_key, same_content, same_name, lost_create),
        *(unproven_content, contested),
    ),
    Action.UPDATE: (managed_by_others, unproven, another_object, contested, full_map, unproven_content),
    Action.MOVE: (managed_by_others, unproven, another_object, contested, full_map, unproven_content),
    Action.ADOPT: (managed_by_others, another_object, full_map, unproven_content),
    Action.RELEASE: (managed_by_others, unproven, managed_elsewhere, cloned, renamed),
    Action.DELETE: (
        *(managed_by_others, unproven, managed_elsewhere, protected, cloned, made_apart, unpruned, renamed, unfounded),
    ),
}
