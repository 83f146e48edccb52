"""Matches manifests with live objects: the only place that pairs them.

    how       | the object is                                     | then
    ----------|---------------------------------------------------|-------------------------------------------------
    bound     | the one that `id:` names                          | adopted, unless it is ours already
    key       | the oldest of ours with the manifest's key        | updated
    moved     | that of `moved_from`, which leaves that key       | its mark gets the new key
    content   | ours, and says the same (kinds that never change) | kept; its key may be that of a lost manifest
    replaced  | of another content, or expired                    | a new one takes its place, the old one goes last
    new       | none                                              | created

Which objects get another key is in `moves`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import Final

from reconciler.core.matching.index import Index, Managed, content_of
from reconciler.core.matching.moves import Moves
from reconciler.core.matching.similarity import OrphanIndex
from reconciler.core.values.managed_units import managed_units
from reconciler.core.values.model import Address, Block, Blocker, LiveObject, Manifest, Removal
from reconciler.core.values.semantics import Kind, meaning_of, same, units


class How(Enum):
    """How a manifest is paired."""

    BOUND = auto()
    KEY = auto()
    MOVED = auto()
    CONTENT = auto()
    REPLACED = auto()
    NEW = auto()


@dataclass(frozen=True, slots=True)
class Pair:
    """A manifest and its object; `live` is None where one is to be made, in the place of `replaces` if there are any.

    `block` says why they cannot be paired after all.
    """

    manifest: Manifest
    how: How
    live: LiveObject | None = None
    replaces: tuple[Managed, ...] = ()
    block: Block | None = None


@dataclass(frozen=True)
class Match:
    """The manifests of one kind by key, each with its object, and the objects that are ours and nobody's.

    `surplus` are further objects of keys that have a manifest, with whether the manifest could have been paired with
    them as well (a duplicate) or not (replaced). `renamed` has the addresses that an orphan's key may have become.
    """

    found: Index
    pairs: Mapping[str, Pair]
    orphans: Sequence[Managed] = ()
    surplus: Mapping[str, Sequence[tuple[Managed, bool]]] = field(default_factory=dict)
    renamed: Mapping[str, Address] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()

    @property
    def ids(self) -> dict[Address, str]:
        """The ids of the objects that manifests have already: what references to them become."""
        paired = {pair.manifest.address: pair.live for pair in self.pairs.values() if not pair.block}
        return {address: live.id for address, live in paired.items() if live is not None}

    def removal_of(self, key: str, id: str) -> Removal | None:
        """Why an object of a key is to go; None where it is not."""
        if any(each.live.id == id and each.mark.key == key for each in self.orphans):
            return Removal.ORPHAN
        several = {each.live.id: same for each, same in self.surplus.get(key, ())}
        return None if id not in several else Removal.DUPLICATE if several[id] else Removal.REPLACED

    def renamed_to(self, key: str) -> tuple[Managed, str] | None:
        """The orphan that a manifest without an object was probably made from, and what they have in common."""
        return self._probable.get(key)

    def probably_becomes(self, key: str) -> Address | None:
        """The address that the object of an orphan's key has probably got, in a move that was refused or not asked."""
        return self.renamed.get(key) or self._becomes.get(key)

    @cached_property
    def _probable(self) -> Mapping[str, tuple[Managed, str]]:
        if not self.orphans:
            return {}
        lost = OrphanIndex(self.found.kind, self.orphans)
        new = (p.manifest for p in self.pairs.values() if p.how is How.NEW and not p.block)
        alike = ((m.address.key, lost.like(m)) for m in new if not m.same_name_allowed)
        return {key: found for key, found in alike if found is not None}

    @cached_property
    def _becomes(self) -> Mapping[str, Address]:
        kind = self.found.kind.name
        return {each.mark.key: Address(kind, key) for key, (each, _) in reversed([*self._probable.items()])}


NOWHERE: Final[Container[Address]] = frozenset()


def match(
    found: Index,
    manifests: Mapping[str, Manifest],
    elsewhere: Container[Address] = NOWHERE,
    bound: frozenset[str] = frozenset(),
) -> Match:
    """Pair the manifests of a kind, by key, with its live objects.

    `elsewhere` are addresses whose manifests are not among these: of another target, or of another part of a fleet.
    `bound` are the ids that such manifests name.
    """
    return _Matching(found, manifests, elsewhere, bound).run()


def is_expired(kind: Kind, live: LiveObject) -> bool:
    """Whether the remote says that the object's time is over."""
    return kind.expired is not None and live.body.get(kind.expired[0]) == kind.expired[1]


def satisfies(kind: Kind, manifest: Manifest, live: LiveObject) -> bool:
    """Whether an object can be the manifest's: what cannot be changed is as it should be."""
    if manifest.renew and is_expired(kind, live):
        return False
    if not kind.immutable:
        return True
    present = units(kind, live.body)
    compared = (each for each in managed_units(kind, manifest).items() if not meaning_of(kind, each[0]).uncompared)
    return all(same(meaning_of(kind, unit), value, present.get(unit)) for unit, value in compared)


class _Matching:
    """One kind under way: `taken` has what is paired already."""

    def __init__(
        self,
        found: Index,
        manifests: Mapping[str, Manifest],
        elsewhere: Container[Address],
        bound: frozenset[str],
    ) -> None:
        self.found = found
        self.kind = found.kind
        self.manifests = manifests
        self.bound = bound | {each.id for each in manifests.values() if each.id is not None}
        self.taken: dict[str, Address] = {}
        self.keys = Moves(found, manifests, elsewhere, self.bound)
        self.leaving = {source.live.id for source in self.keys.pending.values()}

    def run(self) -> Match:
        pairs = {key: self._bound(self.manifests[key]) for key in sorted(self.manifests) if self.manifests[key].id}
        rest = {key: self.manifests[key] for key in sorted(self.manifests.keys() - pairs.keys())}
        pairs |= self._by_content(rest) if self.kind.immutable else {key: self._by_key(m) for key, m in rest.items()}
        orphans = [each for key in self._orphaned() for each in self._free(key)]
        doubled = sorted(self.found.duplicates.keys() & self.manifests.keys())
        orphans += [
            each for key in doubled if not pairs[key].block for each in self._free(key) if self._left(key, each)
        ]
        orphans.sort(key=lambda each: each.mark.key)
        surplus = {key: several for key in sorted(self.manifests) if (several := self._surplus(key, pairs[key]))}
        renamed = {m.moved_from or "": m.address for key in self.keys.refused for m in [self.manifests[key]]}
        return Match(self.found, {key: pairs[key] for key in sorted(pairs)}, orphans, surplus, renamed, self.bound)

    def _free(self, key: str) -> list[Managed]:
        return [each for each in self.keys.unbound(key) if each.live.id not in self.taken]

    def _bound(self, manifest: Manifest) -> Pair:
        """The object that a manifest names by id, unless it is another's or not there."""
        id, address = manifest.id or "", manifest.address
        live, held = self.found.by_id.get(id), self.found.managed.get(address.key)
        block = None
        if other := self.taken.get(id):
            block = Block(Blocker.ALREADY_BOUND, f"{id} is already bound by {other}")
        elif live is None:
            hint = f"the target has no {self.kind.name} with id {id}: correct or remove `id`"
            block = Block(Blocker.NO_SUCH_ID, hint)
        elif held is not None and held.live.id != id:
            block = refuse_second(held)
        else:
            self.taken[id] = address
        return Pair(manifest, How.BOUND, live, block=block)

    def _by_key(self, manifest: Manifest) -> Pair:
        key = manifest.address.key
        if block := self.keys.refused.get(key):
            return Pair(manifest, How.MOVED, self.keys.leaving(manifest.moved_from or "")[0].live, block=block)
        if source := self.keys.pending.get(key):
            self.taken[source.live.id] = manifest.address
            return Pair(manifest, How.MOVED, source.live)
        free = [each for each in self.keys.unbound(key) if each.live.id not in self.leaving]
        if own := next((each for each in free if satisfies(self.kind, manifest, each.live)), None):
            self.taken[own.live.id] = manifest.address
            return Pair(manifest, How.KEY, own.live)
        if free:
            return Pair(manifest, How.REPLACED, replaces=tuple(free))
        held = self.found.managed.get(key)
        if held and held.live.id in self.bound:
            hint = f"{held.live.id} of this address is bound by another manifest: apply that first"
            return Pair(manifest, How.NEW, block=Block(Blocker.ALREADY_BOUND, hint))
        return Pair(manifest, How.NEW)

    def _by_content(self, manifests: Mapping[str, Manifest]) -> dict[str, Pair]:
        """Objects that never change: one of the own key with this content, else one that lost its manifest."""
        pairs: dict[str, Pair] = {}
        for key, manifest in manifests.items():
            alike = (each for each in self.keys.unbound(key) if satisfies(self.kind, manifest, each.live))
            if own := next(alike, None):
                pairs[key] = self._kept(manifest, own)
        lost: dict[bytes, list[Managed]] = {}
        for key in self._orphaned():
            for each in self._free(key):
                lost.setdefault(content_of(self.kind, each.live.body), []).append(each)
        for key in sorted(manifests.keys() - pairs.keys()):
            manifest = manifests[key]
            if unclaimed := lost.get(content_of(self.kind, manifest.body)):
                pairs[key] = self._kept(manifest, unclaimed.pop(0))
            elif old := self._free(key):
                pairs[key] = Pair(manifest, How.REPLACED, replaces=tuple(old))
            else:
                pairs[key] = Pair(manifest, How.NEW)
        return pairs

    def _kept(self, manifest: Manifest, each: Managed) -> Pair:
        self.taken[each.live.id] = manifest.address
        return Pair(manifest, How.CONTENT, each.live)

    def _surplus(self, key: str, pair: Pair) -> list[tuple[Managed, bool]]:
        if pair.block:
            return []  # which of them the manifest means is not known
        several = (each for each in self._free(key) if not self._left(key, each))
        return [(each, satisfies(self.kind, pair.manifest, each.live)) for each in several]

    def _left(self, key: str, each: Managed) -> bool:
        """Whether an object was to leave its key when another came there, and lost its manifest: it is no duplicate."""
        return not self.kind.immutable and not self.keys.has_arrived(key, each) and bool(self.keys.arrived(key))

    def _orphaned(self) -> list[str]:
        """The keys of objects of ours that no manifest has."""
        return sorted(key for key in self.found.managed if not self.keys.has_manifest(key))


def refuse_second(held: Managed) -> Block:
    """An address that has an object already does not get another one's."""
    hint = f"{held.live.id} is already managed under this address: release it first, or remove `id`"
    return Block(Blocker.ALREADY_BOUND, hint)
