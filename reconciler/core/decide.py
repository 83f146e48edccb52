"""When is a field sent, left alone or cleared? This file answers, for one unit at a time.

    D desired (the file)   L live (the remote)   B base (what was last applied; may be unknown)

    | case               | meaning                | result                                                   |
    |--------------------|------------------------|----------------------------------------------------------|
    | D = L              | agree                  | nothing                                                  |
    | D ≠ L, B unknown   | differs                | write D, reason `changed`                                |
    | D ≠ L, L = B       | the file changed       | write D, reason `edited`                                 |
    | D ≠ L, D = B       | the live object did    | write D, reason `drifted`                                |
    | D ≠ L, both ≠ B    | both changed           | write D, reason `conflict`                               |
    | managed, no D      | given up               | write the schema's `x-on-remove` once, reason `removed`; |
    |                    |                        | where L ≠ B somebody took it over: released, and said    |
    | never in our files | not ours               | never compared, never sent                               |

`=` is equality of meaning (`semantics.same`). Reasons explain; which unit is written depends on D and L alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from reconciler.core.codes import Code
from reconciler.core.marks import Mark
from reconciler.core.model import ABSENT, Body, Diagnostic, Json, Manifest, Reason, Severity, Unit
from reconciler.core.semantics import FREE, Kind, explicit, meaning_of, same, units


class Base(Protocol):
    """What was last applied to one resource."""

    def agrees(self, unit: Unit, value: Json) -> bool | None:
        """Whether `value` means what was last applied to `unit`; None where that is not known."""
        ...


class UnknownBase:
    """The base when nothing remembers what was last applied."""

    def agrees(self, unit: Unit, value: Json) -> bool | None:
        """Never known."""
        return None


@dataclass(frozen=True, slots=True)
class Write:
    """One unit to be written: `after` is `ABSENT` where an entry of a map is taken away."""

    unit: Unit
    before: Json
    after: Json
    reason: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """The units of one resource that are written, and what there is to say about it."""

    writes: tuple[Write, ...]
    diagnostics: tuple[Diagnostic, ...] = ()


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


def decide_create(kind: Kind, manifest: Manifest) -> Decision:
    """Every unit of the manifest, `initial` ones too."""
    writes = (Write(unit, ABSENT, value, Reason.NEW) for unit, value in desired_units(kind, manifest).items())
    return Decision(tuple(writes))


def decide_update(kind: Kind, manifest: Manifest, live: Body, mark: Mark | None, base: Base) -> Decision:
    """The units in which `live` must change to look like the manifest.

    `mark` is the live object's (None when it is being adopted: then nothing was managed, and nothing is given up).
    """
    desired, present = managed_units(kind, manifest), units(kind, live)
    writes: list[Write] = []
    for unit, value in desired.items():
        before = present.get(unit, ABSENT)
        meaning = meaning_of(kind, unit)
        if not meaning.uncompared and not same(meaning, value, before):
            writes.append(Write(unit, before, value, _attribute(unit, value, before, base)))
    said: list[Diagnostic] = []
    for unit in _given_up(kind, manifest, present, mark):
        verdict = _give_up(kind, manifest, unit, present.get(unit, ABSENT), base)
        if isinstance(verdict, Write):
            writes.append(verdict)
        elif verdict is not None:
            said.append(verdict)
    return Decision((*writes, *_coupled(kind, desired, present, writes)), tuple(said))


def _attribute(unit: Unit, desired: Json, live: Json, base: Base) -> Reason:
    if (live_kept := base.agrees(unit, live)) is None:
        return Reason.CHANGED
    if live_kept:
        return Reason.EDITED
    return Reason.DRIFTED if base.agrees(unit, desired) else Reason.CONFLICT


def _given_up(kind: Kind, manifest: Manifest, present: Mapping[Unit, Json], mark: Mark | None) -> Iterator[Unit]:
    """Units the mark says we managed and the manifest says nothing about any more."""
    if mark is None:
        return
    spoken_for = units(kind, manifest.body)
    fields = [(name,) for name, meaning in kind.fields.items() if not meaning.granular]
    entries = [unit for unit in present if len(unit) > 1]
    for unit in (*fields, *entries):
        if mark.manages(unit) and unit not in spoken_for and not left_to_others(unit, manifest.ignore):
            yield unit


def _give_up(kind: Kind, manifest: Manifest, unit: Unit, live: Json, base: Base) -> Write | Diagnostic | None:
    cleared = ABSENT if len(unit) > 1 else meaning_of(kind, unit).on_remove
    if cleared is not ABSENT and same(meaning_of(kind, unit), cleared, live):
        return None
    if base.agrees(unit, live) is False:
        return _said(manifest, unit, "left the file, but was changed on the remote since: it stays as it is", "")
    if cleared is ABSENT and len(unit) == 1:
        hint = "set it to the value it should have, then remove it"
        return _said(manifest, unit, "left the file, and cannot be cleared: it stays as it is", hint)
    return Write(unit, live, cleared, Reason.REMOVED)


def _said(manifest: Manifest, unit: Unit, what: str, hint: str) -> Diagnostic:
    summary = f"{'.'.join(unit)} {what}"
    return Diagnostic(
        Severity.WARNING, Code.CANNOT_CLEAR, summary, hint=hint, source=manifest.source, address=str(manifest.address)
    )


def _coupled(
    kind: Kind, desired: Mapping[Unit, Json], present: Mapping[Unit, Json], writes: list[Write]
) -> Iterator[Write]:
    """Nulls that must travel with a changed field, though they change nothing by themselves.

    Some remotes validate the merged object: leaving a reasoning model is only accepted together with an explicit
    `reasoning_effort: null`, even where the object shows none.
    """
    written = {write.unit[0] for write in writes}
    for group in kind.coupled:
        if written.isdisjoint(group):
            continue
        for name in group:
            if name not in written and (name,) in desired and desired[(name,)] is None:
                yield Write((name,), present.get((name,), ABSENT), None, Reason.COUPLED)


def assemble(kind: Kind, writes: Mapping[Unit, Json], live: Body) -> Body:
    """The request body that writes these units to an object that looks like `live` ({} for a create).

    A map owned entry by entry is sent whole with the entries of others as they are, since remotes differ on merging
    and replacing. Where a remote's way with parts of an object value is unknown, cleared parts are sent by name.
    """
    body: Body = {}
    for unit, value in writes.items():
        name = unit[0]
        if len(unit) > 1:
            entries = body.setdefault(name, dict(live.get(name) or {}))
            if value is ABSENT:
                entries.pop(unit[1], None)
            else:
                entries[unit[1]] = value
        elif kind.nested == "unknown" and live:
            body[name] = explicit(kind.fields.get(name, FREE), value, live.get(name))
        else:
            body[name] = value
    return body
