"""Where inside a unit two values differ, for people.

The only module that imports deepdiff, and only once a unit is known to differ: deciding is `semantics`' work.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.model import ABSENT, Json, Path
from reconciler.core.semantics import FREE, ListMeaning, Meaning, canonical, canonical_value, entry_key, same


def explain(meaning: Meaning, before: Json, after: Json) -> Iterator[tuple[Path, Json, Json]]:
    """The differing places of two values as `(path, before, after)`, `ABSENT` where there is nothing; sorted by path.

    Entries of keyed lists and sets go by their key, not by their position.
    """
    if not (isinstance(before, list | dict) and type(before) is type(after)):
        yield (), before, after
        return
    from deepdiff import DeepDiff  # 0.1 s to import: only when something differs

    one, other = _keyed(meaning, canonical_value(meaning, before)), _keyed(meaning, canonical_value(meaning, after))
    # Keys that begin with "__" are private to Python, not to a user's metadata.
    tree = DeepDiff(one, other, ignore_private_variables=False, threshold_to_diff_deeper=0, view="tree")
    found = [
        (tuple(level.path(output_format="list")), _side(level.t1), _side(level.t2))
        for levels in tree.values()
        for level in levels
    ]
    if not found and not same(meaning, before, after):  # deepdiff takes true for 1 inside lists
        found = [((), before, after)]
    yield from sorted(found, key=lambda place: [(isinstance(step, str), str(step).zfill(9)) for step in place[0]])


def _side(value: object) -> Json:
    return ABSENT if type(value).__name__ == "NotPresent" else value


def _keyed(meaning: Meaning, value: Json) -> Json:
    """The value with sets and keyed lists as dicts, so that a place in it is named by what stands there."""
    if isinstance(value, dict):
        return {name: _keyed(meaning.properties.get(name) or meaning.entries or FREE, v) for name, v in value.items()}
    if not isinstance(value, list):
        return value
    items = meaning.items or FREE
    if meaning.list_meaning is ListMeaning.ORDERED:
        return [_keyed(items, entry) for entry in value]
    keyed: dict[str, Json] = {}
    for entry in value:
        name = entry_key(meaning, entry) or (entry if isinstance(entry, str) else canonical(items, entry))
        while name in keyed:
            name += "'"  # two entries of one key: only ever on the remote's side
        keyed[name] = _keyed(items, entry)
    return keyed
