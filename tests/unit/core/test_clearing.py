"""Parts of object values that are cleared by name, and parts that a write would drop."""

from __future__ import annotations

import pytest

from reconciler.core.patch import unknown_parts, with_explicit_clears
from reconciler.core.values.model import Json
from reconciler.core.values.semantics import FREE, Meaning
from reconciler.formats.dialect import compile_schema
from tests.unit.core.build import ASSISTANT, WIDGET

TOOLS = ASSISTANT.fields["tools"]
RESOURCES = ASSISTANT.fields["tool_resources"]
PAINT = WIDGET.fields["paint"]
FILES = {"code_interpreter": {"file_ids": ["f"]}}
STORES = {"file_search": {"vector_store_ids": ["v"]}}


def test_a_nested_part_that_left_is_sent_as_its_default() -> None:
    assert with_explicit_clears(RESOURCES, FILES, {**FILES, **STORES}) == {
        **FILES,
        "file_search": {"vector_store_ids": []},
    }


def test_a_deeper_part_that_left_is_sent_as_its_default() -> None:
    assert with_explicit_clears(RESOURCES, {"code_interpreter": {}}, FILES) == {"code_interpreter": {"file_ids": []}}


def test_a_nested_part_without_default_has_no_cleared_value_and_is_not_mentioned() -> None:
    assert with_explicit_clears(PAINT, {"color": "red"}, {"color": "red", "coats": 2}) == {"color": "red"}
    schema = {"type": "json_schema", "json_schema": {"name": "n"}}
    assert with_explicit_clears(ASSISTANT.fields["response_format"], {"type": "text"}, schema) == {"type": "text"}


def test_a_cleared_part_is_spelled_out_down_to_its_lists() -> None:
    parts = {"a": {"default": {}, "properties": {"list": {"default": []}, "n": {"default": 3}, "free": {}}}}
    [meaning] = compile_schema({"properties": {"x": {"properties": parts}}}).values()
    assert with_explicit_clears(meaning, {}, {"a": {"list": [1]}}) == {"a": {"list": [], "n": 3}}


def test_a_default_that_says_more_wins_over_those_of_its_parts() -> None:
    parts = {"a": {"default": {"n": 5}, "properties": {"n": {"default": 3}}}}
    [meaning] = compile_schema({"properties": {"x": {"properties": parts}}}).values()
    assert with_explicit_clears(meaning, {}, {"a": {"n": 1}}) == {"a": {"n": 5}}


@pytest.mark.parametrize("shown", [{}, None, {"vector_store_ids": []}])
def test_a_part_that_shows_only_its_default_is_not_mentioned(shown: Json) -> None:
    assert with_explicit_clears(RESOURCES, FILES, {"file_search": shown}) == FILES


def test_parts_of_others_and_server_owned_parts_are_not_mentioned() -> None:
    sub = {"properties": {"n": {"type": "integer"}, "at": {"readOnly": True}}}
    [meaning] = compile_schema({"properties": {"x": sub}}).values()
    assert with_explicit_clears(meaning, {"n": 1}, {"n": 2, "at": 3, "beta": 4}) == {"n": 1}


@pytest.mark.parametrize(("desired", "live"), [(None, FILES), ([], FILES), (FILES, None), (FILES, "text")])
def test_what_is_no_object_on_both_sides_is_sent_as_it_is(desired: Json, live: Json) -> None:
    assert with_explicit_clears(RESOURCES, desired, live) == desired


def test_a_free_object_is_sent_as_it_is() -> None:
    assert with_explicit_clears(FREE, {"a": 1}, {"b": 2}) == {"a": 1}


def test_the_desired_value_itself_is_not_changed() -> None:
    desired = {"code_interpreter": {}}
    with_explicit_clears(RESOURCES, desired, {**FILES, **STORES})
    assert desired == {"code_interpreter": {}}


def test_unknown_parts_are_found_with_their_place() -> None:
    live = [{"type": "file_search", "file_search": {"beta": 1}, "gamma": None}, {"type": "function", "delta": 0}]
    assert list(unknown_parts(TOOLS, live, ("tools",))) == [("tools", 0, "file_search", "beta"), ("tools", 1, "delta")]


def test_a_remote_that_merges_drops_no_unknown_part_but_of_entries_of_lists() -> None:
    meaning = compile_schema(
        {
            "properties": {
                "config": {
                    "additionalProperties": False,
                    "properties": {
                        "voice": {"additionalProperties": False, "properties": {"id": {}}},
                        "docs": {
                            "x-list": "ordered",
                            "items": {"additionalProperties": False, "properties": {"id": {}}},
                        },
                    },
                }
            }
        }
    )["config"]
    live = {"beta": 1, "voice": {"id": "v", "gamma": 1}, "docs": [{"id": "d", "delta": 1}]}
    assert list(unknown_parts(meaning, live)) == [("beta",), ("voice", "gamma"), ("docs", 0, "delta")]
    assert list(unknown_parts(meaning, live, merged=True)) == [("docs", 0, "delta")]


@pytest.mark.parametrize(
    ("meaning", "value"),
    [
        (TOOLS, "no list"),
        (FREE, {"a": 1}),
        (FREE, [{"a": 1}]),
        (WIDGET.fields["extras"], {"a": 1}),
        (Meaning(), None),
    ],
)
def test_where_the_schema_is_open_nothing_is_unknown(meaning: Meaning, value: Json) -> None:
    assert list(unknown_parts(meaning, value)) == []
