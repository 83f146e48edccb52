"""Makes the schemas with which editors check and complete manifests.

A language server fetches what a schema refers to, and offers nothing at all while it cannot. And it sees neither a
template's value nor what a manifest extends: where a template stands, any field takes it, and a manifest that extends
another need not be whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.config.message_text import listed
from reconciler.config.schema.descriptions import TYPES
from reconciler.config.syntax.document import BLOCK
from reconciler.core.values.model import Json

TEMPLATE: Final = r"\{\{"
_BELOW: Final = ("properties", "$defs")
_ALTERNATIVES: Final = ("allOf", "anyOf", "oneOf")


def editor_schema(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a whole manifest (`Schemas.manifest_schema`) as editors need it."""
    made: dict[str, Any] = _opened(manifest)
    made["properties"][BLOCK] = manifest["properties"][BLOCK]
    wanted = made.pop("required", [])
    partly = {"required": [BLOCK], "properties": {BLOCK: {"type": "object", "required": ["extends"]}}}
    return made | ({"if": {"not": partly}, "then": {"required": wanted}} if wanted else {})


def _opened(schema: Json) -> Any:
    """A schema that names nothing outside itself, and takes a template where it takes no other text."""
    if not isinstance(schema, dict):
        return schema
    made = {word: value for word, value in schema.items() if word != "$ref" or str(value).startswith("#")}
    for word in _BELOW:
        if word in made:
            fields = made[word].items()
            made[word] = {name: _opened(each) for name, each in fields if not _is_read_only(each)}
    for word in _ALTERNATIVES:
        if word in made:
            made[word] = [_opened(each) for each in made[word]]
    for word in ("items", "additionalProperties", "then", "else"):
        if word in made:
            made[word] = _opened(made[word])
    return _with_template(made)


def _is_read_only(schema: Json) -> bool:
    return isinstance(schema, dict) and schema.get("readOnly") is True


def _with_template(schema: dict[str, Any]) -> dict[str, Any]:
    template = {"type": "string", "pattern": TEMPLATE}
    if "enum" in schema:
        choice = {word: schema[word] for word in ("enum", "type") if word in schema}
        return {word: each for word, each in schema.items() if word not in choice} | {"anyOf": [choice, template]}
    kinds = [schema["type"]] if isinstance(schema.get("type"), str) else list(schema.get("type", ()))
    if kinds and "string" not in kinds and "pattern" not in schema:
        message = f"This must be {listed(TYPES[each] for each in kinds)}; only a template, {{{{ … }}}}, is in quotes."
        return schema | {"type": [*kinds, "string"], "pattern": TEMPLATE, "patternErrorMessage": message}
    return schema
