"""Formats a manifest file, YAML, JSON or Markdown. A file whose meaning could change is left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from reconciler.config.edit.yaml_formatter import PlaceOf, canonical_yaml
from reconciler.config.errors import error
from reconciler.config.schema.schema_fields import SchemaField, schema_root
from reconciler.config.schema.schemas import Schemas
from reconciler.config.settings import SCHEMA
from reconciler.config.source.document_reader import most_bytes
from reconciler.config.syntax.document import BLOCK
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.frontmatter import halves
from reconciler.config.syntax.markdown import split
from reconciler.config.syntax.positions import Node, NotMapped, read_nodes
from reconciler.config.syntax.yaml import decode, read_yaml
from reconciler.diagnostics import Code, Source

_STEP = "  "


def canonical_bytes(content: bytes, file: str, suffix: str, place_of: PlaceOf) -> bytes:
    """A file in the canonical layout; `file` is how messages name it. A `.md` without front matter is only text.

    Raises Refused where the file cannot be read, and where it has something that no layout keeps exactly.
    """
    text = decode(content, file, most_bytes(suffix))
    if suffix == ".md" and split(text, file) is None:
        return content
    plain = text.replace("\r\n", "\n")
    before = _meaning(plain, file, suffix)
    try:
        if "\r" in plain:
            raise NotMapped("there is a carriage return without a line feed")
        new = _laid_out(plain, suffix, place_of)
        if _meaning(new, file, suffix) != before or _laid_out(new, suffix, place_of) != new:
            raise NotMapped("its values would change")
    except (NotMapped, UnreadableFile) as wrong:
        hint = "the file was not changed; format it by hand"
        summary = f"the file cannot be formatted: {str(wrong).partition(chr(10))[0]}"
        raise UnreadableFile(error(Code.FILE_REFUSED, summary, Source(file, 1, 1), hint=hint)) from None
    return (new.replace("\n", "\r\n") if "\r\n" in text else new).encode()


def manifest_places(schemas: Schemas, kinds: Mapping[str, str], default: str) -> PlaceOf:
    """The schema of a document by the kind that it names. `kinds` has the schema files, `default` the kind of none."""
    tops: dict[str, SchemaField] = {}

    def place_of(root: Node) -> SchemaField | None:
        _, block = root.entries.get(BLOCK, (None, None))
        _, named = block.entries.get("kind", (None, None)) if block else (None, None)
        kind = named.name if named else default
        if kind in kinds and kind not in tops:
            tops[kind] = schema_root(schemas.manifest_schema(kinds[kind]))
        return tops.get(kind)

    return place_of


def settings_place(schemas: Schemas) -> PlaceOf:
    """The schema of the settings."""
    place = schema_root(schemas.schema(SCHEMA))
    return lambda root: place


def _laid_out(text: str, suffix: str, place_of: PlaceOf) -> str:
    if suffix == ".json":
        roots = read_nodes(text, is_json=True)
        return "".join("".join(_json(text, root, place_of(root), "")) + "\n" for root in roots)
    if suffix == ".md":
        return _markdown(text, place_of)
    return canonical_yaml(text, place_of)


def _markdown(text: str, place_of: PlaceOf) -> str:
    """The front matter laid out, one blank line, and the prose as it is, with a line break at its end."""
    parts = halves(text)
    front, prose = canonical_yaml(text[parts.start : parts.end], place_of, first_line=2), text[parts.prose :]
    if prose and not prose.endswith("\n"):
        prose += "\n"
    return f"---\n{front}---\n" + (f"\n{prose}" if prose else "")


def _json(text: str, node: Node, place: SchemaField | None, margin: str) -> Iterator[str]:
    """A JSON value, one entry a line; names, numbers and texts as they are spelled."""
    inside = margin + _STEP
    if node.kind == "mapping" and node.entries:
        entries = list(node.entries.items())
        if place is not None:
            rank = {name: at for at, name in enumerate(place.names())}
            entries.sort(key=lambda entry: rank.get(entry[0], len(rank)))
        for at, (name, (key, value)) in enumerate(entries):
            yield f"{',' if at else '{'}\n{inside}{text[key.start : key.end]}: "
            yield from _json(text, value, place.child(name) if place else None, inside)
        yield f"\n{margin}}}"
    elif node.kind == "list" and node.items:
        for at, item in enumerate(node.items):
            yield f"{',' if at else '['}\n{inside}"
            yield from _json(text, item, place.item if place else None, inside)
        yield f"\n{margin}]"
    else:
        yield {"mapping": "{}", "list": "[]"}.get(node.kind, text[node.start : node.end])


def _meaning(text: str, file: str, suffix: str) -> str:
    """Everything the loader would read, as one text; numbers and truth values stay apart. Raises Refused."""
    parts = split(text, file) if suffix == ".md" else None
    documents, problems = read_yaml((parts.front if parts else text).encode(), file)
    if problems:
        raise UnreadableFile(problems[0])
    values = [document.value for document in documents]
    return json.dumps([values, parts and parts.prose], sort_keys=True, default=repr)
