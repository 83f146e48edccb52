"""Reduces the objects of an account while they are read: full bodies only where something may change.

Of an object in sync with its manifest, or not ours, a header is enough for every decision: its mark, its name, what it
refers to, and what stands for its content. Of an object that a manifest binds by id, or says it was moved from, all is
kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from reconciler.core.fingerprint import fingerprint, in_sync
from reconciler.core.matching.index import Index, Observation, content_of, index, is_ours, mark_of
from reconciler.core.matching.match import match
from reconciler.core.references import referring, resolved
from reconciler.core.values import marks
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Address, Body, LiveObject, Manifest
from reconciler.core.values.semantics import Kind

_NOTHING: Final[Body] = {}


class Compactor:
    """Keeps what is needed of objects as they are read. `digests` says that marks keep digests."""

    def __init__(self, manifests: Iterable[Manifest], owner: str, *, digests: bool = False) -> None:
        self._wanted = {manifest.address: manifest for manifest in manifests}
        self._owner = owner
        self._digests = digests
        self._bound = {each.id for each in self._wanted.values() if each.id is not None}
        self._former = {each.moved_from for each in self._wanted.values() if each.moved_from is not None}
        self._refers = any(each.refs for each in self._wanted.values())
        self._ids: dict[Address, str] = {}
        self._referring: dict[str, frozenset[str]] = {}

    def compact(self, kind: Kind, live: LiveObject) -> LiveObject:
        """The object as it was read, or the header of one that needs nothing, or is not ours."""
        if live.id in self._bound:
            return live
        mark = mark_of(kind, live)
        if kind.immutable and isinstance(mark, Mark) and mark.proof.is_doubtful:
            return live
        if not is_ours(mark, self._owner):
            header = self._header(kind, live, *filter(None, [kind.name_field]))
            return LiveObject(live.kind, live.id, header, live.created, mark=mark, content=content_of(kind, live.body))
        manifest = self._wanted.get(Address(kind.name, mark.key))
        if mark.nonce == marks.NO_NONCE or manifest is None or manifest.id or mark.key in self._former:
            return live
        if not self._in_sync(kind, manifest, mark, live):
            return live
        # The texts of the manifest, which are there anyway, and not those of the mark, which are the same.
        rest = (mark.nonce, mark.protect, mark.on_remove, mark.units, mark.digests, mark.former)
        known = Mark(self._owner, manifest.address.key, *rest, mark.proof)
        return LiveObject(live.kind, live.id, self._header(kind, live), live.created, in_sync=True, mark=known)

    def learn(self, observation: Observation) -> list[str]:
        """Take note of a kind that was read whole: later kinds may refer to it.

        Gives the ids of objects in sync that are needed whole all the same: their address has several, or they are
        copies, which are not managed.
        """
        found = index(observation.kind, observation.objects, self._owner)
        if self._refers:
            of_kind = {a.key: m for a, m in self._wanted.items() if a.kind == observation.kind.name}
            paired = match(found, of_kind).ids
            # Of a move or a rename it is not known here whether it is refused: what refers to that is kept whole.
            self._ids |= {at: id for at, id in paired.items() if id in self._bound or _has_key(found, id, at.key)}
        several = [each for key in found.duplicates for each in found.candidates(key)]
        copies = [copy for _, copy in found.clones]
        return [each.live.id for each in (*several, *copies) if each.live.in_sync]

    def _in_sync(self, kind: Kind, manifest: Manifest, mark: Mark, live: LiveObject) -> bool:
        wanted = manifest.fingerprint
        if wanted is None and manifest.refs and self._ids.keys() >= set(manifest.refs.values()):
            wanted = fingerprint(kind, resolved(manifest, self._ids))
        return in_sync(kind, manifest, wanted, mark, live, digests=self._digests)

    def _header(self, kind: Kind, live: LiveObject, *more: str) -> Body:
        names = self._referring.get(kind.name)
        if names is None:
            names = self._referring[kind.name] = referring(kind)
        # Nearly always nothing: one empty body for all of them.
        return {name: live.body[name] for name in (*names, *more) if live.body.get(name)} or _NOTHING


def _has_key(found: Index, id: str, key: str) -> bool:
    return id in found.marked and found.marked[id].mark.key == key
