"""What was last applied to an object: the base of the three-way comparison in `decide`.

There are two sources. A mark with digests is certain: it has the digest of each unit at the last write. The files of an
earlier commit hold what was wanted then. That is what was applied if nothing failed in between: good enough to
distinguish a manual change from an edit in the files, not good enough to refuse a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.core.references import resolved
from reconciler.core.values import marks
from reconciler.core.values.managed_units import managed_units
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Address, Json, Manifest, Unit
from reconciler.core.values.semantics import Kind, canonical, meaning_of, same


@dataclass(frozen=True, slots=True)
class Base:
    """What was last applied to one resource: the digests of its mark, or the units that earlier files managed.

    With neither it is unknown.
    """

    digests: Mapping[str, str] = field(default_factory=dict)
    managed: Mapping[Unit, Json] | None = None

    @property
    def certain(self) -> bool:
        """Whether it is known, and not only likely: then a change may be refused for it."""
        return bool(self.digests)

    def matches(self, kind: Kind, unit: Unit, value: Json) -> bool | None:
        """Whether `value` means what was last applied to `unit`; None where that is not known.

        A unit that was not managed then has nothing to stray from: any value agrees.
        """
        if self.digests:
            recorded = self.digests.get(marks.code(unit))
            return recorded is None or recorded == digest_of(kind, unit, value)
        if self.managed is None:
            return None
        return unit not in self.managed or same(meaning_of(kind, unit), self.managed[unit], value)


UNKNOWN: Final = Base()


def digest_of(kind: Kind, unit: Unit, value: Json) -> str:
    """A value as a mark remembers it."""
    return marks.digest_of(canonical(meaning_of(kind, unit), value))


@dataclass(frozen=True, slots=True)
class BaseSource:
    """Where the bases of objects come from: the mark first (unless it is not asked), then the files of a commit."""

    files: Mapping[Address, Manifest] = field(default_factory=dict)
    asks_marks: bool = True

    def of(self, kind: Kind, address: Address, mark: Mark | None) -> Base:
        """The base of one object, whose mark is None while it is adopted; a moved one is found by its earlier key."""
        if mark is None or not self.asks_marks:
            return UNKNOWN
        if mark.digests:
            return Base(mark.digests)
        earlier = self.files.get(Address(kind.name, mark.key)) or self.files.get(address)
        return UNKNOWN if earlier is None else Base(managed=managed_units(kind, earlier))

    def existed(self, address: Address) -> bool:
        """Whether the address certainly had an object when it was last applied."""
        return address in self.files

    def with_ids(self, ids: Mapping[Address, str]) -> BaseSource:
        """The same source, references of the earlier files resolved as those of today are."""
        return replace(self, files={address: resolved(manifest, ids) for address, manifest in self.files.items()})


NO_BASE: Final = BaseSource(asks_marks=False)
"""The source that remembers nothing."""
