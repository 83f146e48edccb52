"""Collections: the way from what is in to what should be, and what is left of it later."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.base import UnknownBase, digest_of
from reconciler.core.decide import decide_update
from reconciler.core.index import index
from reconciler.core.members import after, remaining, way
from reconciler.core.model import ABSENT, Change, Json
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check
from tests.unit.core.build import OWNER
from tests.unit.core.filed import PAPER, SHELF, due, entry, filed, of, on_paper, on_shelf, paper, shelf

PAPERS = [on_paper(f"p{key}", key) for key in "abc"]
FILES = [paper(key) for key in "abc"]


def steps(desired: list[Json], live: list[Json]) -> dict[str, Json]:
    return way(SHELF, "papers", desired, live)


def change_from(live: list[Json], papers: dict[str, Any]) -> Change:
    plan = filed([*FILES, shelf("s", papers)], PAPERS, [on_shelf("s1", "s", live)])
    return of(plan, "store/s")


def test_what_agrees_needs_nothing_whatever_the_order() -> None:
    live = [entry("pb", "b", tags={}), entry("pa", "a", cut="400")]
    for said in ({}, {"cut": "400"}):
        assert due(filed([*FILES, shelf("s", {"a": said, "b": {}})], PAPERS, [on_shelf("s1", "s", live)])) == []


@pytest.mark.parametrize(
    ("wanted", "live", "expected"),
    [
        ({}, None, {"attach": [{"paper": "p", "key": "k"}]}),
        ({"tags": {"a": "b"}}, None, {"attach": [{"paper": "p", "tags": {"a": "b"}, "key": "k"}]}),
        ({}, {"state": "failed"}, {"attach": [{"paper": "p", "key": "k"}]}),
        ({"cut": "400"}, {"cut": "auto"}, {"attach": [{"paper": "p", "cut": "400", "key": "k"}]}),
        ({"cut": "auto"}, {}, {}),
        ({}, {"state": "busy"}, {"await": ["p"]}),
        ({}, {}, {}),
    ],
)
def test_one_entry(wanted: dict[str, Any], live: dict[str, Any] | None, expected: dict[str, Any]) -> None:
    there = [] if live is None else [entry("p", "k") | live]
    assert steps([{"paper": "p", "key": "k", **wanted}], there) == expected


def test_labels_alone_are_modified_and_told() -> None:
    change = change_from([entry("pa", "a", tags={"x": "1"})], {"a": {"tags": {"x": "2"}}})
    (modify,) = (change.patch or {})["papers"]["modify"]
    assert modify["tags"] == {"x": "2"}
    assert [(field.path, field.before, field.after) for field in change.fields] == [
        (("papers", "a", "tags"), {"x": "1"}, {"x": "2"})
    ]


def test_an_entry_that_is_not_ready_is_told_by_its_state() -> None:
    change = change_from([entry("pa", "a", state="busy")], {"a": {}})
    assert change.patch == {"papers": {"await": ["pa"]}}
    assert [(field.path, field.before, field.after) for field in change.fields] == [
        (("papers", "a", "state"), "busy", "ready")
    ]


def test_how_an_entry_was_put_in_counts_where_the_files_say_it() -> None:
    change = change_from([entry("pa", "a", cut="auto")], {"a": {"cut": "400"}})
    assert (change.patch or {})["papers"]["attach"] == [{"paper": "pa", "cut": "400", "key": "a"}]


def test_many_entries_are_told_as_one() -> None:
    papers = [on_paper(f"p{n}", f"k{n:02}") for n in range(30)]
    files = [paper(f"k{n:02}") for n in range(30)]
    held = on_shelf("s1", "s", [entry("p0", "k00")])
    change = of(filed([*files, shelf("s", {m.address.key: {} for m in files})], papers, [held]), "store/s")
    (field,) = change.fields
    assert (field.path, len(field.after)) == (("papers",), 30)
    made = of(filed([*FILES, shelf("s", {"a": {}})], PAPERS), "store/s")
    assert [(each.path, each.before, each.after) for each in made.fields][-1] == (("papers",), ABSENT, ["a"])


def test_two_versions_of_one_key_are_told_apart() -> None:
    papers = [on_paper("p1", "a", "old"), on_paper("p2", "a", "a", 2)]
    held = on_shelf("s1", "s", [entry("p1", "a"), entry("p2", "a", state="failed")])
    change = of(filed([paper("a"), shelf("s", {"a": {}})], papers, [held]), "store/s")
    assert [(field.path, field.before, field.after) for field in change.fields] == [
        (("papers", "a", "state"), "failed", "ready"),
        (("papers", "p1"), "p1", ABSENT),
    ]
    assert (change.patch or {})["papers"]["detach"] == [{"paper": "p1", "for": "p2"}]


def test_a_collection_that_leaves_the_files_is_emptied_and_an_empty_one_sends_nothing() -> None:
    held = on_shelf("s1", "s", [entry("pa", "a")])
    change = of(filed([paper("a"), shelf("s")], PAPERS[:1], [held]), "store/s")
    assert (change.patch or {})["papers"] == {"detach": [{"paper": "pa"}]}
    assert "papers" not in (of(filed([shelf("s", {})]), "store/s").patch or {})


def test_only_texts_of_a_way_wait_for_ids() -> None:
    change = of(filed([*FILES, shelf("s", {"a": {"tags": {"year": 2026}}})], PAPERS[1:]), "store/s")
    assert change.refs == ((("papers", "attach", 0, "paper"), FILES[0].address),)


def test_a_mark_remembers_of_a_collection_only_that_there_is_one() -> None:
    assert digest_of(SHELF, ("papers",), [entry("pa", "a")]) == digest_of(SHELF, ("papers",), [])


def test_a_deletion_waits_for_the_entry_to_be_taken_out() -> None:
    held = on_shelf("s1", "s", [entry("pa", "a"), entry("pb", "b")])
    files = [FILES[1], shelf("s", {"b": {}})]
    plan = filed(files, PAPERS[:2], [held], prune=True, allow_deletes=1)
    assert due(plan) == ["update store/s s1", "delete paper/a pa"]
    kept = filed([FILES[1]], PAPERS[:2], [held], prune=False)
    assert due(kept) == []


def planned() -> Change:
    live = [entry("pa", "a", tags={"x": "1"}), entry("pc", "c"), entry("pz", "z", state="busy")]
    papers = [*PAPERS, on_paper("pz", "z")]
    wanted = {"a": {"tags": {"x": "2"}}, "b": {}, "z": {}}
    return of(filed([*FILES, paper("z"), shelf("s", wanted)], papers, [on_shelf("s1", "s", live)]), "store/s")


def checked(*entries: Json) -> Any:
    return check(planned(), index(SHELF, [on_shelf("s1", "s", entries)], OWNER))


def test_what_was_planned_is_gone_as_far_as_it_is_not_done() -> None:
    done = [entry("pa", "a", tags={"x": "2"}), entry("pb", "b"), entry("pz", "z")]
    assert checked(*done) == AlreadyApplied("s1")
    half = checked(done[0], entry("pb", "b", state="busy"), entry("pc", "c"), entry("pz", "z", state="busy"))
    assert half == Ready({"papers": {"await": ["pb", "pz"], "detach": [{"paper": "pc"}]}})
    failed = checked(done[0], entry("pb", "b", state="failed"), done[2])
    assert failed == Ready({"papers": {"attach": [{"paper": "pb", "key": "b"}]}})
    untouched = checked(entry("pa", "a", tags={"x": "1"}), done[1], done[2])
    assert list(untouched.patch["papers"]) == ["modify"]


@pytest.mark.parametrize("entries", [[], [entry("pa", "a", tags={"x": "3"})]])
def test_labels_that_somebody_else_changed_make_the_plan_stale(entries: list[Json]) -> None:
    assert isinstance(checked(*entries, entry("pb", "b")), Stale)


ids = st.sampled_from(["p1", "p2", "p3", "p4"])
lives = st.lists(
    st.builds(
        lambda id, state, tag: entry(id, f"k{id}", state=state, tags=tag),
        ids,
        st.sampled_from(["ready", "busy", "failed"]),
        st.sampled_from([{}, {"x": "1"}]),
    ),
    unique_by=lambda each: each["paper"],
)
wishes = st.lists(
    st.builds(lambda id, tag: {"paper": id, "key": f"k{id}", "tags": tag}, ids, st.sampled_from([{}, {"x": "1"}])),
    unique_by=lambda each: each["paper"],
)


@settings(deadline=None)
@given(live=lives, wanted=wishes)
def test_a_way_that_was_gone_leads_to_what_was_wanted(live: list[Json], wanted: list[Json]) -> None:
    gone = steps(wanted, live)
    there = {each["paper"] for each in after(SHELF, "papers", gone, live)}
    assert there == {each["paper"] for each in wanted}
    assert remaining(SHELF, "papers", gone, live) == (gone, None)
    final = [entry(each["paper"], each["key"], tags=each["tags"]) for each in wanted]
    assert remaining(SHELF, "papers", gone, final) == ({}, None)
    assert steps(wanted, final) == {}


def test_what_a_list_does_not_show_yet_is_waited_for_before_the_old_version_goes() -> None:
    planned = {"await": ["pnew"], "detach": [{"paper": "pa", "for": "pnew"}]}
    assert remaining(SHELF, "papers", planned, [entry("pa", "a")]) == (planned, None)
    ready = [entry("pa", "a"), entry("pnew", "a")]
    assert remaining(SHELF, "papers", planned, ready) == ({"detach": planned["detach"]}, None)


def test_entries_of_others_are_no_concern_of_a_decision() -> None:
    decision = decide_update(PAPER, paper("a"), {"text": "a", "title": "a.txt"}, None, UnknownBase())
    assert decision.writes == ()
