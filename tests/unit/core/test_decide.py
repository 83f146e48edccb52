"""The decision table of `core/decide.py`, row by row; then what it means for maps, clearing, `initial` and `ignore`."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.decide import (
    ConflictPolicy,
    Decision,
    Resolve,
    Write,
    decide_create,
    decide_update,
)
from reconciler.core.last_applied import UNKNOWN
from reconciler.core.patch import assemble
from reconciler.core.values import marks
from reconciler.core.values.managed_units import desired_units, is_ignored, managed_units
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import ABSENT, Body, Json, Reason, Unit
from reconciler.core.values.semantics import Kind
from reconciler.diagnostics import Code
from tests.unit.core.build import ASSISTANT, WIDGET, manifest, remembered

TEMPERATURE = ("temperature",)


def managing(*chosen: Unit) -> Mark:
    return Mark("acme", "k", "n1", units=marks.codes(chosen))


def decided(body: Body, live: Body, last: Json = None, managed: tuple[Unit, ...] = (), **block: Any) -> Decision:
    base = UNKNOWN if last is None else remembered(dict.fromkeys({**body, **live}, last))
    return decide_update(ASSISTANT, manifest("k", body, **block), live, managing(*managed), base)


def reason(desired: Json, live: Json, last: Json) -> list[Reason]:
    found = decided({"temperature": desired}, {"temperature": live}, last)
    assert all(w == Write(TEMPERATURE, live, desired, w.reason, w.by) for w in found.writes)
    return [w.reason for w in found.writes]


class TestTheTable:
    def test_desired_equals_live_is_nothing_whatever_the_base(self) -> None:
        assert [reason(0.5, 0.5, last) for last in (None, 0.5, 0.1)] == [[], [], []]

    def test_equality_is_of_meaning(self) -> None:
        assert reason(1, 1.0, None) == reason(None, 1, None) == reason(1, None, None) == []

    def test_differs_with_base_unknown_is_changed(self) -> None:
        assert reason(0.5, 0.2, None) == [Reason.CHANGED]

    def test_live_equals_base_is_edited_in_the_file(self) -> None:
        assert reason(0.5, 0.2, 0.2) == [Reason.EDITED]

    def test_desired_equals_base_is_drifted_on_the_remote(self) -> None:
        assert reason(0.5, 0.2, 0.5) == [Reason.DRIFTED]

    def test_both_differ_from_base_is_a_conflict(self) -> None:
        assert reason(0.5, 0.2, 0.9) == [Reason.CONFLICT]

    def test_managed_and_no_longer_in_the_file_is_cleared_once(self) -> None:
        found = decided({}, {"temperature": 0.2}, managed=(TEMPERATURE,))
        assert found == Decision((Write(TEMPERATURE, 0.2, None, Reason.REMOVED),))
        assert decided({}, {"temperature": 1.0}, managed=(TEMPERATURE,)) == Decision(())
        assert decided({}, {"temperature": 0.2}) == Decision(())

    def test_given_up_with_base_equal_to_live_is_cleared(self) -> None:
        assert decided({}, {"temperature": 0.2}, 0.2, (TEMPERATURE,)).writes[0].reason is Reason.REMOVED

    def test_given_up_but_changed_since_by_others_is_released_and_said(self) -> None:
        found = decided({}, {"temperature": 0.2}, 0.9, (TEMPERATURE,))
        assert found.writes == ()
        [said] = found.diagnostics
        assert (said.code, said.address) == (Code.CANNOT_CLEAR, "assistant/k")
        assert (
            said.summary
            == "temperature was removed from the file, but was changed on the remote since: the live value stays"
        )

    def test_never_in_our_files_is_never_compared_and_never_sent(self) -> None:
        assert decided({"model": "m"}, {"model": "m", "temperature": 0.2, "name": "x", "beta": 1}) == Decision(())

    def test_a_unit_that_the_earlier_files_did_not_have_is_an_edit_of_the_file(self) -> None:
        desired = manifest("k", {"temperature": 0.5, "model": "b"})
        base = remembered({"temperature": 0.5})
        found = decide_update(ASSISTANT, desired, {"temperature": 0.2, "model": "a"}, None, base)
        assert [w.reason for w in found.writes] == [Reason.DRIFTED, Reason.EDITED]


class TestGivingUp:
    def test_a_field_without_a_cleared_value_stays_and_the_hint_says_what_to_do(self) -> None:
        found = decided({}, {"model": "m"}, managed=(("model",),))
        assert found.writes == ()
        [said] = found.diagnostics
        assert said.summary == "model was removed from the file, but cannot be cleared: the live value stays"
        assert said.hint == "set it to the value it should have, then remove it"

    def test_the_words_of_the_schema_are_what_is_sent(self) -> None:
        resources = {"file_search": {"vector_store_ids": ["v"]}}
        [write] = decided({}, {"tool_resources": resources}, managed=(("tool_resources",),)).writes
        assert write.after == {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}

    def test_an_entry_of_a_granular_map_is_taken_away(self) -> None:
        live = {"metadata": {"team": "x", "theirs": "y"}}
        found = decided({"metadata": {}}, live, managed=(("metadata", "team"), ("metadata", "gone")))
        assert found == Decision((Write(("metadata", "team"), "x", ABSENT, Reason.REMOVED),))

    def test_an_adopted_object_gives_nothing_up(self) -> None:
        live = {"temperature": 0.2, "metadata": {"team": "x"}}
        assert decide_update(ASSISTANT, manifest("k", {}), live, None) == Decision(())

    @pytest.mark.parametrize("word", ["ignore", "initial"])
    def test_a_unit_that_is_left_to_others_is_not_cleared(self, word: str) -> None:
        body = {"temperature": 0.9}
        assert decided(body, {"temperature": 0.2}, managed=(TEMPERATURE,), **{word: ["temperature"]}) == Decision(())

    def test_an_ignored_unit_that_also_left_the_file_is_not_cleared(self) -> None:
        assert decided({}, {"temperature": 0.2}, managed=(TEMPERATURE,), ignore=["temperature"]) == Decision(())


class TestLeftToOthers:
    def test_ignored_units_are_neither_created_nor_compared_nor_managed(self) -> None:
        wanted = manifest("k", {"model": "m", "temperature": 1}, ignore=["temperature"])
        assert desired_units(ASSISTANT, wanted) == managed_units(ASSISTANT, wanted) == {("model",): "m"}

    def test_initial_units_are_set_at_create_and_then_left(self) -> None:
        wanted = manifest("k", {"model": "m", "instructions": "x"}, initial=["instructions"])
        created = decide_create(ASSISTANT, wanted)
        assert {w.unit: (w.before, w.after, w.reason) for w in created.writes} == {
            ("model",): (ABSENT, "m", Reason.NEW),
            ("instructions",): (ABSENT, "x", Reason.NEW),
        }
        assert managed_units(ASSISTANT, wanted) == {("model",): "m"}
        live = {"model": "m", "instructions": "another"}
        assert decide_update(ASSISTANT, wanted, live, managing(("model",))) == Decision(())

    @pytest.mark.parametrize(
        ("names", "covered"), [({"metadata"}, True), ({"metadata.a.b"}, True), ({"metadata.a"}, False), ({"b"}, False)]
    )
    def test_a_name_covers_a_whole_map_or_one_entry(self, names: set[str], covered: bool) -> None:
        assert is_ignored(("metadata", "a.b"), frozenset(names)) is covered


class TestWriteOnly:
    def test_what_is_never_shown_is_sent_at_create_and_not_compared_after(self) -> None:
        wanted = manifest("k", {"secret": "s", "title": "t"}, WIDGET)
        assert [w.unit for w in decide_create(WIDGET, wanted).writes] == [("secret",), ("title",)]
        assert decide_update(WIDGET, wanted, {"title": "t"}, None) == Decision(())


class TestCoupled:
    def test_nulls_of_a_group_travel_with_a_changed_field(self) -> None:
        body = {"model": "new", "reasoning_effort": None, "temperature": 0.5}
        found = decided(body, {"model": "old", "temperature": 0.5})
        assert found.writes == (
            Write(("model",), "old", "new", Reason.CHANGED),
            Write(("reasoning_effort",), ABSENT, None, Reason.COUPLED),
        )

    def test_nothing_travels_when_nothing_of_the_group_changed(self) -> None:
        body = {"model": "m", "reasoning_effort": None, "name": "new"}
        assert [w.unit for w in decided(body, {"model": "m", "name": "old"}).writes] == [("name",)]

    def test_a_null_that_itself_changes_something_is_sent_once(self) -> None:
        body = {"model": "new", "reasoning_effort": None}
        found = decided(body, {"model": "old", "reasoning_effort": "low"})
        assert [(w.unit[0], w.reason) for w in found.writes] == [
            ("model", Reason.CHANGED),
            ("reasoning_effort", Reason.CHANGED),
        ]

    def test_a_field_outside_the_file_does_not_travel(self) -> None:
        assert [w.unit for w in decided({"model": "new"}, {"model": "old"}).writes] == [("model",)]

    def test_an_ignored_null_does_not_travel(self) -> None:
        body = {"model": "new", "reasoning_effort": None}
        found = decided(body, {"model": "old"}, ignore=["reasoning_effort"])
        assert [w.unit for w in found.writes] == [("model",)]

    def test_a_null_whose_field_stays_as_it_is_live_does_not_travel(self) -> None:
        wanted = manifest("k", {"model": "new", "temperature": None}, ASSISTANT)
        base = remembered({"model": "old", "temperature": 0.2})
        live, stance = {"model": "old", "temperature": 0.9}, ConflictPolicy(resolve=Resolve.THEIRS)
        found = decide_update(ASSISTANT, wanted, live, None, base, stance)
        assert [w.unit for w in found.writes] == [("model",)]
        assert [w.unit for w in found.ignored] == [("temperature",)]


class TestAssembling:
    def test_fields_are_sent_as_the_file_spells_them(self) -> None:
        assert assemble(ASSISTANT, {("temperature",): 1.0, ("model",): "m"}, {}) == {"temperature": 1.0, "model": "m"}

    def test_a_granular_map_is_sent_whole_with_the_entries_of_others_as_they_are(self) -> None:
        live = {"metadata": {"theirs": "t", "old": "o"}}
        writes = {("metadata", "old"): ABSENT, ("metadata", "new"): "n", ("metadata", "never"): ABSENT}
        assert assemble(ASSISTANT, writes, live) == {"metadata": {"theirs": "t", "new": "n"}}
        assert live == {"metadata": {"theirs": "t", "old": "o"}}

    @pytest.mark.parametrize("live", [{}, {"metadata": None}])
    def test_a_granular_map_may_not_be_there_yet(self, live: Body) -> None:
        assert assemble(ASSISTANT, {("metadata", "a"): "1"}, live) == {"metadata": {"a": "1"}}

    def test_cleared_parts_are_named_where_the_remotes_way_is_unknown(self) -> None:
        desired = {"code_interpreter": {"file_ids": ["f"]}}
        live = {"tool_resources": {"file_search": {"vector_store_ids": ["v"]}}}
        sent = assemble(ASSISTANT, {("tool_resources",): desired}, live)
        assert sent == {"tool_resources": {**desired, "file_search": {"vector_store_ids": []}}}
        assert assemble(ASSISTANT, {("tool_resources",): desired}, {}) == {"tool_resources": desired}

    def test_parts_are_not_named_where_the_remote_is_known_to_replace(self) -> None:
        sent = assemble(WIDGET, {("paint",): {"color": "red"}}, {"paint": {"coats": 2}})
        assert sent == {"paint": {"color": "red"}}

    def test_a_field_the_schema_does_not_know_is_sent_as_it_is(self) -> None:
        kind = Kind("k", {}, "m")
        assert assemble(kind, {("beta",): {"a": 1}}, {"beta": {"b": 2}}) == {"beta": {"a": 1}}
