"""The plan of one kind: pairs each manifest with a live object, decides its units, and finds what has no manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from reconciler.core import marks, policy
from reconciler.core.codes import Code
from reconciler.core.decide import (
    Base,
    Decision,
    UnknownBase,
    Write,
    assemble,
    decide_create,
    decide_update,
    managed_units,
)
from reconciler.core.diff import explain, locate
from reconciler.core.marks import Mark
from reconciler.core.model import (
    ABSENT,
    Action,
    Address,
    Block,
    Blocker,
    Change,
    Diagnostic,
    FieldChange,
    Json,
    LiveObject,
    Manifest,
    OnRemove,
    Reason,
    Severity,
    Unit,
)
from reconciler.core.pairing import Index, Owned
from reconciler.core.precondition import ABSENT_OBJECT, precondition
from reconciler.core.semantics import MARK_ENTRY, Kind, meaning_of, unknown_parts


class KindPlanner:
    """Plans the resources of one kind; collects `changes` and what there is to say (`said`)."""

    def __init__(
        self,
        found: Index,
        manifests: Mapping[str, Manifest],
        owner: str,
        base: Callable[[Address], Base] = lambda address: UnknownBase(),
    ) -> None:
        self.index = found
        self.kind = found.kind
        self.manifests = manifests
        self.owner = owner
        self.base = base
        self.changes: list[Change] = []
        self.said: list[Diagnostic] = []
        self.adopted = 0
        self._bound_ids = {manifest.id for manifest in manifests.values()}
        self._moving = {m.moved_from for m in manifests.values() if m.address.key not in found.ours}
        self._taken: dict[str, Address] = {}
        self._renamed: dict[str, Address] = {}

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

    def adoption(self, manifest: Manifest, id: str) -> Change:
        """Marking an object as the manifest's, and nothing else; blocked where `id:` in the manifest would be."""
        live, held = self.index.by_id.get(id), self.index.ours.get(manifest.address.key)
        if block := policy.refuse_binding(self.index, self.owner, live, id, held, None):
            return Change(manifest.address, Action.ADOPT, id, (Reason.BOUND,), manifest.source, blocked=block)
        assert live is not None
        owned = next((o for o in self._ours() if o.live.id == id), None)
        mark = self._new_mark(manifest, owned.mark if owned else None)
        if owned and owned.mark == mark:
            return Change(manifest.address, Action.NOOP, id, source=manifest.source)
        change = replace(self._change(manifest, Action.ADOPT, live, Decision(()), mark), reasons=(Reason.BOUND,))
        block = policy.refuse_full_map(self.kind, change, live)
        return replace(change, blocked=block) if block else change

    def releases(self, key: str) -> list[Change]:
        """Taking our mark off the object of a key; empty where there is none."""
        owned, address = self.index.ours.get(key), Address(self.kind.name, key)
        return [self._removal(Action.RELEASE, address, owned, Reason.RELEASED)] if owned else []

    def _plan_one(self, manifest: Manifest) -> Change:
        if manifest.id is not None:
            return self._bound(manifest, manifest.id)
        key = manifest.address.key
        if owned := next(iter(self._unbound(key)), None):
            return self._existing(manifest, owned.live, owned.mark, Action.UPDATE, ())
        moved = self.index.ours.get(manifest.moved_from or "")
        if moved is None and key in self.index.ours:
            hint = f"{self.index.ours[key].live.id} of this address is bound by another manifest: apply that first"
            held = Block(Blocker.ALREADY_BOUND, hint)
            return Change(manifest.address, Action.CREATE, None, (Reason.NEW,), manifest.source, blocked=held)
        if moved is None:
            return self._create(manifest)
        if block := policy.refuse_move(moved, self.manifests, self._taken.get(moved.live.id)):
            return Change(manifest.address, Action.MOVE, moved.live.id, (Reason.MOVED,), manifest.source, blocked=block)
        return self._existing(manifest, moved.live, moved.mark, Action.MOVE, (Reason.MOVED,))

    def _unbound(self, key: str) -> list[Owned]:
        """The objects of a key that no manifest binds by id: the one that counts, then its twins."""
        first = self.index.ours.get(key)
        claims = [first, *self.index.twins.get(key, ())] if first else []
        return [owned for owned in claims if owned.live.id not in self._bound_ids]

    def _bound(self, manifest: Manifest, id: str) -> Change:
        """A manifest that names its object by id: adopt it, unless it is somebody else's or not there."""
        live, key = self.index.by_id.get(id), manifest.address.key
        held = self.index.ours.get(key)
        taken = self._taken.get(id)
        if block := policy.refuse_binding(self.index, self.owner, live, id, held, taken):
            return Change(manifest.address, Action.ADOPT, id, (Reason.BOUND,), manifest.source, blocked=block)
        assert live is not None
        owned = next((o for o in self._ours() if o.live.id == id), None)
        if owned is None:
            self.adopted += 1
            return self._existing(manifest, live, None, Action.ADOPT, (Reason.BOUND,))
        action = Action.UPDATE if owned.mark.key == key else Action.MOVE
        return self._existing(manifest, live, owned.mark, action, () if action is Action.UPDATE else (Reason.MOVED,))

    def _ours(self) -> Iterator[Owned]:
        yield from self.index.ours.values()
        yield from (copy for _, copy in self.index.copies)
        yield from (twin for twins in self.index.twins.values() for twin in twins)

    def _existing(
        self, manifest: Manifest, live: LiveObject, mark: Mark | None, action: Action, reasons: tuple[Reason, ...]
    ) -> Change:
        self._taken[live.id] = manifest.address
        decision = decide_update(self.kind, manifest, live.body, mark, self.base(manifest.address))
        self.said += decision.diagnostics
        new_mark = self._new_mark(manifest, mark)
        if not decision.writes and new_mark == mark:
            return Change(manifest.address, Action.NOOP, live.id, source=manifest.source)
        self._warn_of_unknown_parts(manifest, live, decision)
        change = self._change(manifest, action, live, decision, new_mark if new_mark != mark else None)
        found = dict.fromkeys((*reasons, *(write.reason for write in decision.writes)))
        change = replace(change, reasons=tuple(found) or (Reason.MARK,))
        block = policy.refuse_immutable(self.kind, decision) or policy.refuse_full_map(self.kind, change, live)
        return replace(change, blocked=block) if block else change

    def _create(self, manifest: Manifest) -> Change:
        decision, mark = decide_create(self.kind, manifest), self._new_mark(manifest, None)
        change = replace(self._change(manifest, Action.CREATE, None, decision, mark), reasons=(Reason.NEW,))
        others = [live for live in self.index.not_ours if live.id not in self._bound_ids]
        block = (
            policy.refuse_newer(self.index, self.owner, manifest)
            or self._probable_rename(manifest)
            or policy.refuse_same_name(self.kind, others, manifest)
        )
        return replace(change, blocked=block) if block else change

    def _probable_rename(self, manifest: Manifest) -> Block | None:
        """An object of ours without a manifest that manages the same units with the same content."""
        units = marks.codes(managed_units(self.kind, manifest))
        for key, owned in sorted(self.index.ours.items()):
            if key in self.manifests or key in self._moving or owned.live.id in self._bound_ids:
                continue
            same_content = not decide_update(self.kind, manifest, owned.live.body, None, UnknownBase()).writes
            if same_content and owned.mark.units == units:
                self._renamed[key] = manifest.address
                hint = (
                    f"{owned.live.id} of {self.kind.name}/{key} has the same content and no manifest: "
                    f"if it was renamed, add `reconciler: {{moved_from: {key}}}`"
                )
                return Block(Blocker.PROBABLE_RENAME, hint)
        return None

    def _change(
        self, manifest: Manifest, action: Action, live: LiveObject | None, decision: Decision, mark: Mark | None
    ) -> Change:
        writes = {write.unit: write.after for write in decision.writes}
        if mark is not None:
            writes[(self.kind.mark_field, MARK_ENTRY)] = marks.write(mark)
        return Change(
            address=manifest.address,
            action=action,
            id=live.id if live else None,
            source=manifest.source,
            fields=tuple(field for write in decision.writes for field in _explained(self.kind, manifest, write)),
            units=tuple(sorted(writes)),
            patch=assemble(self.kind, writes, live.body if live else {}),
            precondition=precondition(self.kind, live, writes) if live else ABSENT_OBJECT,
        )

    def _new_mark(self, manifest: Manifest, old: Mark | None) -> Mark:
        return Mark(
            owner=self.owner,
            key=manifest.address.key,
            nonce=old.nonce if old else marks.UNDRAWN,
            protect=manifest.protect,
            on_remove=manifest.on_remove,
            units=marks.codes(managed_units(self.kind, manifest)),
        )

    def _twins(self, key: str) -> list[Change]:
        first = self.index.ours.get(key)
        twins = [twin for twin in self._unbound(key) if twin is not first and twin.live.id not in self._taken]
        address = Address(self.kind.name, key)
        removals = [(twin, self._removal(Action.DELETE, address, twin, Reason.TWIN)) for twin in twins]
        return [replace(removal, blocked=self._copied(twin)) for twin, removal in removals]

    def _orphans(self, prune: bool) -> None:
        """What is ours and has no manifest: deleted or released where that is asked for, else only counted."""
        left = 0
        orphans = (
            (key, owned)
            for key in sorted(self.index.ours.keys() - self.manifests.keys())
            for owned in self._unbound(key)
            if owned.live.id not in self._taken
        )
        for key, owned in orphans:
            let_go = owned.mark.on_remove is OnRemove.RELEASE
            if let_go or prune:
                action, address = Action.RELEASE if let_go else Action.DELETE, Address(self.kind.name, key)
                removal = self._removal(action, address, owned, Reason.ORPHAN)
                self.changes.append(replace(removal, blocked=self._keep(key, owned)))
            else:
                left += 1
        if left:
            summary = f"{left} {self.kind.name} objects of {self.owner} have no manifest and stay"
            hint = "`prune: owned` in reconciler.yaml would delete them"
            self.said.append(Diagnostic(Severity.INFO, Code.ORPHAN, summary, hint=hint))

    def _keep(self, key: str, owned: Owned) -> Block | None:
        """Why an orphan is not deleted (or released) after all."""
        if owned.mark.protect and owned.mark.on_remove is not OnRemove.RELEASE:
            hint = "to delete it, bring its manifest back with `protect: false`, apply, then remove the manifest"
            return Block(Blocker.PROTECT, hint)
        if copied := self._copied(owned):
            return copied
        if renamed := self._renamed.get(key):
            return Block(Blocker.PROBABLE_RENAME, f"it looks renamed to {renamed}: say so there with `moved_from`")
        return None

    def _copied(self, owned: Owned) -> Block | None:
        """A copy that a person made of an object would take its place, and be the next to go."""
        copy = next((copy for first, copy in self.index.copies if first.live.id == owned.live.id), None)
        if copy is None:
            return None
        hint = f"{copy.live.id} is a copy of it and would go next: take the entry {MARK_ENTRY!r} off the copy first"
        return Block(Blocker.COPY, hint)

    def _removal(self, action: Action, address: Address, owned: Owned, reason: Reason) -> Change:
        kind, live = self.kind, owned.live
        writes: dict[Unit, Json] = {(kind.mark_field, MARK_ENTRY): ABSENT} if action is Action.RELEASE else {}
        return Change(
            address=address,
            action=action,
            id=live.id,
            reasons=(reason,),
            units=tuple(writes),
            patch=assemble(kind, writes, live.body) if writes else None,
            precondition=precondition(kind, live, writes or None),
        )

    def _warn_of_unknown_parts(self, manifest: Manifest, live: LiveObject, decision: Decision) -> None:
        for write in decision.writes:
            for path in unknown_parts(meaning_of(self.kind, write.unit), write.before, write.unit):
                place = ".".join(map(str, path))
                self._warn(
                    Code.UNKNOWN_LIVE_FIELD,
                    manifest.address.key,
                    f"{place} is not known to this version: writing {write.unit[0]} drops it",
                )

    def _warn(self, code: Code, key: str, summary: str) -> None:
        self.said.append(Diagnostic(Severity.WARNING, code, summary, address=f"{self.kind.name}/{key}"))


def _explained(kind: Kind, manifest: Manifest, write: Write) -> Iterator[FieldChange]:
    meaning = meaning_of(kind, write.unit)
    for path, before, after in explain(meaning, write.before, write.after):
        full = (*write.unit, *path)
        place = manifest.place((*write.unit, *locate(meaning, write.after, path)))
        yield FieldChange(full, before, after, write.reason, place, meaning.sensitive)
