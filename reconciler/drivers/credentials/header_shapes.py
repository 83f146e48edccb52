"""Checks the value of a header against the shape that the provider allows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.core.values.model import Json
from reconciler.drivers.provider import HeaderShape

MOST_BRACKETS: Final = 64
"""How many objects and lists the JSON of a header may have: reading it never nests deeper than that."""
MOST_BYTES: Final = 16 * 1024
_MOST: Final = 10**15
_ANY: Final = "*"
URL: Final = "url"
"""What a shape says of a host that is named by a url; any other is a name, which goes where `{}` stands."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_URL: Final = re.compile(
    r"https?://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
    r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)*/?"
)
_NEVER: Final = re.compile(
    r"connection|keep-alive|te|trailer|transfer-encoding|upgrade|http2-settings|expect|proxy-.*|"
    r"host|content-.*|forwarded|via|x-forwarded.*|x-real-ip|x-(?:original|rewrite)-.*|(?:x-)?(?:http-)?method(?:-override)?"
)


def is_never_sent(name: str) -> bool:
    """Whether a header is about the connection, the body or the route of a request, which no file decides."""
    return _NEVER.fullmatch(name.lower().replace("_", "-")) is not None


class UnknownMember(ValueError):
    """JSON has a member that its shape does not know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"has a member {name!r:.80} that is not known")
        self.name = name


def fitted_value(shape: HeaderShape, value: str | Mapping[str, Json]) -> tuple[str, list[str]]:
    """The text to send for a value, and the urls of the hosts that it names.

    JSON is read strictly, and written anew from what was read. Raises ValueError with what does not fit, never with the
    value in it.
    """
    if isinstance(value, str):
        if shape.host:
            is_url = shape.host == URL
            if not (_URL if is_url else _NAME).fullmatch(value):
                raise ValueError(f"is not the {'url' if is_url else 'name'} of a host")
            return value, [value if is_url else f"https://{shape.host.format(value)}"]
        if not shape.members or value.lstrip()[:1] not in ("{", "["):
            if shape.matches is None or not re.fullmatch(shape.matches, value):
                raise ValueError(f"has another form than {shape.matches or 'an object'}")
            return value, []
        value = strict_json(value)
    elif shape.members:
        value = strict_json(json.dumps(value))
    if not shape.members or not isinstance(value, Mapping):
        raise ValueError("is not a text" if not shape.members else "is not an object")
    return json.dumps(value), list(_hosts(shape.members, value))


def missing_destination(shape: HeaderShape, value: Json, beside: Mapping[str, Json]) -> tuple[str, ...]:
    """What does not stand beside a value, and one of it has to: without it, nobody knows where the value leads."""
    wanted = shape.needs.get(value.strip().lower(), ()) if isinstance(value, str) else ()
    return () if any(each in beside for each in wanted) else wanted


def strict_json(text: str) -> Any:
    """The value of a JSON text of bounded size, without doubtful numbers, and with each name once in an object.

    Raises ValueError: two readers of anything else could understand it differently.
    """
    if len(text) > MOST_BYTES or text.count("{") + text.count("[") > MOST_BRACKETS:
        raise ValueError(f"has more than {MOST_BRACKETS} objects and lists, or {MOST_BYTES // 1024} KiB")
    try:
        return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_number)
    except json.JSONDecodeError:
        raise ValueError("is not JSON") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("has a name twice in one object")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"has {word}, which is not a JSON number")


def _hosts(members: Mapping[str, HeaderShape], value: Mapping[str, Json]) -> Iterator[str]:
    """The urls of the hosts that members name, at any depth. Raises ValueError for one that is unknown or wrong."""
    waiting: list[tuple[str, Any, Mapping[str, Json]]] = [(name, each, value) for name, each in value.items()]
    while waiting:
        name, each, beside = waiting.pop()
        shape = members.get(name) or members.get(_ANY)
        if shape is None:
            raise UnknownMember(name)
        if wanted := missing_destination(shape, each, beside):
            raise ValueError(f"has a member {name!r:.80} without {' or '.join(wanted)} beside it")
        if isinstance(each, Mapping) and not shape.is_place:
            waiting += ((name, one, each) for name, one in each.items())
        elif isinstance(each, list) and not shape.is_place:
            waiting += ((name, one, beside) for one in each)
        elif isinstance(each, str):
            try:
                yield from fitted_value(shape, each)[1]
            except ValueError as wrong:
                raise ValueError(f"has a member {name!r:.80} that {wrong}") from None
        elif shape.is_place or (isinstance(each, int | float) and not abs(each) < _MOST):
            raise ValueError(f"has a member {name!r:.80} with a value that is not allowed")
