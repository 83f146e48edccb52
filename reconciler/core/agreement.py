"""Live objects of which a plan needs little: found one by one, while they are read, so that few are kept whole.

What a manifest wants is kept as a digest of its units (`Gist`). A live object whose units have the same one, and whose
mark says what it should, needs nothing: only what other decisions may ask of it is kept. Of an object that is not ours
these are its mark (a copy, a newer version, another owner), its name (which a create may not double) and what it refers
to (which may not be deleted). Of an object that is bound by id, or that a manifest says it was moved from, more may be
asked: it is kept whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.core import marks
from reconciler.core.changes import mark_of_units
from reconciler.core.dependencies import referring
from reconciler.core.marks import Mark
from reconciler.core.model import Address, Body, Gist, Json, LiveObject, Manifest, Unit
from reconciler.core.pairing import Observation, index, mark_of
from reconciler.core.refs import paired_ids, resolved
from reconciler.core.replacing import is_expired
from reconciler.core.semantics import Kind, Meaning, canonical, meaning_of, units

_LONG: Final = 200
_DIGEST_BYTES: Final = 16
_NOTHING: Final[Body] = {}


def gist_of(kind: Kind, manifest: Manifest) -> Gist | None:
    """What a manifest wants; None where units are left to others, not compared or listed, or wait for an id."""
    if manifest.ignore or manifest.initial or manifest.refs or not kind.managed_maps.isdisjoint(manifest.body):
        return None
    wanted = units(kind, manifest.body)
    if any(meaning_of(kind, unit).uncompared for unit in wanted):
        return None
    names = tuple(sorted(wanted))
    return Gist(names, _digest(kind, names, wanted))


def _digest(kind: Kind, names: tuple[Unit, ...], values: Mapping[Unit, Json]) -> bytes:
    texts = [_text(meaning_of(kind, unit), values.get(unit)) for unit in names]
    # A text can hold anything, a NUL as well: only its length says where the next one begins.
    told = "".join([f"{len(text)}:{text}" for text in texts])
    return hashlib.blake2b(told.encode(errors="surrogatepass"), digest_size=_DIGEST_BYTES).digest()


def _text(meaning: Meaning, value: Json) -> str:
    """The canonical form of a value; of a prompt the prompt itself, because quoting one takes longer than hashing it.

    The stroke tells it from any canonical text. What may mean the same as something else is always canonical.
    """
    if type(value) is str and len(value) > _LONG and meaning.default is None and not meaning.shown_as:
        return f"'{value}"
    return canonical(meaning, value)


class Agreement:
    """Tells which live objects need little, while they are read. `digests` says that marks keep some."""

    def __init__(self, manifests: Iterable[Manifest], owner: str, *, digests: bool = False) -> None:
        self._wanted = {manifest.address: manifest for manifest in manifests}
        self._owner = owner
        self._digests = digests
        self._bound = {each.id for each in self._wanted.values() if each.id is not None}
        self._former = {each.moved_from for each in self._wanted.values() if each.moved_from is not None}
        self._refers = any(each.refs for each in self._wanted.values())
        self._ids: dict[Address, str] = {}
        self._referring: dict[str, frozenset[str]] = {}

    def lean(self, kind: Kind, live: LiveObject) -> LiveObject:
        """The object as it was read, or what is needed of one that agrees with its manifest, or is not ours."""
        if live.id in self._bound:
            return live
        mark = mark_of(kind, live)
        if not isinstance(mark, Mark) or mark.owner != self._owner:
            body = self._used(kind, live, *filter(None, [kind.name_field]))
            return LiveObject(live.kind, live.id, body, live.created, mark=mark)
        manifest = self._wanted.get(Address(kind.name, mark.key))
        if mark.nonce == marks.NO_NONCE or manifest is None or manifest.id or mark.key in self._former:
            return live
        if not self._agrees(kind, manifest, mark, live):
            return live
        # The texts of the manifest, which are there anyway, and not those of the mark, which are the same.
        said = (mark.nonce, mark.protect, mark.on_remove, mark.units, mark.digests)
        known = Mark(self._owner, manifest.address.key, *said)
        return LiveObject(live.kind, live.id, self._used(kind, live), live.created, agrees=True, mark=known)

    def learn(self, observation: Observation) -> list[str]:
        """Take note of a kind that was read whole: later kinds may refer to it.

        Gives the ids of objects that agree, and are needed whole all the same: each is a second one of its address.
        """
        found = index(observation.kind, observation.objects, self._owner)
        if self._refers:
            self._ids |= paired_ids(found, self._wanted.values())
        return [owned.live.id for twins in found.twins.values() for owned in twins if owned.live.agrees]

    def _agrees(self, kind: Kind, manifest: Manifest, mark: Mark, live: LiveObject) -> bool:
        if is_expired(kind, live):
            return False
        gist = manifest.gist
        if gist is None and manifest.refs and self._ids.keys() >= set(manifest.refs.values()):
            gist = gist_of(kind, resolved(manifest, self._ids))
        if gist is None or (self._digests and gist.units and not mark.digests):
            return False
        present = units(kind, live.body)
        if _digest(kind, gist.units, present) != gist.digest:
            return False
        managed = {unit: present.get(unit) for unit in gist.units}
        return mark_of_units(kind, self._owner, manifest, mark, managed, managed if self._digests else None) == mark

    def _used(self, kind: Kind, live: LiveObject, *more: str) -> Body:
        names = self._referring.get(kind.name)
        if names is None:
            names = self._referring[kind.name] = referring(kind)
        # Nearly always nothing: one empty body for all of them.
        return {name: live.body[name] for name in (*names, *more) if live.body.get(name)} or _NOTHING
