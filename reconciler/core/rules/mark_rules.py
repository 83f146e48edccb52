"""Rules for marks without proof: what is not done because of a mark that anybody may have written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from reconciler.core.matching.index import Managed, mark_of
from reconciler.core.references import ObjectRef, references
from reconciler.core.rules.world import World
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import Address, Block, Blocker, Change, LiveObject
from reconciler.core.values.semantics import Kind

_TAKE_OFF: Final = "remove the entry `reconciler` from its metadata (or its line from the lock file)"


def refuse_unproven(address: Address, each: Managed) -> Block:
    """Why an object whose mark names us is not managed, and what to do about it."""
    id, what = each.live.id, f"{each.live.id} has the mark of {address}, and {reason_to_doubt(each.mark)}"
    if each.mark.proof is Proof.NO_KEY:
        return Block(Blocker.UNPROVEN, f"{what}: set RECONCILER_MARK_KEY to the key")
    every = f"for all of them `reconciler takeover --from {each.mark.owner}`"
    way = f"If it is yours: `reconciler adopt {address} {id}`, or {every}. If it is not: {_TAKE_OFF}"
    if each.mark.proof is Proof.CLAIM:
        way = f"If that is intended: `reconciler adopt {address} {id}`, or `id: {id}` in its manifest, or {every}. "
        way += "If not, remove the line"
    if each.mark.proof is Proof.WRONG:
        way = f"If only the key is new: set RECONCILER_MARK_KEY=NEW,OLD and apply. {way}"
    return Block(Blocker.UNPROVEN, f"{what}. {way}")


def reason_to_doubt(mark: Mark) -> str:
    """Why a mark is not believed."""
    return {
        Proof.CLAIM: "it is only claimed, by a new line of the lock file",
        Proof.UNSIGNED: "the mark is not signed",
        Proof.WRONG: "the signature is not valid: it belongs to another key or account, or the mark was changed",
        Proof.NO_KEY: "the mark is signed, and no key is set here",
    }.get(mark.proof, "nothing proves it")


def unproven_namesake(change: Change, world: World) -> Block | None:
    """A create of an address that an object has, or had before a move, whose mark is not believed."""
    found = world.found[change.address.kind]
    keys = (key for key in world.keys(change) if found.unproven_of(key))
    each = next((found.unproven_of(key) for key in keys), None)
    return refuse_unproven(change.address, each) if each else None


def unproven(change: Change, world: World) -> Block | None:
    """The change or the end of an object whose mark names us and is not believed."""
    found, live = world.found[change.address.kind], world.live(change)
    mark = mark_of(found.kind, live) if live else None
    if live is None or not isinstance(mark, Mark) or mark.owner != found.owner or not mark.proof.is_doubtful:
        return None
    if found.kind.immutable:
        way = "If it is yours, delete it in the provider's console or with its API: later applies do not"
        way = "Set RECONCILER_MARK_KEY to the key" if mark.proof is Proof.NO_KEY else way
        return Block(Blocker.UNPROVEN, f"{reason_to_doubt(mark)}. {way}")
    return refuse_unproven(change.address, Managed(live, mark))


def unproven_content(change: Change, world: World) -> Block | None:
    """Blocks the first use of an uploaded file if only its name says what its content is.

    Anybody who can upload can choose a name. Files that are in use stay in use. Files that this machine uploaded, and
    files with a signature, are trusted. If a file has a copy, nobody knows which of the two this project uploaded.
    """
    doubted = {held: block for held in world.newly_used(change) if (block := _doubt_of(held, world)) is not None}
    used = _used(world) if doubted else set[ObjectRef]()
    return next((block for held, block in doubted.items() if held not in used), None)


def _doubt_of(held: ObjectRef, world: World) -> Block | None:
    name, id = held
    files = world.found.get(name)
    each = files.marked.get(id) if files and files.kind.immutable else None
    if files is None or each is None:
        return None
    copy = files.clone_of(id)
    if copy is None and (each.mark.proof.is_signature or each.mark.nonce in world.made_here):
        return None
    why = f"{copy.id} is a copy of its name" if copy else "only its name identifies its content"
    hint = f"{id} has the name of {name}/{each.mark.key}, and {why}: anybody with upload access can have created it"
    both = f"{id} and {copy.id}" if copy else id
    way = f"Delete {both} in the provider's console or with its API, and the next apply uploads the file"
    return Block(Blocker.UNPROVEN, f"{hint}. {way}. With RECONCILER_MARK_KEY, names are signed")


def _used(world: World) -> set[ObjectRef]:
    """What our objects use that have a manifest; where manifests are not known, what any of ours uses."""
    return {held for kind, live in _managed(world) for held in references(kind, live.body)}


def _managed(world: World) -> Iterator[tuple[Kind, LiveObject]]:
    for name, found in world.found.items():
        matched = world.matches.get(name)
        pairs = matched.pairs.values() if matched else ()
        paired = [pair.live for pair in pairs if pair.live and not pair.block]
        for live in paired if matched else [each.live for each in found.managed.values()]:
            yield found.kind, live
