"""What a kind or a field of it is, from its schema: type, limits, default, how it is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.config.errors import ConfigError, error
from reconciler.config.message_text import closest, cut
from reconciler.config.schema import descriptions
from reconciler.config.schema.schema_fields import SchemaField, schema_root
from reconciler.config.syntax.document import BLOCK
from reconciler.core.values.model import ABSENT
from reconciler.diagnostics import Code
from reconciler.operations.project.address_lookup import kind_named
from reconciler.operations.project.project_target import ProjectTarget


def describe_kinds(target: ProjectTarget) -> dict[str, Any]:
    """The kinds of a target, as JSON. Raises ConfigError."""
    kinds = [
        {"name": name, "description": target.schemas.schema(spec.schema).get("description", "")}
        for name, spec in target.provider.kinds.items()
    ]
    return {"provider": target.provider.name, "target": target.target.name, "kinds": kinds}


def describe_field(target: ProjectTarget, kind: str, *names: str) -> dict[str, Any]:
    """A kind, or a field of it by the names that lead to it, as JSON. Raises ConfigError."""
    return _described(kind, _place(target, kind, names))


def _place(target: ProjectTarget, kind: str, names: Sequence[str]) -> SchemaField:
    """The place of a field. Raises ConfigError naming the nearest there is."""
    place = schema_root(target.schemas.manifest_schema(kind_named(target.provider, target.schemas, kind).schema))
    for name in names:
        if (below := place.child(name)) is None:
            known = place.names()
            near = closest(name, known)
            hint = f"did you mean {'.'.join((kind, *place.path, near))}?" if near else ""
            where = ".".join((kind, *place.path))
            detail = f"one of {', '.join(known)}" if known else "no fields"
            raise ConfigError([error(Code.UNKNOWN_FIELD, f"{where} has no field {cut(name)}", None, detail, hint)])
        place = below
    return place


def _described(kind: str, place: SchemaField) -> dict[str, Any]:
    """What the schema has about a place, as JSON; what does not apply is left out."""
    description: dict[str, Any] = {"path": [kind, *place.path], "description": place.words.get("description", "")}
    if place.path:
        ours = place.path[0] == BLOCK
        description |= {
            "type": descriptions.type_words(place),
            "limits": list(descriptions.limits(place)),
            "notes": [*descriptions.notes(place), *(["for this tool only: never sent"] if ours else [])],
        }
        if place.default is not ABSENT:
            description["default"] = place.default
        if not ours and not place.refused:
            description |= {"compared": descriptions.comparison(place), "on_remove": descriptions.removal(place)}
        if (example := descriptions.example(place)) is not ABSENT:
            description["example"] = example
    inner = place.item or place
    description["fields"] = [
        {
            "name": name,
            "type": descriptions.type_words(each),
            "notes": list(descriptions.notes(each)),
            "description": each.words.get("description", ""),
        }
        for name, each in inner.fields.items()
    ]
    return description
