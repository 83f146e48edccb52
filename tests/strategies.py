"""Hypothesis strategies that follow a kind's schema, so that a new field is covered the day it is added.

`bodies(schema)` draws bodies a manifest could hold: valid, no read-only field, keyed lists with one entry for each
key. A word of JSON Schema that is not understood here raises, so that a schema cannot outgrow its tests in silence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator

Json = Any
Schema = Mapping[str, Any]

law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""How a law is tried: no clock takes part in the verdict."""

MOST_ENTRIES = 5
LONGEST_TEXT = 24

_META = "https://json-schema.org/draft/2020-12/schema"
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_NOTES = frozenset(
    {"$schema", "$id", "$defs", "title", "description", "examples", "default", "deprecated", "readOnly", "writeOnly"}
)
_BRANCHES = frozenset({"$ref", "allOf", "anyOf", "oneOf", "if", "then", "else", "not"})
_PLAIN = frozenset(
    {
        "type",
        "enum",
        "const",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "pattern",
        "items",
        "minItems",
        "maxItems",
    }
    | {"properties", "required", "additionalProperties", "propertyNames", "maxProperties", "x-list", "x-key"}
)


def bodies(schema: Schema) -> SearchStrategy[dict[str, Json]]:
    """Valid bodies of a kind, from the minimal one to those that set everything."""
    found = _Compiler(schema).value(schema)
    if found is None:
        raise ValueError("no body is valid under this schema")
    return found


def json_values() -> SearchStrategy[Json]:
    """Any JSON value, a few levels deep."""
    leaves = st.none() | st.booleans() | st.integers() | _floats(None, None) | st.text(max_size=LONGEST_TEXT)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )


def json_schemas() -> SearchStrategy[dict[str, Json]]:
    """Small JSON Schemas of an object, such as a function's parameters have."""
    names = st.text("abcdefgh_", min_size=1, max_size=6)
    leaf = st.sampled_from([{"type": name} for name in _TYPES] + [{"enum": ["a", 1, None]}, {}])
    parts = st.dictionaries(names, leaf, max_size=3)
    return parts.map(lambda found: {"type": "object", "properties": found, "required": sorted(found)[:1]})


@dataclass(frozen=True)
class _Shape:
    """One way through the branches of a schema: what must hold, and what must not."""

    parts: tuple[Schema, ...] = ()
    refused: tuple[Schema, ...] = ()
    is_schema: bool = False

    def __add__(self, other: _Shape) -> _Shape:
        return _Shape(self.parts + other.parts, self.refused + other.refused, self.is_schema or other.is_schema)

    def each(self, word: str) -> Iterator[Any]:
        return (part[word] for part in self.parts if word in part)


def _is_read_only(schema: Any) -> bool:
    return isinstance(schema, dict) and bool(schema.get("readOnly"))


class _Compiler:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def value(self, *schemas: Any) -> SearchStrategy[Json] | None:
        """Values valid under all of these schemas; None where there are none."""
        ways = [self._ways(schema) for schema in schemas]
        found = (self._of_shape(sum(way, _Shape())) for way in product(*ways))
        possible = [strategy for strategy in found if strategy is not None]
        return st.one_of(possible) if possible else None

    def _ways(self, schema: Any) -> list[_Shape]:
        if isinstance(schema, bool):
            return [_Shape()] if schema else []
        if unknown := set(schema) - _NOTES - _BRANCHES - _PLAIN - {w for w in schema if w.startswith("x-")}:
            raise NotImplementedError(f"no strategy for {sorted(unknown)}")
        own = _Shape(({word: schema[word] for word in schema if word in _PLAIN},))
        choices = [[own]]
        if "$ref" in schema:
            choices.append(self._target(schema["$ref"]))
        if "not" in schema:
            choices.append([_Shape(refused=(schema["not"],))])
        choices += [self._ways(branch) for branch in schema.get("allOf", ())]
        choices += [
            [way for branch in schema[w] for way in self._ways(branch)] for w in ("anyOf", "oneOf") if w in schema
        ]
        if "if" in schema:
            met = [one + two for one in self._ways(schema["if"]) for two in self._ways(schema.get("then", True))]
            missed = [way + _Shape(refused=(schema["if"],)) for way in self._ways(schema.get("else", True))]
            choices.append(met + missed)
        return [sum(way, _Shape()) for way in product(*choices)]

    def _target(self, ref: str) -> list[_Shape]:
        if ref == _META:
            return [_Shape(is_schema=True)]
        target: Any = self._root
        for step in ref.removeprefix("#/").split("/"):
            target = target[step]
        return self._ways(target)

    def _valid(self, schema: Schema) -> Callable[[Json], bool]:
        return Draft202012Validator({**schema, "$defs": self._root.get("$defs", {})}).is_valid

    def _of_shape(self, shape: _Shape) -> SearchStrategy[Json] | None:
        if {} in shape.refused:
            return None
        if shape.is_schema:
            return json_schemas()
        if not any(shape.parts) and not shape.refused:
            return json_values()
        lists = [*shape.each("enum"), *([value] for value in shape.each("const"))]
        if lists:
            wanted = [self._valid(part) for part in shape.parts]
            unwanted = [self._valid(part) for part in shape.refused]
            met = [v for v in lists[0] if all(ok(v) for ok in wanted) and not any(bad(v) for bad in unwanted)]
            return st.sampled_from(met) if met else None
        types = set(_TYPES)
        for word in shape.each("type"):
            types &= {word} if isinstance(word, str) else set(word)
        types -= {part["type"] for part in shape.refused if set(part) == {"type"}}
        found = [self._of_type(name, shape) for name in _TYPES if name in types]
        possible = [strategy for strategy in found if strategy is not None]
        return st.one_of(possible) if possible else None

    def _of_type(self, name: str, shape: _Shape) -> SearchStrategy[Json] | None:
        low, high = max(shape.each("minimum"), default=None), min(shape.each("maximum"), default=None)
        match name:
            case "null":
                return st.none()
            case "boolean":
                return st.booleans()
            case "integer":
                return st.integers(low, high)
            case "number":
                whole = low if low is None else math.ceil(low), high if high is None else math.floor(high)
                return st.integers(*whole) | _floats(low, high)
            case "string":
                return _texts(shape)
            case "array":
                return self._lists(shape)
            case _:
                return self._records(shape)

    def _lists(self, shape: _Shape) -> SearchStrategy[Json]:
        items = self.value(*shape.each("items"))
        assert items is not None, "a list whose items cannot be"
        pointers = [pointer for keys in shape.each("x-key") for pointer in keys]
        meaning = next(shape.each("x-list"), "ordered")
        unique = {"ordered": None, "set": json.dumps, "map": lambda entry: [_at(entry, p) for p in pointers]}[meaning]
        return st.lists(
            items,
            min_size=max(shape.each("minItems"), default=0),
            max_size=min((MOST_ENTRIES, *shape.each("maxItems"))),
            unique_by=(lambda entry: json.dumps(unique(entry))) if unique else None,
        )

    def _records(self, shape: _Shape) -> SearchStrategy[Json] | None:
        refused, subs = [], {name: [] for part in shape.each("properties") for name in part}
        for part in shape.parts:
            for name, sub in part.get("properties", {}).items():
                subs[name].append(sub)
        for part in shape.refused:
            names = list(part.get("properties", ()))
            if names and part.get("required") == names and len(names) == 1:
                subs.setdefault(names[0], []).append({"not": part["properties"][names[0]]})
            else:
                refused.append(self._valid(part))
        for part in shape.parts:
            if part.get("additionalProperties") is False:
                subs = {name: found for name, found in subs.items() if name in part.get("properties", {})}
        fields = {n: self.value(*s) for n, s in subs.items() if not any(_is_read_only(x) for x in s)}
        required = {name for names in shape.each("required") for name in names}
        if any(fields.get(name) is None for name in required):
            return None
        record = st.fixed_dictionaries(
            {name: found for name, found in fields.items() if name in required},
            optional={name: found for name, found in fields.items() if name not in required and found is not None},
        )
        extra = self._entries(shape)
        if extra is not None:
            record = st.builds(lambda entries, named: {**entries, **named}, extra, record)
        return record.filter(lambda value: not any(bad(value) for bad in refused)) if refused else record

    def _entries(self, shape: _Shape) -> SearchStrategy[Json] | None:
        """Entries under names of the user's choice."""
        words = [word for word in shape.each("additionalProperties") if isinstance(word, dict)]
        values = self.value(*words) if words else None
        if values is None:
            return None
        names = self.value({"type": "string"}, *shape.each("propertyNames"))
        assert names is not None, "a map without possible names"
        return st.dictionaries(names, values, max_size=min((MOST_ENTRIES, *shape.each("maxProperties"))))


def _at(entry: Json, pointer: str) -> Json:
    for step in pointer.split("/")[1:]:
        entry = entry.get(step) if isinstance(entry, dict) else None
    return entry


def _floats(low: float | None, high: float | None) -> SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


def _texts(shape: _Shape) -> SearchStrategy[str]:
    shortest, longest = max(shape.each("minLength"), default=0), min(shape.each("maxLength"), default=LONGEST_TEXT)
    refused = {part["const"] for part in shape.refused if "const" in part}
    patterns = list(shape.each("pattern"))
    if patterns:
        texts = st.from_regex(patterns[0], fullmatch=True).filter(lambda text: not text.endswith("\n"))
        assert len(patterns) == 1, "two patterns for one text"
    else:
        texts = st.text(min_size=shortest, max_size=max(shortest, min(longest, LONGEST_TEXT)))
    return texts.filter(lambda text: text not in refused) if refused else texts
