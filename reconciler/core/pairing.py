"""Which live object belongs to which manifest: read from the marks, never from names.

Several objects may claim one address. The oldest is the one that counts (ties go to the smaller id, so that everyone
agrees); one with a different nonce is our own twin, made when two applies ran at once. An object with the nonce of an
older one, whatever key or owner either has by now, was copied by a person and is only reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from reconciler.core import marks
from reconciler.core.marks import DamagedMark, Mark, NewerMark
from reconciler.core.model import Json, LiveObject
from reconciler.core.semantics import MARK_ENTRY, Kind


def mark_of(kind: Kind, live: LiveObject) -> Mark | NewerMark | DamagedMark | None:
    """The mark an object carries, if any."""
    known: Mark | NewerMark | DamagedMark | None = live.mark
    return known or marks.read(mark_text(kind, live))


def mark_text(kind: Kind, live: LiveObject) -> object:
    """The raw entry in the mark's place; None where there is none."""
    carrier = live.body.get(kind.mark_field)
    return carrier.get(MARK_ENTRY) if isinstance(carrier, dict) else None


@dataclass(frozen=True, slots=True)
class Observation:
    """Every object of one kind on the target, each once, from a list read to its end."""

    kind: Kind
    objects: tuple[LiveObject, ...]
    requests: int


@dataclass(frozen=True, slots=True)
class Managed:
    """A live object of ours and what its mark says."""

    live: LiveObject
    mark: Mark


@dataclass
class Index:
    """The live objects of one kind, sorted by whose they are. `ours` has one object for each key.

    Look-ups are made once, when somebody first asks: an account of any size is asked once for each manifest.
    """

    kind: Kind
    ours: dict[str, Managed] = field(default_factory=dict)
    twins: dict[str, list[Managed]] = field(default_factory=dict)
    copies: list[tuple[Managed, Managed]] = field(default_factory=list)
    foreign: list[Managed] = field(default_factory=list)
    newer: list[tuple[LiveObject, NewerMark]] = field(default_factory=list)
    damaged: list[LiveObject] = field(default_factory=list)
    unmarked: list[LiveObject] = field(default_factory=list)
    objects: Sequence[LiveObject] = ()

    @cached_property
    def by_id(self) -> Mapping[str, LiveObject]:
        """Every object, in the order of the remote."""
        return {live.id: live for live in self.objects}

    @cached_property
    def unmanaged_objects(self) -> list[LiveObject]:
        """Every object that is not under our management, in the order of the remote."""
        marked = (owned.live for owned in (*self.foreign, *self._copied.values()))
        others = {live.id for live in (*marked, *(live for live, _ in self.newer), *self.damaged, *self.unmarked)}
        return [live for live in self.objects if live.id in others] if others else []

    @cached_property
    def with_our_mark(self) -> Mapping[str, Managed]:
        """Every object whose mark names us, twins and copies too, by its id."""
        twins = (twin for twins in self.twins.values() for twin in twins)
        return {owned.live.id: owned for owned in (*self.ours.values(), *twins, *self._copied.values())}

    def strangers_named(self, name: Json) -> list[LiveObject]:
        """The objects that are not ours and have a name, in the order of the remote; none where there is no name."""
        return self._strangers.get(name, []) if isinstance(name, str) and name else []

    def copy_of(self, id: str) -> LiveObject | None:
        """An object that a person made by copying this one, mark included."""
        return self._copies.get(id)

    def is_copy(self, id: str) -> bool:
        """Whether an object was made by copying another, mark included."""
        return id in self._copied

    @cached_property
    def _strangers(self) -> Mapping[str, list[LiveObject]]:
        named: dict[str, list[LiveObject]] = {}
        for live in self.unmanaged_objects:
            if isinstance(name := live.body.get(self.kind.name_field or ""), str):
                named.setdefault(name, []).append(live)
        return named

    @cached_property
    def _copies(self) -> Mapping[str, LiveObject]:
        return {first.live.id: copy.live for first, copy in reversed(self.copies)}

    @cached_property
    def _copied(self) -> Mapping[str, Managed]:
        return {copy.live.id: copy for _, copy in self.copies}


def mark_to_keep(found: Index, owned: Managed) -> Mark:
    """An object's mark as it goes on: a copy that gets a manifest of its own gets a nonce of its own."""
    return replace(owned.mark, nonce=marks.NO_NONCE) if found.is_copy(owned.live.id) else owned.mark


def index(kind: Kind, objects: Iterable[LiveObject], owner: str) -> Index:
    """Sort the live objects of a kind by the owner and key their marks name."""
    found = Index(kind, objects=tuple(objects))
    originals: dict[str, Managed] = {}
    # By their time, then by id: one after the other, because a pair for each object would be held until the end.
    oldest_first = sorted(found.objects, key=lambda live: live.id)
    oldest_first.sort(key=lambda live: live.created)
    for live in oldest_first:
        match mark_of(kind, live):
            case None:
                found.unmarked.append(live)
            case NewerMark() as newer:
                found.newer.append((live, newer))
            case DamagedMark():
                found.damaged.append(live)
            case mark:
                owned = Managed(live, mark)
                original = originals.setdefault(mark.nonce, owned) if mark.nonce != marks.NO_NONCE else owned
                if mark.owner != owner:
                    found.foreign.append(owned)
                elif original is not owned:
                    found.copies.append((original, owned))
                elif found.ours.setdefault(mark.key, owned) is not owned:
                    found.twins.setdefault(mark.key, []).append(owned)
    return found
