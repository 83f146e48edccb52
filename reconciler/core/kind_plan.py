"""The plan of one kind: pairs each manifest with a live object, decides its units, and finds what has no manifest."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from functools import cached_property

from reconciler.core import marks, policy
from reconciler.core.base import NO_BASE, BaseSource
from reconciler.core.capabilities import archived, inexpressible, refuse_inexpressible
from reconciler.core.changes import deletion, dropped_parts, mark_change, replacement, written
from reconciler.core.decide import AS_USUAL, ConflictPolicy, decide_create, decide_update
from reconciler.core.desired import managed_units
from reconciler.core.likeness import LeftBehind, Likeness
from reconciler.core.marks import Mark
from reconciler.core.model import (
    Action,
    Address,
    Block,
    Blocker,
    Change,
    LiveObject,
    Manifest,
    OnRemove,
    Reason,
)
from reconciler.core.ownership import Ownership
from reconciler.core.pairing import Index, Managed, mark_to_keep
from reconciler.core.precondition import ABSENT_OBJECT
from reconciler.core.replacing import claims, is_expired, standing, stands
from reconciler.diagnostics import Code, Diagnostic, Severity

_NEW = (Reason.NEW,)


class KindPlanner(Ownership):
    """Plans the resources of one kind; collects `changes` and what there is to say (`said`).

    `digests` says that marks keep digests of what is applied; `elsewhere` are addresses with a manifest for another
    target.
    """

    def __init__(
        self,
        found: Index,
        manifests: Mapping[str, Manifest],
        owner: str,
        *,
        base: BaseSource = NO_BASE,
        stance: ConflictPolicy = AS_USUAL,
        digests: bool = False,
        elsewhere: Container[Address] = frozenset(),
    ) -> None:
        super().__init__(found, manifests, owner, digests=digests)
        self.base = base
        self.stance = stance
        self.elsewhere = elsewhere
        self.changes: list[Change] = []
        self.adopted = 0
        self._moving = {m.moved_from for m in manifests.values() if m.address.key not in found.ours}
        self._taken: dict[str, Address] = {}
        self._renamed: dict[str, Address] = {}
        self._standing = standing(found, manifests) if found.kind.fixed else {}

    def run(self, only: frozenset[Address] | None, prune: bool) -> None:
        """Plan every manifest in scope, then (when the scope is whole) what is ours and has no manifest."""
        for key in sorted(self.manifests):
            manifest = self.manifests[key]
            if only is None or manifest.address in only:
                self.changes.append(self._plan_one(manifest))
                self.changes += self._twins(key)
        for first, copy in self.index.copies:
            self._warn(Code.COPY, first.mark.key, f"{copy.live.id} is a copy of {first.live.id}, mark included")
        for live, _ in self.index.newer:
            self._warn(Code.NEWER_MARK, live.id, f"{live.id} was written by a newer reconciler: left alone")
        for live in self.index.damaged:
            self._warn(Code.DAMAGED_MARK, live.id, f"{live.id} has a mark that cannot be read: treated as not ours")
        if only is None:
            self._orphans(prune)
        self.said += archived(self.kind, self.changes)

    def _plan_one(self, manifest: Manifest) -> Change:
        if manifest.id is not None:
            return self._bound(manifest, manifest.id)
        key = manifest.address.key
        if self.kind.fixed:
            return self._by_content(manifest)
        if key in self._moving and (block := policy.refuse_chain(manifest, self.index, self.manifests)):
            self._renamed[manifest.moved_from or ""] = manifest.address
            return Change(manifest.address, Action.MOVE, None, (Reason.MOVED,), manifest.source, blocked=block)
        free = self._unbound(key)
        if owned := next((each for each in free if stands(self.kind, manifest, each.live)), None):
            if owned is not self.index.ours[key]:  # nobody else can ask for the first one of a key with a manifest
                self._taken[owned.live.id] = manifest.address
            return self._existing(manifest, owned.live, owned.mark, Action.UPDATE, ())
        if free:
            return self._in_place_of(manifest, free, Reason.EXPIRED)
        moved = self.index.ours.get(manifest.moved_from or "")
        if moved is None and key in self.index.ours:
            hint = f"{self.index.ours[key].live.id} of this address is bound by another manifest: apply that first"
            held = Block(Blocker.ALREADY_BOUND, hint)
            return Change(manifest.address, Action.CREATE, None, (Reason.NEW,), manifest.source, blocked=held)
        if moved is None:
            return self._create(manifest)
        if block := policy.refuse_move(moved, self.manifests, self._taken.get(moved.live.id)):
            return Change(manifest.address, Action.MOVE, moved.live.id, (Reason.MOVED,), manifest.source, blocked=block)
        self._taken[moved.live.id] = manifest.address
        return self._existing(manifest, moved.live, moved.mark, Action.MOVE, (Reason.MOVED,))

    def _by_content(self, manifest: Manifest) -> Change:
        """A manifest of an object that cannot be changed: the one with its content, or one to be made."""
        key = manifest.address.key
        if found := self._standing.get(key):
            self._taken[found.live.id] = manifest.address
            return Change(manifest.address, Action.NOOP, found.live.id, source=manifest.source)
        if old := claims(self.index, key):
            return self._in_place_of(manifest, old, Reason.REPLACE)
        if block := policy.refuse_newer(self.index, self.owner, manifest):
            return Change(manifest.address, Action.CREATE, None, (Reason.NEW,), manifest.source, blocked=block)
        mark = self._new_mark(manifest, None, {})
        change = written(self.kind, manifest, Action.CREATE, None, decide_create(self.kind, manifest), mark, _NEW)
        return replace(change, precondition=ABSENT_OBJECT)

    def _in_place_of(self, manifest: Manifest, old: list[Managed], reason: Reason) -> Change:
        mark = self._new_mark(manifest, None, managed_units(self.kind, manifest))
        return replacement(self.kind, manifest, old, decide_create(self.kind, manifest), mark, reason)

    def _bound(self, manifest: Manifest, id: str) -> Change:
        """A manifest that names its object by id: adopt it, unless it is somebody else's or not there."""
        live, key = self.index.by_id.get(id), manifest.address.key
        held = self.index.ours.get(key)
        taken = self._taken.get(id)
        if block := policy.refuse_binding(self.index, self.owner, live, id, held, taken):
            return Change(manifest.address, Action.ADOPT, id, (Reason.BOUND,), manifest.source, blocked=block)
        assert live is not None
        self._taken[id] = manifest.address
        owned = self.index.with_our_mark.get(id)
        if owned is None:
            self.adopted += 1
            return self._existing(manifest, live, None, Action.ADOPT, (Reason.BOUND,))
        action = Action.UPDATE if owned.mark.key == key else Action.MOVE
        reasons = () if action is Action.UPDATE else (Reason.MOVED,)
        return self._existing(manifest, live, mark_to_keep(self.index, owned), action, reasons)

    def _existing(
        self, manifest: Manifest, live: LiveObject, mark: Mark | None, action: Action, reasons: tuple[Reason, ...]
    ) -> Change:
        if is_expired(self.kind, live):
            hint = "make it anew with `reconciler: {on_expired: renew}`, or take its manifest out"
            summary = f"{live.id} has expired: nothing of it can be used or changed"
            self._say(Severity.WARNING, Code.EXPIRED, manifest.address.key, summary, hint, manifest.source)
            return Change(manifest.address, Action.NOOP, live.id, source=manifest.source)
        if live.agrees:
            return Change(manifest.address, Action.NOOP, live.id, source=manifest.source)
        base = self.base.of(self.kind, manifest.address, mark)
        decision = decide_update(self.kind, manifest, live.body, mark, base, self.stance)
        self.said += decision.diagnostics
        kept = {write.unit for write in decision.kept}
        after = {unit: value for unit, value in managed_units(self.kind, manifest).items() if unit not in kept}
        new_mark = self._new_mark(manifest, mark, after)
        changed_mark = new_mark if new_mark != mark or new_mark.nonce == marks.NO_NONCE else None
        if not decision.writes and changed_mark is None:
            return Change(manifest.address, Action.NOOP, live.id, source=manifest.source)
        self.said += inexpressible(self.kind, manifest, decision)
        for dropped in dropped_parts(self.kind, decision):
            self._warn(Code.UNKNOWN_LIVE_FIELD, manifest.address.key, dropped)
        found = dict.fromkeys((*reasons, *(write.reason for write in decision.writes)))
        change = written(self.kind, manifest, action, live, decision, changed_mark, tuple(found) or (Reason.MARK,))
        block = (
            policy.refuse_immutable(self.kind, decision)
            or refuse_inexpressible(self.kind, decision)
            or policy.refuse_conflict(manifest, decision, base, self.stance)
            or policy.refuse_drift(manifest, decision, self.stance)
            or policy.refuse_full_map(self.kind, change, live)
        )
        return replace(change, blocked=block) if block else change

    def _create(self, manifest: Manifest) -> Change:
        decision = decide_create(self.kind, manifest)
        mark = self._new_mark(manifest, None, managed_units(self.kind, manifest))
        reasons = (Reason.NEW, Reason.GONE) if self.base.had(manifest.address) else (Reason.NEW,)
        change = written(self.kind, manifest, Action.CREATE, None, decision, mark, reasons)
        block = (
            policy.refuse_newer(self.index, self.owner, manifest)
            or self._probable_rename(manifest)
            or policy.refuse_same_name(self.index, self._bound_ids, manifest)
        )
        return replace(change, blocked=block) if block else change

    def _probable_rename(self, manifest: Manifest) -> Block | None:
        """An object of ours without a manifest that looks like this one's, by another key."""
        if (alike := self._left_behind.like(manifest)) is None:
            return None
        owned, likeness = alike
        key = owned.mark.key
        self._renamed[key] = manifest.address
        hint = (
            f"{owned.live.id} of {self.kind.name}/{key} has the same {likeness} and no manifest: "
            f"if it was renamed, add `reconciler: {{moved_from: {key}}}`"
        )
        other = "; if it is another, `reconciler: {same_name: allow}`" if likeness is Likeness.NAME else ""
        return Block(Blocker.PROBABLE_RENAME, hint + other)

    @cached_property
    def _left_behind(self) -> LeftBehind:
        return LeftBehind(
            self.kind,
            (
                owned
                for key, owned in self.index.ours.items()
                if not (key in self.manifests or key in self._moving or owned.live.id in self._bound_ids)
            ),
        )

    def _twins(self, key: str) -> list[Change]:
        address, manifest = Address(self.kind.name, key), self.manifests[key]
        alike = [owned for owned in claims(self.index, key) if stands(self.kind, manifest, owned.live)]
        removals: list[tuple[Managed, Change]] = []
        for owned in self._unbound(key):
            if owned not in alike:
                removals.append((owned, deletion(self.kind, address, owned.live, Reason.REPLACED)))
            elif owned is not alike[0] and owned.live.id not in self._taken:
                removals.append((owned, deletion(self.kind, address, owned.live, Reason.DUPLICATE)))
        return [replace(removal, blocked=self._copied(owned)) for owned, removal in removals]

    def _orphans(self, prune: bool) -> None:
        """What is ours and has no manifest: deleted or released where that is asked for, else only counted."""
        left = 0
        elsewhere: list[str] = []
        orphans = (
            (key, owned)
            for key in sorted(self.index.ours.keys() - self.manifests.keys())
            for owned in self._unbound(key)
            if owned.live.id not in self._taken
        )
        for key, owned in orphans:
            let_go = owned.mark.on_remove is OnRemove.RELEASE
            address = Address(self.kind.name, key)
            if address in self.elsewhere:
                elsewhere.append(f"{owned.live.id} of {address}")
            elif let_go or prune:
                if let_go:
                    removal = mark_change(self.kind, Action.RELEASE, address, owned, None, Reason.ORPHAN)
                else:
                    removal = deletion(self.kind, address, owned.live, Reason.ORPHAN)
                self.changes.append(replace(removal, blocked=self._keep(key, owned)))
            else:
                left += 1
        if elsewhere:
            shown = ", ".join(elsewhere[:3]) + (f" and {len(elsewhere) - 3} more" if len(elsewhere) > 3 else "")
            summary = f"{shown}: no manifest for this target, but one for another, so it stays"
            hint = "if the targets have an account each, delete it by hand, or `reconciler release` its address here"
            self.said.append(Diagnostic(Severity.INFO, Code.ORPHAN, summary, hint=hint))
        if left:
            summary = f"{left} {self.kind.name} objects of {self.owner} have no manifest and stay"
            hint = "`prune: owned` in reconciler.yaml would delete them"
            self.said.append(Diagnostic(Severity.INFO, Code.ORPHAN, summary, hint=hint))

    def _keep(self, key: str, owned: Managed) -> Block | None:
        """Why an orphan is not deleted (or released) after all."""
        if owned.mark.protect and owned.mark.on_remove is not OnRemove.RELEASE:
            hint = "to delete it, bring its manifest back with `protect: false`, apply, then remove the manifest"
            return Block(Blocker.PROTECT, hint)
        if copied := self._copied(owned):
            return copied
        if renamed := self._renamed.get(key):
            return Block(Blocker.PROBABLE_RENAME, f"it looks renamed to {renamed}: say so there with `moved_from`")
        return None
