"""Files compared with files: what a change of the files asks for, without looking at any remote.

The earlier files stand in for the remote: as if they had been applied, and nothing had happened since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.core import marks
from reconciler.core.base import Remembered
from reconciler.core.changes import mark_for
from reconciler.core.model import Action, Change, LiveObject, Manifest, Plan, Reason, TargetIdentity
from reconciler.core.pairing import Observation
from reconciler.core.plan import Scope, make_plan
from reconciler.core.refs import resolved
from reconciler.core.semantics import MARK_ENTRY, Kind


def compare(
    target: TargetIdentity,
    scope: Scope,
    config_digest: str,
    earlier: Iterable[Manifest],
    manifests: Iterable[Manifest],
    kinds: Sequence[Kind],
    against: str,
) -> Plan:
    """The plan from one state of the files to another; `against` names the earlier one. It cannot be applied."""
    earlier = list(earlier)
    ids = {manifest.address: str(manifest.address) for manifest in earlier}
    before = {manifest.address: resolved(manifest, ids) for manifest in earlier}
    wanted = {manifest.address: manifest for manifest in manifests}
    observed = [
        Observation(
            kind, tuple(_as_if_live(kind, scope.owner, m) for m in before.values() if m.address.kind == kind.name), 0
        )
        for kind in kinds
    ]
    unbound = [replace(manifest, id=None) for manifest in wanted.values()]
    plan = make_plan(target, scope, config_digest, unbound, observed, Remembered(before))
    changes = tuple(_told(change, before.get(change.address), wanted.get(change.address)) for change in plan.changes)
    return replace(plan, changes=changes, read={}, against=against)


def _as_if_live(kind: Kind, owner: str, manifest: Manifest) -> LiveObject:
    carrier = {
        **(manifest.body.get(kind.mark_field) or {}),
        MARK_ENTRY: marks.write(mark_for(kind, owner, manifest, None)),
    }
    return LiveObject(kind.name, str(manifest.address), {**manifest.body, kind.mark_field: carrier})


def _told(change: Change, before: Manifest | None, wanted: Manifest | None) -> Change:
    """A change with what only a remote knows left out: ids, requests, preconditions."""
    binds = change.action is Action.CREATE and wanted is not None and wanted.id is not None
    known = wanted or before
    return replace(
        change,
        action=Action.ADOPT if binds else change.action,
        reasons=(Reason.BOUND,) if binds else change.reasons,
        id=known.id if known else None,
        patch=None,
        precondition=None,
    )
