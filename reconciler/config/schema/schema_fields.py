"""Looks up fields in a schema: which fields a place has, and everything the schema says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from reconciler.core.values.model import ABSENT, Json

Schema = Mapping[str, Any]
_BRANCHES = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True)
class SchemaField:
    """One place of a schema: its names from the top, and every part of the schema that speaks of it.

    Lists and maps have no names of their own: `tools.type` is the type of any tool, `metadata.team` any entry.
    `own` says that it is an entry of a map that is owned entry by entry.
    """

    root: Schema
    parts: tuple[Schema, ...]
    path: tuple[str, ...] = ()
    required: bool = False
    own: bool = False

    @cached_property
    def words(self) -> Schema:
        """The keywords of all parts; if two parts differ, the first one counts."""
        return {word: part[word] for part in reversed(self.parts) for word in part}

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The JSON types a value can have, as far as the schema says; `null` last."""
        declared = self.words.get("type", ())
        names = {declared} if isinstance(declared, str) else set(declared)
        names |= {_type_of(value) for value in self.allowed} if not names else set()
        return tuple(sorted(names, key=lambda name: (name == "null", name)))

    @cached_property
    def allowed(self) -> tuple[Json, ...]:
        """The values a schema lists for the place; where it takes mappings or lists too, these are not among them."""
        found: list[Json] = []
        for part in self.parts:
            found += part["enum"] if "enum" in part else [part["const"]] if "const" in part else []
        return tuple(value for at, value in enumerate(found) if value not in found[:at])

    @cached_property
    def default(self) -> Json:
        """What the remote shows when nobody set the value; ABSENT where the schema does not say."""
        return next((part["default"] for part in self.parts if "default" in part and "const" not in part), ABSENT)

    @property
    def refused(self) -> bool:
        """Whether nothing may stand here."""
        return any(part.get("not") == {} for part in self.parts)

    def says(self, word: str) -> Json:
        """The value of one keyword here; ABSENT if the schema does not have it."""
        return self.words.get(word, ABSENT)

    @cached_property
    def fields(self) -> dict[str, SchemaField]:
        """The fields that a mapping here can have by name, in the order of the schema."""
        found: dict[str, list[Schema]] = {}
        for part in self.parts:
            for name, sub in part.get("properties", {}).items():
                found.setdefault(name, []).extend([sub] if isinstance(sub, dict) else [])
        certain = self.words.get("required", ()) if self.parts else ()
        return {name: self._below(name, subs, required=name in certain) for name, subs in found.items()}

    @cached_property
    def item(self) -> SchemaField | None:
        """Any item, where a list stands here."""
        items = self.words.get("items")
        return (
            SchemaField(self.root, tuple(_unfolded(self.root, items)), self.path) if isinstance(items, dict) else None
        )

    @cached_property
    def entry(self) -> SchemaField | None:
        """Any entry, where a map with names of the user's choice stands here."""
        extra = self.words.get("additionalProperties")
        return self._below("*", [extra]) if isinstance(extra, dict) else None

    def child(self, name: str) -> SchemaField | None:
        """The place of a name below this one, through lists; None where there is no such field."""
        if self.item is not None:
            return self.item.child(name)
        return self.fields.get(name) or (replace(self.entry, path=(*self.path, name)) if self.entry else None)

    def names(self) -> Sequence[str]:
        """The fields by name at or, through lists, below this place, in the order of the schema."""
        return self.item.names() if self.item is not None else list(self.fields)

    def _below(self, name: str, subs: Sequence[Schema], *, required: bool = False) -> SchemaField:
        parts = tuple(part for sub in subs for part in _unfolded(self.root, sub))
        return SchemaField(self.root, parts, (*self.path, name), required, self.says("x-map") == "granular")


def schema_root(schema: Schema) -> SchemaField:
    """The whole of a schema."""
    return SchemaField(schema, tuple(_unfolded(schema, schema)))


def place_of(root: Schema, schema: Schema) -> SchemaField:
    """A part of a schema, wherever it stands in its `root`."""
    return SchemaField(root, tuple(_unfolded(root, schema)))


def _unfolded(root: Schema, schema: Schema, seen: tuple[str, ...] = ()) -> Iterator[Schema]:
    """A schema and all it refers to or branches into; of a condition only what follows from it."""
    yield schema
    reference = schema.get("$ref", "")
    if reference.startswith("#/") and reference not in seen:
        target: Any = root
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        yield from _unfolded(root, target, (*seen, reference))
    branches = [each for word in _BRANCHES for each in schema.get(word, ())]
    for branch in (*branches, schema.get("then"), schema.get("else")):
        if isinstance(branch, dict):
            yield from _unfolded(root, branch, seen)


def _type_of(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
    return "array" if isinstance(value, list) else "object"
