"""Equality of meaning does not depend on the shape a remote answers in; and generated bodies are what they claim."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.core.patch import with_explicit_clears
from reconciler.core.values.model import ABSENT, Body, Json
from reconciler.core.values.semantics import FREE, ListMeaning, Meaning, canonical, canonical_value, same
from reconciler.core.verify import expected
from tests.strategies import bodies, json_values, law
from tests.unit.core.build import ASSISTANT, SCHEMA, WIDGET, WIDGET_SCHEMA, bare, sent_to

EACH_KIND = pytest.mark.parametrize("name", ["assistant", "widget"])
BODIES = {"assistant": bodies(SCHEMA), "widget": bodies(WIDGET_SCHEMA)}
SCHEMAS = {"assistant": SCHEMA, "widget": WIDGET_SCHEMA}
KINDS = {"assistant": ASSISTANT, "widget": WIDGET}


def reshaped(meaning: Meaning, value: Json, draw: st.DataObject) -> Json:
    """The value as another remote might show it: floats, other orders, defaults filled in, null or left out."""
    if value is None or value is ABSENT:
        return draw.draw(st.sampled_from([None, ABSENT, None if meaning.default is None else meaning.default]))
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int) and value == float(value) and draw.draw(st.booleans()):
        return float(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and draw.draw(st.booleans()):
        return int(value)
    if isinstance(value, list):
        entries = [reshaped(meaning.items or FREE, entry, draw) if entry is not None else None for entry in value]
        return entries if meaning.list_meaning is ListMeaning.ORDERED else draw.draw(st.permutations(entries))
    if isinstance(value, dict):
        return reshaped_record(meaning, value, draw)
    return value


def reshaped_record(meaning: Meaning, value: Body, draw: st.DataObject) -> Body:
    shown = {}
    for name in draw.draw(st.permutations(sorted({*value, *meaning.properties}))):
        sub = meaning.properties.get(name)
        if sub is None:
            shown[name] = None if value[name] is None else reshaped(meaning.entries or FREE, value[name], draw)
        elif not sub.uncompared and (found := reshaped(sub, value.get(name, ABSENT), draw)) is not ABSENT:
            shown[name] = found
    if meaning.closed and draw.draw(st.booleans()):
        shown["not in the schema"] = draw.draw(json_values())
    return shown


@EACH_KIND
@law
@given(st.data())
def test_generated_bodies_are_valid_and_without_server_owned_fields(name: str, data: st.DataObject) -> None:
    body = data.draw(BODIES[name])
    Draft202012Validator({**SCHEMAS[name], "$schema": Draft202012Validator.META_SCHEMA["$id"]}).validate(body)
    assert not [field for field in body if KINDS[name].fields[field].read_only]


def test_a_word_the_generator_does_not_know_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="multipleOf"):
        bodies({"type": "object", "properties": {"n": {"type": "integer", "multipleOf": 3}}})


@EACH_KIND
@law
@given(st.data())
def test_a_body_in_another_shape_means_the_same(name: str, data: st.DataObject) -> None:
    for field, value in data.draw(BODIES[name]).items():
        meaning = KINDS[name].fields[field]
        other = reshaped(meaning, value, data)
        assert same(meaning, value, other)
        assert canonical(meaning, value) == canonical(meaning, other)


@EACH_KIND
@law
@given(st.data())
def test_the_canonical_form_is_its_own_canonical_form(name: str, data: st.DataObject) -> None:
    for field, value in data.draw(BODIES[name]).items():
        meaning = KINDS[name].fields[field]
        once = canonical_value(meaning, value)
        assert canonical(meaning, once) == canonical(meaning, value)


@law
@given(json_values(), json_values())
def test_equality_of_free_values_is_that_of_json_with_true_apart_from_one(one: Json, other: Json) -> None:
    assert same(FREE, one, other) == json_equal(one, other)
    assert same(FREE, one, other) == same(FREE, other, one)
    assert same(FREE, one, one)


def json_equal(one: Json, other: Json) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(json_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(json_equal, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and one == other


@law
@given(json_values())
def test_every_meaning_takes_any_value(value: Json) -> None:
    for kind in KINDS.values():
        for meaning in kind.fields.values():
            assert same(meaning, value, value)
            assert canonical(meaning, canonical_value(meaning, value)) == canonical(meaning, value)


@EACH_KIND
@law
@given(st.data())
def test_digests_follow_equality(name: str, data: st.DataObject) -> None:
    kind, body, other = KINDS[name], data.draw(BODIES[name]), data.draw(BODIES[name])
    for field in body.keys() & other.keys():
        if kind.fields[field].granular:
            continue
        equal = same(kind.fields[field], body[field], other[field])
        one, two = (expected(kind, bare("o", each, kind), [(field,)]) for each in (body, other))
        assert (one == two) is equal


@EACH_KIND
@law
@given(st.data())
def test_parts_named_explicitly_arrive_whether_the_remote_merges_or_replaces(name: str, data: st.DataObject) -> None:
    kind, desired, live = KINDS[name], data.draw(BODIES[name]), data.draw(BODIES[name])
    for field in desired.keys() & live.keys() - {kind.mark_field}:
        meaning = kind.fields[field]
        sent = with_explicit_clears(meaning, desired[field], live[field])
        assert same(meaning, sent, desired[field])
        for merging in (False, True):
            after = sent_to({field: live[field]}, {field: sent}, kind, merging)
            assert same(meaning, after[field], desired[field])
