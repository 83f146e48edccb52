"""Rules that block a change because of single units: conflicts, drift, parts that cannot be cleared."""

from __future__ import annotations

from reconciler.core.decide import ChangedBy, ConflictPolicy, Decision, OnDrift
from reconciler.core.last_applied import Base
from reconciler.core.patch import unclearable_parts
from reconciler.core.values.model import Block, Blocker, Manifest, Path
from reconciler.core.values.semantics import Kind, meaning_of


def refuse_units(
    kind: Kind, manifest: Manifest, decision: Decision, base: Base, policy: ConflictPolicy
) -> Block | None:
    """Why the units of a resource must not be written as decided."""
    fixed = [write.unit[0] for write in decision.writes if meaning_of(kind, write.unit).immutable]
    if fixed:
        return Block(Blocker.IMMUTABLE, f"{', '.join(fixed)} can only be set when the object is created")
    if stuck := [_dotted(path) for path in staying_parts(kind, decision)]:
        hint = f"no request can remove {', '.join(stuck)}: write the wanted value, or the live one"
        return Block(Blocker.INEXPRESSIBLE, hint)
    names, theirs = _units_of(decision, ChangedBy.BOTH), f"`reconciler pull --theirs {manifest.address}`"
    if names and base.certain and policy.resolve is None:
        hint = (
            f"{names} changed both here and outside these files: `--resolve ours` sends the value of the file, "
            f"`--resolve theirs` keeps the live value, {theirs} writes it into the file"
        )
        return Block(Blocker.CONFLICT, hint)
    names = _units_of(decision, ChangedBy.OTHERS)
    if names and base.certain and policy.on_drift is OnDrift.FAIL:
        hint = (
            f"{names} changed outside these files: `--on-drift revert` sends the value of the file, `--on-drift "
            f"keep` keeps the live value, {theirs} writes it into the file"
        )
        return Block(Blocker.DRIFT, hint)
    return None


def staying_parts(kind: Kind, decision: Decision) -> list[Path]:
    """The parts that leave a manifest, and that no request can take out of the object."""
    if kind.nested != "merge":
        return []
    found = (unclearable_parts(meaning_of(kind, w.unit), w.after, w.before, w.unit) for w in decision.writes)
    return [path for paths in found for path in paths]


def _units_of(decision: Decision, by: ChangedBy) -> str:
    return ", ".join(".".join(write.unit) for write in decision.writes if write.by is by)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
