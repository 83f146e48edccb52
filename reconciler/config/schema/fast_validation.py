"""Validates with `jsonschema_rs` (extra `fast`), a hundred times faster, without error messages.

`validation` stays the authority, and the only one with words: what is not accepted here is looked at there. The only
module that imports `jsonschema_rs`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final

from reconciler.core.values.model import ABSENT, Json

Accepts = Callable[[Json], bool]

SCHEMA: Final = frozenset({"items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"})
SCHEMAS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED: Final = frozenset({"properties", "patternProperties", "$defs"})
_LIMITS: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"})
_COUNTS: Final = frozenset({"minItems", "maxItems", "minProperties", "maxProperties", "uniqueItems", "required"})
_ANNOTATIONS: Final = frozenset(
    {"$schema", "$id", "title", "description", "default", "examples", "writeOnly", "$comment"}
)
_KNOWN: Final = _LIMITS | _COUNTS | _ANNOTATIONS | {"$ref", "type", "enum", "const", "pattern"}


class UnknownWord(Exception):
    """A schema says something that is not known to mean the same on both sides."""


def acceptor(schema: Mapping[str, Any]) -> Accepts | None:
    """A function that says whether a value is certainly right; None without the extra, or where a word is not known."""
    try:
        from jsonschema_rs import Draft202012Validator, ReferencingError
    except ImportError:
        return None
    try:
        same = translated(schema)
    except UnknownWord:
        return None
    try:
        valid = Draft202012Validator(same, validate_formats=False, offline=True, keywords={"x-keyed": _Keyed})
    except (ValueError, ReferencingError):  # a reference that leads nowhere: the authority tells of it
        return None

    def accepts(value: Json) -> bool:
        try:
            return valid.is_valid(value)
        except ValueError:  # half of a surrogate pair, or a number that does not fit
            return False

    return accepts


def translated(schema: Json) -> Json:
    """The schema in standard words, and one of ours. Raises UnknownWord."""
    if isinstance(schema, bool):
        return schema
    if schema.get("readOnly") or schema.get("deprecated"):
        return False  # the one is an error, and the other a warning: both need words
    found: dict[str, Any] = {}
    for word, meaning in schema.items():
        if word in SCHEMA:
            found[word] = translated(meaning)
        elif word in SCHEMAS:
            found[word] = [translated(each) for each in meaning]
        elif word in NAMED:
            found[word] = {name: translated(each) for name, each in meaning.items()}
        elif word in _KNOWN:
            found[word] = meaning
        elif word == "x-list" and meaning == "map":
            found["x-keyed"] = schema.get("x-key", [])
        elif word not in ("readOnly", "deprecated") and not word.startswith("x-"):
            raise UnknownWord(word)
    return found


class _Keyed:
    """Our word for lists whose entries have names: none stands twice."""

    def __init__(self, schema: Mapping[str, Any], keys: list[str], path: object) -> None:
        self._keys = keys

    def validate(self, value: Json) -> None:
        """Raises ValueError."""
        if isinstance(value, list) and any(duplicate_entries(value, self._keys)):
            raise ValueError("is given twice")


def duplicate_entries(entries: Sequence[Json], pointers: Sequence[str]) -> Iterator[tuple[int, int, list[Json]]]:
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
