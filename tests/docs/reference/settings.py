"""The files a user writes and the documents a machine reads, from their schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from reconciler.config.schema.schemas import shipped
from tests.docs.reference.markdown import code, page, table

_TAGS = (
    (
        "!file PATH",
        "manifests",
        "the content of a file in the project that git does not ignore; the path is relative to the manifest",
    ),
    ("!ref KIND/KEY", "manifests", "the id of another resource, which is created first"),
    ("!var NAME", "manifests", "the value of a variable of the target"),
    (
        "!env NAME",
        "credentials, headers and the lock url of a target",
        "an environment variable, read when needed and treated as a secret",
    ),
    ("!csv PATH", "`for_each`", "the rows of a CSV file"),
    ("!json PATH", "`for_each`", "the items of a JSON list"),
)
_FILES = """\
The files `*.yaml`, `*.yml`, `*.json` and `*.md` below `assistants.d/` are read in the order of their names. Names that
start with `.` or `_` are skipped. A YAML file can contain several documents. A Markdown file is one manifest: the front
matter has the fields, and the body is the prompt (or the corresponding field of another kind). A manifest is a request
body of the API, with an optional `reconciler:` block.

YAML is read with the core schema of YAML 1.2: `no`, `on`, `1:30` and `2026-01-01` are strings. A duplicate key is an
error."""


def pages() -> dict[str, str]:
    """The pages about files and formats, by path."""
    schemas = shipped()
    return {
        "docs/reference/settings.md": _described(schemas.schema("settings.schema.json"), "Settings: reconciler.yaml"),
        "docs/reference/manifest.md": _manifest(schemas.schema("manifest.schema.json")),
        "docs/reference/plan-format.md": _plan(schemas.schema("plan.schema.json")),
    }


def _manifest(schema: dict[str, Any]) -> str:
    tags = table(("tag", "where", "value"), ((code(tag), where, text) for tag, where, text in _TAGS))
    fields = table(("field", "type", "description"), _rows(schema, schema, ()))
    text = str(schema["description"])
    return page("Manifests", _FILES, "## The `reconciler:` block", text, fields, "## Tags", tags)


def _described(schema: dict[str, Any], title: str) -> str:
    return page(title, str(schema["description"]), table(("field", "type", "description"), _rows(schema, schema, ())))


def _plan(schema: dict[str, Any]) -> str:
    parts = [
        f"## {name}\n\n{table(('field', 'type', 'description'), _rows(schema, each, ()))}"
        for name, each in schema["$defs"].items()
        if "properties" in each
    ]
    both = table(("field", "type", "description"), _rows(schema, schema, ()))
    return page(
        "Plan and apply documents",
        f"{schema['description']} The schema is `schemas/plan.schema.json`.",
        "## Fields of both",
        both,
        *parts,
    )


def _rows(root: dict[str, Any], schema: dict[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """A row for each field and those below it; parts with a name of their own are described under that name."""
    required = schema.get("required", ())
    for name, part in schema.get("properties", {}).items():
        resolved = _resolved(root, part)
        yield code(".".join((*path, name))), _type(root, part), _sentence(resolved, required=name in required)
        named = part.get("$ref", "").rpartition("/")[2]
        if not named or "properties" not in resolved:
            yield from _rows(root, resolved, (*path, name))
        extra = resolved.get("additionalProperties")
        if isinstance(extra, dict):
            yield from _rows(root, _resolved(root, extra), (*path, name, "*"))
        items = resolved.get("items")
        if isinstance(items, dict) and "$ref" not in items:
            yield from _rows(root, items, (*path, name, "[]"))


def _sentence(part: dict[str, Any], *, required: bool) -> str:
    text = [str(part.get("description", ""))]
    if "examples" in part:
        text.append("Examples: " + ", ".join(map(code, part["examples"])) + ".")
    if "default" in part:
        text.append(f"Default: {code(part['default'])}.")
    text += [f"{text} {code(part[word])}." for word, text in _LIMITS.items() if word in part]
    return " ".join([*filter(None, text), *(["Required."] if required else [])])


_LIMITS = {"minimum": "At least", "exclusiveMinimum": "More than", "maximum": "At most", "pattern": "Matches"}


def _type(root: dict[str, Any], part: dict[str, Any]) -> str:
    if (name := part.get("$ref", "").rpartition("/")[2]) and "properties" in _resolved(root, part):
        return f"[{name}](#{name})" if name != "target" else "mapping"
    part = _resolved(root, part)
    if "const" in part:
        return code(json.dumps(part["const"]))
    if "enum" in part:
        return " or ".join(code(str(each)) for each in part["enum"])
    types = part.get("type", "any")
    words = [_WORDS.get(each, each) for each in (types if isinstance(types, list) else [types])]
    if words == ["list"] and isinstance(part.get("items"), dict):
        return f"list of {_type(root, part['items'])}"
    return " or ".join(words)


_WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list", "object": "mapping"}


def _resolved(root: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = root
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return {**found, **{word: value for word, value in part.items() if word != "$ref"}}
