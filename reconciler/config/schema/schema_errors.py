"""Validation errors as values, and which of them are worth reporting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.config.syntax.yaml_scalars import Tagged
from reconciler.core.values.model import Json, Path


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One keyword of a schema that a value does not meet; `in_key` when the value is the name of a field."""

    keyword: str
    path: Path
    value: Json
    expected: Json
    schema: Mapping[str, Any]
    in_key: bool = False
    context: tuple[SchemaError, ...] = ()


def most_relevant(failures: Sequence[SchemaError]) -> Iterator[SchemaError]:
    """The failures worth telling: of a value of the wrong type only that, and nothing of a value already refused."""
    flat = [each for failure in failures for each in _leaves(failure)]
    wrong_type = {each.path for each in flat if each.keyword == "type"}
    for each in flat:
        inside_wrong = any(each.path[:length] in wrong_type for length in range(len(each.path)))
        beside_wrong = each.keyword not in ("type", "deprecated", "readOnly") and each.path in wrong_type
        if not (isinstance(each.value, Tagged) or inside_wrong or beside_wrong):
            yield each


def _leaves(failure: SchemaError) -> Iterator[SchemaError]:
    """If all alternatives fail, the errors of the one that came furthest; constants are reported together."""
    if failure.keyword not in ("anyOf", "oneOf") or not failure.context:
        yield failure
        return
    constants = [each for each in failure.context if each.keyword in ("const", "enum") and each.path == failure.path]
    if len(constants) == len(failure.context):
        allowed = [
            value for each in constants for value in (each.expected if each.keyword == "enum" else [each.expected])
        ]
        yield SchemaError("enum", failure.path, failure.value, allowed, failure.schema)
        return
    deepest = max(failure.context, key=lambda each: (len(each.path), each.keyword != "type"))
    yield from _leaves(deepest)


def field_homes(schema: Mapping[str, Any]) -> dict[str, list[str]]:
    """Every field name below the top level of a schema → the dotted paths it stands under."""
    homes: dict[str, list[str]] = {}
    definitions = schema.get("$defs", {})

    def visit(each: Json, at: str, seen: tuple[str, ...]) -> None:
        if not isinstance(each, dict):
            return
        reference = each.get("$ref", "")
        target = reference.removeprefix("#/$defs/")
        if target in definitions and target not in seen:
            visit(definitions[target], at, (*seen, target))
        for name, below in each.get("properties", {}).items():
            if at and at not in homes.setdefault(name, []):
                homes[name].append(at)
            visit(below, f"{at}.{name}".removeprefix("."), seen)
        visit(each.get("items"), f"{at}[]", seen)
        for branch in (*each.get("allOf", ()), *each.get("anyOf", ()), each.get("then"), each.get("else")):
            visit(branch, at, seen)

    visit(schema, "", ())
    return homes
