"""Parts of object values: how they are cleared by name, which cannot be, and which of them nobody here knows."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.model import ABSENT, Json, Path
from reconciler.core.semantics import FREE, Meaning, same


def explicit(meaning: Meaning, desired: Json, live: Json) -> Json:
    """`desired` with every part cleared by name that `live` has beyond its default, and that can be cleared.

    Right whether the remote replaces object values or merges into them, which for some APIs is documented nowhere.
    """
    if not (isinstance(desired, dict) and isinstance(live, dict) and meaning.is_record):
        return desired
    filled = dict(desired)
    for name, value in sorted(live.items()):
        sub = _part(meaning, name)
        if name in desired:
            filled[name] = explicit(sub, desired[name], value)
        elif (cleared := _cleared(sub)) is not ABSENT and not sub.uncompared and not same(sub, None, value):
            filled[name] = cleared
    return filled


def stuck_parts(meaning: Meaning, desired: Json, live: Json, path: Path = ()) -> Iterator[Path]:
    """Paths of parts that `live` has and `desired` has not, and that stay where a remote merges into object values."""
    if not (isinstance(desired, dict) and isinstance(live, dict)):
        return
    for name, value in sorted(live.items()):
        sub = _part(meaning, name)
        if name in desired:
            yield from stuck_parts(sub, desired[name], value, (*path, name))
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
