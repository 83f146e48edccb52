"""Digests of the desired state: of one manifest, and of all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Final

from reconciler.core.values.model import Manifest

_LONG: Final = 200
_written = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def content_digest(manifest: Manifest) -> bytes:
    """A digest of address, body and options, whatever the file they came from."""
    body = manifest.body
    # Hashed as they are: to quote a prompt takes longer.
    texts = {name: value for name, value in body.items() if type(value) is str and len(value) > _LONG}
    content = [
        *manifest.address,
        {name: len(value) if name in texts else value for name, value in body.items()},
        sorted(texts),
        [manifest.id, manifest.protect, manifest.on_remove, manifest.moved_from, manifest.same_name_allowed]
        + [True] * manifest.renew,
        [sorted(manifest.ignore), sorted(manifest.initial)],
        sorted([[str(step) for step in path], str(address)] for path, address in manifest.refs.items()),
    ]
    parts = "".join([_written(content), *(texts[name] for name in sorted(texts))])
    return hashlib.sha256(parts.encode()).digest()


def config_digest(contents: Iterable[bytes]) -> str:
    """One digest of the content of every manifest, in the order of their addresses."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return "sha256:" + digest.hexdigest()
