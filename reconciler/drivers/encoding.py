"""JSON on the wire: what others may send that Python's reader would take, and what theirs would not take from us."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable

from reconciler.core.model import Body, Json


def encoded(body: Body) -> bytes:
    """A body as JSON; in ASCII where it holds lone surrogates, which UTF-8 has no bytes for (others' metadata may)."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body, allow_nan=False).encode()


def decoded(raw: bytes) -> Json:
    """The value of an answer. Raises ValueError or RecursionError where it is no JSON, or a number is none."""
    return json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite)


def mapped(value: Json, change: Callable[[str], str]) -> Json:
    """A JSON value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [mapped(each, change) for each in value]
    if isinstance(value, dict):
        return {change(name): mapped(each, change) for name, each in value.items()}
    return value


def _refuse_constant(text: str) -> Iterable[None]:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"{text} is too large")
    return number
