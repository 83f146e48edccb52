"""Which collections are read: those that the files or the marks speak of, and those that a delete concerns."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.matching.index import is_ours, mark_of
from reconciler.core.plan import Plan
from reconciler.core.references import usable
from reconciler.core.values.model import Action, LiveObject, Manifest
from reconciler.core.values.semantics import Kind
from reconciler.engine.snapshot import Snapshot, Wanted
from reconciler.operations.project.session import Session


def referenced_members(session: Session, manifests: Sequence[Manifest]) -> Wanted:
    """Collections of objects that belong to manifests which name them, or that we managed until now."""
    owner, holding = session.owner, {each.kind.name for each in session.kinds if each.members}
    manifests = [manifest for manifest in manifests if manifest.address.kind in holding]
    ids = {(m.address.kind, name, m.id) for m in manifests for name in m.body if m.id is not None}
    keys = {
        (m.address.kind, name, key)
        for m in manifests
        for name in m.body
        for key in (m.address.key, m.moved_from)
        if key is not None
    }

    def wanted(kind: Kind, name: str, live: LiveObject) -> bool:
        mark = mark_of(kind, live)
        managed = is_ours(mark, owner) and (mark.manages((name,)) or (kind.name, name, mark.key) in keys)
        return managed or (kind.name, name, live.id) in ids

    return wanted


def with_users_read(session: Session, plan: Plan, snapshot: Snapshot, manifests: Sequence[Manifest]) -> Snapshot:
    """What was read; with every kind that may use what the plan deletes, and every collection that it may be in.

    Collections of what it deletes are read as well, because somebody may put more into them before that.
    """
    doomed = {(change.address.kind, change.id) for change in plan.changes if change.action is Action.DELETE}
    deleted = {kind for kind, _ in doomed}
    unread = {each.kind.name for each in session.kinds if not deleted.isdisjoint(usable(each.kind))}
    unread -= {observation.kind.name for observation in snapshot.observed}
    if unread:
        snapshot = session.refresh_kinds(snapshot, unread)
    holding = {
        (kind.kind.name, name) for kind in session.kinds for name, style in kind.members.items() if style.of in deleted
    }

    def wanted(kind: Kind, name: str, live: LiveObject) -> bool:
        return name not in live.body and ((kind.name, name) in holding or (kind.name, live.id) in doomed)

    if not (holding or any(kind.members and kind.kind.name in deleted for kind in session.kinds)):
        return snapshot
    return session.load_members(snapshot, wanted, manifests)
