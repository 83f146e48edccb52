"""The extra `fast` never accepts what the authority refuses, or has something to say about."""

from __future__ import annotations

import sys
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.schema.fast_validation import UnknownWord, acceptor, translated
from reconciler.config.schema.schemas import Schemas, shipped
from reconciler.config.schema.validation import compiled
from tests.strategies import bodies, json_values, law

KINDS = ("assistant.schema.json",)
EACH_KIND = pytest.mark.parametrize("name", KINDS)
CHECKS = {name: compiled(shipped().schema(name)) for name in (*KINDS, "manifest.schema.json")}
ACCEPTS = {name: acceptor(shipped().schema(name)) for name in CHECKS}
BODIES = {name: bodies(shipped().schema(name)) for name in KINDS}
NUMBERS = (1.0, -0.0, 1e400, -1e400, 2**53 + 1, 2**64, -(2**70), 0.1 + 0.2, True, False, None)
TEXTS = (
    "",
    "\n",
    "a\n",
    "é",
    "😀",
    "e\u0301",
    "x" * 64,
    "x" * 65,
    "😀" * 256,
    "😀" * 257,
    "\u2028",
    "\u0663",
    "\ud800",
)
ODD = st.sampled_from([*NUMBERS, *TEXTS, {}, [], [1, 1.0], [True, 1], [[], []]])


@st.composite
def spoilt(draw: st.DrawFn, name: str) -> Any:
    """A body with something else in one or two places, an entry more or one less."""
    value = deepcopy(draw(BODIES[name]))
    for _ in range(draw(st.integers(0, 2))):
        value = _spoil(draw, value, name)
    return value


def _spoil(draw: st.DrawFn, value: Any, name: str) -> Any:
    other = ODD | json_values() | BODIES[name]
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 4)) == 0:
            return {each: inner for each, inner in value.items() if each != key}
        return {**value, key: _spoil(draw, value[key], name)}
    if isinstance(value, dict):
        known = [*shipped().schema(name)["properties"], "type", "name", "x", "$ref", "pattern", "minimum"]
        return {**value, draw(st.sampled_from(known) | st.text(max_size=3)): draw(other)}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], _spoil(draw, value[place], name), *value[place + 1 :]]
    if isinstance(value, list):
        return [*value, draw(st.sampled_from(value) | other) if value else draw(other)]
    return draw(other)


@EACH_KIND
@law
@given(st.data())
def test_what_is_accepted_is_right(name: str, data: st.DataObject) -> None:
    value = data.draw(spoilt(name))
    accepts = ACCEPTS[name]
    assert accepts is not None
    if accepts(value):
        assert CHECKS[name](value) == []


@law
@given(json_values() | st.dictionaries(st.sampled_from(["kind", "key", "id", "protect", "ignore", "targets"]), ODD))
def test_so_is_a_block(value: Any) -> None:
    accepts = ACCEPTS["manifest.schema.json"]
    assert accepts is not None
    if accepts(value):
        assert CHECKS["manifest.schema.json"](value) == []


@EACH_KIND
@law
@given(st.data())
def test_most_of_what_is_right_is_accepted(name: str, data: st.DataObject) -> None:
    value = data.draw(BODIES[name])
    accepts = ACCEPTS[name]
    assert accepts is not None
    assert accepts(value) == (CHECKS[name](value) == [])


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"properties": {"a": {"readOnly": True}}}, {"a": 1}),
        ({"properties": {"a": {"deprecated": True}}}, {"a": 1}),
        ({"items": {"readOnly": True}}, [1]),
        ({"x-list": "map", "x-key": ["/name"]}, [{"name": "a"}, {"name": "a"}]),
    ],
)
def test_what_needs_words_is_left_to_the_authority(schema: dict[str, Any], value: Any) -> None:
    accepts = acceptor(schema)
    assert accepts is not None
    assert not accepts(value)
    assert compiled(schema)(value)


@pytest.mark.parametrize("word", ["unevaluatedProperties", "dependentRequired", "multipleOf", "format", "$dynamicRef"])
def test_a_word_that_may_mean_something_else_is_not_trusted(word: str) -> None:
    assert acceptor({"properties": {"a": {word: 1}}}) is None
    with pytest.raises(UnknownWord):
        translated({word: 1})


def test_without_the_extra_everything_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    schemas = Schemas()
    assert schemas.failures("assistant.schema.json", {"model": "m"}) == []
    assert [each.keyword for each in schemas.failures("assistant.schema.json", {"model": 1})] != []
