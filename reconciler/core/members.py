"""Collections: lists of a body whose entries are put in and taken out one by one, each with a state of its own.

What is sent for one is no list, but the way from one list to another:

    attach   entries that are not there, failed, or were put in another way
    modify   entries whose other fields change; `was` digests those fields as they are
    await    entries that are right, and that the remote is not done with
    detach   entries that go; one with `for` goes once that other entry, which takes its place, is ready

An entry's `key` names it for people and pairs an old version with the new one; it is not sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.core.model import ABSENT, Json, Path, Unit
from reconciler.core.semantics import FREE, Kind, Meaning, Members, canonical, digest, same

KEY: Final = "key"
WAY: Final = ("attach", "modify", "await", "detach")
_FEW: Final = 20
"""Up to so many differing entries are told one by one."""


def in_terms_of(kind: Kind, desired: Mapping[Unit, Json], present: Mapping[Unit, Json]) -> Mapping[Unit, Json]:
    """The units that are live, less what entries of collections have and the files do not speak of.

    How an entry was put in counts only where the files say how.
    """
    if not kind.members:
        return present
    found = dict(present)
    for name, spec in kind.members.items():
        unit = (name,)
        if unit in found and isinstance(desired.get(unit), list):
            wanted = _by_id(spec, desired[unit])
            found[unit] = [_spoken_of(spec, entry, wanted.get(entry[spec.id_field])) for entry in found[unit] or []]
    return found


def _spoken_of(spec: Members, entry: Json, wanted: Json) -> Json:
    if wanted is None:
        return entry
    silent = {name for name in spec.sent if name not in wanted and name not in (spec.id_field, *spec.modifiable)}
    return {name: value for name, value in entry.items() if name not in silent}


def way(kind: Kind, name: str, desired: Json, live: Json) -> dict[str, Json]:
    """What leads from the live entries to the desired ones; empty where nothing has to be done."""
    spec, meaning = kind.members[name], _entry_meaning(kind, name)
    there, wanted = _by_id(spec, live), _by_id(spec, desired)
    found: dict[str, list[Json]] = {step: [] for step in WAY}
    for id, entry in sorted(wanted.items(), key=lambda each: (str(each[1].get(KEY)), each[0])):
        for step, sent in _steps(spec, meaning, entry, there.get(id)):
            found[step].append(sent)
    successors = {entry.get(KEY): id for id, entry in wanted.items()}
    for id, entry in sorted(there.items()):
        if id not in wanted:
            successor = successors.get(entry.get(KEY))
            found["detach"].append({spec.id_field: id} | ({"for": successor} if successor else {}))
    return {step: entries for step, entries in found.items() if entries}


def _steps(spec: Members, meaning: Meaning, wanted: Json, live: Json | None) -> Iterator[tuple[str, Json]]:
    id = wanted[spec.id_field]
    state = None if live is None else live.get(spec.status_field, spec.done)
    if live is None or state not in (spec.done, *spec.waiting) or not _put_in_alike(spec, meaning, wanted, live):
        yield "attach", {name: wanted[name] for name in (*spec.sent, KEY) if wanted.get(name)}
        return
    changed = [name for name in spec.modifiable if not same(_part(meaning, name), wanted.get(name), live.get(name))]
    if changed:
        values = {name: wanted.get(name) or {} for name in spec.modifiable}
        yield "modify", {spec.id_field: id, **values, "was": _was(spec, meaning, live)}
    if state in spec.waiting:
        yield "await", id


def remaining(kind: Kind, name: str, planned: Mapping[str, Json], live: Json) -> tuple[dict[str, Json], str | None]:
    """What is left to do of a way that was planned earlier; and the entry that somebody else changed, if any."""
    spec, meaning = kind.members[name], _entry_meaning(kind, name)
    there = _by_id(spec, live)
    left: dict[str, list[Json]] = {step: [] for step in WAY}
    for entry in planned.get("attach", ()):
        id = entry[spec.id_field]
        steps = list(_steps(spec, meaning, entry, _silenced(spec, entry, there.get(id))))
        for step, sent in steps:
            left[step if step == "await" else "attach"].append(sent if step == "await" else entry)
    for entry in planned.get("modify", ()):
        seen = there.get(entry[spec.id_field])
        if seen is None:
            return {}, str(entry[spec.id_field])
        if any(not same(_part(meaning, each), entry.get(each), seen.get(each)) for each in spec.modifiable):
            if _was(spec, meaning, seen) != entry.get("was"):
                return {}, str(entry[spec.id_field])
            left["modify"].append(entry)
    ready = {id for id, entry in there.items() if entry.get(spec.status_field, spec.done) == spec.done}
    left["await"] += [id for id in planned.get("await", ()) if id not in ready]  # a list may not show it yet
    left["detach"] = [entry for entry in planned.get("detach", ()) if entry[spec.id_field] in there]
    return {step: entries for step, entries in left.items() if entries}, None


def _silenced(spec: Members, wanted: Json, live: Json | None) -> Json | None:
    return None if live is None else _spoken_of(spec, live, wanted)


def after(kind: Kind, name: str, planned: Mapping[str, Json], live: Json) -> list[Json]:
    """The entries there are once a way has been gone."""
    spec = kind.members[name]
    entries = _by_id(spec, live)
    entries.update(_by_id(spec, planned.get("attach", ())))
    for gone in planned.get("detach", ()):
        entries.pop(gone[spec.id_field], None)
    return list(entries.values())


def explained(kind: Kind, unit: Unit, before: Json, wanted: Json) -> Iterator[tuple[Path, Json, Json]]:
    """The differing entries of a collection, by their keys: ids where an entry comes, goes or is another object now."""
    spec, meaning = kind.members[unit[0]], _entry_meaning(kind, unit[0])
    new = _by_key(spec, wanted, {})
    old = _by_key(spec, before, _by_id(spec, wanted))
    keys = sorted(old.keys() | new.keys())
    differing = [key for key in keys if list(_told(spec, meaning, old.get(key), new.get(key)))]
    if not old or len(differing) > _FEW:
        yield (), sorted(old) or ABSENT, sorted(new)
        return
    for key in differing:
        for path, one, other in _told(spec, meaning, old.get(key), new.get(key)):
            yield (key, *path), one, other


def _told(spec: Members, meaning: Meaning, old: Json | None, new: Json | None) -> Iterator[tuple[Path, Json, Json]]:
    if old is None or new is None or old[spec.id_field] != new[spec.id_field]:
        one, other = (ABSENT if entry is None else entry[spec.id_field] for entry in (old, new))
        yield (), one, other
        return
    for name in (*spec.sent, spec.status_field):
        if not same(_part(meaning, name), old.get(name), new.get(name)):
            missing = spec.done if name == spec.status_field else ABSENT
            yield (name,), old.get(name, ABSENT), new.get(name, missing)


def _by_key(spec: Members, entries: Json, wanted: Mapping[str, Json]) -> dict[str, Json]:
    """Entries by their keys; of two versions of one key the wanted one, and the other by its id."""
    found: dict[str, Json] = {}
    for id, entry in sorted(_by_id(spec, entries).items(), key=lambda each: (each[0] not in wanted, each[0])):
        key = str(entry.get(KEY) or id)
        found[id if key in found else key] = entry
    return found


def _by_id(spec: Members, entries: Json) -> dict[str, Json]:
    return {entry[spec.id_field]: entry for entry in ([] if entries is ABSENT else entries or [])}


def _entry_meaning(kind: Kind, name: str) -> Meaning:
    return kind.fields[name].items or FREE


def _part(meaning: Meaning, name: str) -> Meaning:
    return meaning.properties.get(name) or FREE


def _put_in_alike(spec: Members, meaning: Meaning, wanted: Json, live: Json) -> bool:
    rest = [name for name in spec.sent if name in wanted and name not in (spec.id_field, *spec.modifiable)]
    return all(same(_part(meaning, name), wanted[name], live.get(name)) for name in rest)


def _was(spec: Members, meaning: Meaning, live: Json) -> str:
    return digest({name: canonical(_part(meaning, name), live.get(name)) for name in spec.modifiable})


def has_members(kind: Kind, units: Sequence[Unit]) -> bool:
    """Whether any of these units is a collection."""
    return any(unit[0] in kind.members for unit in units)
