"""Builds the request body from the units to write, so that parts that leave a value are really cleared.

A part that leaves a value is cleared by name where a remote may merge; one that no request can take out is `stuck`; one
that the schema does not know is lost when its unit is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core.values.model import ABSENT, Body, Json, Path, Unit
from reconciler.core.values.semantics import FREE, Kind, Meaning, meaning_of, same


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
                entries[unit[1]] = removal_value(kind, unit)
        elif kind.nested != "replace" and live:
            body[name] = with_explicit_clears(kind.fields.get(name, FREE), value, live.get(name))
        else:
            body[name] = value
    return body


def _all_of(kind: Kind, live: Body) -> Body:
    """What a request may say of an object that is to stay as it is."""
    sent = (name for name in live if name not in kind.managed_maps and not kind.fields.get(name, FREE).uncompared)
    return {name: live[name] for name in sent}


def removal_value(kind: Kind, unit: Unit) -> Json:
    """What takes an entry out of a map that a remote merges. An empty text takes off a mark where nothing else does."""
    if kind.maps == "patch":
        return None
    cleared = meaning_of(kind, unit).on_remove
    return "" if cleared is ABSENT else cleared


def with_explicit_clears(meaning: Meaning, desired: Json, live: Json) -> Json:
    """`desired` with every part cleared by name that `live` has beyond its default, and that can be cleared.

    Right whether the remote replaces object values or merges into them, which for some APIs is documented nowhere.
    """
    if not (isinstance(desired, dict) and isinstance(live, dict) and meaning.is_record):
        return desired
    filled = dict(desired)
    for name, value in sorted(live.items()):
        sub = _part(meaning, name)
        if name in desired:
            filled[name] = with_explicit_clears(sub, desired[name], value)
        elif (cleared := _cleared(sub)) is not ABSENT and not sub.uncompared and not same(sub, None, value):
            filled[name] = cleared
    return filled


def unclearable_parts(meaning: Meaning, desired: Json, live: Json, path: Path = ()) -> Iterator[Path]:
    """Paths of parts that `live` has and `desired` has not, and that stay where a remote merges into object values."""
    if not (isinstance(desired, dict) and isinstance(live, dict)):
        return
    for name, value in sorted(live.items()):
        sub = _part(meaning, name)
        if name in desired:
            yield from unclearable_parts(sub, desired[name], value, (*path, name))
        elif _is_stuck(meaning, name, value):
            yield (*path, name)


def _is_stuck(meaning: Meaning, name: str, live: Json) -> bool:
    sub = _part(meaning, name)
    unknown = meaning.closed and name not in meaning.properties and meaning.entries is None
    return not (sub.uncompared or unknown or same(sub, None, live)) and _cleared(sub) is ABSENT


def _part(meaning: Meaning, name: str) -> Meaning:
    return meaning.properties.get(name) or meaning.entries or FREE


def _cleared(meaning: Meaning) -> Json:
    """What clears a part: what its schema says, or its default with every list and object in it spelled out."""
    if meaning.on_remove is not ABSENT:
        return meaning.on_remove
    if not isinstance(meaning.default, dict):
        return ABSENT if meaning.default is None else meaning.default
    parts = {name: _cleared(sub) for name, sub in meaning.properties.items()}
    return {name: part for name, part in parts.items() if part is not ABSENT} | meaning.default


def unknown_parts(meaning: Meaning, value: Json, path: Path = (), *, merged: bool = False) -> Iterator[Path]:
    """Paths of non-null parts of a live value that the schema does not know: writing the unit would drop them.

    Where a remote has object values `merged`, it drops none of their parts, but for those of the entries of lists.
    """
    if isinstance(value, list) and meaning.items is not None:
        for index, entry in enumerate(value):
            yield from unknown_parts(meaning.items, entry, (*path, index))
    elif isinstance(value, dict) and meaning.is_record:
        for name, entry in value.items():
            if name in meaning.properties:
                yield from unknown_parts(meaning.properties[name], entry, (*path, name), merged=merged)
            elif meaning.closed and entry is not None and not merged:
                yield (*path, name)
