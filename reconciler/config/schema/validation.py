"""Validates with `jsonschema`: JSON Schema 2020-12, the dialect's own words, and safe patterns.

The only module that imports `jsonschema`. Nothing is ever fetched: the registry holds the metaschemas that come with
the library, and a `$ref` to anything else is an error.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

from reconciler.config.schema.fast_validation import duplicate_entries
from reconciler.config.schema.safe_regex import BadPattern, check_pattern, find_match, weight
from reconciler.config.schema.schema_errors import SchemaError
from reconciler.core.values.model import Json

Errors: TypeAlias = Iterator[ValidationError]
Words: TypeAlias = dict[str, Any]
Validator: TypeAlias = Any  # The library's protocol leaves out the methods that keywords call.
Check: TypeAlias = Callable[[Json], list[SchemaError]]

METASCHEMA: Final = "https://json-schema.org/draft/2020-12/schema"
_MOST_REMEMBERED = 100_000


def _own_metaschemas() -> Registry[Any]:
    # Without `$schema`, or the library would go on with its own validator class and its own `pattern` below it.
    resources = [
        (uri, DRAFT202012.create_resource({key: value for key, value in found.contents.items() if key != "$schema"}))
        for uri, found in ((uri, REGISTRY[uri]) for uri in REGISTRY)
        if "/2020-12/" in uri
    ]
    return EMPTY_REGISTRY.with_resources(resources).crawl()


@cache
def end_anchored(pattern: str) -> re.Pattern[str]:
    """The pattern with `$` meaning the end of the text: Python's also matches before a last line break."""
    parts = re.findall(r"\\.|\[(?:\\.|[^\]\\])*\]|.", pattern, re.DOTALL)
    return re.compile("".join(r"\Z" if part == "$" else part for part in parts))


def _pattern(validator: Validator, pattern: str, value: Json, schema: Words) -> Errors:
    if isinstance(value, str) and not end_anchored(pattern).search(value):
        yield ValidationError("does not match")


def _unique_items(validator: Validator, wanted: bool, value: Json, schema: Words) -> Errors:
    # By digest of each item: the library compares every pair where items cannot be sorted.
    if wanted and isinstance(value, list) and len({json.dumps(each, sort_keys=True) for each in value}) < len(value):
        yield ValidationError("has equal items")


def _property_names(validator: Validator, names: Words, value: Json, schema: Words) -> Errors:
    if isinstance(value, dict):
        for name in value:
            yield from validator.descend(name, names, path=name)


def _read_only(validator: Validator, flag: bool, value: Json, schema: Words) -> Errors:
    if flag:
        yield ValidationError("is read-only")


def _deprecated(validator: Validator, flag: bool, value: Json, schema: Words) -> Errors:
    if flag:
        yield ValidationError("is deprecated")


def _keyed_list(validator: Validator, meaning: str, value: Json, schema: Words) -> Errors:
    if meaning == "map" and isinstance(value, list):
        for index, first, key in duplicate_entries(value, schema.get("x-key", ())):
            yield ValidationError("is given twice", path=[index], validator_value=(first, key))


def _linear_pattern(validator: Validator, pattern: str, value: Json, schema: Words) -> Errors:
    if isinstance(value, str) and find_match(pattern, value) is None:
        yield ValidationError("does not match")


def _entry(validator: Validator, value: Words, name: str, schema: Json) -> Errors:
    # Of what `false` refuses the library does not say where it stands.
    yield from validator.descend(value[name], {"not": {}} if schema is False else schema, path=name)


def _properties(validator: Validator, properties: Words, value: Json, schema: Words) -> Errors:
    if isinstance(value, dict):
        for name, each in properties.items():
            if name in value:
                yield from _entry(validator, value, name, each)


def _pattern_properties(validator: Validator, patterns: Words, value: Json, schema: Words) -> Errors:
    if isinstance(value, dict):
        for pattern, each in patterns.items():
            for name in value:
                if find_match(pattern, name) is not None:
                    yield from _entry(validator, value, name, each)


def _additional_properties(validator: Validator, rest: Json, value: Json, schema: Words) -> Errors:
    if isinstance(value, dict):
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", ())
        for name in value:
            if name not in known and all(find_match(pattern, name) is None for pattern in patterns):
                yield from _entry(validator, value, name, rest)


def _reference(validator: Validator, target: str, value: Json, schema: Words) -> Errors:
    # A fleet has the same tools many times, and checking the parameters of a function against the metaschema costs ten
    # times the rest of a manifest: what was found correct is remembered by its content.
    digest = hashlib.sha256(repr(value).encode("utf-8", "backslashreplace")).digest()
    if (id(schema), digest) in _CORRECT:
        return
    if target == METASCHEMA:
        wrong = list(PlainValidator(_METASCHEMA, registry=METASCHEMAS).iter_errors(value))
    else:
        wrong = list(_LIBRARY_REFERENCE(validator, target, value, schema))
    if not wrong and len(_CORRECT) < _MOST_REMEMBERED:
        _CORRECT[id(schema), digest] = schema
    yield from wrong


# The referring schema is kept as the value, so that its identity is never that of another one.
_CORRECT: Final[dict[tuple[int, bytes], Words]] = {}
_LIBRARY_REFERENCE: Final[Any] = Draft202012Validator.VALIDATORS["$ref"]
_SAFE: Final = {"pattern": _pattern, "uniqueItems": _unique_items}
_DIALECT: Final = {
    "$ref": _reference,
    "propertyNames": _property_names,
    "readOnly": _read_only,
    "deprecated": _deprecated,
    "x-list": _keyed_list,
}
# All that the library matches with `re` (but `unevaluatedProperties`, which policies cannot say), and true places.
_LINEAR: Final = {
    "pattern": _linear_pattern,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
}

METASCHEMAS: Final[Registry[Any]] = _own_metaschemas()
_METASCHEMA: Final = METASCHEMAS[METASCHEMA].contents
_extend: Final[Any] = extend
PlainValidator: Final = _extend(Draft202012Validator, _SAFE)
KindValidator: Final = _extend(Draft202012Validator, _SAFE | _DIALECT)
PolicyValidator: Final = _extend(Draft202012Validator, _SAFE | _LINEAR)
OwnValidator: Final = _extend(KindValidator, _LINEAR)
_MOST_STEPS: Final = 100_000
"""Of one check, a second or two: words looked at, with the length of what they say. Large manifests take thousands."""


class UnknownReference(Exception):
    """A schema refers to one that is not part of this tool."""


def compiled(schema: Mapping[str, Any], *, dialect: bool = True) -> Check:
    """A function that lists what is wrong with a value; `dialect` turns our own words on."""
    return _check((KindValidator if dialect else PlainValidator)(schema, registry=METASCHEMAS))


def compiled_policy(schema: Mapping[str, Any]) -> Check:
    """The same for a policy, in bounded time: patterns are RE2's, and there are so many steps and no more."""
    return _check(*_counted(PolicyValidator, schema))


def compiled_own(schema: Mapping[str, Any]) -> Check:
    """The same for a schema of a project, in bounded time too."""
    return _check(*_counted(OwnValidator, schema))


def _counted(kind: Any, schema: Mapping[str, Any]) -> tuple[Validator, Callable[[], None]]:
    """A validator that raises RecursionError after so many steps, and what begins to count anew."""
    steps = 0

    def begin() -> None:
        nonlocal steps
        steps = 0

    def counting(word: str, look: Any) -> Any:
        def counted(validator: Validator, meaning: Json, value: Json, around: Words) -> Errors:
            nonlocal steps
            steps += 1 + _weight(word, meaning, value, around)
            if steps > _MOST_STEPS:
                raise RecursionError
            yield from look(validator, meaning, value, around) or ()

        return counted

    words = {word: counting(word, look) for word, look in kind.VALIDATORS.items()}
    return _extend(kind, words)(schema, registry=METASCHEMAS), begin


def _weight(word: str, meaning: Json, value: Json, around: Words) -> int:
    """What a word takes besides one step."""
    if word == "pattern":
        return weight(meaning, value) if isinstance(value, str) else 0
    if word in ("patternProperties", "additionalProperties"):
        patterns = around.get("patternProperties", ())
        return len(patterns) * sum(1 + len(name) // 64 for name in value) if isinstance(value, dict) else 0
    return len(meaning) // 16 if isinstance(meaning, list | dict) else 0


def compiled_metaschema(schema: Mapping[str, Any]) -> Check:
    """A function that lists what is wrong with a schema that somebody wrote: its patterns have to be RE2's."""
    patterns = FormatChecker(formats=())
    patterns.checks("regex", raises=BadPattern)(lambda text: not isinstance(text, str) or check_pattern(text))
    return _check(PlainValidator(schema, registry=METASCHEMAS, format_checker=patterns))


def resolves(schema: Mapping[str, Any], reference: str) -> bool:
    """Whether a `$ref` inside the schema names a place of it."""
    resource = DRAFT202012.create_resource(dict(schema))
    try:
        EMPTY_REGISTRY.with_resource("", resource).resolver().lookup(reference)
    except Unresolvable:
        return False
    return True


def _check(validator: Validator, begin: Callable[[], None] = lambda: None) -> Check:
    def check(value: Json) -> list[SchemaError]:
        begin()
        try:
            return [_failure(each) for each in validator.iter_errors(value)]
        except RecursionError:
            return [SchemaError("recursion", (), None, None, {})]
        except Unresolvable as unknown:
            raise UnknownReference(unknown.ref) from None

    return check


def _failure(wrong: ValidationError) -> SchemaError:
    return SchemaError(
        # A schema that is plain false has no keyword.
        str(wrong.validator or "false"),
        tuple(wrong.absolute_path),
        wrong.instance,
        wrong.validator_value,
        wrong.schema if isinstance(wrong.schema, dict) else {},
        in_key="propertyNames" in wrong.absolute_schema_path,
        context=tuple(_failure(each) for each in wrong.context or ()),
    )
