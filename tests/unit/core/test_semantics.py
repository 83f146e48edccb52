"""Equality of meaning, the words of the schema dialect, and the units of a body."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.values.model import ABSENT, Json
from reconciler.core.values.semantics import (
    FREE,
    Kind,
    ListMeaning,
    Meaning,
    canonical,
    canonical_value,
    digest,
    entry_key,
    is_mark,
    meaning_of,
    same,
    units,
)
from reconciler.formats.dialect import compile_schema
from tests.unit.core.build import ASSISTANT, SCHEMA, WIDGET, WIDGET_SCHEMA

NUMBER = Meaning(default=1)
SET = Meaning(list_meaning=ListMeaning.SET, default=[])
TOOLS = ASSISTANT.fields["tools"]
RESOURCES = ASSISTANT.fields["tool_resources"]
FORMAT = ASSISTANT.fields["response_format"]
PAINT = WIDGET.fields["paint"]


def search(**options: Json) -> list[Json]:
    return [{"type": "file_search", "file_search": options}]


def function(name: str, **more: Json) -> Json:
    return {"type": "function", "function": {"name": name, **more}}


EQUAL: dict[str, tuple[Meaning, Json, Json]] = {
    "an int and a whole float": (FREE, 1, 1.0),
    "large whole floats": (FREE, 10**16, 1e16),
    "zero and negative zero": (FREE, 0, -0.0),
    "numbers deep in a free value": (FREE, {"a": [1, {"b": 2.0}]}, {"a": [1.0, {"b": 2}]}),
    "keys in another order": (FREE, {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "null and absent": (FREE, None, ABSENT),
    "null and the default": (NUMBER, None, 1),
    "absent and the default": (NUMBER, ABSENT, 1.0),
    "a part that is null and one left out": (FORMAT, {"type": "text", "json_schema": None}, {"type": "text"}),
    "a set in another order": (SET, ["b", "a"], ["a", "b"]),
    "a set with an element twice": (SET, ["a", "a"], ["a"]),
    "a set of numbers by value": (SET, [1, 2.0], [2, 1.0]),
    "an empty set and its default": (SET, None, []),
    "a keyed list in another order": (TOOLS, [function("a"), function("b")], [function("b"), function("a")]),
    "a keyed list and its default": (TOOLS, [], None),
    "a sub-object grown by defaults": (
        TOOLS,
        [{"type": "file_search"}],
        search(max_num_results=20, ranking_options={"ranker": "default_2024_08_21", "score_threshold": 0.0}),
    ),
    "auto ranker and what it resolves to": (
        TOOLS,
        search(ranking_options={"ranker": "auto", "score_threshold": 0}),
        search(ranking_options={"ranker": "default_2024_08_21", "score_threshold": 0}),
    ),
    "a function grown by strict false": (TOOLS, [function("f")], [function("f", strict=False)]),
    "a part that the schema does not know": (TOOLS, [{"type": "file_search"}], [{"type": "file_search", "beta": 1}]),
    "empty resources and grown ones": (
        RESOURCES,
        {"code_interpreter": {}},
        {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}},
    ),
    "no response format and auto": (FORMAT, None, "auto"),
    "a nested default": (PAINT, {}, {"color": "white", "coats": None}),
}

DIFFERENT: dict[str, tuple[Meaning, Json, Json]] = {
    "true and one": (FREE, True, 1),
    "false and zero": (FREE, False, 0),
    "a number and its text": (FREE, 1, "1"),
    "null and zero": (FREE, None, 0),
    "null and the empty text": (FREE, None, ""),
    "numbers just apart": (FREE, 2**53, 2**53 + 1),
    "null inside a free map and nothing there": (FREE, {"a": None}, {}),
    "a free list in another order": (FREE, [1, 2], [2, 1]),
    "an ordered list in another order": (
        WIDGET.fields["steps"],
        [{"do": "a"}, {"do": "b"}],
        [{"do": "b"}, {"do": "a"}],
    ),
    "a keyed list with an entry twice": (TOOLS, [function("a"), function("a")], [function("a")]),
    "text that looks like the default": (NUMBER, "1", 1),
    "zero where the default is false": (TOOLS, [function("f", strict=0)], [function("f")]),
    "false where the default is zero": (
        TOOLS,
        search(ranking_options={"score_threshold": False}),
        search(ranking_options={"score_threshold": 0}),
    ),
    "sets of one and true": (SET, [1], [True]),
    "a default of null and a value": (ASSISTANT.fields["name"], None, ""),
    "text format and auto": (FORMAT, {"type": "text"}, "auto"),
    "upper and lower case": (FREE, "A", "a"),
    "composed and decomposed letters": (FREE, "\u00e9", "e\u0301"),
    "free parameters in another order of a list": (
        TOOLS,
        [function("f", parameters={"required": ["a", "b"]})],
        [function("f", parameters={"required": ["b", "a"]})],
    ),
}


@pytest.mark.parametrize("row", EQUAL)
def test_these_mean_the_same(row: str) -> None:
    meaning, one, other = EQUAL[row]
    assert same(meaning, one, other)
    assert canonical(meaning, one) == canonical(meaning, other)


@pytest.mark.parametrize("row", DIFFERENT)
def test_these_differ_in_meaning(row: str) -> None:
    meaning, one, other = DIFFERENT[row]
    assert not same(meaning, one, other)


def test_auto_ranker_is_only_resolved_where_the_schema_says_so() -> None:
    assert not same(FREE, "auto", "default_2024_08_21")


def test_server_owned_and_write_only_parts_do_not_count_inside_a_value() -> None:
    parts = {"at": {"type": "integer", "readOnly": True}, "key": {"writeOnly": True}, "n": {"type": "integer"}}
    [meaning] = compile_schema({"properties": {"x": {"properties": parts}}}).values()
    assert same(meaning, {"n": 1, "at": 5, "key": "k"}, {"n": 1})


def test_open_records_keep_what_the_schema_does_not_name() -> None:
    [meaning] = compile_schema({"properties": {"x": {"properties": {"n": {"default": 1}}}}}).values()
    assert same(meaning, {"more": 2.0}, {"n": 1, "more": 2})
    assert not same(meaning, {"more": 2}, {})


def test_entries_of_a_map_compare_by_their_own_meaning() -> None:
    sub = {"additionalProperties": {"properties": {"n": {"default": 1}}}}
    [meaning] = compile_schema({"properties": {"x": sub}}).values()
    assert same(meaning, {"e": {}}, {"e": {"n": 1.0}})


def test_a_closed_record_without_properties_drops_everything() -> None:
    assert canonical_value(Meaning(closed=True), {"a": 1}) == {}


def test_canonical_form_is_text_that_humans_can_read() -> None:
    assert canonical(FREE, {"b": 1.0, "a": "ü"}) == '{"a":"ü","b":1}'


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"type": "file_search"}, "file_search"),
        (function("f"), "function:f"),
        ({"type": 3, "function": "no record"}, ""),
        ("no record", ""),
    ],
)
def test_an_entry_of_a_keyed_list_is_named_by_its_key_values(entry: Json, name: str) -> None:
    assert entry_key(TOOLS, entry) == name


class TestCompiling:
    def test_every_word_of_the_dialect_reaches_its_field(self) -> None:
        size, secret, token = (WIDGET.fields[name] for name in ("size", "secret", "token"))
        assert (size.immutable, size.on_remove, size.uncompared) == (True, None, False)
        assert (secret.uncompared, secret.read_only) == (True, False)
        assert (token.sensitive, token.on_remove) == (True, None)
        assert (WIDGET.fields["id"].uncompared, WIDGET.fields["id"].read_only) == (True, True)
        assert WIDGET.fields["labels"].granular
        assert WIDGET.fields["title"].on_remove is ABSENT
        assert PAINT.closed
        assert PAINT.is_record
        assert WIDGET.fields["extras"].is_record
        assert not FREE.is_record

    @pytest.mark.parametrize("place", ["properties", "additionalProperties", "items"])
    def test_a_value_with_a_sensitive_part_is_sensitive(self, place: str) -> None:
        part = {"x-sensitive": True}
        schema = {"properties": {"a": {place: {"b": part} if place == "properties" else part}, "c": {place: {}}}}
        found = compile_schema(schema)
        assert (found["a"].sensitive, found["c"].sensitive) == (True, False)

    def test_lists_know_how_they_compare(self) -> None:
        assert (TOOLS.list_meaning, TOOLS.keys) == (ListMeaning.MAP, (("type",), ("function", "name")))
        files = RESOURCES.properties["code_interpreter"].properties["file_ids"]
        assert files.list_meaning is ListMeaning.SET
        assert WIDGET.fields["steps"].list_meaning is ListMeaning.ORDERED

    def test_conditional_branches_are_folded_into_one_meaning(self) -> None:
        assert TOOLS.items is not None
        assert set(TOOLS.items.properties) == {"type", "file_search", "function"}
        assert TOOLS.items.closed
        assert set(FORMAT.properties) == {"type", "json_schema"}

    def test_what_may_never_be_written_is_no_property(self) -> None:
        assert set(RESOURCES.properties["file_search"].properties) == {"vector_store_ids"}

    def test_boolean_subschemas_say_nothing(self) -> None:
        assert compile_schema({"properties": {"any": True, "n": {"default": 2}}}) == {"n": Meaning(default=2)}

    def test_words_beside_a_reference_win_over_its_target(self) -> None:
        schema = {"properties": {"a": {"$ref": "#/$defs/a", "default": 1}}, "$defs": {"a": {"default": 2}}}
        assert compile_schema(schema)["a"].default == 1

    def test_a_reference_to_another_document_is_free(self) -> None:
        assert compile_schema({"properties": {"a": {"$ref": "https://example.invalid/x"}}})["a"] == FREE

    @pytest.mark.parametrize("word", ["allOf", "anyOf", "oneOf"])
    def test_branches_add_properties_and_free_mentions_change_nothing(self, word: str) -> None:
        branches = [{"properties": {"a": {}}}, {"properties": {"a": {"default": 1}}}, {"properties": {"a": {}}}]
        assert compile_schema({word: branches})["a"].default == 1

    def test_two_branches_that_disagree_are_refused(self) -> None:
        branches = [{"properties": {"a": {"default": 1}}}, {"properties": {"a": {"default": 2}}}]
        with pytest.raises(ValueError, match="'a' different meanings"):
            compile_schema({"allOf": branches})

    def test_no_field_of_the_assistant_schema_is_lost(self) -> None:
        assert set(ASSISTANT.fields) == set(SCHEMA["properties"])
        assert set(WIDGET.fields) == set(WIDGET_SCHEMA["properties"])


class TestUnits:
    def test_fields_are_units_and_a_granular_map_goes_entry_by_entry(self) -> None:
        body = {"model": "m", "metadata": {"team": "x", "a.b": "y"}}
        assert units(ASSISTANT, body) == {("model",): "m", ("metadata", "team"): "x", ("metadata", "a.b"): "y"}

    def test_server_owned_fields_and_our_mark_are_no_units(self) -> None:
        assert units(ASSISTANT, {"id": "x", "metadata": {"reconciler": "1 a b c - -"}}) == {}
        assert is_mark(ASSISTANT, ("metadata", "reconciler"))
        assert not is_mark(ASSISTANT, ("metadata",))

    def test_write_only_fields_are_units_because_a_create_sends_them(self) -> None:
        assert units(WIDGET, {"secret": "s"}) == {("secret",): "s"}

    @pytest.mark.parametrize("value", [None, [], "text"])
    def test_a_granular_map_that_is_no_map_has_no_units(self, value: Json) -> None:
        assert units(ASSISTANT, {"metadata": value}) == {}

    def test_the_entry_of_the_mark_is_the_users_in_any_other_field(self) -> None:
        assert units(WIDGET, {"extras": {"reconciler": 1}}) == {("extras",): {"reconciler": 1}}

    def test_a_field_the_schema_does_not_know_is_a_free_unit(self) -> None:
        assert units(ASSISTANT, {"beta": [1]}) == {("beta",): [1]}
        assert meaning_of(ASSISTANT, ("beta",)) == FREE

    def test_the_meaning_of_an_entry_is_that_of_its_map(self) -> None:
        sub: dict[str, Any] = {"x-map": "granular", "additionalProperties": {"default": "d"}}
        kind = Kind("k", compile_schema({"properties": {"m": sub, "n": {"x-map": "granular"}}}), "m")
        assert meaning_of(kind, ("m", "a")).default == "d"
        assert meaning_of(kind, ("n", "a")) == FREE

    @pytest.mark.parametrize(
        ("patch", "shares"),
        [({"metadata": {"a": "1"}}, True), ({"model": "m"}, False), ({"beta": {}}, False), ({}, False)],
        ids=["a granular map", "a field", "unknown to the schema", "nothing"],
    )
    def test_a_request_shares_a_map_where_others_write_entries_of_it_as_well(
        self, patch: dict[str, Any], shares: bool
    ) -> None:
        assert ASSISTANT.carries_others(patch) is shares

    def test_a_digest_is_of_names_and_texts_in_any_order(self) -> None:
        one = digest({"a": "1", "b": "2"})
        assert one.startswith("sha256:")
        assert one == digest({"b": "2", "a": "1"})
        assert one != digest({"a": "2", "b": "1"})

    def test_a_digest_takes_any_text_even_lone_surrogates(self) -> None:
        assert digest({"name": "\ud800"}).startswith("sha256:")
