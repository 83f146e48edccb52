"""Checks that an object has room for the mark of its manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.config.errors import error
from reconciler.config.syntax.document import Document
from reconciler.core.values import marks
from reconciler.diagnostics import Code, Diagnostic


def max_mark(schema: Mapping[str, Any], mark_field: str | None) -> int:
    """How many characters a mark may have as a value of the map that carries it."""
    values = schema["properties"].get(mark_field or "", {}).get("additionalProperties", {})
    limit = values.get("maxLength") if isinstance(values, dict) else None
    return marks.MAX_LENGTH if limit is None else min(limit, marks.MAX_LENGTH)


def too_long_a_mark(document: Document, key: str, schema: Mapping[str, Any], mark_field: str) -> Iterator[Diagnostic]:
    """What sets more units than its mark can name, whoever the owner is."""
    body = document.value
    granular = {name for name, each in schema["properties"].items() if each.get("x-map") == "granular"}
    units = sum(len(value) if name in granular and isinstance(value, dict) else 1 for name, value in body.items())
    length, most = marks.longest("o" * marks.MAX_OWNER, key, units), max_mark(schema, mark_field)
    if length > most:
        place = document.key_place((mark_field,)) if mark_field in body else document.source
        summary = f"the mark of this manifest may need {length:,} characters; the limit of {mark_field} is {most:,}"
        detail = f"the mark names the key, each field and each {mark_field} entry that is set here: {units:,}"
        hint = "set fewer of them, or set `marks: lock-file` on the target to keep marks in a file"
        yield error(Code.LIMIT_EXCEEDED, summary, place, detail, hint)
