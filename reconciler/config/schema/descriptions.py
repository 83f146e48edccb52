"""Describes a field from its schema, with an example: the text of `explain` and of the generated pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from reconciler.config.message_text import count, listed
from reconciler.config.schema.schema_fields import SchemaField
from reconciler.core.values.model import ABSENT, Json

TYPES: Final = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}
_BOUNDS: Final = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
}
_SIZES: Final = {"Length": "character", "Items": "item", "Properties": "entry"}
_DEEPEST_EXAMPLE: Final = 4


def type_words(place: SchemaField) -> str:
    """The type, as in `text or null`; `one of …` where values are listed."""
    if place.item is not None and (inside := place.item.types):
        return "a list of " + listed(_plural(name) for name in inside)
    plain = [value for value in place.allowed if value is not None]
    if not plain:
        return listed(TYPES[name] for name in place.types) if place.types else "any value"
    structured = [name for name in place.types if name in ("object", "array")]
    values = [*map(inline_value, plain), *(TYPES[name] for name in structured)]
    return listed([*values, *(["null"] if "null" in place.types or None in place.allowed else [])])


def expectation(place: SchemaField) -> str:
    """What a value must be, in one line; empty if any value is allowed."""
    parts = [type_words(place), *_bounds(place)]
    return ", ".join(each for each in parts if each != "at least 1 character") if place.types or place.allowed else ""


def limits(place: SchemaField) -> Iterator[str]:
    """Every limit of a value, each in words."""
    yield from _bounds(place)
    if (pattern := place.says("pattern")) is not ABSENT:
        yield f"matches {pattern}"
    if (names := place.says("propertyNames")) is not ABSENT:
        yield from (f"a name has {each}" for each in limits(SchemaField(place.root, (names,))) if "character" in each)
        if isinstance(reserved := names.get("not", {}).get("const"), str):
            yield f"the name {reserved} is reserved"


def _bounds(place: SchemaField) -> Iterator[str]:
    for word, text in _BOUNDS.items():
        if (bound := place.says(word)) is not ABSENT:
            yield text.format(bound)
    for noun, unit in _SIZES.items():
        least, most = place.says(f"min{noun}"), place.says(f"max{noun}")
        if least is not ABSENT:
            yield f"at least {count(least, unit)}"
        if most is not ABSENT:
            yield f"at most {count(most, unit)}"


def comparison(place: SchemaField) -> str:
    """How desired and live values are compared."""
    if place.says("readOnly") is True:
        return "never: set by the server"
    if place.says("writeOnly") is True:
        return "never: not returned by the server"
    if place.default is ABSENT:
        return _own_comparison(place)
    alike = "absent and null" if place.default is None else f"absent, null and {inline_value(place.default)}"
    return f"{_own_comparison(place)}; {alike} are equal"


def _own_comparison(place: SchemaField) -> str:
    if place.says("x-map") == "granular":
        return "entry by entry; entries that are not in the files are ignored"
    match place.says("x-list"):
        case "ordered":
            return "item by item, in order"
        case "set":
            return "as a set; order and duplicates are ignored"
        case "map":
            keys = listed(pointer.removeprefix("/").replace("/", ".") for pointer in place.says("x-key"))
            return f"item by item, identified by {keys.replace(' or ', ' and ')}; order is ignored"
    if place.fields or place.entry:
        return "field by field; order is ignored"
    return "by value: 1 and 1.0 are equal" if {"number", "integer"} & set(place.types) else "exactly"


def removal(place: SchemaField) -> str:
    """What happens when the value is removed from the file."""
    if place.says("readOnly") is True:
        return "not applicable: read-only"
    if place.required:
        return "not possible: the field is required"
    if place.own:
        return "the entry is removed once; other entries stay"
    if len(place.path) > 1:
        return f"{place.path[0]} is sent without it"
    if place.says("x-map") == "granular":
        return "entries removed from the file are deleted once; other entries stay"
    if (sent := place.says("x-on-remove")) is not ABSENT:
        return f"{inline_value(sent)} is sent once; after that the field is not managed"
    return "nothing is sent; the live value stays, with a warning"


def notes(place: SchemaField) -> Iterator[str]:
    """Other properties of a value."""
    if place.required:
        yield "required"
    if (kind := place.says("x-ref")) is not ABSENT:
        yield f"holds the id of a {str(kind).replace('_', ' ')}"
    if place.says("x-immutable") is True:
        yield "immutable: can only be set at create"
    if place.says("x-sensitive") is True:
        yield "sensitive: masked in plans, reports and messages"
    if place.says("readOnly") is True:
        yield "read-only: not in files, never sent"
    if place.says("deprecated") is True:
        yield "deprecated"
    if place.refused:
        yield "cannot be managed"


def example(place: SchemaField, depth: int = 0) -> Json:
    """A valid value, different from the default if possible; ABSENT if no value is valid."""
    if place.refused or place.says("readOnly") is True:
        return ABSENT
    if given := place.says("examples"):
        return given[0] if given is not ABSENT else _made_up(place, depth)
    return _made_up(place, depth)


def _made_up(place: SchemaField, depth: int) -> Json:
    values = [value for value in place.allowed if value is not None]
    if values:
        return next((value for value in values if value != place.default), values[0])
    kind = place.types[0] if place.types else "string"
    if kind == "array":
        item = example(place.item, depth + 1) if place.item else ABSENT
        return [] if item is ABSENT else [item]
    if kind == "object":
        return _mapping(place, depth)
    if kind in ("number", "integer"):
        low, high = place.words.get("minimum", 0), place.words.get("maximum")
        middle = low + 1 if high is None else low + (high - low) / 4
        return int(middle) if kind == "integer" or middle == int(middle) else middle
    return place.default is not True if kind == "boolean" else _text(place)


def _mapping(place: SchemaField, depth: int) -> Json:
    wanted = [each for each in place.fields.values() if each.required]
    if not wanted and depth < _DEEPEST_EXAMPLE:
        wanted = [each for each in place.fields.values() if example(each, depth + 1) is not ABSENT][:1]
    if not wanted and place.entry:
        return {"team": example(place.entry, depth + 1)}
    return _completed(place, {each.path[-1]: example(each, depth + 1) for each in wanted}, depth)


def _completed(place: SchemaField, value: dict[str, Json], depth: int) -> dict[str, Json]:
    """The mapping with the fields that its values require, such as a function's name with type function."""
    for part in place.parts:
        then = part.get("then")
        if isinstance(then, dict) and _meets(value, part.get("if", {})):
            for name in then.get("required", ()):
                below = place.child(name)
                if name not in value and below is not None:
                    value[name] = example(below, depth + 1)
    return value


def _meets(value: dict[str, Json], condition: Json) -> bool:
    """Whether a mapping meets a condition about single fields."""
    if not isinstance(condition, dict) or not set(condition) <= {"type", "required", "properties"}:
        return False
    conditions = condition.get("properties", {})
    known = {name: each for name, each in conditions.items() if name in value and isinstance(each, dict)}
    fits = (value[name] in each.get("enum", [each.get("const")]) for name, each in known.items())
    return all(name in value for name in condition.get("required", ())) and all(fits)


def _text(place: SchemaField) -> str:
    name = place.path[-1] if place.path and place.path[-1] != "*" else "text"
    if (kind := place.says("x-ref")) is not ABSENT:
        return f"{kind}_abc123"
    pattern = place.says("pattern")
    made = [f"some {name}", name, "text", "a"]
    fitting = (each for each in made if pattern is ABSENT or re.search(pattern, each))
    return next((each for each in fitting if len(each) <= place.words.get("maxLength", len(each))), name)


def inline_value(value: Json) -> str:
    """A value of the schema on one line; text without quotes where it is a word."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.-]+", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _plural(name: str) -> str:
    return {"string": "texts", "object": "mappings", "array": "lists"}.get(name, f"{name}s")
