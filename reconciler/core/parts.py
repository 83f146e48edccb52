"""Parts of object values: how they are cleared by name, and which of them nobody here knows."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.model import Json, Path
from reconciler.core.semantics import Meaning, same


def explicit(meaning: Meaning, desired: Json, live: Json) -> Json:
    """`desired` with every part that `live` has beyond its default, and that has a default, cleared by name.

    Right whether the remote replaces object values or merges into them, which for some APIs is documented nowhere.
    """
    if not (isinstance(desired, dict) and isinstance(live, dict) and meaning.properties):
        return desired
    filled = dict(desired)
    for name, sub in meaning.properties.items():
        if name in live and not sub.uncompared:
            if name in desired:
                filled[name] = explicit(sub, desired[name], live[name])
            elif sub.default is not None and not same(sub, None, live[name]):
                filled[name] = _cleared(sub)
    return filled


def _cleared(meaning: Meaning) -> Json:
    """The default, with every list and object in it spelled out."""
    if not isinstance(meaning.default, dict):
        return meaning.default
    parts = {name: _cleared(sub) for name, sub in meaning.properties.items() if sub.default is not None}
    return parts | meaning.default


def unknown_parts(meaning: Meaning, value: Json, path: Path = ()) -> Iterator[Path]:
    """Paths of non-null parts of a live value that the schema does not know: writing the unit would drop them."""
    if isinstance(value, list) and meaning.items is not None:
        for index, entry in enumerate(value):
            yield from unknown_parts(meaning.items, entry, (*path, index))
    elif isinstance(value, dict) and meaning.is_record:
        for name, entry in value.items():
            if name in meaning.properties:
                yield from unknown_parts(meaning.properties[name], entry, (*path, name))
            elif meaning.closed and entry is not None:
                yield (*path, name)
