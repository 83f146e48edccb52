"""What a change shows is what it does: so it is of every plan that is made, and not of one that was edited."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.matching.index import index
from reconciler.core.plan import Plan
from reconciler.core.rules.consistency import find_mismatch
from reconciler.core.values import marks
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Action, Body, Change, FieldChange, Manifest, OnRemove, Reason, Removal
from reconciler.core.values.semantics import Kind
from tests.strategies import law
from tests.unit.core import worlds
from tests.unit.core.build import ASSISTANT, OWNER, WIDGET, bare, manifest, marked, plan, the_change
from tests.unit.core.filed import PAPER, SHELF, entry, filed, of, on_paper, on_shelf, paper, shelf

OLD: Body = {"model": "m", "temperature": 0.2, "metadata": {"team": "x"}}
NEW: Body = {"model": "m", "temperature": 0.7, "metadata": {"team": "y"}}
LIVE = marked("o1", "k", OLD)
UPDATE = the_change(plan([manifest("k", NEW)], [LIVE]))
CREATE = the_change(plan([manifest("k", NEW)]))
TOLD = "{} is not shown as it is sent"


def of_update(change: Change, **more: Any) -> str | None:
    return find_mismatch(change, ASSISTANT, LIVE, OWNER, **more)


def of_create(change: Change, **more: Any) -> str | None:
    return find_mismatch(change, ASSISTANT, None, OWNER, **more)


@law
@given(st.sampled_from([ASSISTANT, WIDGET]), st.data())
def test_every_change_of_a_plan_does_what_it_shows(kind: Kind, data: st.DataObject) -> None:
    files, live = data.draw(worlds.worlds(kind, remembering=data.draw(st.booleans())))
    objects = {each.id: each for each in live}
    for change in worlds.due(plan(worlds.with_sensible_moves(files), live, kind, prune=True)):
        assert find_mismatch(change, kind, objects.get(change.id or ""), OWNER) is None, change


def test_what_was_planned_is_as_it_is_shown_and_what_moved_on_is_passed_over() -> None:
    assert of_update(UPDATE) is None
    assert of_create(CREATE) is None
    assert find_mismatch(UPDATE, ASSISTANT, marked("o1", "k", {**OLD, "temperature": 0.9}), OWNER) is None
    assert find_mismatch(UPDATE, ASSISTANT, None, OWNER) is None, "it is gone, and nothing is sent"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (replace(UPDATE, patch={**(UPDATE.patch or {}), "temperature": 1.5}), TOLD.format("temperature")),
        (replace(UPDATE, fields=UPDATE.fields[:1]), "not shown"),
        (replace(UPDATE, fields=()), "not shown"),
        (replace(UPDATE, units=(*UPDATE.units, ("model",))), "it writes what it does not compare with anything"),
        (replace(UPDATE, fields=(*UPDATE.fields, FieldChange(("top_p",), 1, 2, Reason.EDITED))), "top_p is shown"),
        (
            replace(UPDATE, fields=(*UPDATE.fields, FieldChange(("metadata", "z"), 1, 2, Reason.EDITED))),
            "metadata.z is shown, and not sent",
        ),
    ],
)
def test_an_update_that_was_edited_is_found_out(change: Change, said: str) -> None:
    assert said in (of_update(change) or "")


@pytest.mark.parametrize(
    "patch",
    [
        {**(CREATE.patch or {}), "top_p": 0.1},
        {name: value for name, value in (CREATE.patch or {}).items() if name != "model"},
        {**(CREATE.patch or {}), "metadata": {**(CREATE.patch or {})["metadata"], "more": "1"}},
    ],
)
def test_a_create_sends_its_units_and_nothing_else(patch: Body) -> None:
    assert of_create(replace(CREATE, patch=patch)) == "it creates with more, or less, than its units say"


@pytest.mark.parametrize("text", ["1 acme other ~ - -", "1 others k ~ - -", "0 acme k n - -", "whatever", 3, ""])
def test_no_change_but_a_release_writes_another_mark_than_that_of_its_address(text: Any) -> None:
    patch = {**(CREATE.patch or {}), "metadata": {"team": "y", "reconciler": text}}
    assert of_create(replace(CREATE, patch=patch)) == "its mark is not that of its address"
    unmarked = replace(CREATE, units=(("model",),), patch={"model": "m"})
    assert of_create(unmarked) == "its mark is not that of its address"


def test_a_release_takes_the_mark_off_or_puts_that_of_another_owner_back() -> None:
    change = the_change(plan([], [marked("o1", "k", OLD, on_remove=OnRemove.RELEASE)], allow_deletes=1))
    live = marked("o1", "k", OLD, on_remove=OnRemove.RELEASE)
    assert change.action is Action.RELEASE
    assert find_mismatch(change, ASSISTANT, live, OWNER) is None
    for text, right in (("1 others k n - -", True), ("1 acme other n - -", False)):
        patch = {"metadata": {"team": "x", "reconciler": text}}
        said = find_mismatch(replace(change, patch=patch), ASSISTANT, live, OWNER)
        assert (said != "its mark is not that of its address") is right


@pytest.mark.parametrize(
    ("more", "right"),
    [
        ({}, True),
        ({"removal": None}, False),
        ({"patch": {}}, True),
        ({"patch": {"model": "x"}}, False),
        ({"units": (("model",),)}, False),
        ({"fields": UPDATE.fields}, False),
    ],
)
def test_a_delete_says_why_and_writes_nothing(more: dict[str, Any], right: bool) -> None:
    change = Change(UPDATE.address, Action.DELETE, "o1", removal=Removal.ORPHAN)
    assert (of_update(replace(change, **more)) is None) is right


def flagged(**block: Any) -> Change:
    return the_change(plan([manifest("k", OLD, **block)], [LIVE]))


def test_flags_are_written_as_they_are_shown() -> None:
    change = flagged(protect=True)
    assert of_update(change) is None
    assert of_update(replace(change, fields=())) == "its mark is not shown as it is sent"
    text = marks.write(Mark(OWNER, "k", "n1", units=marks.codes([("model",), ("temperature",), ("metadata", "team")])))
    lifted = replace(change, patch={"metadata": {"team": "x", "reconciler": text}})
    assert of_update(lifted) == "its mark is not shown as it is sent"
    adopted = the_change(plan([manifest("k", NEW, id="o1", protect=True)], [bare("o1", OLD)]))
    assert find_mismatch(adopted, ASSISTANT, bare("o1", OLD), OWNER) is None
    taken = replace(change, fields=(), former_owner="others")
    assert of_update(taken) is None, "all of another's mark goes on"


@pytest.mark.parametrize("maps", ["whole", "patch", "merge"])
def test_an_entry_that_is_taken_out_is_shown_as_gone(maps: str) -> None:
    kind = replace(ASSISTANT, maps=maps)
    live = marked("o1", "k", OLD, kind)
    change = the_change(plan([manifest("k", {"model": "m", "temperature": 0.2})], [live], kind))
    if change.is_due:
        assert find_mismatch(change, kind, live, OWNER) is None
        assert find_mismatch(replace(change, fields=()), kind, live, OWNER) is not None


def test_of_a_sealed_plan_every_unit_is_shown() -> None:
    rows = tuple(FieldChange(unit, row.before, row.after, row.reason) for row in UPDATE.fields for unit in [row.path])
    assert of_update(replace(UPDATE, fields=rows), sealed=True) is None
    assert "not shown" in (of_update(replace(UPDATE, fields=rows[:1]), sealed=True) or "")
    assert of_create(replace(CREATE, units=(), patch={}), sealed=True) is None


ENTRIES = [shelf("s", {"a": {}, "b": {"tags": {"x": "1"}}})]
PAPERS = [on_paper("pa", "a"), on_paper("pb", "b")]


def shelved(plan_: Plan) -> Change:
    return of(plan_, "store/s")


def test_entries_are_shown_one_by_one_or_by_their_keys() -> None:
    live = on_shelf("s1", "s", [entry("pa", "a")])
    change = shelved(filed([paper("a"), paper("b"), *ENTRIES], PAPERS, [live]))
    assert find_mismatch(change, SHELF, live, OWNER) is None
    assert find_mismatch(replace(change, fields=()), SHELF, live, OWNER) == TOLD.format("papers.b")
    changed = on_shelf("s1", "s", [entry("pa", "a"), entry("pb", "b", tags={"x": "0"})])
    relabelled = shelved(filed([paper("a"), paper("b"), *ENTRIES], PAPERS, [changed]))
    assert find_mismatch(relabelled, SHELF, changed, OWNER) is None
    empty = on_shelf("s1", "s", [])
    first = shelved(filed([paper("a"), paper("b"), *ENTRIES], PAPERS, [empty]))
    assert [row.path for row in first.fields] == [("papers",)]
    assert find_mismatch(first, SHELF, empty, OWNER) is None
    for keys in (["a"], None, []):
        row = replace(first.fields[0], after=keys)
        assert find_mismatch(replace(first, fields=(row,)), SHELF, empty, OWNER) is not None
    sealed = replace(first, fields=(replace(first.fields[0], after=None),))
    assert find_mismatch(sealed, SHELF, empty, OWNER, sealed=True) is None


def test_what_takes_the_place_of_another_is_shown_as_a_change_of_it() -> None:
    old = on_paper("pa", "a", "old")
    change = of(filed([paper("a", "new")], [old]), "paper/a", "create")
    assert change.replaces == ("pa",)
    assert find_mismatch(change, PAPER, old, OWNER) is None
    assert find_mismatch(change, PAPER, None, OWNER) is None
    lie = replace(change, fields=(replace(change.fields[0], after="harmless"),))
    assert find_mismatch(lie, PAPER, old, OWNER) is not None
    assert find_mismatch(lie, PAPER, None, OWNER) is not None


def whole_bodies() -> tuple[Kind, Manifest]:
    return replace(WIDGET, absent="clear"), manifest("k", {"title": "new"}, WIDGET)


def test_an_object_that_is_sent_whole_shows_what_changes() -> None:
    kind, wanted = whole_bodies()
    live = marked("o1", "k", {"title": "old", "paint": {"color": "red"}}, kind, managed=[("title",)])
    change = the_change(plan([wanted], [live], kind))
    assert set(change.patch or {}) > {"title"}
    assert find_mismatch(change, kind, live, OWNER) is None


def test_an_index_of_nothing_has_no_object() -> None:
    assert index(ASSISTANT, [], OWNER).unproven_of("k") is None
