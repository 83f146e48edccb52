"""Sorts the live objects of one kind by owner and key, read from their marks.

Several objects may claim one key. The oldest counts (ties go to the smaller id, so that every run agrees); one with a
different nonce is a duplicate, made when two applies ran at once. An object with the nonce of an older one of the same
owner, whatever key it has by now, is a clone: a person copied it, mark included, and it is only reported. One whose
mark names us and is not proven (see `marks.Proof`) is not ours. Of a kind that never changes it is kept among ours, for
its mark cannot be signed later: `proof` has the rules for those.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeGuard, TypeVar

from reconciler.core.values import marks
from reconciler.core.values.marks import DamagedMark, Mark, NewerMark
from reconciler.core.values.model import Json, LiveObject
from reconciler.core.values.semantics import MARK_ENTRY, Kind, canonical

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def mark_of(kind: Kind, live: LiveObject) -> Mark | NewerMark | DamagedMark | None:
    """The mark an object carries, if any."""
    known: Mark | NewerMark | DamagedMark | None = live.mark
    return known or marks.read(mark_text(kind, live))


def mark_text(kind: Kind, live: LiveObject) -> Json:
    """The raw entry in the mark's place; None where there is none."""
    carrier = live.body.get(kind.mark_field)
    return carrier.get(MARK_ENTRY) if isinstance(carrier, dict) else None


def is_ours(mark: Mark | NewerMark | DamagedMark | None, owner: str) -> TypeGuard[Mark]:
    """Whether a mark is this owner's, and believed."""
    return isinstance(mark, Mark) and mark.owner == owner and not mark.proof.is_doubtful


def content_of(kind: Kind, body: Mapping[str, Json]) -> bytes:
    """16 bytes that stand for all that a body says, the maps that are managed entry by entry aside."""
    fields = (n for n, each in kind.fields.items() if not (each.uncompared or each.read_only or each.granular))
    texts = (f"{name} {canonical(kind.fields[name], body.get(name))}" for name in sorted(fields))
    return hashlib.blake2b("\n".join(texts).encode(errors="surrogatepass"), digest_size=16).digest()


def folded(name: Json) -> str | None:
    """A name as it is compared: NFC and case folded; None where there is no name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()) if _is_name(name) else None


def _is_name(name: Json) -> bool:
    return isinstance(name, str) and bool(name)


@dataclass(frozen=True, slots=True)
class Observation:
    """Every object of one kind on the target, each once, from a list read to its end."""

    kind: Kind
    objects: tuple[LiveObject, ...]
    requests: int


@dataclass(frozen=True, slots=True)
class Managed:
    """A live object with a mark that can be read, and what the mark says."""

    live: LiveObject
    mark: Mark


@dataclass
class Index:
    """The live objects of one kind. `managed` has one object for each key, `duplicates` the younger ones.

    Look-ups are made once, when somebody first asks: an account of any size is asked once for each manifest.
    """

    kind: Kind
    owner: str = ""
    objects: Sequence[LiveObject] = ()
    managed: dict[str, Managed] = field(default_factory=dict)
    duplicates: dict[str, list[Managed]] = field(default_factory=dict)
    clones: list[tuple[Managed, Managed]] = field(default_factory=list)
    foreign: list[Managed] = field(default_factory=list)
    newer: list[tuple[LiveObject, NewerMark]] = field(default_factory=list)
    damaged: list[LiveObject] = field(default_factory=list)
    unproven: list[Managed] = field(default_factory=list)

    @cached_property
    def by_id(self) -> Mapping[str, LiveObject]:
        """Every object, in the order of the remote."""
        return {live.id: live for live in self.objects}

    @cached_property
    def marked(self) -> Mapping[str, Managed]:
        """Every object whose mark names us by its id, duplicates and clones too."""
        duplicates = (each for several in self.duplicates.values() for each in several)
        return {each.live.id: each for each in (*self.managed.values(), *duplicates, *self._clones.values())}

    @cached_property
    def unmanaged(self) -> Sequence[LiveObject]:
        """Every object that is not ours, clones of ours among them, in the order of the remote."""
        ours = self.marked.keys() - self._clones.keys()
        return [live for live in self.objects if live.id not in ours] if len(ours) < len(self.objects) else []

    @cached_property
    def unmarked(self) -> Sequence[LiveObject]:
        """Every object without any mark."""
        return [live for live in self.objects if mark_of(self.kind, live) is None]

    def candidates(self, key: str) -> list[Managed]:
        """The objects that claim a key, oldest first."""
        first = self.managed.get(key)
        return [first, *self.duplicates.get(key, ())] if first else []

    def unproven_of(self, key: str) -> Managed | None:
        """The oldest object whose mark names us and this key, and is not believed."""
        return next((each for each in self.unproven if each.mark.key == key), None)

    def clone_of(self, id: str) -> LiveObject | None:
        """An object that a person made by copying this one, mark included, or that it was copied from.

        Nonces count within one owner: a mark of another is no copy of ours.
        """
        each = self.marked.get(id)
        alike = self._nonces.get(each.mark.nonce, ()) if each else ()
        return next((other for other in alike if other.id != id), None)

    def is_clone(self, id: str) -> bool:
        """Whether an object was made by copying another, mark included."""
        return id in self._clones

    def unmanaged_named(self, name: Json) -> Sequence[LiveObject]:
        """The objects that are not ours and have this name, NFC and case folding aside, by id."""
        return self._by_name.get(folded(name) or "", ())

    def unmanaged_like(self, content: bytes) -> Sequence[LiveObject]:
        """The objects that are not ours and say the same (see `content_of`), by id."""
        return self._by_content.get(content, ())

    def foreign_of(self, key: str) -> Managed | None:
        """The oldest object of another owner that has this key."""
        return self._foreign_keys.get(key)

    @cached_property
    def _by_name(self) -> Mapping[str, Sequence[LiveObject]]:
        names = ((folded(live.body.get(self.kind.name_field or "")), live) for live in self._sorted_unmanaged)
        return grouped((name, live) for name, live in names if name)

    @cached_property
    def _by_content(self) -> Mapping[bytes, Sequence[LiveObject]]:
        return grouped((live.content or content_of(self.kind, live.body), live) for live in self._sorted_unmanaged)

    @cached_property
    def _sorted_unmanaged(self) -> Sequence[LiveObject]:
        return sorted(self.unmanaged, key=lambda live: live.id)

    @cached_property
    def _foreign_keys(self) -> Mapping[str, Managed]:
        return {each.mark.key: each for each in reversed(self.foreign)}

    @cached_property
    def _nonces(self) -> Mapping[str, Sequence[LiveObject]]:
        marked = (each for each in self.marked.values() if each.mark.nonce != marks.NO_NONCE)
        return grouped((each.mark.nonce, each.live) for each in marked)

    @cached_property
    def _clones(self) -> Mapping[str, Managed]:
        return {clone.live.id: clone for _, clone in self.clones}


def grouped(pairs: Iterable[tuple[_Key, _Value]]) -> Mapping[_Key, Sequence[_Value]]:
    """The values by their keys, in the order given."""
    groups: dict[_Key, list[_Value]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def index(kind: Kind, objects: Iterable[LiveObject], owner: str) -> Index:
    """Sort the live objects of a kind by the owner and key their marks name."""
    found = Index(kind, owner, tuple(objects))
    originals: dict[tuple[str, str], Managed] = {}
    # By their time, then by id: one after the other, because a pair for each object would be held until the end.
    oldest_first = sorted(found.objects, key=lambda live: live.id)
    oldest_first.sort(key=lambda live: live.created)
    for live in oldest_first:
        match mark_of(kind, live):
            case None:
                pass
            case NewerMark() as newer:
                found.newer.append((live, newer))
            case DamagedMark():
                found.damaged.append(live)
            case mark if mark.owner == owner and mark.proof.is_doubtful and not kind.immutable:
                found.unproven.append(Managed(live, mark))
            case mark:
                _sort_in(found, Managed(live, mark), originals)
    return found


def _sort_in(found: Index, each: Managed, originals: dict[tuple[str, str], Managed]) -> None:
    mark, original = each.mark, each
    if mark.nonce != marks.NO_NONCE:
        original = originals.setdefault((mark.owner, mark.nonce), each)
    if mark.owner != found.owner:
        found.foreign.append(each)
    elif original is not each:
        found.clones.append((original, each))
    elif found.managed.setdefault(mark.key, each) is not each:
        found.duplicates.setdefault(mark.key, []).append(each)
