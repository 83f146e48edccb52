"""What the rules know when they are asked: live objects, references, neighbours."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from reconciler.core.matching.index import Index, mark_of
from reconciler.core.matching.match import Match
from reconciler.core.references import ObjectRef, references
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Address, Change, LiveObject
from reconciler.core.values.semantics import Kind


@dataclass(frozen=True)
class World:
    """What rules look at: the live objects by kind, and how manifests are paired with them, where those are known.

    `bound` are objects that become ours with the plan, `fresh` those that were read again since. `elsewhere` are
    addresses that have a manifest for another target, `unresolved` those of creates whose answer was lost. `neighbours`
    are the owners of other targets in these settings: what they manage is known not to be ours.

    `settle_seconds` is how long lists may lag behind creates, `made_here` are the nonces of creates that this machine
    remembers, and `kept` the objects that addresses keep, where pairs are not known. `prune` says that deletes are
    asked for at all.
    """

    found: Mapping[str, Index]
    matches: Mapping[str, Match] = field(default_factory=dict)
    bound: frozenset[ObjectRef] = frozenset()
    fresh: Mapping[ObjectRef, LiveObject] = field(default_factory=dict)
    elsewhere: Container[Address] = frozenset()
    unresolved: frozenset[Address] = frozenset()
    neighbours: frozenset[str] = frozenset()
    settle_seconds: float = 0
    made_here: Container[str] = frozenset()
    kept: Mapping[Address, str] = field(default_factory=dict)
    prune: bool = True

    def live(self, change: Change) -> LiveObject | None:
        """The object of a change as it was last read."""
        held = (change.address.kind, change.id or "")
        return self.fresh.get(held) or self.found[held[0]].by_id.get(held[1])

    def newly_used(self, change: Change) -> list[ObjectRef]:
        """What a change makes its object refer to that it does not refer to yet, sorted."""
        kind, live = self.found[change.address.kind].kind, self.live(change)
        before = set(references(kind, live.body)) if live else set[ObjectRef]()
        return sorted(set(references(kind, change.patch or {})) - before)

    def surviving_object(self, change: Change) -> LiveObject | None:
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
