"""References: a value of one resource that is the id of another.

A manifest says where it refers to what (`Manifest.refs`). While the other resource does not exist yet, a text that says
so stands in the value's place, and the change says where (`Change.refs`): apply puts the id there once it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.core.model import Address, Body, Change, Json, Manifest, Path
from reconciler.core.pairing import Index
from reconciler.core.replacing import standing, stands


def placeholder(address: Address) -> str:
    """What stands for an id until it is known."""
    return f"(known after apply: {address})"


def resolved(manifest: Manifest, ids: Mapping[Address, str]) -> Manifest:
    """The manifest with the ids that are known; what it still refers to stays in its `refs`."""
    if not manifest.refs:
        return manifest
    known = {path: ids[address] for path, address in manifest.refs.items() if address in ids}
    left = {path: address for path, address in manifest.refs.items() if address not in ids}
    return replace(manifest, body=_with(dict(manifest.body), known), refs=left)


def filled(change: Change, ids: Mapping[Address, str]) -> Change:
    """The change with the ids that are known in its patch."""
    if not change.refs:
        return change
    known = {path: ids[address] for path, address in change.refs if address in ids}
    left = tuple((path, address) for path, address in change.refs if address not in ids)
    return replace(change, patch=_with(change.patch or {}, known), refs=left)


def _with(body: Body, values: Mapping[Path, str]) -> Body:
    """A body with other values in some places; what is not on the way to them is shared with the original."""
    for path, value in values.items():
        body = _put(body, path, value)
    return body


def _put(container: Json, path: Path, value: str) -> Json:
    if not path:
        return value
    copy: Json = dict(container) if isinstance(container, dict) else list(container)
    copy[path[0]] = _put(copy[path[0]], path[1:], value)
    return copy


def paired_ids(found: Index, manifests: Iterable[Manifest]) -> dict[Address, str]:
    """The ids of the objects that manifests of the index's kind get: by id, their key, or the key they had before."""
    wanted = sorted((m for m in manifests if m.address.kind == found.kind.name), key=lambda each: each.address)
    if found.kind.fixed:
        paired = standing(found, {manifest.address.key: manifest for manifest in wanted})
        return {manifest.address: paired[key].live.id for manifest in wanted if (key := manifest.address.key) in paired}
    keys, taken = {manifest.address.key for manifest in wanted}, {manifest.id for manifest in wanted}
    ids: dict[Address, str] = {}
    for manifest in wanted:
        key, former = manifest.address.key, manifest.moved_from or ""
        claims = [
            found.ours.get(key),
            *found.twins.get(key, ()),
            found.ours.get(former) if former not in keys else None,
        ]
        standing_claims = (owned for owned in claims if owned is not None and stands(found.kind, manifest, owned.live))
        free = [owned.live.id for owned in standing_claims if owned.live.id not in taken]
        if manifest.id in found.by_id:
            ids[manifest.address] = str(manifest.id)
        elif manifest.id is None and free:
            ids[manifest.address] = free[0]
            taken.add(free[0])
    return ids
