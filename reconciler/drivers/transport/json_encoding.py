"""Encodes and decodes JSON safely: bounded, and without values that only Python accepts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import Final

from reconciler.core.values.model import Body, Json

MAX_DEPTH: Final = 100
"""Levels of what is read: three times those of a manifest, and far below where Python gives up."""
MAX_DIGITS: Final = 300
"""Of a whole number: one of more is no float any more."""
MAX_VALUES: Final = 1_000_000
"""Of an answer: a page of a hundred objects with a thousand values each is a tenth of it."""
_CONTAINERS: Final = frozenset({dict, list})
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


def encoded(body: Body) -> bytes:
    """A body as JSON; in ASCII where it holds lone surrogates, which UTF-8 has no bytes for (others' metadata may)."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body, allow_nan=False).encode()


def decoded(
    text: bytes | str, pairs: Callable[[list[tuple[str, Json]]], Json] | None = None, deepest: int = MAX_DEPTH
) -> Json:
    """The value of a JSON text that others wrote; `pairs` makes a mapping of its entries.

    Raises ValueError where it is no JSON (then a JSONDecodeError, with the place), or nests deeper, or has larger
    numbers than what works on it can bear.
    """
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole, object_pairs_hook=pairs
        )
    except RecursionError:
        raise ValueError(f"it is nested deeper than {deepest} levels") from None
    inside = [value]
    for _ in range(deepest):
        inside = [each for one in inside if type(one) in _CONTAINERS for each in _entries(one)]
        if not inside:
            return value
    raise ValueError(f"it is nested deeper than {deepest} levels")


def has_too_many_values(raw: bytes, most: int = MAX_VALUES) -> bool:
    """Whether a JSON text stands for more values than are held: three bytes of `[],` take sixty when they are read."""
    return count_values(raw, most) > most


def count_values(raw: bytes, enough: int) -> int:
    """How many values a JSON text stands for, by its commas; those in texts count too, up to `enough` of them."""
    found = raw.count(b",")
    if found <= enough:
        return found
    found = at = 0
    for text in _STRING.finditer(raw):
        found += raw.count(b",", at, text.start())
        at = text.end()
    return found + raw.count(b",", at)


def mapped(value: Json, change: Callable[[str], str]) -> Json:
    """A JSON value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [mapped(each, change) for each in value]
    if isinstance(value, dict):
        return {change(name): mapped(each, change) for name, each in value.items()}
    return value


def _entries(container: Json) -> Iterable[Json]:
    return container.values() if type(container) is dict else container


def _refuse_constant(text: str) -> Iterable[None]:
    raise ValueError(f"{text} is not JSON")


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"{text:.30}… is too large")
    return int(text)


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"{text:.30} is too large")
    return number
