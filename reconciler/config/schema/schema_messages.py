"""Writes the messages of validation errors: where, what is wrong, what was expected, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reconciler.config.errors import error, warning
from reconciler.config.message_text import closest, count, cut, dotted, listed, short_json, slug
from reconciler.config.schema.descriptions import TYPES, expectation
from reconciler.config.schema.schema_errors import SchemaError, field_homes, most_relevant
from reconciler.config.schema.schema_fields import place_of
from reconciler.config.syntax.document import Document
from reconciler.core.values.model import Json
from reconciler.diagnostics import Code, Diagnostic

# A field's description still explains an entry of it, and no longer what is nested in that.
_NEAR: Final = 2
_MOST_TOLD: Final = 100


@dataclass(frozen=True, slots=True)
class _SchemaMessage:
    """A failure on its way to a diagnostic, with what is known of the file and the schema."""

    failure: SchemaError
    document: Document
    schema: Mapping[str, Any]
    elsewhere: Mapping[str, str]

    @property
    def name(self) -> str:
        """The value's name for people."""
        return dotted(self.failure.path) or "the document"

    @property
    def value(self) -> str:
        """The value, unless the schema says that it is secret."""
        return "(sensitive)" if self.is_secret else short_json(self.failure.value)

    @property
    def is_secret(self) -> bool:
        """Whether the value is a secret, or stands where a mapping of secrets belongs."""
        entries = self.failure.schema.get("additionalProperties")
        return bool(
            self.failure.schema.get("x-sensitive") or (isinstance(entries, dict) and entries.get("x-sensitive"))
        )

    @property
    def description(self) -> str:
        """What the schema says of the value, or of the field it stands in."""
        own = self.failure.schema.get("description")
        if own is None and 0 < len(self.failure.path) <= _NEAR:
            field = self.schema.get("properties", {}).get(self.failure.path[0])
            own = field.get("description") if isinstance(field, dict) else None
        return str(own or "")

    @property
    def expected(self) -> str:
        """What the value has to be, and what it is about."""
        return self.expected_by(self.failure.schema, self.description)

    def expected_by(self, schema: Mapping[str, Any], description: str) -> str:
        """What a value has to be by a part of the schema, and what it is about."""
        return ". ".join(filter(None, [expectation(place_of(self.schema, schema)), description]))

    def tell(self, code: Code, summary: str, detail: str = "", hint: str = "") -> Diagnostic:
        """The diagnostic, at the place of the value, or of the key if that is what is wrong."""
        path = self.failure.path
        place = self.document.key_place(path) if self.failure.in_key else self.document.place(path)
        return error(code, summary, place, detail, hint)


def schema_diagnostics(
    failures: Sequence[SchemaError],
    document: Document,
    schema: Mapping[str, Any],
    elsewhere: Mapping[str, str] | None = None,
) -> list[Diagnostic]:
    """Diagnostics for every failure; `elsewhere` says of names unknown at the top where they do belong."""
    found: list[Diagnostic] = []
    for failure in most_relevant(failures):
        telling = _SchemaMessage(failure, document, schema, elsewhere or {})
        found.extend(_TELLERS.get(failure.keyword, _other)(telling))
    found = list(dict.fromkeys(found))
    if len(found) > _MOST_TOLD:
        summary = f"{count(len(found) - _MOST_TOLD, 'more problem')} in this document"
        found[_MOST_TOLD:] = [error(Code.INVALID_VALUE, summary, document.source)]
    return found


def _unknown(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    failure = telling.failure
    known = [name for name, each in failure.schema.get("properties", {}).items() if not _is_read_only(each)]
    homes = field_homes(telling.schema)
    for name in failure.value:
        if name in failure.schema.get("properties", {}):
            continue
        path = (*failure.path, name)
        if not failure.path and name in telling.elsewhere:
            hint = telling.elsewhere[name]
        elif near := closest(name, known):
            hint = f"did you mean {near}?"
        elif isinstance(failure.value[name], dict) and not set(known).isdisjoint(failure.value[name]):
            hint = f"move its fields one level up: {cut(name)} is not a field, but they are"
        elif name in homes:
            near_homes = [home for home in homes[name] if failure.path and home.startswith(str(failure.path[0]))]
            hint = f"{name} belongs in {listed((near_homes or homes[name])[:3])}"
        else:
            hint = "remove it"
        where = f" in {dotted(failure.path)}" if failure.path else ""
        place = telling.document.key_place(path)
        detail = f"one of {', '.join(sorted(known))}" if known else "no fields at all"
        yield error(Code.UNKNOWN_FIELD, f"unknown field {cut(name)}{where}", place, detail, hint)


def _is_read_only(schema: Json) -> bool:
    return isinstance(schema, dict) and (bool(schema.get("readOnly")) or schema.get("not") == {})


def _missing(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    failure = telling.failure
    fields = failure.schema.get("properties", {})
    for name in failure.expected:
        misspelt = closest(name, (each for each in failure.value if each not in fields))
        # A misspelt field is reported once: as an unknown field, with the right name as the hint.
        if name not in failure.value and not misspelt:
            field = fields[name] if isinstance(fields.get(name), dict) else {}
            detail = telling.expected_by(field, field.get("description", ""))
            summary = f"{dotted((*failure.path, name))} is missing"
            yield telling.tell(Code.MISSING_FIELD, summary, detail, f"add `{name}: …`")


def _wrong_type(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    failure = telling.failure
    wanted = [failure.expected] if isinstance(failure.expected, str) else list(failure.expected)
    # Null is how a field is cleared, not what somebody who wrote a number into a text field was after.
    expected = listed(TYPES[each] for each in wanted if each != "null" or len(wanted) == 1)
    value = failure.value
    written = telling.document.spelled.get(failure.path) or telling.value
    key = failure.path[-1] if failure.path and isinstance(failure.path[-1], str) else ""
    hint = ""
    if value is None:
        hint = "give it a value, or leave the field out"
    elif "string" in wanted and isinstance(value, bool | int | float):
        hint = f'quote it: {cut(key) + ": " if key else ""}"{written}"'
    elif isinstance(value, str) and {"number", "integer", "boolean"} & set(wanted):
        hint = "remove the quotes" if _reads_as_number(value) else ""
    elif "object" in wanted and isinstance(value, str):
        sort = next((name for name in ("type", "name", "id") if name in _field_names(failure.schema)), "name")
        hint = f"write it as a mapping, as in `{sort}: {'…' if telling.is_secret else cut(value)}`"
    elif "array" in wanted:
        hint = "write it as a list, each item on its own line, starting with `- `"
    summary = f"{telling.name} must be {expected}, not {_what(value, written)}"
    yield telling.tell(Code.INVALID_VALUE, summary, telling.expected, hint)


def _field_names(schema: Mapping[str, Any]) -> set[str]:
    """The fields that a schema names, itself or in one of its alternatives."""
    branches = [each for word in ("anyOf", "oneOf", "allOf") for each in schema.get(word, ())]
    return set(schema.get("properties", ())).union(*map(_field_names, branches))


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text in ("true", "false")
    return True


def _what(value: Json, written: str) -> str:
    match value:
        case None:
            return "null"
        case dict() | list():
            return written
        case str():
            return f"the text {written}"
        case bool():
            return written
    return f"the number {written}"


def _not_allowed(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    failure = telling.failure
    allowed = [failure.expected] if failure.keyword == "const" else list(failure.expected)
    words = {each if isinstance(each, str) else short_json(each): each for each in allowed}
    near = closest(failure.value, words) if isinstance(failure.value, str) else None
    hint = f"did you mean {near}?" if near else ""
    detail = listed(words)
    if not near and telling.description:
        detail += f" ({telling.description.removesuffix('.')})"
    yield telling.tell(Code.INVALID_VALUE, f"{telling.name} cannot be {telling.value}", detail, hint)


def _limit(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    failure = telling.failure
    nouns = {"Length": "character", "Items": "item", "Properties": "entry"}
    side, noun = failure.keyword[:3], nouns[failure.keyword[3:]]
    name = f"the key {short_json(failure.value)} in {dotted(failure.path[:-1])}" if failure.in_key else telling.name
    if side == "max":
        summary = f"{name} has {count(len(failure.value), noun)}; the limit is {failure.expected:,}"
        over = count(len(failure.value) - failure.expected, noun)
        hint = f"shorten it by {over}" if noun == "character" else f"remove {over}"
        yield telling.tell(Code.LIMIT_EXCEEDED, summary, telling.expected, hint)
    elif failure.expected == 1:
        yield telling.tell(Code.LIMIT_EXCEEDED, f"{name} is empty", telling.expected)
    else:
        summary = f"{name} has {count(len(failure.value), noun)}; at least {failure.expected:,} are needed"
        yield telling.tell(Code.LIMIT_EXCEEDED, summary, telling.expected)


def _range(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    words = {
        "maximum": "the largest value is",
        "minimum": "the smallest value is",
        "exclusiveMaximum": "it must be less than",
        "exclusiveMinimum": "it must be more than",
    }
    bounds = {
        "maximum": "at most {}",
        "minimum": "at least {}",
        "exclusiveMaximum": "less than {}",
        "exclusiveMinimum": "more than {}",
    }
    limit = telling.failure.expected
    summary = f"{telling.name} is {telling.value}; {words[telling.failure.keyword]} {limit}"
    hint = f"write a number that is {bounds[telling.failure.keyword].format(limit)}"
    yield telling.tell(Code.LIMIT_EXCEEDED, summary, telling.expected, hint)


def _pattern(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    expected = telling.description or f"text of the form {telling.failure.expected}"
    yield telling.tell(Code.INVALID_VALUE, f"{telling.name} cannot be {telling.value}", expected, _fitting(telling))


def _fitting(telling: _SchemaMessage) -> str:
    """The same text with what may not stand in it taken out, where that fits."""
    failure = telling.failure
    made = "" if failure.in_key or telling.is_secret else slug(failure.value)
    return f"did you mean {made}?" if made and re.search(failure.expected, made) else ""


def _refused(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    if telling.failure.in_key:
        yield telling.tell(
            Code.INVALID_VALUE, f"the name {telling.name} is reserved", telling.description, "choose another"
        )
    else:
        yield telling.tell(Code.INVALID_VALUE, f"{telling.name} cannot be managed", telling.description, "remove it")


def _read_only(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    summary = f"{telling.name} is given by the server and cannot be set"
    yield telling.tell(Code.INVALID_VALUE, summary, telling.description, "remove it")


def _deprecated(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    place = telling.document.key_place(telling.failure.path)
    yield warning(Code.DEPRECATED_FIELD, f"{telling.name} is deprecated", place, telling.description)


def _twice(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    failure = telling.failure
    index, key = failure.expected
    first = telling.document.place((*failure.path[:-1], index))
    named = " ".join(cut(each) for each in key if isinstance(each, str))
    summary = f"{dotted(failure.path[:-1])} has {named or 'an entry'} twice; the first is in line {first.line}"
    yield telling.tell(Code.DUPLICATE_ENTRY, summary, hint="keep one of them, or give them different names")


def _other(telling: _SchemaMessage) -> Iterator[Diagnostic]:
    if telling.failure.keyword == "recursion":
        yield telling.tell(
            Code.INVALID_VALUE, "there are too many values, or they are nested too deeply, to be checked"
        )
    else:
        summary = f"{telling.name} cannot be {telling.value}"
        yield telling.tell(Code.INVALID_VALUE, summary, telling.description)


_TELLERS: Final[dict[str, Callable[[_SchemaMessage], Iterator[Diagnostic]]]] = {
    "additionalProperties": _unknown,
    "required": _missing,
    "type": _wrong_type,
    "enum": _not_allowed,
    "const": _not_allowed,
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"), _limit),
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"), _range),
    "pattern": _pattern,
    "not": _refused,
    "readOnly": _read_only,
    "deprecated": _deprecated,
    "x-list": _twice,
}
