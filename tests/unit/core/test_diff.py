"""Where inside a unit two values differ, told by key and not by position."""

from __future__ import annotations

import pytest
from hypothesis import given

from reconciler.core.values.diff import explain
from reconciler.core.values.model import ABSENT, Json, Path
from reconciler.core.values.semantics import FREE, Meaning, canonical_value, same
from tests.strategies import bodies, json_values, law
from tests.unit.core.build import ASSISTANT, SCHEMA, WIDGET

TOOLS = ASSISTANT.fields["tools"]
RESOURCES = ASSISTANT.fields["tool_resources"]
STEPS = WIDGET.fields["steps"]


def function(name: str, **more: Json) -> Json:
    return {"type": "function", "function": {"name": name, **more}}


def places(meaning: Meaning, before: Json, after: Json) -> list[tuple[Path, Json, Json]]:
    return list(explain(meaning, before, after))


@pytest.mark.parametrize(("before", "after"), [("a", "b"), (ABSENT, 1), (1, ABSENT), ({"a": 1}, [1]), ("a", {"a": 1})])
def test_what_is_no_pair_of_objects_or_lists_differs_as_a_whole(before: Json, after: Json) -> None:
    assert places(FREE, before, after) == [((), before, after)]


def test_an_entry_of_a_keyed_list_goes_by_its_key_wherever_it_stands() -> None:
    before = [{"type": "code_interpreter"}, function("f", description="old")]
    after = [function("f", description="new"), {"type": "code_interpreter"}]
    assert places(TOOLS, before, after) == [(("function:f", "function", "description"), "old", "new")]


def test_entries_that_come_and_go_are_told_whole() -> None:
    found = places(TOOLS, [function("a"), function("b")], [function("b"), function("c")])
    assert [(path, before is ABSENT, after is ABSENT) for path, before, after in found] == [
        (("function:a",), False, True),
        (("function:c",), True, False),
    ]


def test_elements_of_a_set_go_by_themselves() -> None:
    before = {"code_interpreter": {"file_ids": ["a", "b"]}}
    after = {"code_interpreter": {"file_ids": ["c", "b"]}}
    assert places(RESOURCES, before, after) == [
        (("code_interpreter", "file_ids", "a"), "a", ABSENT),
        (("code_interpreter", "file_ids", "c"), ABSENT, "c"),
    ]


def test_an_ordered_list_goes_by_position() -> None:
    assert places(STEPS, [{"do": "a"}, {"do": "b"}], [{"do": "a"}, {"do": "c"}]) == [((1, "do"), "b", "c")]


def test_positions_are_sorted_as_numbers_and_before_names() -> None:
    before = {"l": list(range(12)), "a": 1}
    after = {"l": [n + (n in (2, 10)) * 100 for n in range(12)], "a": 2}
    assert [path for path, _, _ in places(FREE, before, after)] == [("a",), ("l", 2), ("l", 10)]


def test_an_element_that_is_no_text_and_has_no_key_goes_by_its_canonical_form() -> None:
    assert places(TOOLS, [{"type": "function"}, 1.0], [{"type": "function"}]) == [(("1",), 1, ABSENT)]


def test_two_entries_of_one_key_are_both_told() -> None:
    found = places(TOOLS, [function("a"), function("a", description="x")], [function("a")])
    assert [path for path, _, _ in found] == [("function:a", "function", "description"), ("function:a'",)]


def test_keys_that_look_private_to_python_are_told() -> None:
    before, after = {"__a": 1, "keep": 0, "more": 0}, {"__a": 2, "keep": 0, "more": 0}
    assert places(FREE, before, after) == [(("__a",), 1, 2)]


@pytest.mark.parametrize(
    ("before", "after"), [([False, False], [False, 0]), ({"enum": [1, "x"]}, {"enum": [True, "x"]})]
)
def test_true_for_one_inside_a_list_is_told_at_least_as_a_whole(before: Json, after: Json) -> None:
    assert places(FREE, before, after) == [((), before, after)]


def test_entries_of_a_map_are_told_by_name() -> None:
    before, after = {"a": {"x": 1}, "b": 0, "c": 0}, {"a": {"x": 2}, "b": 0, "c": 0}
    assert places(WIDGET.fields["extras"], before, after) == [(("a", "x"), 1, 2)]


@law
@given(json_values(), json_values())
def test_free_values_are_explained_exactly_when_they_differ(before: Json, after: Json) -> None:
    assert bool(places(FREE, before, after)) or same(FREE, before, after)
    if isinstance(before, list | dict) and same(FREE, before, after):
        assert places(FREE, before, after) == []


@law
@given(bodies(SCHEMA), bodies(SCHEMA))
def test_every_field_is_explained_exactly_when_it_differs(before: Json, after: Json) -> None:
    for name in before.keys() & after.keys():
        meaning, one, other = ASSISTANT.fields[name], before[name], after[name]
        if isinstance(one, list | dict) and type(one) is type(other):
            assert bool(places(meaning, one, other)) is not same(meaning, one, other)
            assert places(meaning, one, canonical_value(meaning, one)) == []
