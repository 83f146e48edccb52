"""What a manifest manages, and what was last applied to its object: two of the three sides of the table in `decide`.

Two sources remember it. A mark with digests says for certain what each of its units was when it was last written. The
files of an earlier commit say what was wanted then, which is what was applied if nothing went wrong in between: good
for telling a hand's edit from a file's, not good enough to refuse on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from reconciler.core import marks
from reconciler.core.marks import Mark
from reconciler.core.model import ABSENT, Address, Json, Manifest, Unit
from reconciler.core.references import resolved
from reconciler.core.semantics import Kind, canonical, meaning_of, same, units


def left_to_others(unit: Unit, names: frozenset[str]) -> bool:
    """Whether `names` (as written in `ignore` or `initial`) covers a unit: `metadata`, or `metadata.team`."""
    return unit[0] in names or ".".join(unit) in names


def desired_units(kind: Kind, manifest: Manifest) -> dict[Unit, Json]:
    """The units a manifest sets, less those it ignores."""
    found = units(kind, manifest.body)
    return {unit: value for unit, value in found.items() if not left_to_others(unit, manifest.ignore)}


def managed_units(kind: Kind, manifest: Manifest) -> dict[Unit, Json]:
    """The units a manifest keeps managing after create: `initial` ones are left to others then."""
    desired = desired_units(kind, manifest)
    return {unit: value for unit, value in desired.items() if not left_to_others(unit, manifest.initial)}


def managed_maps(kind: Kind, manifest: Manifest) -> frozenset[str]:
    """The fields of a manifest that are maps of which all entries are managed."""
    left = manifest.ignore | manifest.initial
    return frozenset(name for name in kind.managed_maps if name in manifest.body and name not in left)


def remembered_units(kind: Kind, manifest: Manifest) -> dict[Unit, Json]:
    """The managed units as a mark remembers them: of a map of which all entries are managed, that there is one."""
    managed = managed_units(kind, manifest)
    if not kind.managed_maps:
        return managed
    alone = {unit: value for unit, value in managed.items() if unit[0] not in kind.managed_maps}
    maps: dict[Unit, Json] = {(name,): ABSENT for name in managed_maps(kind, manifest)}
    return alone | maps


class Base(Protocol):
    """What was last applied to one resource; `certain` says whether a change may be refused for it."""

    @property
    def certain(self) -> bool:
        """Whether it is known, and not only likely."""
        ...

    def agrees(self, unit: Unit, value: Json) -> bool | None:
        """Whether `value` means what was last applied to `unit`; None where that is not known.

        A unit that was not managed then has nothing to stray from: any value agrees.
        """
        ...


@dataclass(frozen=True, slots=True)
class UnknownBase:
    """The base when nothing remembers what was last applied."""

    certain: bool = False

    def agrees(self, unit: Unit, value: Json) -> bool | None:
        """Never known."""
        return None


@dataclass(frozen=True, slots=True)
class FilesBase:
    """What an earlier state of the files wanted; `managed` holds the units they managed."""

    kind: Kind
    managed: Mapping[Unit, Json]
    certain: bool = False

    def agrees(self, unit: Unit, value: Json) -> bool | None:
        """Whether the earlier files wanted this value."""
        return unit not in self.managed or same(meaning_of(self.kind, unit), self.managed[unit], value)


@dataclass(frozen=True, slots=True)
class MarkBase:
    """What the digests of a mark remember."""

    kind: Kind
    mark: Mark
    certain: bool = True

    def agrees(self, unit: Unit, value: Json) -> bool | None:
        """Whether the value's digest is the one in the mark."""
        recorded = self.mark.digests.get(marks.code(unit))
        return recorded is None or recorded == digest_of(self.kind, unit, value)


def digest_of(kind: Kind, unit: Unit, value: Json) -> str:
    """A value as a mark remembers it."""
    return marks.digest_of(canonical(meaning_of(kind, unit), value))


class BaseSource(Protocol):
    """Where the bases of a kind's objects come from."""

    def of(self, kind: Kind, address: Address, mark: Mark | None) -> Base:
        """The base of an object, from its manifest's address and its mark (None while it is being adopted)."""
        ...

    def had(self, address: Address) -> bool:
        """Whether the address certainly had an object when it was last applied."""
        ...

    def knowing(self, ids: Mapping[Address, str]) -> BaseSource:
        """The same source, with these ids in the place of references."""
        ...


@dataclass(frozen=True, slots=True)
class NoBase:
    """The source that remembers nothing."""

    def of(self, kind: Kind, address: Address, mark: Mark | None) -> Base:
        """Unknown."""
        return UnknownBase()

    def had(self, address: Address) -> bool:
        """Not that it knew."""
        return False

    def knowing(self, ids: Mapping[Address, str]) -> BaseSource:
        """Itself."""
        return self


NO_BASE: Final = NoBase()


@dataclass(frozen=True, slots=True)
class Remembered:
    """The source that asks the mark first, then the files of an earlier commit, as far as those are known."""

    files: Mapping[Address, Manifest] = field(default_factory=dict)

    def of(self, kind: Kind, address: Address, mark: Mark | None) -> Base:
        """The base of one object: an object that was moved is found under the key it had."""
        if mark is None:
            return UnknownBase()
        if mark.digests:
            return MarkBase(kind, mark)
        earlier = self.files.get(Address(kind.name, mark.key)) or self.files.get(address)
        return UnknownBase() if earlier is None else FilesBase(kind, managed_units(kind, earlier))

    def had(self, address: Address) -> bool:
        """Whether the earlier files had it."""
        return address in self.files

    def knowing(self, ids: Mapping[Address, str]) -> BaseSource:
        """With references of the earlier files resolved as those of today are."""
        return Remembered({address: resolved(manifest, ids) for address, manifest in self.files.items()})
