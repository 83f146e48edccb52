"""Plans one kind: what changes for each manifest, and for objects without a manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.core.changes import delete_change, dropped_parts, mark_change, replace_change, write_change
from reconciler.core.decide import DEFAULT_POLICY, ConflictPolicy, Decision, decide_create, decide_update
from reconciler.core.last_applied import NO_BASE, BaseSource
from reconciler.core.matching.index import Managed
from reconciler.core.matching.match import How, Match, Pair, is_expired
from reconciler.core.ownership import Ownership
from reconciler.core.rules.mark_rules import reason_to_doubt, refuse_unproven
from reconciler.core.rules.unit_rules import refuse_units, staying_parts
from reconciler.core.values import marks
from reconciler.core.values.managed_units import remembered_units
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import Action, Address, Change, LiveObject, Manifest, OnRemove, Reason, Removal
from reconciler.diagnostics import Code, Diagnostic, Severity, Source


class KindPlanner:
    """Plans the resources of one kind; `diagnostics` collects what to report beside the changes.

    `digests` says that marks remember what is applied.
    """

    def __init__(
        self,
        matched: Match,
        owner: str,
        *,
        base: BaseSource = NO_BASE,
        policy: ConflictPolicy = DEFAULT_POLICY,
        digests: bool = False,
    ) -> None:
        self.matched = matched
        self.kind = matched.found.kind
        self.ownership = Ownership(matched, owner, digests)
        self.base = base
        self.policy = policy
        self.diagnostics: list[Diagnostic] = []

    def changes(self, only: frozenset[Address] | None, prune: bool) -> Iterator[Change]:
        """What every manifest in scope asks for, then (when the scope is whole) the end of what has none."""
        for pair in self.matched.pairs.values():
            if only is None or pair.manifest.address in only:
                yield self._paired(pair)
        if only is None:
            yield from self._surplus()
            yield from self._orphans(prune)
        self._odd_marks()

    def _paired(self, pair: Pair) -> Change:
        manifest, id = pair.manifest, pair.live.id if pair.live else pair.manifest.id
        if pair.block:
            action, reasons = _ASKED[pair.how]
            return Change(manifest.address, action, id, reasons, manifest.source, blocked=pair.block)
        if pair.live is None:
            if pair.how is How.NEW and (each := self.matched.found.unproven_of(manifest.address.key)):
                block = refuse_unproven(manifest.address, each)
                action, reasons = _ASKED[How.BOUND]
                return Change(manifest.address, action, each.live.id, reasons, manifest.source, blocked=block)
            return self._create(manifest) if pair.how is How.NEW else self._replace(manifest, pair.replaces)
        if pair.how is How.CONTENT:
            return Change(manifest.address, Action.NOOP, id, source=manifest.source)
        mark = self.ownership.mark_to_keep(pair.live)
        if mark is None:
            return self._existing(manifest, pair.live, None, Action.ADOPT, (Reason.BOUND,))
        if mark.key == manifest.address.key:
            return self._existing(manifest, pair.live, mark, Action.UPDATE, ())
        return self._existing(manifest, pair.live, mark, Action.MOVE, (Reason.MOVED,))

    def _create(self, manifest: Manifest) -> Change:
        had = self.base.existed(manifest.address)
        mark = self._new_mark(manifest, None, Decision(()))
        reasons = (Reason.NEW, Reason.GONE) if had else (Reason.NEW,)
        return write_change(self.kind, manifest, Action.CREATE, None, decide_create(self.kind, manifest), mark, reasons)

    def _replace(self, manifest: Manifest, old: tuple[Managed, ...]) -> Change:
        """Another object in the place of those that cannot be changed, or have expired."""
        reason = Reason.REPLACE if self.kind.immutable else Reason.EXPIRED
        mark = self._new_mark(manifest, None, Decision(()))
        return replace_change(self.kind, manifest, old, decide_create(self.kind, manifest), mark, reason)

    def _existing(
        self, manifest: Manifest, live: LiveObject, mark: Mark | None, action: Action, reasons: tuple[Reason, ...]
    ) -> Change:
        nothing = Change(manifest.address, Action.NOOP, live.id, source=manifest.source)
        if is_expired(self.kind, live):
            hint = "create it again with `reconciler: {on_expired: renew}`, or remove its manifest"
            summary = f"{live.id} has expired: it can no longer be used or changed"
            self._report(Severity.WARNING, Code.EXPIRED, manifest.address.key, summary, hint, manifest.source)
            return nothing
        if live.in_sync:
            return nothing
        base = self.base.of(self.kind, manifest.address, mark)
        decision = decide_update(self.kind, manifest, live.body, mark, base, self.policy)
        self.diagnostics += decision.diagnostics
        new_mark = self._new_mark(manifest, mark, decision)
        is_outdated = mark is not None and mark.proof is Proof.EARLIER
        changed_mark = new_mark if new_mark != mark or is_outdated or new_mark.nonce == marks.NO_NONCE else None
        if not decision.writes and changed_mark is None:
            return nothing
        self._lossy(manifest, decision)
        found = dict.fromkeys((*reasons, *(write.reason for write in decision.writes)))
        why = tuple(found) or (Reason.MARK,)
        change = write_change(self.kind, manifest, action, live, decision, changed_mark, why, mark)
        return replace(change, blocked=refuse_units(self.kind, manifest, decision, base, self.policy))

    def _new_mark(self, manifest: Manifest, old: Mark | None, decision: Decision) -> Mark:
        ignored = {write.unit for write in decision.ignored}
        managed = remembered_units(self.kind, manifest)
        after = {unit: value for unit, value in managed.items() if unit not in ignored}
        mark = self.ownership.new_mark(manifest, old, after)
        if self.ownership.digests and mark.units and not mark.digests:
            self._warn(Code.BASE_UNKNOWN, manifest.address.key, "its mark has no room for digests: it keeps names only")
        return mark

    def _lossy(self, manifest: Manifest, decision: Decision) -> None:
        """Warn of parts that would stay although they left the file, and of those that a write drops."""
        key = manifest.address.key
        for path in staying_parts(self.kind, decision):
            summary = (
                f"{'.'.join(map(str, path))} was removed from the file, but the remote merges updates and would keep it"
            )
            self._report(Severity.WARNING, Code.INEXPRESSIBLE, key, summary, source=manifest.place(path))
        for dropped in dropped_parts(self.kind, decision):
            self._warn(Code.UNKNOWN_LIVE_FIELD, key, dropped)

    def _surplus(self) -> Iterator[Change]:
        """Further objects of an address that has one: duplicates, and those whose place another takes."""
        for key, several in self.matched.surplus.items():
            address = Address(self.kind.name, key)
            for each, is_duplicate in several:
                removal = Removal.DUPLICATE if is_duplicate else Removal.REPLACED
                reason = Reason.DUPLICATE if is_duplicate else Reason.REPLACED
                yield self._deletion(address, each, reason, removal)

    def _orphans(self, prune: bool) -> Iterator[Change]:
        """Managed objects without a manifest: deleted or released if the options ask for it, otherwise only counted."""
        left = []
        for each in self.matched.orphans:
            address = Address(self.kind.name, each.mark.key)
            if each.mark.on_remove is OnRemove.RELEASE:
                released = mark_change(self.kind, Action.RELEASE, address, each, None, Reason.ORPHAN)
                yield replace(released, removal=Removal.ORPHAN)
            elif prune:
                yield self._deletion(address, each, Reason.ORPHAN, Removal.ORPHAN)
            else:
                left.append(each)
        hint = "`prune: owned` in reconciler.yaml would delete them"
        if left:
            summary = f"{len(left)} {self.kind.name} objects of {self.ownership.owner} have no manifest and stay"
            self.diagnostics.append(Diagnostic(Severity.INFO, Code.ORPHAN, summary, hint=hint))
        for each in left:
            if each.mark.on_remove is OnRemove.DELETE:
                summary = f"{each.live.id} has no manifest, and `on_remove: delete`, but stays because of `prune: none`"
                self._report(Severity.WARNING, Code.ORPHAN, each.mark.key, summary, hint)

    def _deletion(self, address: Address, each: Managed, reason: Reason, removal: Removal) -> Change:
        if self.kind.archives:
            summary = f"{each.live.id} is archived, because this API cannot delete: it cannot be restored"
            self._report(Severity.INFO, Code.ARCHIVED, address.key, summary)
        return delete_change(self.kind, address, each.live, reason, removal)

    def _odd_marks(self) -> None:
        found = self.matched.found
        for original, clone in found.clones:
            summary = f"{clone.live.id} is a copy of {original.live.id}, mark included"
            self._warn(Code.COPY, original.mark.key, summary)
        for live, _ in found.newer:
            self._warn(Code.NEWER_MARK, live.id, f"{live.id} was written by a newer reconciler: not changed")
        for each in found.unproven:
            summary = (
                f"{each.live.id} has the mark of {self.kind.name}/{each.mark.key}, and {reason_to_doubt(each.mark)}"
            )
            self._warn(Code.UNPROVEN_MARK, each.mark.key, f"{summary}: not changed")
        for live in found.damaged:
            self._warn(Code.DAMAGED_MARK, live.id, f"{live.id} has a mark that cannot be read: treated as unmanaged")

    def _warn(self, code: Code, key: str, summary: str) -> None:
        self._report(Severity.WARNING, code, key, summary)

    def _report(
        self, severity: Severity, code: Code, key: str, summary: str, hint: str = "", source: Source | None = None
    ) -> None:
        at = f"{self.kind.name}/{key}"
        self.diagnostics.append(Diagnostic(severity, code, summary, hint=hint, source=source, address=at))


_ASKED = {
    How.BOUND: (Action.ADOPT, (Reason.BOUND,)),
    How.MOVED: (Action.MOVE, (Reason.MOVED,)),
    How.NEW: (Action.CREATE, (Reason.NEW,)),
}
"""What a pair that is refused was meant to be."""
