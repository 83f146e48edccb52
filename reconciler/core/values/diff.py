"""Finds where inside a unit two values differ, to show it to people.

The only module that imports deepdiff, and only once a unit is known to differ: deciding is `semantics`' work.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.values.model import ABSENT, Json, Path
from reconciler.core.values.semantics import FREE, ListMeaning, Meaning, canonical, canonical_value, entry_key, same


def explain(meaning: Meaning, before: Json, after: Json) -> Iterator[tuple[Path, Json, Json]]:
    """The differing places of two values as `(path, before, after)`, `ABSENT` where there is nothing; sorted by path.

    Entries of keyed lists and sets go by their key, not by their position. Values are as they were given; if
    one side omits a field that has a default, the result has the default.
    """
    if not (isinstance(before, list | dict) and type(before) is type(after)):
        yield (), before, after
        return
    from deepdiff import DeepDiff  # 0.1 s to import: only when something differs

    one, other = _keyed(meaning, canonical_value(meaning, before)), _keyed(meaning, canonical_value(meaning, after))
    # Keys that begin with "__" are private to Python, not to a user's metadata.
    tree = DeepDiff(one, other, ignore_private_variables=False, threshold_to_diff_deeper=0, view="tree")
    paths = [tuple(level.path(output_format="list")) for levels in tree.values() for level in levels]
    found = [(path, _at(meaning, before, path)[0], _at(meaning, after, path)[0]) for path in paths]
    if not found and not same(meaning, before, after):  # deepdiff takes true for 1 inside lists
        found = [((), before, after)]
    yield from sorted(found, key=lambda place: [(isinstance(step, str), str(step).zfill(9)) for step in place[0]])


def locate(meaning: Meaning, value: Json, path: Path) -> Path:
    """A path of `explain` as positions in `value`, as far as `value` goes: what positions in files are kept by."""
    return _at(meaning, value, path)[1]


def _at(meaning: Meaning, value: Json, path: Path) -> tuple[Json, Path]:
    """What stands at a path of `explain`, and the path by positions."""
    steps: list[str | int] = []
    for step in path:
        if isinstance(value, list):
            names = _names(meaning, value)
            place: str | int | None = names.index(step) if step in names else None
            meaning = meaning.items or FREE
        else:
            place = step if isinstance(value, dict) and step in value else None
            meaning = meaning.properties.get(str(step)) or meaning.entries or FREE
        if place is None:
            value = ABSENT if meaning.default is None else meaning.default
        else:
            value = value[place]
            steps.append(place)
    return value, tuple(steps)


def _names(meaning: Meaning, value: list[Json]) -> list[str | int]:
    """What the entries of a list go by: their positions, or their keys (with a stroke for each double)."""
    if meaning.list_meaning is ListMeaning.ORDERED:
        return list(range(len(value)))
    names: list[str | int] = []
    for entry in value:
        name = entry_key(meaning, entry) or (
            entry if isinstance(entry, str) else canonical(meaning.items or FREE, entry)
        )
        while name in names:
            name += "'"  # two entries of one key: only ever on the remote's side
        names.append(name)
    return names


def _keyed(meaning: Meaning, value: Json) -> Json:
    """The value with sets and keyed lists as dicts, so that a place in it is named by what stands there."""
    if isinstance(value, dict):
        return {name: _keyed(meaning.properties.get(name) or meaning.entries or FREE, v) for name, v in value.items()}
    if not isinstance(value, list):
        return value
    items = meaning.items or FREE
    if meaning.list_meaning is ListMeaning.ORDERED:
        return [_keyed(items, entry) for entry in value]
    return {name: _keyed(items, entry) for name, entry in zip(_names(meaning, value), value, strict=True)}
