"""Which units a manifest sets, and which of them it goes on managing."""

from __future__ import annotations

from reconciler.core.model import Json, Manifest, Unit
from reconciler.core.semantics import Kind, units


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
