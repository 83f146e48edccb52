"""Building one change: the request body, its explanation for people, its precondition, and the mark that goes along."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from reconciler.core import marks
from reconciler.core.base import fingerprint
from reconciler.core.decide import Decision, Write, assemble
from reconciler.core.desired import managed_units
from reconciler.core.diff import explain, locate
from reconciler.core.marks import Mark
from reconciler.core.members import explained
from reconciler.core.model import (
    ABSENT,
    Action,
    Address,
    Change,
    FieldChange,
    Json,
    LiveObject,
    Manifest,
    Path,
    Reason,
    Unit,
)
from reconciler.core.pairing import Managed
from reconciler.core.parts import unknown_parts
from reconciler.core.precondition import ABSENT_OBJECT, NAME_FREE, precondition, replacing
from reconciler.core.refs import placeholder
from reconciler.core.semantics import MARK_ENTRY, Kind, meaning_of, same, units


def written(
    kind: Kind,
    manifest: Manifest,
    action: Action,
    live: LiveObject | None,
    decision: Decision,
    mark: Mark | None,
    reasons: tuple[Reason, ...],
) -> Change:
    """A change that sends the decided units, and the mark where one is given; `live` is None for a create."""
    writes = {write.unit: write.after for write in decision.writes}
    if mark is not None:
        writes[(kind.mark_field, MARK_ENTRY)] = marks.write(mark)
    patch = assemble(kind, writes, live.body if live else {})
    return Change(
        address=manifest.address,
        action=action,
        id=live.id if live else None,
        reasons=reasons,
        source=manifest.source,
        fields=tuple(field for write in decision.writes for field in _explained(kind, manifest, write)),
        units=tuple(sorted(writes)),
        patch=patch,
        precondition=precondition(kind, live, writes)
        if live
        else (ABSENT_OBJECT if manifest.same_name_allowed else NAME_FREE),
        refs=tuple(sorted(awaited(kind, manifest, writes, patch), key=repr)),
    )


def awaited(
    kind: Kind, manifest: Manifest, writes: Collection[Unit], patch: Mapping[str, Json]
) -> Iterator[tuple[Path, Address]]:
    """The places of the patch that wait for an id: in collections, wherever the text stands that says so."""
    waiting: dict[str, Address] = {}
    for path, address in manifest.refs.items():
        if path[0] in kind.members:
            waiting[placeholder(address)] = address
        elif any(path[: len(unit)] == unit for unit in writes):
            yield path, address
    for name in kind.members.keys() & patch.keys() if waiting else ():
        yield from ((path, waiting[text]) for path, text in _texts(patch[name], (name,)) if text in waiting)


def _texts(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list | dict):
        for step, each in enumerate(value) if isinstance(value, list) else value.items():
            yield from _texts(each, (*path, step))


def replacement(
    kind: Kind, manifest: Manifest, old: Sequence[Managed], decision: Decision, mark: Mark, reason: Reason
) -> Change:
    """A create of what takes the place of objects of the same address: told as a change of the youngest of them."""
    present = units(kind, old[-1].live.body) if kind.fixed else {}
    writes = tuple(replace(write, before=present.get(write.unit, ABSENT)) for write in decision.writes)
    change = written(kind, manifest, Action.CREATE, None, replace(decision, writes=writes), mark, (reason,))
    return replace(change, precondition=replacing(owned.live.id for owned in old))


def mark_change(
    kind: Kind, action: Action, address: Address, owned: Managed, mark: Mark | None, reason: Reason
) -> Change:
    """A change that replaces the mark of an object, or takes it off, and leaves all else as it is."""
    text = ABSENT if mark is None else marks.write(mark)
    writes: dict[Unit, Json] = {(kind.mark_field, MARK_ENTRY): text}
    return Change(
        address=address,
        action=action,
        id=owned.live.id,
        reasons=(reason,),
        units=tuple(writes),
        patch=assemble(kind, writes, owned.live.body),
        precondition=precondition(kind, owned.live, writes),
    )


def deletion(kind: Kind, address: Address, live: LiveObject, reason: Reason) -> Change:
    """A change that deletes an object, as long as all of it is as it was."""
    return Change(
        address, Action.DELETE, live.id, reasons=(reason,), precondition=precondition(kind, live, writes=None)
    )


def mark_for(
    kind: Kind, owner: str, manifest: Manifest, old: Mark | None, after: Mapping[Unit, Json] | None = None
) -> Mark:
    """The mark of a manifest's object; the nonce stays, where there is one.

    `after` gives the values its units will have, for digests of them (None: no digests are kept); a unit that is
    missing there keeps the digest it had. Digests are left out where they do not fit.
    """
    managed = {} if kind.fixed else managed_units(kind, manifest)
    return mark_of_units(kind, owner, manifest, old, managed, after)


def mark_of_units(
    kind: Kind,
    owner: str,
    manifest: Manifest,
    old: Mark | None,
    managed: Mapping[Unit, Json],
    after: Mapping[Unit, Json] | None = None,
) -> Mark:
    """The same where the manifest's managed units are known."""
    mark = Mark(
        owner=owner,
        key=manifest.address.key,
        nonce=old.nonce if old else marks.NO_NONCE,
        protect=manifest.protect,
        on_remove=manifest.on_remove,
        units=marks.codes(managed),
    )
    if after is None:
        return mark
    digests: dict[str, str] = {}
    for unit, value in managed.items():
        code = marks.code(unit)
        known = old.digests.get(code) if old and unit not in after else None
        digests[code] = known or fingerprint(kind, unit, after.get(unit, value))
    return marks.with_digests(mark, digests, kind.max_mark)


def dropped_parts(kind: Kind, decision: Decision) -> Iterator[str]:
    """What a person should know before a unit is written: parts of it that the schema does not know will be lost."""
    for write in decision.writes:
        for path in unknown_parts(
            meaning_of(kind, write.unit), write.before, write.unit, merged=kind.nested == "merge"
        ):
            yield f"{'.'.join(map(str, path))} is not known to this version: writing {write.unit[0]} drops it"


def _explained(kind: Kind, manifest: Manifest, write: Write) -> Iterator[FieldChange]:
    meaning = meaning_of(kind, write.unit)
    told = (write.before, manifest.address.key.rpartition("/")[2])  # a name that the address tells is not told again
    if kind.fixed and (meaning.uncompared or any(same(meaning, each, write.after) for each in told)):
        return
    if write.unit[0] in kind.members:
        for path, before, after in explained(kind, write.unit, write.before, write.after):
            # Another object of one key: only a changed file makes one.
            replaced = len(path) == 1 and ABSENT not in (before, after)
            reason = Reason.EDITED if replaced else write.reason
            yield FieldChange((*write.unit, *path), before, after, reason, manifest.place(write.unit))
        return
    for path, before, after in explain(meaning, write.before, write.after):
        full = (*write.unit, *path)
        place = manifest.place((*write.unit, *locate(meaning, write.after, path)))
        yield FieldChange(full, before, after, write.reason, place, meaning.sensitive)
