"""Remotes that cannot do everything: what is sent to them, and what is said before it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.changes import mark_change
from reconciler.core.matching.index import index
from reconciler.core.patch import assemble, unclearable_parts, with_explicit_clears
from reconciler.core.values import marks
from reconciler.core.values.model import ABSENT, Action, Address, Blocker, Json, Reason
from reconciler.core.values.semantics import Kind, can_clear
from reconciler.core.verify import verify
from reconciler.diagnostics import Code
from reconciler.formats.dialect import compile_schema
from reconciler.formats.outcome import Outcome, Result
from reconciler.operations.applying.rollback import rollback
from tests.unit.core.build import OWNER, SOURCE, WIDGET, bare, manifest, marked, plan, with_mark

PATCHED = replace(WIDGET, maps="patch")
MERGED = replace(WIDGET, maps="merge")
NULLED = replace(
    MERGED,
    fields={
        **WIDGET.fields,
        **compile_schema(
            {"properties": {"labels": {"x-map": "granular", "additionalProperties": {"x-on-remove": None}}}}
        ),
    },
)
WHOLE_PUT = replace(WIDGET, absent="clear")
DEEP = replace(WIDGET, nested="merge")


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (WIDGET, {"b": "2", "c": "3"}),
        (PATCHED, {"a": None, "c": "3"}),
        (NULLED, {"a": None, "c": "3"}),
        (MERGED, {"a": "", "c": "3"}),
    ],
    ids=["whole", "patch", "merge with a value for it", "merge"],
)
def test_an_entry_is_taken_out_in_the_way_of_the_remote(kind: Kind, sent: Json) -> None:
    live = {"labels": {"a": "1", "b": "2"}}
    assert assemble(kind, {("labels", "a"): ABSENT, ("labels", "c"): "3"}, live) == {"labels": sent}


def test_a_remote_that_clears_what_is_left_out_gets_all_of_the_object() -> None:
    live = {"id": "o1", "title": "t", "secret": "s", "labels": {"b": "2"}, "grown": 1}
    sent = assemble(WHOLE_PUT, {("title",): "u", ("labels", "a"): "1"}, live)
    assert sent == {"title": "u", "labels": {"a": "1", "b": "2"}, "grown": 1}


def test_what_carries_values_of_others_is_read_again_first() -> None:
    assert WHOLE_PUT.carries_others({"title": "t"})
    assert WIDGET.carries_others({"labels": {}})
    assert not PATCHED.carries_others({"labels": {}})


def test_an_entry_that_nothing_takes_out_is_released_and_said() -> None:
    live = marked("o1", "a", {"title": "t", "labels": {"x": "1"}}, MERGED)
    found = plan([manifest("a", {"title": "t"}, MERGED)], [live], MERGED)
    (change,) = found.changes
    assert [each.code for each in found.diagnostics] == [Code.CANNOT_CLEAR]
    assert set((change.patch or {})["labels"]) == {"reconciler"}
    assert not can_clear(MERGED, ("labels", "x"))


def test_an_entry_that_is_cleared_by_a_value_is_sent_that() -> None:
    live = marked("o1", "a", {"title": "t", "labels": {"x": "1"}}, NULLED)
    (change,) = plan([manifest("a", {"title": "t"}, NULLED)], [live], NULLED).changes
    assert (change.patch or {})["labels"]["x"] is None


@pytest.mark.parametrize(("kind", "text"), [(PATCHED, None), (MERGED, "")])
def test_a_mark_is_taken_off_where_entries_are_merged(kind: Kind, text: Json) -> None:
    live = marked("o1", "a", {"title": "t"}, kind)
    owned = index(kind, [live], OWNER).managed["a"]
    change = mark_change(kind, Action.RELEASE, Address("widget", "a"), owned, None, Reason.RELEASED)
    assert change.patch == {"labels": {"reconciler": text}}
    assert marks.read(text) is None
    assert index(kind, [with_mark("o1", text, {}, kind)], OWNER).managed == {}


def test_a_part_that_would_stay_blocks_its_change_and_is_said_with_its_place() -> None:
    live = marked("o1", "a", {"title": "t", "paint": {"color": "red", "coats": 2}}, DEEP)
    found = plan([manifest("a", {"title": "t", "paint": {"color": "blue"}}, DEEP)], [live], DEEP)
    (change,) = found.changes
    assert change.blocked is not None
    assert change.blocked.by is Blocker.INEXPRESSIBLE
    assert "paint.coats" in change.blocked.hint
    (said,) = [each for each in found.diagnostics if each.code is Code.INEXPRESSIBLE]
    assert (said.source, said.summary.split(" ")[0]) == (SOURCE, "paint.coats")


def test_a_part_that_is_cleared_by_name_blocks_nothing() -> None:
    live = marked("o1", "a", {"title": "t", "paint": {"color": "red"}}, DEEP)
    (change,) = plan([manifest("a", {"title": "t", "paint": {}}, DEEP)], [live], DEEP).changes
    assert (change.blocked, change.patch) == (None, {"paint": {"color": "white"}})


def test_parts_of_others_server_owned_and_deeper_ones() -> None:
    sub: dict[str, Any] = {
        "additionalProperties": False,
        "properties": {"at": {"readOnly": True}, "n": {"properties": {"m": {}, "k": {"x-on-remove": None}}}},
    }
    [meaning] = compile_schema({"properties": {"x": sub}}).values()
    live = {"at": 1, "beta": 2, "n": {"m": 1, "k": 2}}
    assert list(unclearable_parts(meaning, {"n": {}}, live)) == [("n", "m")]
    assert list(unclearable_parts(meaning, {}, {"n": None})) == []
    assert list(unclearable_parts(meaning, None, live)) == []
    assert with_explicit_clears(meaning, {"n": {}}, live) == {"n": {"k": None}}


def test_a_delete_that_archives_says_so() -> None:
    kind = replace(WIDGET, archives=True)
    found = plan([], [marked("o1", "a", {"title": "t"}, kind)], kind, prune=True, allow_deletes=1)
    assert [each.code for each in found.diagnostics] == [Code.ARCHIVED]
    assert plan([], [marked("o1", "a", {"title": "t"})], prune=True, allow_deletes=1).diagnostics == ()


@pytest.mark.parametrize(
    ("kind", "sent", "answer", "codes"),
    [
        (PATCHED, {"labels": {"x": None}}, {"labels": {"reconciler": "m"}}, []),
        (PATCHED, {"labels": {"x": None}}, {"labels": {"reconciler": "m", "x": "1"}}, [Code.NOT_KEPT]),
        (PATCHED, {"labels": {"y": "2"}}, {"labels": {"y": "2"}}, [Code.CHANGED_UNASKED]),
        (PATCHED, {"labels": {"reconciler": "n"}}, {"labels": {"reconciler": "m", "x": "1"}}, [Code.NOT_KEPT]),
    ],
    ids=["taken out", "kept after all", "another one went", "another mark"],
)
def test_answers_to_entries_are_held_against_them_one_by_one(
    kind: Kind, sent: Any, answer: Any, codes: list[Code]
) -> None:
    prior = {"labels": {"reconciler": "m", "x": "1"}}
    assert [each.code for each in verify(kind, "widget/a", sent, prior, answer)] == codes


@pytest.mark.parametrize(("kind", "held"), [(PATCHED, True), (replace(PATCHED, max_entries=None), False)])
def test_entries_of_others_count_where_only_ours_are_sent(kind: Kind, held: bool) -> None:
    live = bare("o1", {"title": "t", "labels": dict.fromkeys("abcd", "1")}, kind)
    (change,) = plan([manifest("k", {"title": "t"}, kind, id="o1")], [live], kind).changes
    assert ((change.blocked and change.blocked.by) is Blocker.METADATA_FULL) is held
    ours = marked("o1", "k", {"title": "t", "labels": dict.fromkeys("abcd", "1")}, kind, managed=[("title",)])
    (update,) = plan([manifest("k", {"title": "u"}, kind)], [ours], kind).changes
    assert (update.action, update.blocked) == (Action.UPDATE, None)


@pytest.mark.parametrize(("kind", "after"), [(MERGED, None), (NULLED, {"x": None}), (PATCHED, {"x": None})])
def test_an_entry_that_was_added_is_taken_back_where_that_can_be(kind: Kind, after: Json) -> None:
    before = marked("o1", "a", {"title": "t"}, kind, managed=[("title",), ("labels", "x")])
    done = plan([manifest("a", {"title": "t", "labels": {"x": "1"}}, kind)], [before], kind)
    (change,) = done.changes
    body = {**before.body, "labels": {**before.body["labels"], "x": "1"}}
    outcome = Outcome(change.address, change.action, Result.DONE, "o1", after=body)
    back = rollback(done, {"widget": index(kind, [before], OWNER)}, [outcome])
    assert [(each.patch or {}).get("labels") for each in back.changes] == ([after] if after else [])
    assert [each.code for each in back.diagnostics] == ([] if after else [Code.CANNOT_CLEAR])


def test_a_write_to_a_remote_that_merges_drops_nothing() -> None:
    paint = {"color": "red", "sheen": 1}
    for kind, codes in ((WIDGET, [Code.UNKNOWN_LIVE_FIELD]), (DEEP, [])):
        live = marked("o1", "a", {"title": "t", "paint": paint}, kind)
        found = plan([manifest("a", {"title": "t", "paint": {"color": "blue"}}, kind)], [live], kind)
        assert [each.code for each in found.diagnostics] == codes
