"""JSON as it goes over the wire: strict both ways, and no number that is none."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable

from reconciler.core.model import Body, Json


def encode(body: Body) -> bytes:
    """A body as JSON; in ASCII where it holds lone surrogates, which UTF-8 has no bytes for (others' metadata may)."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body, allow_nan=False).encode()


def parse(raw: bytes) -> Json:
    """A JSON text. Raises ValueError where it is none, RecursionError where it is nested too deeply."""
    return json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite)


def with_texts(value: Json, change: Callable[[str], str]) -> Json:
    """A JSON value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [with_texts(each, change) for each in value]
    if isinstance(value, dict):
        return {change(name): with_texts(each, change) for name, each in value.items()}
    return value


def _refuse_constant(text: str) -> Iterable[None]:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"{text} is too large")
    return number
