"""Refuses schemas of a project that would take endless work to validate.

A reference that doubles another one thirty times stands for a billion places, one that leads back to itself for ever
more. So all places are counted as if every reference were written out, and patterns have to be RE2's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.config.errors import error, has_errors
from reconciler.config.message_text import cut, short_json
from reconciler.config.schema.fast_validation import NAMED, SCHEMA, SCHEMAS
from reconciler.config.schema.safe_regex import BadPattern, check_pattern
from reconciler.config.syntax.document import Document
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic

MAX_PLACES: Final = 10_000
"""With all references written out: fifteen times what the largest schema has that comes with the tool."""
METASCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"
_REFUSED: Final = (
    *("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"),
    *("unevaluatedProperties", "unevaluatedItems", "dependentSchemas", "contentSchema"),
)


def refuse_unbounded(document: Document) -> list[Diagnostic]:
    """What is wrong with the schema in a document; nothing where its work is bounded."""
    if len(document.places) > MAX_PLACES:
        return [_too_large(document)]
    reader = _SchemaScanner(document)
    problems = list(reader.problems())
    if has_errors(problems):
        return problems
    try:
        if reader.places(document.value, set()) > MAX_PLACES:
            return [_too_large(document)]
    except RecursionError:
        hint = "write out each level"
        return [error(Code.INVALID_VALUE, "a schema of a kind cannot refer to itself", document.source, hint=hint)]
    return []


def _too_large(document: Document) -> Diagnostic:
    summary = f"the schema has more than {MAX_PLACES:,} places, with all references written out"
    return error(Code.TOO_LARGE, summary, document.source, hint="describe less of it, or refer to fewer parts")


class _SchemaScanner:
    """Looks at every place of a schema once; counts how many there would be without references."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._counted: dict[int, int] = {}

    def problems(self) -> Iterator[Diagnostic]:
        """Words, patterns and references that cannot be used."""
        waiting: list[tuple[Path, Json]] = [((), self._document.value)]
        seen: set[int] = set()
        while waiting:
            path, schema = waiting.pop()
            if not isinstance(schema, dict) or id(schema) in seen:
                continue
            seen.add(id(schema))
            yield from self._wrong(path, schema)
            if (target := self._target(schema)) is not None:
                waiting.append((tuple(schema["$ref"][2:].split("/")), target))
            waiting += ((path + below, each) for below, each in _inside(schema))

    def _wrong(self, path: Path, schema: Mapping[str, Any]) -> Iterator[Diagnostic]:
        for word in _REFUSED:
            if word in schema and (path or word != "$id"):
                place = self._document.key_place((*path, word))
                yield error(Code.INVALID_VALUE, f"schemas of kinds have no {word}", place, hint="remove it")
        reference = schema.get("$ref", METASCHEMA)
        if reference != METASCHEMA and self._target(schema) is None:
            summary, hint = f"{short_json(reference)} does not exist in this schema", 'write "#/$defs/NAME"'
            yield error(Code.INVALID_VALUE, summary, self._document.place((*path, "$ref")), hint=hint)
        patterns = [((*path, "pattern"), schema["pattern"])] if isinstance(schema.get("pattern"), str) else []
        patterns += (((*path, "patternProperties", each), each) for each in schema.get("patternProperties", ()))
        for where, pattern in patterns:
            try:
                check_pattern(pattern)
            except BadPattern as bad:
                summary = f"the pattern {cut(pattern)} cannot be used: {bad}"
                yield error(Code.INVALID_VALUE, summary, self._document.place(where), hint=bad.hint)

    def _target(self, schema: Mapping[str, Any]) -> dict[str, Any] | None:
        """The part of this schema that its reference names; None where there is none, or it names another schema."""
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/") or {"~", "%"} & set(reference):
            return None
        found: Json = self._document.value
        for step in reference[2:].split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else None

    def places(self, schema: Json, around: set[int]) -> int:
        """How many places a part stands for. Raises RecursionError where it stands for itself."""
        if not isinstance(schema, dict):
            return 1
        if id(schema) in around:
            raise RecursionError
        if id(schema) not in self._counted:
            around.add(id(schema))
            parts = [each for _, each in _inside(schema)]
            if (target := self._target(schema)) is not None:
                parts.append(target)
            self._counted[id(schema)] = 1 + sum(self.places(each, around) for each in parts)
            around.discard(id(schema))
        return self._counted[id(schema)]


def _inside(schema: Mapping[str, Any]) -> Iterator[tuple[Path, Json]]:
    """The schemas that stand in another one, and where."""
    for word, meaning in schema.items():
        if word in SCHEMA:
            yield (word,), meaning
        elif word in SCHEMAS and isinstance(meaning, list):
            yield from (((word, index), each) for index, each in enumerate(meaning))
        elif word in NAMED and isinstance(meaning, dict):
            yield from (((word, name), each) for name, each in meaning.items())
