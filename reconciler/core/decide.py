"""When is a field sent, left alone or cleared? This file answers, for one unit at a time.

    D desired (the file)   L live (the remote)   B base (what was last applied; may be unknown)

    | case               | meaning                | result                                                   |
    |--------------------|------------------------|----------------------------------------------------------|
    | D = L              | agree                  | nothing                                                  |
    | D ≠ L, B unknown   | differs                | write D, reason `changed`                                |
    | D ≠ L, L = B       | the file changed       | write D, reason `edited`                                 |
    | D ≠ L, D = B       | the live object did    | write D, reason `drifted`; `--on-drift keep`: leave L    |
    | D ≠ L, both ≠ B    | both changed           | write D, reason `conflict`; `--resolve theirs`: leave L  |
    | managed, no D      | given up               | write the schema's `x-on-remove` once, reason `removed`; |
    |                    |                        | where L ≠ B another owner has it: released, reported     |
    | never in our files | not ours               | never compared, never sent                               |

`=` is equality of meaning (`semantics.same`). What B says is only a label unless a `ConflictPolicy` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from reconciler.core.last_applied import UNKNOWN, Base
from reconciler.core.values.managed_units import desired_units, is_ignored, managed_maps, managed_units
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import ABSENT, Body, Json, Manifest, Reason, Unit
from reconciler.core.values.semantics import Kind, as_far_as_wanted, can_clear, meaning_of, same, units
from reconciler.diagnostics import Code, Diagnostic, Severity


class OnDrift(StrEnum):
    """What to do about a unit that was changed on the remote, and not in the files."""

    REVERT = "revert"
    KEEP = "keep"
    FAIL = "fail"


class Resolve(StrEnum):
    """Whose value a unit gets that was changed on both sides."""

    OURS = "ours"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class ConflictPolicy:
    """What a person decided beforehand about other people's changes."""

    on_drift: OnDrift = OnDrift.REVERT
    resolve: Resolve | None = None


DEFAULT_POLICY: Final = ConflictPolicy()
"""Nothing was decided beforehand: what differs is written, and a certain conflict is refused."""


class ChangedBy(Enum):
    """Who changed a unit since it was last applied."""

    UNKNOWN = Reason.CHANGED
    FILES = Reason.EDITED
    OTHERS = Reason.DRIFTED
    BOTH = Reason.CONFLICT


@dataclass(frozen=True, slots=True)
class Write:
    """One unit to be written: `after` is `ABSENT` where an entry of a map is taken away."""

    unit: Unit
    before: Json
    after: Json
    reason: Reason
    by: ChangedBy = ChangedBy.UNKNOWN


@dataclass(frozen=True, slots=True)
class Decision:
    """The units of one resource that are written, those that are left as they are live, and what to report."""

    writes: tuple[Write, ...]
    ignored: tuple[Write, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def decide_create(kind: Kind, manifest: Manifest) -> Decision:
    """Every unit of the manifest, `initial` ones too."""
    writes = (Write(unit, ABSENT, value, Reason.NEW) for unit, value in desired_units(kind, manifest).items())
    return Decision(tuple(writes))


def decide_update(
    kind: Kind,
    manifest: Manifest,
    live: Body,
    mark: Mark | None,
    base: Base = UNKNOWN,
    policy: ConflictPolicy = DEFAULT_POLICY,
) -> Decision:
    """The units in which `live` must change to look like the manifest, as far as the policy wants that.

    `mark` is the live object's (None when it is being adopted: then nothing was managed, and nothing is given up).
    """
    desired = managed_units(kind, manifest)
    present = _as_compared(kind, desired, units(kind, live))
    differing = list(_differing(kind, desired, present, base))
    ignored = tuple(write for write in differing if _is_left(policy, write.by, base))
    writes = [write for write in differing if not _is_left(policy, write.by, base)]
    diagnostics: list[Diagnostic] = []
    for unit in _relinquished(kind, manifest, present, mark):
        verdict = _relinquish(kind, manifest, unit, present.get(unit, ABSENT), base)
        if isinstance(verdict, Write):
            writes.append(verdict)
        elif verdict is not None:
            diagnostics.append(verdict)
    diagnostics += (_left_as_it_is(manifest, write) for write in ignored)
    return Decision((*writes, *_coupled(kind, desired, present, writes, ignored)), ignored, tuple(diagnostics))


def _as_compared(kind: Kind, desired: Mapping[Unit, Json], present: dict[Unit, Json]) -> Mapping[Unit, Json]:
    """The units that are live, entries of managed maps as far as the manifest says something about them."""
    for unit in present if kind.managed_maps else ():
        if unit[0] in kind.managed_maps and unit in desired:
            present[unit] = as_far_as_wanted(meaning_of(kind, unit), desired[unit], present[unit])
    return present


def _is_left(policy: ConflictPolicy, by: ChangedBy, base: Base) -> bool:
    """Whether a unit that differs stays as it is on the remote; drift takes a certain base."""
    if by is ChangedBy.OTHERS:
        return base.certain and policy.on_drift is OnDrift.KEEP
    return by is ChangedBy.BOTH and policy.resolve is Resolve.THEIRS


def _differing(kind: Kind, desired: Mapping[Unit, Json], present: Mapping[Unit, Json], base: Base) -> Iterator[Write]:
    for unit, value in desired.items():
        before, meaning = present.get(unit, ABSENT), meaning_of(kind, unit)
        if not meaning.uncompared and not same(meaning, value, before):
            by = _changed_by(kind, unit, value, before, base)
            yield Write(unit, before, value, by.value, by)


def _changed_by(kind: Kind, unit: Unit, desired: Json, live: Json, base: Base) -> ChangedBy:
    if unit[0] in kind.managed_maps or (live_agrees := base.matches(kind, unit, live)) is None:
        return ChangedBy.UNKNOWN
    if live_agrees:
        return ChangedBy.FILES
    return ChangedBy.OTHERS if base.matches(kind, unit, desired) else ChangedBy.BOTH


def _relinquished(kind: Kind, manifest: Manifest, present: Mapping[Unit, Json], mark: Mark | None) -> Iterator[Unit]:
    """Units that the mark says we managed, and entries that are all ours, that the manifest does not name any more."""
    in_file, maps = units(kind, manifest.body), managed_maps(kind, manifest)
    fields = [(name,) for name, meaning in kind.fields.items() if not meaning.granular] if mark else []
    entries = [unit for unit in present if len(unit) > 1]
    for unit in (*fields, *entries):
        of_map = unit[0] in kind.managed_maps
        remembered = mark is not None and mark.manages(unit[:1] if of_map else unit)
        managed = unit[0] in maps or (remembered and not (of_map and unit[0] in manifest.body))
        if managed and unit not in in_file and not is_ignored(unit, manifest.ignore):
            yield unit


def _relinquish(kind: Kind, manifest: Manifest, unit: Unit, live: Json, base: Base) -> Write | Diagnostic | None:
    if unit[0] in kind.managed_maps:
        return Write(unit, live, ABSENT, Reason.REMOVED)
    cleared = ABSENT if len(unit) > 1 and kind.maps != "merge" else meaning_of(kind, unit).on_remove
    if cleared is not ABSENT and same(meaning_of(kind, unit), cleared, live):
        return None
    if base.matches(kind, unit, live) is False:
        return _warning(
            manifest, unit, "was removed from the file, but was changed on the remote since: the live value stays", ""
        )
    if not can_clear(kind, unit):
        hint = "set it to the value it should have, then remove it"
        return _warning(manifest, unit, "was removed from the file, but cannot be cleared: the live value stays", hint)
    return Write(unit, live, cleared, Reason.REMOVED)


def _left_as_it_is(manifest: Manifest, write: Write) -> Diagnostic:
    who = "here and outside these files" if write.by is ChangedBy.BOTH else "outside these files"
    summary = f"{'.'.join(write.unit)} was changed {who} and the live value stays"
    hint = f"`reconciler pull --theirs {manifest.address}` writes it into the file"
    place = manifest.place(write.unit)
    return Diagnostic(Severity.INFO, Code.KEPT, summary, hint=hint, source=place, address=str(manifest.address))


def _warning(manifest: Manifest, unit: Unit, what: str, hint: str) -> Diagnostic:
    summary = f"{'.'.join(unit)} {what}"
    return Diagnostic(
        Severity.WARNING, Code.CANNOT_CLEAR, summary, hint=hint, source=manifest.source, address=str(manifest.address)
    )


def _coupled(
    kind: Kind,
    desired: Mapping[Unit, Json],
    present: Mapping[Unit, Json],
    writes: list[Write],
    ignored: Sequence[Write],
) -> Iterator[Write]:
    """Nulls that must travel with a changed field, though they change nothing by themselves.

    Some remotes validate the merged object: leaving a reasoning model is only accepted together with an explicit
    `reasoning_effort: null`, even where the object shows none.
    """
    written = {write.unit[0] for write in writes}
    decided = written | {write.unit[0] for write in ignored}
    for group in kind.coupled:
        if written.isdisjoint(group):
            continue
        for name in group:
            if name not in decided and (name,) in desired and desired[(name,)] is None:
                yield Write((name,), present.get((name,), ABSENT), None, Reason.COUPLED)
