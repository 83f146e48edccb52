"""Builds one change: the request body, the rows people see, what it expects to find, and the new mark."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from reconciler.core.decide import Decision, Write
from reconciler.core.last_applied import digest_of
from reconciler.core.matching.index import Managed
from reconciler.core.patch import assemble, unknown_parts
from reconciler.core.values import marks
from reconciler.core.values.diff import explain, locate
from reconciler.core.values.managed_units import remembered_units
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import (
    ABSENT,
    Absent,
    Action,
    Address,
    Change,
    FieldChange,
    Json,
    LiveObject,
    Manifest,
    Path,
    Reason,
    Removal,
    Unit,
)
from reconciler.core.values.semantics import MARK_ENTRY, Kind, Meaning, meaning_of, same, units
from reconciler.core.verify import expected, expected_of_all

_FEW: Final = 20
"""Up to so many differing entries of a managed map have a row each."""
FLAGS: Final = "reconciler"
"""The first step of the path of rows about our own bookkeeping, called like the block of a manifest."""


def write_change(
    kind: Kind,
    manifest: Manifest,
    action: Action,
    live: LiveObject | None,
    decision: Decision,
    mark: Mark | Absent | None,
    reasons: tuple[Reason, ...],
    old: Mark | None = None,
) -> Change:
    """A change that sends the decided units, and the mark where one is given, in the place of `old`.

    `live` is None for a create; a mark that is `ABSENT` is taken off.
    """
    writes = {write.unit: write.after for write in decision.writes}
    if mark is not None:
        writes[(kind.mark_field, MARK_ENTRY)] = marks.write(mark) if isinstance(mark, Mark) else ABSENT
    patch = assemble(kind, writes, live.body if live else {})
    rows = list(_rows(kind, manifest, live, decision.writes))
    if isinstance(mark, Mark) and not kind.immutable:
        decided = {unit for write in decision.writes for unit in (write.unit, write.unit[:1])}
        rows += flag_rows(kind, manifest, live, old, mark, decided)
    return Change(
        address=manifest.address,
        action=action,
        id=live.id if live else None,
        reasons=reasons,
        source=manifest.source,
        fields=tuple(rows),
        units=tuple(sorted(writes)),
        patch=patch,
        expects=expected(kind, live, writes) if live else {},
        refs=tuple(sorted(((path, to) for path, to in manifest.refs.items() if _is_in(writes, path)), key=repr)),
        same_name_allowed=manifest.same_name_allowed,
    )


def _is_in(writes: Mapping[Unit, Json], path: Path) -> bool:
    """Whether a place is in one of these units."""
    return (path[0],) in writes or path[:2] in writes


def replace_change(
    kind: Kind, manifest: Manifest, old: Sequence[Managed], decision: Decision, mark: Mark, reason: Reason
) -> Change:
    """A create of what takes the place of objects of the same address: shown as a change of the youngest of them."""
    present = units(kind, old[-1].live.body) if kind.immutable else {}
    writes = tuple(replace(write, before=present.get(write.unit, ABSENT)) for write in decision.writes)
    change = write_change(kind, manifest, Action.CREATE, None, replace(decision, writes=writes), mark, (reason,))
    return replace(change, replaces=tuple(sorted(each.live.id for each in old)))


def mark_change(
    kind: Kind, action: Action, address: Address, each: Managed, mark: Mark | None, reason: Reason
) -> Change:
    """A change that replaces the mark of an object, or takes it off, and leaves all else as it is."""
    text = ABSENT if mark is None else marks.write(mark)
    writes: dict[Unit, Json] = {(kind.mark_field, MARK_ENTRY): text}
    return Change(
        address=address,
        action=action,
        id=each.live.id,
        reasons=(reason,),
        units=tuple(writes),
        patch=assemble(kind, writes, each.live.body),
        expects=expected(kind, each.live, writes),
    )


def delete_change(kind: Kind, address: Address, live: LiveObject, reason: Reason, removal: Removal) -> Change:
    """A change that deletes an object, as long as all of it is as it was."""
    expects = expected_of_all(kind, live)
    return Change(address, Action.DELETE, live.id, reasons=(reason,), expects=expects, removal=removal)


def mark_for(
    kind: Kind,
    owner: str,
    manifest: Manifest,
    old: Mark | None,
    after: Mapping[Unit, Json] | None = None,
    managed: Mapping[Unit, Json] | None = None,
) -> Mark:
    """The mark of a manifest's object; the nonce stays, where there is one.

    `after` gives the values its units will have, for digests of them (None: no digests are kept); a unit that is
    missing there keeps the digest it had. Digests are left out where they do not fit. `managed` are the manifest's
    managed units, where they are known.
    """
    if managed is None:
        managed = {} if kind.immutable else remembered_units(kind, manifest)
    former = manifest.moved_from if manifest.moved_from != manifest.address.key else None
    arrives = former is not None and (old is None or old.key == former)
    mark = Mark(
        owner=owner,
        key=manifest.address.key,
        nonce=old.nonce if old else marks.NO_NONCE,
        protect=manifest.protect,
        on_remove=manifest.on_remove,
        units=marks.codes(managed),
        former=marks.key_code(former or "") if arrives else old.former if old else None,
        proof=Proof.SIGNED if old and old.proof.is_signature else Proof.LABEL,
    )
    if after is None:
        return mark
    digests: dict[str, str] = {}
    for unit, value in managed.items():
        code = marks.code(unit)
        known = old.digests.get(code) if old and unit not in after else None
        digests[code] = known or digest_of(kind, unit, after.get(unit, value))
    return marks.with_digests(mark, digests, kind.max_mark)


def dropped_parts(kind: Kind, decision: Decision) -> Iterator[str]:
    """What a person should know before a unit is written: parts of it that the schema does not know will be lost."""
    for write in decision.writes:
        for path in unknown_parts(
            meaning_of(kind, write.unit), write.before, write.unit, merged=kind.nested == "merge"
        ):
            yield f"{'.'.join(map(str, path))} is not known to this version: writing {write.unit[0]} drops it"


def _rows(kind: Kind, manifest: Manifest, live: LiveObject | None, writes: Sequence[Write]) -> Iterator[FieldChange]:
    maps = kind.managed_maps
    ordered = sorted(writes, key=lambda write: write.unit[0] if write.unit[0] in maps else "") if maps else writes
    for name, group in groupby(ordered, lambda write: write.unit[0] if write.unit[0] in maps else None):
        if name is None:
            yield from (row for write in group for row in unit_rows(kind, manifest, write))
        else:
            yield from _entry_rows(kind, manifest, (live.body.get(name) if live else None) or {}, list(group))


def _entry_rows(
    kind: Kind, manifest: Manifest, before: Mapping[str, Json], writes: Sequence[Write]
) -> Iterator[FieldChange]:
    """The rows of a managed map: one for all of it where everything is new or much differs, else by entry."""
    name, wanted = writes[0].unit[0], manifest.body.get(writes[0].unit[0]) or {}
    if not before or len(writes) > _FEW:
        old, new = sorted(before) or ABSENT, sorted(wanted)
        yield FieldChange((name,), old, new, writes[0].reason, manifest.place((name,)))
        return
    for write in sorted(writes, key=lambda each: each.unit):
        yield from unit_rows(kind, manifest, write)


def unit_rows(kind: Kind, manifest: Manifest, write: Write) -> Iterator[FieldChange]:
    """The rows of one unit."""
    if write.unit[0] not in kind.managed_maps:
        yield from _explained(kind, manifest, write)
        return
    for path, old, new in _entry_parts(meaning_of(kind, write.unit), write.before, write.after):
        # Another object of one key: only a changed file makes one.
        replaced = not path and ABSENT not in (old, new)
        reason = Reason.EDITED if replaced else write.reason
        yield FieldChange((*write.unit, *path), old, new, reason, manifest.place(write.unit))


def _entry_parts(meaning: Meaning, before: Json, after: Json) -> Iterator[tuple[Path, Json, Json]]:
    """An entry by the id it holds, where it comes, goes or holds another; else its parts that differ."""
    held = next((name for name, part in meaning.properties.items() if part.ref), "")
    one, other = ({} if entry is ABSENT else entry for entry in (before, after))
    if one.get(held) != other.get(held):
        yield (), one.get(held, ABSENT), other.get(held, ABSENT)
        return
    for name, part in meaning.properties.items():
        if not part.uncompared and not same(part, one.get(name), other.get(name)):
            missing = part.default if part.read_only else ABSENT
            yield (name,), one.get(name, ABSENT), other.get(name, missing)


def _explained(kind: Kind, manifest: Manifest, write: Write) -> Iterator[FieldChange]:
    meaning = meaning_of(kind, write.unit)
    known = (write.before, manifest.address.key.rpartition("/")[2])  # a name that the address gives is not repeated
    if kind.immutable and (meaning.uncompared or any(same(meaning, each, write.after) for each in known)):
        return
    for path, before, after in explain(meaning, write.before, write.after):
        full = (*write.unit, *path)
        place = manifest.place((*write.unit, *locate(meaning, write.after, path)))
        yield FieldChange(full, before, after, write.reason, place, meaning.sensitive)


def flag_rows(
    kind: Kind,
    manifest: Manifest,
    live: LiveObject | None,
    old: Mark | None,
    new: Mark,
    decided: Collection[Unit],
) -> Iterator[FieldChange]:
    """What changes in our bookkeeping: `protect`, `on_remove`, and units that are managed from now on, or no longer.

    Units that are written have their own rows; of a new mark only the flags are news.
    """
    flags = (
        ("protect", (old is not None and old.protect) or ABSENT, new.protect or ABSENT),
        ("on_remove", str((old and old.on_remove) or "") or ABSENT, str(new.on_remove or "") or ABSENT),
    )
    for name, before, after in flags:
        if before != after:
            yield FieldChange((FLAGS, name), before, after, Reason.MARK, manifest.source)
    if old is not None and old.proof is Proof.EARLIER:
        yield FieldChange((FLAGS, "signature"), "an earlier key", "the key that signs", Reason.MARK, manifest.source)
    if old is None or live is None:
        return
    entries = {unit for body in (manifest.body, live.body) for unit in units(kind, body) if len(unit) > 1}
    names: set[Unit] = {(name,) for name in kind.fields} | entries
    for unit in sorted(names - {*decided}):
        was, is_now = old.manages(unit), new.manages(unit)
        if was != is_now:
            before, after = (True if each else ABSENT for each in (was, is_now))
            yield FieldChange((FLAGS, "managed", *unit), before, after, Reason.MARK, manifest.place(unit))
