"""Reduces live values to what a file needs: no defaults, nothing that the server adds by itself.

`minimal` writes a value from nothing: fields in the schema's order, without what is unset, at its default or given by
the server. `nearest` starts from what a file says already and changes only the parts whose meaning differs.
Both mean the same as the live value, as far as the schema knows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from reconciler.core.values.model import ABSENT, Body, Json
from reconciler.core.values.semantics import FREE, Kind, ListMeaning, Meaning, canonical, entry_key, is_mark, same


def minimal_body(kind: Kind, live: Body) -> Body:
    """The manifest of a live object: every field that says something, our own mark and server-owned fields left out.

    Fields the schema does not know are left out; `unknown_fields` names them.
    """
    body: Body = {}
    for name, meaning in kind.fields.items():
        value = live.get(name)
        if value is None or meaning.uncompared:
            continue
        if meaning.granular and isinstance(value, dict):
            value = {key: each for key, each in value.items() if not is_mark(kind, (name, key)) and each is not None}
        if (value or not meaning.granular) and not same(meaning, value, ABSENT):
            body[name] = minimal(meaning, value)
    return body


def unknown_fields(kind: Kind, live: Body) -> list[str]:
    """The fields of a live object that the schema does not know and that hold something."""
    return [name for name, value in live.items() if name not in kind.fields and value is not None]


def minimal(meaning: Meaning, value: Json) -> Json:
    """A live value without its defaults and without what the schema does not know of it."""
    if isinstance(value, list) and meaning.items is not None:
        return [minimal(meaning.items, each) for each in value]
    if isinstance(value, dict) and (meaning.is_record or meaning.closed):
        return {name: minimal(sub, each) for name, sub, each in _minimal_record(meaning, value)}
    return value


def without_unknown(meaning: Meaning, value: Json) -> Json:
    """A live value with its defaults, and without what the schema does not know of it."""
    if isinstance(value, list) and meaning.items is not None:
        return [without_unknown(meaning.items, each) for each in value]
    if isinstance(value, dict) and (meaning.is_record or meaning.closed):
        return {n: without_unknown(sub, e) for n, sub, e in _minimal_record(meaning, value, defaults=True)}
    return value


def nearest(meaning: Meaning, written: Json, live: Json) -> Json:
    """The value that means the same as `live` and differs least from what is `written`."""
    if written is ABSENT:
        return minimal(meaning, live)
    if same(meaning, written, live):
        return written
    if isinstance(written, dict) and isinstance(live, dict):
        return _nearest_record(meaning, written, live)
    if isinstance(written, list) and isinstance(live, list):
        return _nearest_list(meaning, written, live)
    return minimal(meaning, live)


def _minimal_record(
    meaning: Meaning, value: Mapping[str, Json], *, defaults: bool = False
) -> Iterator[tuple[str, Meaning, Json]]:
    """The parts of a record that say something, in the schema's order; unknown ones of an open record last."""
    for name, sub in meaning.properties.items():
        each = value.get(name)
        if each is not None and not sub.uncompared and (defaults or not same(sub, each, ABSENT)):
            yield name, sub, each
    for name, each in value.items():
        if name not in meaning.properties and not meaning.closed:
            yield name, meaning.entries or FREE, each


def _nearest_record(meaning: Meaning, written: Mapping[str, Json], live: Mapping[str, Json]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, value in written.items():
        each = live.get(name, ABSENT)
        if (sub := meaning.properties.get(name)) is None:
            # In an open record null is a value; in a closed one, what the schema does not know does not count.
            if meaning.closed or each is not ABSENT:
                found[name] = value if meaning.closed else nearest(meaning.entries or FREE, value, each)
        elif sub.uncompared or same(sub, value, each):
            found[name] = value
        elif each is not ABSENT and each is not None:
            found[name] = nearest(sub, value, each)
    return found | {name: minimal(sub, each) for name, sub, each in _minimal_record(meaning, live) if name not in found}


def _nearest_list(meaning: Meaning, written: list[Json], live: list[Json]) -> list[Json]:
    items = meaning.items or FREE
    if meaning.list_meaning is ListMeaning.ORDERED:
        return _nearest_in_order(items, written, live)
    left = list(live)
    found = []
    for one in written:
        match = next((i for i, other in enumerate(left) if _is_one(meaning, items, one, other)), None)
        if match is not None:
            found.append(nearest(items, one, left.pop(match)))
    return found + [minimal(items, each) for each in left]


def _nearest_in_order(items: Meaning, written: list[Json], live: list[Json]) -> list[Json]:
    one, other = ([canonical(items, each) for each in values] for values in (written, live))
    found: list[Json] = []
    for tag, start, end, live_start, live_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "equal":
            found += written[start:end]
            continue
        pairs = zip(written[start:end], live[live_start:live_end], strict=False)
        changed = [nearest(items, old, new) for old, new in pairs]
        found += changed + [minimal(items, each) for each in live[live_start + len(changed) : live_end]]
    return found


def _is_one(meaning: Meaning, items: Meaning, one: Json, other: Json) -> bool:
    """Whether two items of an unordered list stand for the same thing."""
    if meaning.list_meaning is ListMeaning.MAP and (key := entry_key(meaning, one)):
        return key == entry_key(meaning, other)
    return same(items, one, other)
