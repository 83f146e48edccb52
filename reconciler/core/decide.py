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
    |                    |                        | where L ≠ B somebody took it over: released, and said    |
    | never in our files | not ours               | never compared, never sent                               |

`=` is equality of meaning (`semantics.same`). What B says is only a label unless a `ConflictPolicy` says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from reconciler.core.base import Base
from reconciler.core.desired import desired_units, left_to_others, managed_maps, managed_units
from reconciler.core.marks import Mark
from reconciler.core.model import (
    ABSENT,
    Body,
    Json,
    Manifest,
    Reason,
    Unit,
)
from reconciler.core.parts import explicit
from reconciler.core.semantics import FREE, Kind, can_clear, meaning_of, same, spoken_of, units
from reconciler.diagnostics import Code, Diagnostic, Severity


@dataclass(frozen=True, slots=True)
class Write:
    """One unit to be written: `after` is `ABSENT` where an entry of a map is taken away."""

    unit: Unit
    before: Json
    after: Json
    reason: Reason


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

    def keeps(self, reason: Reason) -> bool:
        """Whether a unit that differs for this reason is left as it is on the remote."""
        if reason is Reason.DRIFTED:
            return self.on_drift is OnDrift.KEEP
        return reason is Reason.CONFLICT and self.resolve is Resolve.THEIRS


AS_USUAL: Final = ConflictPolicy()
"""Nothing was decided beforehand: what differs is written, and a certain conflict is refused."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The units of one resource that are written, those that are kept as they are live, and what there is to say."""

    writes: tuple[Write, ...]
    kept: tuple[Write, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


def decide_create(kind: Kind, manifest: Manifest) -> Decision:
    """Every unit of the manifest, `initial` ones too."""
    writes = (Write(unit, ABSENT, value, Reason.NEW) for unit, value in desired_units(kind, manifest).items())
    return Decision(tuple(writes))


def decide_update(
    kind: Kind, manifest: Manifest, live: Body, mark: Mark | None, base: Base, stance: ConflictPolicy = AS_USUAL
) -> Decision:
    """The units in which `live` must change to look like the manifest, as far as the stance wants that.

    `mark` is the live object's (None when it is being adopted: then nothing was managed, and nothing is given up).
    """
    desired = managed_units(kind, manifest)
    present = _as_spoken_of(kind, desired, units(kind, live))
    differing = list(_differing(kind, desired, present, base))
    writes = [write for write in differing if not stance.keeps(write.reason)]
    kept = tuple(write for write in differing if stance.keeps(write.reason))
    said: list[Diagnostic] = []
    for unit in _given_up(kind, manifest, present, mark):
        verdict = _give_up(kind, manifest, unit, present.get(unit, ABSENT), base)
        if isinstance(verdict, Write):
            writes.append(verdict)
        elif verdict is not None:
            said.append(verdict)
    said += (_kept(manifest, write) for write in kept)
    return Decision((*writes, *_coupled(kind, desired, present, writes, kept)), kept, tuple(said))


def _as_spoken_of(kind: Kind, desired: Mapping[Unit, Json], present: dict[Unit, Json]) -> Mapping[Unit, Json]:
    for unit in present if kind.managed_maps else ():
        if unit[0] in kind.managed_maps and unit in desired:
            present[unit] = spoken_of(meaning_of(kind, unit), desired[unit], present[unit])
    return present


def _differing(kind: Kind, desired: Mapping[Unit, Json], present: Mapping[Unit, Json], base: Base) -> Iterator[Write]:
    for unit, value in desired.items():
        before, meaning = present.get(unit, ABSENT), meaning_of(kind, unit)
        if not meaning.uncompared and not same(meaning, value, before):
            yield Write(unit, before, value, _attribute(kind, unit, value, before, base))


def _attribute(kind: Kind, unit: Unit, desired: Json, live: Json, base: Base) -> Reason:
    if unit[0] in kind.managed_maps or (live_kept := base.agrees(unit, live)) is None:
        return Reason.CHANGED
    if live_kept:
        return Reason.EDITED
    return Reason.DRIFTED if base.agrees(unit, desired) else Reason.CONFLICT


def _given_up(kind: Kind, manifest: Manifest, present: Mapping[Unit, Json], mark: Mark | None) -> Iterator[Unit]:
    """Units the mark says we managed, and entries that are ours all, that the manifest does not speak of (any more)."""
    spoken_for, maps = units(kind, manifest.body), managed_maps(kind, manifest)
    fields = [(name,) for name, meaning in kind.fields.items() if not meaning.granular] if mark else []
    entries = [unit for unit in present if len(unit) > 1]
    for unit in (*fields, *entries):
        of_map = unit[0] in kind.managed_maps
        remembered = mark is not None and mark.manages(unit[:1] if of_map else unit)
        managed = unit[0] in maps or (remembered and not (of_map and unit[0] in manifest.body))
        if managed and unit not in spoken_for and not left_to_others(unit, manifest.ignore):
            yield unit


def _give_up(kind: Kind, manifest: Manifest, unit: Unit, live: Json, base: Base) -> Write | Diagnostic | None:
    if unit[0] in kind.managed_maps:
        return Write(unit, live, ABSENT, Reason.REMOVED)
    cleared = ABSENT if len(unit) > 1 and kind.maps != "merge" else meaning_of(kind, unit).on_remove
    if cleared is not ABSENT and same(meaning_of(kind, unit), cleared, live):
        return None
    if base.agrees(unit, live) is False:
        return _said(manifest, unit, "left the file, but was changed on the remote since: it stays as it is", "")
    if not can_clear(kind, unit):
        hint = "set it to the value it should have, then remove it"
        return _said(manifest, unit, "left the file, and cannot be cleared: it stays as it is", hint)
    return Write(unit, live, cleared, Reason.REMOVED)


def _kept(manifest: Manifest, write: Write) -> Diagnostic:
    who = "here and outside these files" if write.reason is Reason.CONFLICT else "outside these files"
    summary = f"{'.'.join(write.unit)} was changed {who} and stays as it is on the remote"
    hint = f"`reconciler pull --theirs {manifest.address}` takes it into the file"
    place = manifest.place(write.unit)
    return Diagnostic(Severity.INFO, Code.KEPT, summary, hint=hint, source=place, address=str(manifest.address))


def _said(manifest: Manifest, unit: Unit, what: str, hint: str) -> Diagnostic:
    summary = f"{'.'.join(unit)} {what}"
    return Diagnostic(
        Severity.WARNING, Code.CANNOT_CLEAR, summary, hint=hint, source=manifest.source, address=str(manifest.address)
    )


def _coupled(
    kind: Kind, desired: Mapping[Unit, Json], present: Mapping[Unit, Json], writes: list[Write], kept: Sequence[Write]
) -> Iterator[Write]:
    """Nulls that must travel with a changed field, though they change nothing by themselves.

    Some remotes validate the merged object: leaving a reasoning model is only accepted together with an explicit
    `reasoning_effort: null`, even where the object shows none.
    """
    written = {write.unit[0] for write in writes}
    decided = written | {write.unit[0] for write in kept}
    for group in kind.coupled:
        if written.isdisjoint(group):
            continue
        for name in group:
            if name not in decided and (name,) in desired and desired[(name,)] is None:
                yield Write((name,), present.get((name,), ABSENT), None, Reason.COUPLED)


def assemble(kind: Kind, writes: Mapping[Unit, Json], live: Body) -> Body:
    """The request body that writes these units to an object that looks like `live` ({} for a create).

    A map owned entry by entry is sent whole with the entries of others as they are, unless the remote is known to merge
    it, or all that are shown are ours: then only those go that differ, with null for one that is taken out. Where parts
    of an object value that are left out stay, or may stay, cleared parts are sent by name. Where fields that are left
    out are cleared, all of the object is sent.
    """
    body: Body = _all_of(kind, live) if kind.absent == "clear" else {}
    maps: dict[str, dict[str, Json]] = {}
    for unit, value in writes.items():
        name = unit[0]
        if name in kind.managed_maps:
            body.setdefault(name, {})[unit[1]] = None if value is ABSENT else value
        elif len(unit) > 1:
            entries = maps.setdefault(name, dict(live.get(name) or {}) if kind.maps == "whole" else {})
            body[name] = entries
            if value is not ABSENT:
                entries[unit[1]] = value
            elif kind.maps == "whole":
                entries.pop(unit[1], None)
            else:
                entries[unit[1]] = _taken_out(kind, unit)
        elif kind.nested != "replace" and live:
            body[name] = explicit(kind.fields.get(name, FREE), value, live.get(name))
        else:
            body[name] = value
    return body


def _all_of(kind: Kind, live: Body) -> Body:
    """What a request may say of an object that is to stay as it is."""
    sent = (name for name in live if name not in kind.managed_maps and not kind.fields.get(name, FREE).uncompared)
    return {name: live[name] for name in sent}


def _taken_out(kind: Kind, unit: Unit) -> Json:
    """What takes an entry out of a map that a remote merges. An empty text takes off a mark where nothing else does."""
    if kind.maps == "patch":
        return None
    cleared = meaning_of(kind, unit).on_remove
    return "" if cleared is ABSENT else cleared
