"""Whose the objects of one kind are, and the changes that change nothing but that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.core import marks, policy
from reconciler.core.changes import mark_change, mark_for, written
from reconciler.core.decide import Decision
from reconciler.core.desired import managed_units
from reconciler.core.marks import Mark
from reconciler.core.model import (
    Action,
    Address,
    Block,
    Blocker,
    Change,
    Json,
    Manifest,
    Reason,
    Unit,
)
from reconciler.core.pairing import Index, Managed, mark_to_keep
from reconciler.core.replacing import claims
from reconciler.core.semantics import MARK_ENTRY, units
from reconciler.diagnostics import Code, Diagnostic, Severity, Source


class Ownership:
    """The live objects of a kind (`index`) and the manifests that want them; collects what there is to say (`said`).

    `digests` says that marks keep digests of what is applied.
    """

    def __init__(self, found: Index, manifests: Mapping[str, Manifest], owner: str, *, digests: bool = False) -> None:
        self.index = found
        self.kind = found.kind
        self.manifests = manifests
        self.owner = owner
        self.digests = digests
        self.said: list[Diagnostic] = []
        self._bound_ids = {manifest.id for manifest in manifests.values()}

    def adoption(self, manifest: Manifest, id: str) -> Change:
        """Marking an object as the manifest's, and nothing else; blocked where `id:` in the manifest would be."""
        if self.kind.fixed:
            return Change(manifest.address, Action.ADOPT, id, blocked=policy.refuse_fixed(self.kind))
        live, held = self.index.by_id.get(id), self.index.ours.get(manifest.address.key)
        if block := policy.refuse_binding(self.index, self.owner, live, id, held, None):
            return Change(manifest.address, Action.ADOPT, id, (Reason.BOUND,), manifest.source, blocked=block)
        assert live is not None
        owned = self.index.with_our_mark.get(id)
        present = units(self.kind, live.body)
        shown = {unit: present.get(unit) for unit in managed_units(self.kind, manifest)}
        mark = self._new_mark(manifest, mark_to_keep(self.index, owned) if owned else None, shown)
        if owned and owned.mark == mark:
            return Change(manifest.address, Action.NOOP, id, source=manifest.source)
        change = written(self.kind, manifest, Action.ADOPT, live, Decision(()), mark, (Reason.BOUND,))
        block = policy.refuse_full_map(self.kind, change, live)
        return replace(change, blocked=block) if block else change

    def releases(self, key: str) -> list[Change]:
        """Taking our mark off the object of a key; empty where there is none."""
        owned, address = self.index.ours.get(key), Address(self.kind.name, key)
        if owned is None:
            return []
        if self.kind.fixed:
            return [Change(address, Action.RELEASE, owned.live.id, blocked=policy.refuse_fixed(self.kind))]
        change = mark_change(self.kind, Action.RELEASE, address, owned, None, Reason.RELEASED)
        return [replace(change, blocked=self._copied(owned))]

    def takeover(self, manifest: Manifest, owner: str) -> Change | None:
        """Putting our name in the place of `owner` on the manifest's object; None where they have none for it.

        All else of the mark stays, so that what they managed and the manifest does not name is given up cleanly.
        """
        key, id = manifest.address.key, manifest.id
        theirs = (owned for owned in self.index.foreign if owned.mark.owner == owner)
        owned = next((o for o in theirs if (o.live.id == id if id else o.mark.key == key)), None)
        if owned is None or self.kind.fixed:
            return None
        renamed = replace(owned.mark, owner=self.owner, key=key, digests={})
        mark = marks.with_digests(renamed, owned.mark.digests, self.kind.max_mark)
        change = mark_change(self.kind, Action.ADOPT, manifest.address, owned, mark, Reason.TAKEOVER)
        change = replace(change, source=manifest.source)
        held = self.index.ours.get(key)
        return replace(change, blocked=policy.refuse_second(held)) if held else change

    def _unbound(self, key: str) -> list[Managed]:
        """The objects of a key that no manifest binds by id: the one that counts, then its twins."""
        return [owned for owned in claims(self.index, key) if owned.live.id not in self._bound_ids]

    def _new_mark(self, manifest: Manifest, old: Mark | None, after: Mapping[Unit, Json]) -> Mark:
        mark = mark_for(self.kind, self.owner, manifest, old, after if self.digests else None)
        if self.digests and mark.units and not mark.digests:
            self._warn(Code.BASE_UNKNOWN, manifest.address.key, "its mark has no room for digests: it keeps names only")
        return mark

    def _copied(self, owned: Managed) -> Block | None:
        """A copy that a person made of an object would take its place, and be the next to go."""
        copy = self.index.copy_of(owned.live.id)
        if copy is None:
            return None
        hint = f"{copy.id} is a copy of it and would go next: take the entry {MARK_ENTRY!r} off the copy first"
        return Block(Blocker.COPY, hint)

    def _warn(self, code: Code, key: str, summary: str) -> None:
        self._say(Severity.WARNING, code, key, summary)

    def _say(
        self, severity: Severity, code: Code, key: str, summary: str, hint: str = "", source: Source | None = None
    ) -> None:
        at = f"{self.kind.name}/{key}"
        self.said.append(Diagnostic(severity, code, summary, hint=hint, source=source, address=at))
