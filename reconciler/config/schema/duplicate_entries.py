"""Lists whose entries have names (`x-list: map`): which of them stand there twice."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from functools import cache

from reconciler.core.values.model import ABSENT, Json


def repeated(entries: Sequence[Json], pointers: Sequence[str]) -> Iterator[tuple[int, int, list[Json]]]:
    """The places of an entry and of the first one with the same key, and that key."""
    first: dict[Hashable, int] = {}
    steps = [_steps(pointer) for pointer in pointers]
    for index, item in enumerate(entries):
        key = [_at(item, each) for each in steps]
        if all(part is ABSENT for part in key):
            continue
        name: Hashable = tuple(key)
        if not all(type(part) is str or part is ABSENT for part in key):
            name = json.dumps([None if part is ABSENT else [part] for part in key], sort_keys=True, default=repr)
        if name in first:
            yield index, first[name], key
        else:
            first[name] = index


@cache
def _steps(pointer: str) -> tuple[str, ...]:
    parts = pointer.removeprefix("/").split("/")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in parts)


def _at(value: Json, steps: tuple[str, ...]) -> Json:
    for name in steps:
        if not isinstance(value, dict) or name not in value:
            return ABSENT
        value = value[name]
    return value
