"""Lists whose entries have names (`x-list: map`): which of them stand there twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from reconciler.core.model import ABSENT, Json


def repeated(entries: Sequence[Json], pointers: Sequence[str]) -> Iterator[tuple[int, int, list[Json]]]:
    """The places of an entry and of the first one with the same key, and that key."""
    first: dict[str, int] = {}
    for index, item in enumerate(entries):
        key = [_at(item, pointer) for pointer in pointers]
        if all(part is ABSENT for part in key):
            continue
        name = json.dumps([None if part is ABSENT else [part] for part in key], sort_keys=True, default=repr)
        if name in first:
            yield index, first[name], key
        else:
            first[name] = index


def _at(value: Json, pointer: str) -> Json:
    for part in pointer.removeprefix("/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value
