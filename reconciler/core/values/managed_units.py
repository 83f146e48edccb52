"""Which units (top-level fields, or entries of a map) a manifest sets, and which it keeps managing."""

from __future__ import annotations

from reconciler.core.values.model import ABSENT, Json, Manifest, Unit
from reconciler.core.values.semantics import Kind, units


def is_ignored(unit: Unit, names: frozenset[str]) -> bool:
    """Whether `names` (as written in `ignore` or `initial`) covers a unit: `metadata`, or `metadata.team`."""
    return unit[0] in names or ".".join(unit) in names


def desired_units(kind: Kind, manifest: Manifest) -> dict[Unit, Json]:
    """The units a manifest sets, less those it ignores."""
    found = units(kind, manifest.body)
    return {unit: value for unit, value in found.items() if not is_ignored(unit, manifest.ignore)}


def managed_units(kind: Kind, manifest: Manifest) -> dict[Unit, Json]:
    """The units a manifest keeps managing after create: `initial` ones are left to others then."""
    desired = desired_units(kind, manifest)
    return {unit: value for unit, value in desired.items() if not is_ignored(unit, manifest.initial)}


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
