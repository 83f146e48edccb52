"""Checks request bodies, with the error messages and codes of OpenAI's APIs.

A check takes a value and its path, and returns the value as the server stores it, or raises `Refusal`.
Wordings for metadata are recorded from the vendor; the others follow the same family.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.server.wire import Json, Refusal

Check = Callable[[Json, str], Any]


def text(maximum: int | None = None, pattern: str | None = None) -> Check:
    """A string of at most `maximum` code points; with a pattern it may not be empty either."""
    matches = re.compile(pattern).fullmatch if pattern else None

    def check(value: Json, path: str) -> str:
        if not isinstance(value, str):
            raise _wrong_type(value, path, "a string")
        if maximum is not None and len(value) > maximum:
            raise _too_long(value, path, maximum)
        if matches and not value:
            message = (
                f"Invalid '{path}': empty string. "
                "Expected a string with minimum length 1, but got an empty string instead."
            )
            raise Refusal(message, param=path, code="empty_string")
        if matches and not matches(value):
            message = (
                f"Invalid '{path}': string does not match pattern. "
                f"Expected a string that matches the pattern '^{pattern}$'."
            )
            raise Refusal(message, param=path, code="invalid_value")
        return value

    return check


def decimal(minimum: float, maximum: float) -> Check:
    """A number, stored as a float: the wire shows `1.0` where `1` was sent."""

    def check(value: Json, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong_type(value, path, "a decimal")
        return float(_in_range(value, path, minimum, maximum, "decimal"))

    return check


def integer(minimum: int, maximum: int) -> Check:
    """A whole number; `5.0` is one too, as JSON Schema has it."""

    def check(value: Json, path: str) -> int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole:
            raise _wrong_type(value, path, "an integer")
        return int(_in_range(value, path, minimum, maximum, "integer"))

    return check


def boolean(value: Json, path: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise _wrong_type(value, path, "a boolean")
    return value


def anything_in_braces(value: Json, path: str) -> dict[str, Json]:
    """An object whose inside is the user's own, such as a JSON Schema."""
    if not isinstance(value, dict):
        raise _wrong_type(value, path, "an object")
    return value


def choice(*values: str) -> Check:
    """One of a few strings."""

    def check(value: Json, path: str) -> str:
        if not isinstance(value, str):
            raise _wrong_type(value, path, f"one of {_spoken(values, 'or')}")
        if value not in values:
            raise unsupported_value(value, path, values)
        return value

    return check


def unsupported_value(value: str, path: str, values: tuple[str, ...]) -> Refusal:
    """The refusal of a string that is not among the supported ones."""
    message = f"Invalid value: '{value}'. Supported values are: {_spoken(values, 'and')}."
    return Refusal(message, param=path, code="invalid_value")


def array(item: Check, maximum: int, minimum: int = 0) -> Check:
    """A list of at most `maximum` items and at least `minimum`, which is 0 or 1."""

    def check(value: Json, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise _wrong_type(value, path, "an array")
        if len(value) > maximum:
            message = (
                f"Invalid '{path}': array too long. Expected an array with maximum length {maximum}, "
                f"but got an array with length {len(value)} instead."
            )
            raise Refusal(message, param=path, code="array_above_max_length")
        if len(value) < minimum:
            message = (
                f"Invalid '{path}': empty array. "
                "Expected an array with minimum length 1, but got an empty array instead."
            )
            raise Refusal(message, param=path, code="empty_array")
        return [item(each, f"{path}[{index}]") for index, each in enumerate(value)]

    return check


def struct(fields: Mapping[str, Check], required: tuple[str, ...] = ()) -> Check:
    """An object with these fields and no others (`additionalProperties: false`)."""

    def check(value: Json, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong_type(value, path or "body", "an object")
        for name in required:
            if name not in value:
                raise missing(_join(path, name))
        return {name: _field(fields, name, path)(each, _join(path, name)) for name, each in value.items()}

    return check


def variants(shapes: Mapping[str, Check]) -> Check:
    """An object whose `type` says which shape it has."""

    def check(value: Json, path: str) -> Any:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        if "type" not in value:
            raise missing(_join(path, "type"))
        name = choice(*shapes)(value["type"], _join(path, "type"))
        return shapes[name](value, path)

    return check


def nullable(inner: Check) -> Check:
    """What `inner` accepts, or null."""
    return lambda value, path: None if value is None else inner(value, path)


def string_map(keys: int, key_length: int, value_length: int) -> Check:
    """A map of strings to strings, as metadata is."""
    return bounded_map(keys, key_length, text(value_length))


def scalar(maximum: int) -> Check:
    """A string of at most `maximum` code points, a number or a boolean, as attributes have them."""
    of_text = text(maximum)

    def check(value: Json, path: str) -> str | float | bool:
        if isinstance(value, bool | int | float):
            return value
        if not isinstance(value, str):
            raise _wrong_type(value, path, "a string, a number or a boolean")
        return str(of_text(value, path))

    return check


def bounded_map(keys: int, key_length: int, of_value: Check) -> Check:
    """A map of at most `keys` entries."""

    def check(value: Json, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _wrong_type(value, path, "an object")
        if len(value) > keys:
            message = (
                f"Invalid '{path}': too many properties. Expected an object with at most {keys} properties, "
                f"but got an object with {len(value)} properties instead."
            )
            raise Refusal(message, param=path, code="object_above_max_properties")
        for name in value:
            if len(name) > key_length:
                raise _long_key(name, path, key_length)
        return {name: of_value(each, _join(path, name)) for name, each in value.items()}

    return check


def missing(path: str) -> Refusal:
    """The refusal of a body without a required parameter."""
    return Refusal(f"Missing required parameter: '{path}'.", param=path, code="missing_required_parameter")


def _field(fields: Mapping[str, Check], name: str, path: str) -> Check:
    if name not in fields:
        where = _join(path, name)
        raise Refusal(f"Unknown parameter: '{where}'.", param=where, code="unknown_parameter")
    return fields[name]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _spoken(values: tuple[str, ...], word: str) -> str:
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return f" {word} ".join(quoted)
    return f"{', '.join(quoted[:-1])}, {word} {quoted[-1]}"


def _wrong_type(value: Json, path: str, expected: str) -> Refusal:
    got = {bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "an array"}
    named = "null" if value is None else got.get(type(value), "an object")
    message = f"Invalid type for '{path}': expected {expected}, but got {named} instead."
    return Refusal(message, param=path, code="invalid_type")


def _too_long(value: str, path: str, maximum: int) -> Refusal:
    message = (
        f"Invalid '{path}': string too long. Expected a string with maximum length {maximum}, "
        f"but got a string with length {len(value)} instead."
    )
    return Refusal(message, param=path, code="string_above_max_length")


def _long_key(name: str, path: str, maximum: int) -> Refusal:
    message = (
        f"Invalid property name in '{path}': '{name[:maximum]}...' is too long. Expected a property name with "
        f"maximum length {maximum}, but got a property name with length {len(name)} instead."
    )
    return Refusal(message, param=path, code="property_name_above_max_length")


def _in_range(value: float, path: str, minimum: float, maximum: float, kind: str) -> float:
    if value > maximum:
        message = (
            f"Invalid '{path}': {kind} above maximum value. Expected a value <= {maximum}, but got {value} instead."
        )
        raise Refusal(message, param=path, code=f"{kind}_above_max_value")
    # Written so that NaN, which compares false with everything, is refused too.
    if not value >= minimum:
        message = (
            f"Invalid '{path}': {kind} below minimum value. Expected a value >= {minimum}, but got {value} instead."
        )
        raise Refusal(message, param=path, code=f"{kind}_below_min_value")
    return value
