"""Files compared with files: what a change of the files asks for, without looking at any remote.

The earlier files stand in for the remote: as if they had been applied, and nothing had happened since.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from reconciler.core.changes import mark_for
from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan, Scope, TargetIdentity, make_plan
from reconciler.core.references import resolved
from reconciler.core.values import marks
from reconciler.core.values.managed_units import managed_units
from reconciler.core.values.model import Action, Change, LiveObject, Manifest, Reason
from reconciler.core.values.semantics import MARK_ENTRY, Kind


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
    counted = Counter(manifest.id for manifest in earlier)
    known = {id for id, times in counted.items() if id is not None and times == 1}
    ids = {m.address: m.id if m.id is not None and m.id in known else str(m.address) for m in earlier}
    before = {manifest.address: resolved(manifest, ids) for manifest in earlier}
    wanted = {manifest.address: manifest for manifest in manifests}
    observed = []
    for kind in kinds:
        there = [manifest for manifest in before.values() if manifest.address.kind == kind.name]
        live = tuple(_as_if_live(kind, scope, each, ids[each.address]) for each in there)
        observed.append(Observation(kind, live, 0))
    reachable = [replace(manifest, id=manifest.id if manifest.id in known else None) for manifest in wanted.values()]
    plan = make_plan(target, scope, config_digest, reachable, observed, BaseSource(before))
    changes = tuple(
        _known_offline(change, before.get(change.address), wanted.get(change.address)) for change in plan.changes
    )
    return replace(plan, changes=changes, read={}, against=against)


def _as_if_live(kind: Kind, scope: Scope, manifest: Manifest, id: str) -> LiveObject:
    nonce = hashlib.sha256(str(manifest.address).encode()).hexdigest()[: marks.MAX_NONCE]
    digested = managed_units(kind, manifest) if scope.digests else None
    mark = replace(mark_for(kind, scope.owner, manifest, None, digested), nonce=nonce)
    carrier = {**(manifest.body.get(kind.mark_field) or {}), MARK_ENTRY: marks.write(mark)}
    return LiveObject(kind.name, id, {**manifest.body, kind.mark_field: carrier})


def _known_offline(change: Change, before: Manifest | None, wanted: Manifest | None) -> Change:
    """A change with what only a remote knows left out: ids, requests, preconditions."""
    binds = change.action is Action.CREATE and wanted is not None and wanted.id is not None
    known = wanted or before
    return replace(
        change,
        action=Action.ADOPT if binds else change.action,
        reasons=(Reason.BOUND,) if binds else change.reasons,
        id=known.id if known else None,
        patch=None,
        expects={},
    )
