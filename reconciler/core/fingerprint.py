"""Recognises objects that are in sync while they are read, so that their bodies need not be kept.

A manifest's `Fingerprint` is a digest of the units it manages. A live object whose units have the same one, and whose
mark is as it should be, is in sync: nothing about it has to be decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from reconciler.core.changes import mark_for
from reconciler.core.matching.match import is_expired
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import Fingerprint, Json, LiveObject, Manifest, Unit
from reconciler.core.values.semantics import Kind, Meaning, canonical, meaning_of, units

_LONG: Final = 200
_DIGEST_BYTES: Final = 16


def fingerprint(kind: Kind, manifest: Manifest) -> Fingerprint | None:
    """What a manifest wants; None where units are left to others, not compared or listed, or wait for an id."""
    if manifest.ignore or manifest.initial or manifest.refs or not kind.managed_maps.isdisjoint(manifest.body):
        return None
    wanted = units(kind, manifest.body)
    if any(meaning_of(kind, unit).uncompared for unit in wanted):
        return None
    names = tuple(sorted(wanted))
    return Fingerprint(names, _digest(kind, names, wanted))


def _digest(kind: Kind, names: tuple[Unit, ...], values: Mapping[Unit, Json]) -> bytes:
    texts = [_text(meaning_of(kind, unit), values.get(unit)) for unit in names]
    # A text can hold anything, a NUL as well: only its length says where the next one begins.
    together = "".join([f"{len(text)}:{text}" for text in texts])
    return hashlib.blake2b(together.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).digest()


def _text(meaning: Meaning, value: Json) -> str:
    """The canonical form of a value; of a prompt the prompt itself, because quoting one takes longer than hashing it.

    The stroke tells it from any canonical text. What may mean the same as something else is always canonical.
    """
    if type(value) is str and len(value) > _LONG and meaning.default is None and not meaning.shown_as:
        return f"'{value}"
    return canonical(meaning, value)


def in_sync(
    kind: Kind, manifest: Manifest, wanted: Fingerprint | None, mark: Mark, live: LiveObject, *, digests: bool
) -> bool:
    """Whether an object of ours needs nothing; `digests` says that its mark should keep some."""
    if wanted is None or is_expired(kind, live) or (digests and wanted.units and not mark.digests):
        return False
    if mark.proof is Proof.EARLIER:
        return False
    present = units(kind, live.body)
    if _digest(kind, wanted.units, present) != wanted.digest:
        return False
    managed = {unit: present.get(unit) for unit in wanted.units}
    return mark_for(kind, mark.owner, manifest, mark, managed if digests else None, managed) == mark
