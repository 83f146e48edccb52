"""Changes of ownership only: adopt, release, take over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from reconciler.core.changes import mark_change, mark_for, write_change
from reconciler.core.decide import Decision
from reconciler.core.matching.index import Index, Managed
from reconciler.core.matching.match import Match, refuse_second
from reconciler.core.rules.change_rules import refusal
from reconciler.core.rules.world import World
from reconciler.core.values import marks
from reconciler.core.values.managed_units import remembered_units
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import (
    Action,
    Address,
    Block,
    Blocker,
    Change,
    Json,
    LiveObject,
    Manifest,
    Reason,
    Unit,
)
from reconciler.core.values.semantics import Kind, units


@dataclass(frozen=True)
class Ownership:
    """Manifests and live objects of one kind, as they are paired; `digests`: marks remember what is applied."""

    matched: Match
    owner: str
    digests: bool = False

    @property
    def found(self) -> Index:
        """The live objects."""
        return self.matched.found

    @property
    def kind(self) -> Kind:
        """The kind of both."""
        return self.matched.found.kind

    @cached_property
    def manifests(self) -> Mapping[str, Manifest]:
        """The manifests by key."""
        return {key: pair.manifest for key, pair in self.matched.pairs.items()}

    def adopt(self, manifest: Manifest, id: str) -> Change:
        """Mark an object as the manifest's, and nothing else; blocked where `id:` in the manifest would be."""
        change = Change(manifest.address, Action.ADOPT, id, (Reason.BOUND,), manifest.source)
        live, held = self.found.by_id.get(id), self.found.managed.get(manifest.address.key)
        if self.kind.immutable:
            return replace(change, blocked=refuse_immutable(self.kind))
        if live is None:
            hint = f"the target has no {self.kind.name} with id {id}: correct or remove `id`"
            return replace(change, blocked=Block(Blocker.NO_SUCH_ID, hint))
        if held is not None and held.live.id != id:
            return replace(change, blocked=refuse_second(held))
        old, present = self.mark_to_keep(live), units(self.kind, live.body)
        shown = {unit: present.get(unit) for unit in remembered_units(self.kind, manifest)}
        mark = self.new_mark(manifest, old, shown)
        if old == mark and not self.found.is_clone(id):
            return Change(manifest.address, Action.NOOP, id, source=manifest.source)
        return self._admitted(
            write_change(self.kind, manifest, Action.ADOPT, live, Decision(()), mark, (Reason.BOUND,), old)
        )

    def release(self, key: str, id: str | None = None) -> Change | None:
        """Take our mark off the object of a key, the one with this id of several; None where there is none."""
        claims, address = self.found.candidates(key), Address(self.kind.name, key)
        each = next((each for each in claims if id in (None, each.live.id)), None)
        if each is None:
            return None
        if self.kind.immutable:
            return Change(address, Action.RELEASE, each.live.id, blocked=refuse_immutable(self.kind))
        return self._admitted(mark_change(self.kind, Action.RELEASE, address, each, None, Reason.RELEASED))

    def take_over(self, manifest: Manifest, owner: str) -> Change | None:
        """Put our name in the place of `owner` on the manifest's object; None where they have none for it.

        Where `owner` is ours, this is an object whose mark was not believed: from now on it is.

        All else of the mark stays, so that what they managed and the manifest does not name is cleared once.
        """
        key, id = manifest.address.key, manifest.id
        theirs = (each for each in (*self.found.foreign, *self.found.unproven) if each.mark.owner == owner)
        each = next((e for e in theirs if (e.live.id == id if id else e.mark.key == key)), None)
        if each is None or self.kind.immutable:
            return None
        renamed = replace(each.mark, owner=self.owner, key=key, digests={}, proof=Proof.LABEL)
        mark = marks.with_digests(renamed, each.mark.digests, self.kind.max_mark)
        change = mark_change(self.kind, Action.ADOPT, manifest.address, each, mark, Reason.TAKEOVER)
        change = replace(change, source=manifest.source, former_owner=owner)
        held = self.found.managed.get(key)
        return replace(change, blocked=refuse_second(held)) if held else self._admitted(change)

    def mark_to_keep(self, live: LiveObject) -> Mark | None:
        """Our mark on an object as it goes on: a clone that gets a manifest of its own gets a nonce of its own."""
        each: Managed | None = self.found.marked.get(live.id)
        if each is None:
            return None
        return replace(each.mark, nonce=marks.NO_NONCE) if self.found.is_clone(live.id) else each.mark

    def new_mark(self, manifest: Manifest, old: Mark | None, after: Mapping[Unit, Json]) -> Mark:
        """The mark that a manifest's object gets; `after` gives the values its managed units will have."""
        return mark_for(self.kind, self.owner, manifest, old, after if self.digests else None)

    def _admitted(self, change: Change) -> Change:
        block = refusal(change, World({self.kind.name: self.found}))
        return replace(change, blocked=block) if block else change


def refuse_immutable(kind: Kind) -> Block:
    """Objects that cannot be changed get their mark when they are made, and keep it."""
    hint = f"a {kind.name} cannot be changed, not even its mark: it can only be managed from its creation"
    return Block(Blocker.IMMUTABLE, hint)
