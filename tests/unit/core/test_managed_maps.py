"""Maps whose entries all are managed: what is written, what is told, what a mark remembers, and what is left later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.changes import mark_for
from reconciler.core.decide import decide_update
from reconciler.core.matching.index import content_of, index
from reconciler.core.values.marks import code
from reconciler.core.values.model import ABSENT, Address, Body, Change, Json, LiveObject, Manifest
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check
from tests.unit.core.build import OWNER
from tests.unit.core.filed import PAPER, SHELF, due, entry, filed, of, on_paper, on_shelf, paper, shelf

PAPERS = [on_paper(f"p{key}", key) for key in "abc"]
FILES = [paper(key) for key in "abc"]
Entry = tuple[str, Body]


def change_from(live: Sequence[Entry] | None, papers: Mapping[str, Body] | None, **block: Any) -> Change:
    plan = filed([*FILES, shelf("s", papers, **block)], PAPERS, [on_shelf("s1", "s", live)])
    return of(plan, "store/s")


def rows(change: Change) -> list[tuple[Any, Json, Json]]:
    return [(field.path, field.before, field.after) for field in change.fields]


def test_what_agrees_needs_nothing_whatever_the_order() -> None:
    live = [entry("pb", "b", tags={}), entry("pa", "a", cut="400")]
    for said in ({}, {"cut": "400"}):
        assert due(filed([*FILES, shelf("s", {"a": said, "b": {}})], PAPERS, [on_shelf("s1", "s", live)])) == []


@pytest.mark.parametrize(
    ("wanted", "live", "expected"),
    [
        ({}, None, ("a", {"paper": "pa"})),
        ({"tags": {"a": "b"}}, None, ("a", {"paper": "pa", "tags": {"a": "b"}})),
        ({}, {"state": "failed"}, ("a", {"paper": "pa"})),
        ({}, {"state": "busy"}, ("a", {"paper": "pa"})),
        ({"cut": "400"}, {"cut": "auto"}, ("a", {"paper": "pa", "cut": "400"})),
        ({"tags": {"x": "2"}}, {"tags": {"x": "1"}}, ("a", {"paper": "pa", "tags": {"x": "2"}})),
        ({}, {"tags": {"x": "1"}}, ("a", {"paper": "pa"})),
        (None, {}, ("a", None)),
        ({}, {"paper": "pold"}, ("a", {"paper": "pa"})),
        ({"cut": "auto"}, {}, None),
        ({}, {"cut": "400"}, None),
        ({}, {}, None),
    ],
)
def test_one_entry(wanted: Body | None, live: Body | None, expected: Entry | None) -> None:
    there = [] if live is None else [entry("pa", "a", **live) if "paper" not in live else ("a", {**live})]
    change = change_from(there, {} if wanted is None else {"a": wanted})
    assert change.patch == (None if expected is None else {"papers": dict([expected])})


def test_of_an_entry_that_changes_its_parts_are_told() -> None:
    change = change_from([entry("pa", "a", tags={"x": "1"}, state="busy")], {"a": {"tags": {"x": "2"}}})
    assert rows(change) == [
        (("papers", "a", "tags"), {"x": "1"}, {"x": "2"}),
        (("papers", "a", "state"), "busy", "ready"),
    ]


def test_an_entry_that_comes_goes_or_holds_another_is_told_by_its_id() -> None:
    live = [entry("pold", "a"), entry("pc", "c")]
    change = change_from(live, {"a": {}, "b": {"tags": {"x": "1"}}})
    assert rows(change) == [
        (("papers", "a"), "pold", "pa"),
        (("papers", "b"), ABSENT, "pb"),
        (("papers", "c"), "pc", ABSENT),
    ]
    assert [str(field.reason) for field in change.fields] == ["edited", "changed", "removed"]


def test_many_entries_are_told_as_one() -> None:
    papers = [on_paper(f"p{n}", f"k{n:02}") for n in range(30)]
    files = [paper(f"k{n:02}") for n in range(30)]
    held = on_shelf("s1", "s", [entry("p0", "k00")])
    change = of(filed([*files, shelf("s", {m.address.key: {} for m in files})], papers, [held]), "store/s")
    (field,) = change.fields
    assert (field.path, field.before, len(field.after)) == (("papers",), ["k00"], 30)
    assert len((change.patch or {})["papers"]) == 29
    made = of(filed([*FILES, shelf("s", {"a": {}})], PAPERS), "store/s")
    assert rows(made)[-1] == (("papers",), ABSENT, ["a"])


def test_two_versions_of_one_key_are_told_apart() -> None:
    papers = [on_paper("p1", "a", "old"), on_paper("p2", "a", "a", 2)]
    held = on_shelf("s1", "s", [entry("p2", "a", state="failed"), entry("p1", "p1")])
    change = of(filed([paper("a"), shelf("s", {"a": {}})], papers, [held]), "store/s")
    assert rows(change) == [(("papers", "a", "state"), "failed", "ready"), (("papers", "p1"), "p1", ABSENT)]
    assert change.patch == {"papers": {"a": {"paper": "p2"}, "p1": None}}


def test_a_map_that_leaves_the_files_is_emptied_and_an_empty_one_sends_nothing() -> None:
    assert (change_from([entry("pa", "a")], None).patch or {})["papers"] == {"a": None}
    assert "papers" not in (of(filed([shelf("s", {})]), "store/s").patch or {})


def unmanaged(**block: Any) -> Manifest:
    return shelf("s", {"a": {}}, **block)


@pytest.mark.parametrize("word", ["ignore", "initial"])
def test_a_map_that_is_left_to_others_is_left_as_it_is(word: str) -> None:
    held = on_shelf("s1", "s", [entry("pz", "z")])
    plan = filed([*FILES, unmanaged(**{word: frozenset({"papers"})})], PAPERS, [held])
    assert "papers" not in (of(plan, "store/s").patch or {})


def test_what_a_mark_never_managed_is_left_as_it_is() -> None:
    held = on_shelf("s1", "s", [entry("pa", "a")])
    bare = LiveObject("store", "s1", {**held.body, "labels": {"reconciler": f"1 {OWNER} s n1 - -"}}, 1)
    assert "papers" not in (of(filed([FILES[0], shelf("s")], PAPERS, [bare]), "store/s").patch or {})


def test_entries_that_wait_for_an_id_say_where() -> None:
    change = of(filed([*FILES, shelf("s", {"a": {"tags": {"year": 2026}}})], PAPERS[1:]), "store/s")
    assert change.refs == ((("papers", "a", "paper"), FILES[0].address),)


def test_a_mark_remembers_only_that_there_is_a_map() -> None:
    few, many, none = (shelf("s", {key: {} for key in keys}) for keys in ("a", "abc", ""))
    written = [mark_for(SHELF, OWNER, each, None, {}) for each in (few, many, none)]
    assert written[0] == written[1] == written[2]
    assert written[0].manages(("papers",))
    assert len(written[0].digests) == 2


def test_a_map_that_is_managed_from_now_on_is_told_by_its_entries() -> None:
    held = on_shelf("s1", "s", [])
    bare = LiveObject("store", "s1", {**held.body, "labels": {"reconciler": f"1 {OWNER} s n1 - {code(('title',))}"}}, 1)
    change = of(filed([FILES[0], shelf("s", {"a": {}})], PAPERS[:1], [bare]), "store/s")
    assert rows(change) == [(("papers",), ABSENT, ["a"])]


def test_what_others_put_in_makes_no_other_object_of_it() -> None:
    held = on_shelf("s1", "s", [], **{"papers of others": ["x"]})
    alone = on_shelf("s1", "s", [])
    assert content_of(SHELF, held.body) == content_of(SHELF, alone.body) == content_of(SHELF, {"title": "s"})


def test_a_deletion_waits_for_the_entry_to_be_taken_out() -> None:
    held = on_shelf("s1", "s", [entry("pa", "a"), entry("pb", "b")])
    files = [FILES[1], shelf("s", {"b": {}})]
    plan = filed(files, PAPERS[:2], [held], prune=True, allow_deletes=1)
    assert due(plan) == ["update store/s s1", "delete paper/a pa"]
    kept = filed([FILES[1]], PAPERS[:2], [held], prune=False)
    assert due(kept) == []


def test_what_an_entry_holds_that_is_left_to_others_is_not_deleted() -> None:
    held = on_shelf("s1", "s", [entry("pb", "b")])
    files = [FILES[0], shelf("s", {"a": {}}, ignore=frozenset({"papers.b"}))]
    plan = filed(files, PAPERS[:2], [held], prune=True, allow_deletes=1)
    assert (of(plan, "store/s").patch or {})["papers"] == {"a": {"paper": "pa"}}
    assert of(plan, "paper/b").blocked is not None
    assert due(plan) == ["update store/s s1"]


def planned() -> Change:
    live = [entry("pa", "a", tags={"x": "1"}), entry("pc", "c"), entry("pz", "z", state="busy")]
    papers = [*PAPERS, on_paper("pz", "z")]
    wanted: dict[str, Body] = {"a": {"tags": {"x": "2"}}, "b": {}, "z": {}}
    return of(filed([*FILES, paper("z"), shelf("s", wanted)], papers, [on_shelf("s1", "s", live)]), "store/s")


def checked(*entries: Entry) -> Any:
    return check(planned(), index(SHELF, [on_shelf("s1", "s", entries)], OWNER))


def test_what_was_planned_is_written_as_far_as_it_is_not_done() -> None:
    done = [entry("pa", "a", tags={"x": "2"}), entry("pb", "b"), entry("pz", "z")]
    assert checked(*done) == AlreadyApplied("s1")
    half = checked(done[0], entry("pb", "b", state="busy"), entry("pc", "c"), entry("pz", "z", state="busy"))
    assert half == Ready({"papers": {"b": {"paper": "pb"}, "c": None, "z": {"paper": "pz"}}})
    failed = checked(done[0], entry("pb", "b", state="failed"), done[2])
    assert failed == Ready({"papers": {"b": {"paper": "pb"}}})
    unseen = checked(*done[:2])
    assert unseen == Ready({"papers": {"z": {"paper": "pz"}}})
    untouched = checked(entry("pa", "a", tags={"x": "1"}), done[1], done[2])
    assert untouched == Ready({"papers": {"a": {"paper": "pa", "tags": {"x": "2"}}}})


@pytest.mark.parametrize(
    "entries",
    [
        [entry("pa", "a", tags={"x": "3"})],
        [entry("pz", "a", tags={"x": "1"})],
        [entry("pa", "a", tags={"x": "1"}), entry("pz", "b")],
        [entry("pa", "a", tags={"x": "1"}), entry("pz", "c")],
    ],
)
def test_entries_that_somebody_else_changed_make_the_plan_stale(entries: list[Entry]) -> None:
    assert isinstance(checked(*entries), Stale)


def doomed(*entries: Entry, others: Sequence[str] = ()) -> LiveObject:
    return on_shelf("s1", "s", entries, **{"papers of others": list(others)})


@pytest.mark.parametrize(
    ("then", "fits"),
    [
        (doomed(entry("pa", "a", state="ready"), others=["x"]), True),
        (doomed(entry("pa", "a", state="busy"), others=["x"]), True),
        (doomed(entry("pa", "a"), entry("pb", "b"), others=["x"]), False),
        (doomed(entry("pa", "a"), others=["x", "y"]), False),
        (doomed(entry("pa", "a"), others=["y"]), False),
        (doomed(others=["x"]), False),
    ],
)
def test_an_object_is_deleted_only_with_what_was_in_it_when_that_was_planned(then: LiveObject, fits: bool) -> None:
    seen = [doomed(entry("pa", "a", state="busy"), others=["x"])]
    change = of(filed([], PAPERS[:1], seen, prune=True, allow_deletes=2), "store/s")
    assert isinstance(check(change, index(SHELF, [then], OWNER)), Ready if fits else Stale)


keys = st.sampled_from(["p1", "p2", "p3", "p4"])
labels = st.sampled_from([{}, {"x": "1"}])
lives = st.dictionaries(
    keys,
    st.builds(
        lambda id, state, tags: {"paper": id, "state": state, "tags": tags},
        keys,
        st.sampled_from(["ready", "busy", "failed"]),
        labels,
    ),
)
wishes = st.dictionaries(keys, st.builds(lambda id, tags: {"paper": id, "tags": tags}, keys, labels))


@settings(deadline=None)
@given(live=lives, wanted=wishes)
def test_the_patch_merged_into_what_is_live_is_what_was_wanted(live: dict[str, Body], wanted: dict[str, Body]) -> None:
    manifest = Manifest(Address("store", "s"), {"title": "s", "papers": wanted}, shelf("s").source)
    change = of(filed([manifest], [], [on_shelf("s1", "s", live.items())]), "store/s")
    patch = (change.patch or {}).get("papers", {})
    after = {key: value for key, value in {**live, **patch}.items() if value is not None}
    final = [(key, {**value, "state": "ready"}) for key, value in after.items()]
    assert {key: (value["paper"], value["tags"]) for key, value in final} == {
        key: (value["paper"], value["tags"]) for key, value in wanted.items()
    }
    assert due(filed([manifest], [], [on_shelf("s1", "s", final)])) == []
    if change.patch:
        seen = check(change, index(SHELF, [on_shelf("s1", "s", live.items())], OWNER))
        assert seen == Ready(change.patch)
        assert check(change, index(SHELF, [on_shelf("s1", "s", final)], OWNER)) == AlreadyApplied("s1")


def test_entries_of_others_are_no_concern_of_a_decision() -> None:
    decision = decide_update(PAPER, paper("a"), {"text": "a", "title": "a.txt"}, None)
    assert decision.writes == ()
