"""Digests of what is desired: of one manifest, and of all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from reconciler.core.model import Address, Manifest

_written = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def content_digest(manifest: Manifest) -> bytes:
    """A digest of address, body and options, whatever the file they came from."""
    content = [
        *manifest.address,
        dict(manifest.body),
        [manifest.id, manifest.protect, manifest.on_remove, manifest.moved_from, manifest.same_name_allowed]
        + [True] * manifest.renew,
        [sorted(manifest.ignore), sorted(manifest.initial)],
        sorted([[str(step) for step in path], str(address)] for path, address in manifest.refs.items()),
    ]
    return hashlib.sha256(_written(content).encode()).digest()


def config_digest(contents: Mapping[Address, bytes]) -> str:
    """One digest of the content of every manifest, in whatever order they were read."""
    digest = hashlib.sha256()
    for address in sorted(contents):
        digest.update(contents[address])
    return "sha256:" + digest.hexdigest()
