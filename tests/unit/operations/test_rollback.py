"""The plan that takes back an apply: everything is as before, the marks too, and it refuses where it cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import index, mark_of, mark_text
from reconciler.core.matching.match import match
from reconciler.core.ownership import Ownership
from reconciler.core.plan import Plan
from reconciler.core.references import with_ids_filled_in
from reconciler.core.rules.guard import release_guard
from reconciler.core.values.marks import NO_NONCE, Mark, read
from reconciler.core.values.model import (
    ABSENT,
    Action,
    Address,
    Blocker,
    Body,
    Change,
    FieldChange,
    LiveObject,
    Reason,
    Removal,
)
from reconciler.core.values.semantics import Kind, meaning_of, units
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check
from reconciler.diagnostics import Code
from reconciler.formats.outcome import Outcome, Result
from reconciler.operations.applying.rollback import rollback
from tests.strategies import law
from tests.unit.core.build import (
    ASSISTANT,
    OWNER,
    TARGET,
    WIDGET,
    actions,
    applied,
    bare,
    manifest,
    marked,
    outcomes,
    plan,
    the_change,
    with_mark,
)
from tests.unit.core.linked import BOT, STORE, bot, planned
from tests.unit.core.worlds import KINDS, assert_same, due, worlds

M: Body = {"model": "m"}


def back(found: Plan, live: Sequence[LiveObject], kind: Kind = ASSISTANT) -> tuple[Plan, list[LiveObject]]:
    """The plan that takes an apply back, its deletes allowed, and what is live before it is carried out."""
    now = applied(found, live, kind)
    undone = rollback(found, {kind.name: index(kind, live, OWNER)}, outcomes(found, live, now))
    deletes = sum(change.blocked is not None and change.blocked.by is Blocker.GUARD for change in undone.changes)
    return replace(undone, changes=tuple(release_guard(undone.changes, deletes))), now


def ownership(live: LiveObject) -> Ownership:
    """What verbs about ownership do to one object."""
    return Ownership(match(index(ASSISTANT, [live], OWNER), {}), OWNER)


class TestEachAction:
    def test_a_create_is_taken_back_by_a_delete_of_what_it_made(self) -> None:
        others = [marked(f"x{n}", f"x{n}", {"model": f"x{n}"}) for n in range(4)]
        files = [manifest(f"x{n}", {"model": f"x{n}"}) for n in range(4)]
        undone, now = back(plan([*files, manifest("k", M)], others), others)
        change = the_change(undone)
        assert (change.action, change.id, change.reasons) == (Action.DELETE, "new_k", (Reason.ROLLBACK,))
        assert change.blocked is None
        touched = [replace(one, body={**one.body, "name": "hand"}) if one.id == "new_k" else one for one in now]
        assert check(change, index(ASSISTANT, now, OWNER)) == Ready(None)
        assert isinstance(check(change, index(ASSISTANT, touched, OWNER)), Stale)

    def test_an_update_is_taken_back_unit_by_unit(self) -> None:
        live = marked("o1", "k", {"model": "m", "temperature": 0.2, "metadata": {"a": "1", "theirs": "x"}})
        wanted = manifest("k", {"model": "n", "metadata": {"b": "2", "theirs": "x"}})
        undone, _ = back(plan([wanted], [live]), [live])
        change = the_change(undone)
        assert (change.action, change.id, change.reasons) == (Action.UPDATE, "o1", (Reason.ROLLBACK,))
        assert change.patch == {"model": "m", "temperature": 0.2, "metadata": live.body["metadata"]}
        assert set(change.fields) == {
            FieldChange(("model",), "n", "m", Reason.ROLLBACK),
            FieldChange(("temperature",), None, 0.2, Reason.ROLLBACK),
            FieldChange(("metadata", "a"), ABSENT, "1", Reason.ROLLBACK),
            FieldChange(("metadata", "b"), "2", ABSENT, Reason.ROLLBACK),
        }
        assert undone.rollback
        assert (undone.target, undone.owner, undone.config_digest) == (TARGET, OWNER, "sha256:0")

    @pytest.mark.parametrize("touched", [{"model": "hand"}, {"metadata": {"reconciler": "1 acme k n2 - -"}}])
    def test_it_is_stale_where_somebody_changed_what_was_written(self, touched: Body) -> None:
        live = marked("o1", "k", M, managed=[])
        undone, [now] = back(plan([manifest("k", {"model": "n"})], [live]), [live])
        found = index(ASSISTANT, [replace(now, body={**now.body, **touched})], OWNER)
        assert isinstance(check(the_change(undone), found), Stale)

    def test_what_others_wrote_to_the_same_map_meanwhile_stays(self) -> None:
        live = marked("o1", "k", {"model": "m", "metadata": {"a": "1", "theirs": "x"}}, managed=[("metadata", "a")])
        meanwhile = replace(live, body={**live.body, "metadata": {**live.body["metadata"], "theirs": "y"}})
        found = plan([manifest("k", {"metadata": {"a": "2"}})], [meanwhile])
        told = outcomes(found, [live], applied(found, [meanwhile], ASSISTANT))
        undone = rollback(found, {"assistant": index(ASSISTANT, [live], OWNER)}, told)
        assert the_change(undone).patch == {"metadata": meanwhile.body["metadata"]}

    def test_what_was_null_is_cleared_in_the_words_of_the_schema(self) -> None:
        live = marked("o1", "k", {"model": "m", "tool_resources": None})
        wanted = manifest("k", {"model": "m", "tool_resources": {"code_interpreter": {"file_ids": ["f"]}}})
        undone, _ = back(plan([wanted], [live]), [live])
        cleared = {"code_interpreter": {"file_ids": []}, "file_search": {"vector_store_ids": []}}
        assert (the_change(undone).patch or {})["tool_resources"] == cleared

    def test_a_move_brings_the_earlier_key_back(self) -> None:
        live = marked("o1", "old", M)
        undone, _ = back(plan([manifest("new", M, moved_from="old")], [live]), [live])
        change = the_change(undone)
        assert (change.action, change.address) == (Action.MOVE, Address("assistant", "old"))
        assert change.patch == {"metadata": {"reconciler": mark_text(ASSISTANT, live)}}

    def test_an_adoption_takes_the_mark_off_again(self) -> None:
        live = bare("o1", {"model": "x", "metadata": {"theirs": "1"}})
        undone, _ = back(plan([manifest("k", M, id="o1")], [live]), [live])
        change = the_change(undone)
        assert (change.action, change.address.key) == (Action.RELEASE, "k")
        assert change.patch == {"model": "x", "metadata": {"theirs": "1"}}

    def test_a_takeover_gives_the_object_back(self) -> None:
        live = marked("o1", "k", M, owner="other")
        taken = ownership(live).take_over(manifest("k", M), "other")
        assert taken is not None
        found = replace(plan([]), changes=(taken,))
        undone, now = back(found, [live])
        assert the_change(undone).action is Action.RELEASE
        assert applied(undone, now, ASSISTANT) == [live]

    def test_a_release_puts_the_mark_back(self) -> None:
        live = marked("o1", "k", M)
        release = ownership(live).release("k")
        assert release is not None
        undone, now = back(replace(plan([]), changes=(release,)), [live])
        change = the_change(undone)
        assert (change.action, change.address.key) == (Action.ADOPT, "k")
        assert applied(undone, now, ASSISTANT) == [live]

    def test_a_delete_makes_another_object_with_a_mark_of_its_own_and_says_so(self) -> None:
        live = marked("o1", "gone", {"model": "m", "name": None, "metadata": {"a": "1"}}, protect=False)
        undone, _ = back(plan([], [live], prune=True, allow_deletes=1), [live])
        change = the_change(undone)
        assert (change.action, change.id, change.same_name_allowed) == (Action.CREATE, None, True)
        mark = read((change.patch or {})["metadata"].pop("reconciler"))
        assert mark == replace(mark_of(ASSISTANT, live), nonce=NO_NONCE)  # type: ignore[type-var]
        assert change.patch == {"model": "m", "metadata": {"a": "1"}}
        assert {(f.path, f.before, f.after) for f in change.fields} == {
            (("model",), ABSENT, "m"),
            (("metadata", "a"), ABSENT, "1"),
        }
        [said] = undone.diagnostics
        assert (said.code, said.address) == (Code.NOT_THE_SAME, "assistant/gone")
        assert "o1" in said.summary

    def test_what_is_made_again_is_sent_what_the_schema_knows_and_lets_one_write(self) -> None:
        live = marked("o1", "gone", {"size": 1, "secret": "***", "grown": "x", "labels": {"a": "1"}}, WIDGET)
        undone, _ = back(plan([], [live], WIDGET, prune=True, allow_deletes=1), [live], WIDGET)
        patch = the_change(undone).patch or {}
        assert (patch.keys(), patch["size"], patch["labels"]["a"]) == ({"size", "labels"}, 1, "1")

    def test_what_used_an_object_that_was_deleted_uses_the_one_that_is_made_for_it(self) -> None:
        gone = marked("s1", "gone", {"title": "gone"}, STORE)
        user = marked("b1", "k", {"text": "k", "stores": ["s1"]}, BOT)
        found = planned([bot("k")], [gone], [user], prune=True, allow_deletes=1)
        without = replace(user, body=user.body | {"stores": []})
        before = {kind.name: index(kind, [live], OWNER) for kind, live in ((STORE, gone), (BOT, user))}
        undone = rollback(found, before, outcomes(found, [gone, user], [without]))
        made, again = undone.changes
        assert (made.action, made.address) == (Action.CREATE, gone_at := Address("store", "gone"))
        assert (again.action, again.refs) == (Action.UPDATE, ((("stores", 0), gone_at),))
        assert (with_ids_filled_in(again, {gone_at: "s2"}).patch or {})["stores"] == ["s2"]


class TestWhatCannotBe:
    def test_a_unit_that_nothing_clears_stays_and_is_said(self) -> None:
        live = marked("o1", "w", {"steps": [{"do": "a"}]}, WIDGET)
        wanted = manifest("w", {"title": "t", "steps": []}, WIDGET)
        undone, _ = back(plan([wanted], [live], WIDGET), [live], WIDGET)
        change = the_change(undone)
        assert set(change.patch or {}) == {"steps", "labels"}
        assert [field.path for field in change.fields] == [("steps", 0), ("reconciler", "managed", "title")]
        [said] = undone.diagnostics
        assert (said.code, said.address) == (Code.CANNOT_CLEAR, "widget/w")
        assert said.summary == "title had no value before and cannot be cleared: the live value stays"

    def test_an_update_of_which_nothing_can_be_taken_back_leaves_nothing_to_do(self) -> None:
        live = marked("o1", "w", {}, WIDGET, managed=[("title",)])
        undone, _ = back(plan([manifest("w", {"title": "t"}, WIDGET)], [live], WIDGET), [live], WIDGET)
        assert undone.changes == ()
        assert [said.code for said in undone.diagnostics] == [Code.CANNOT_CLEAR]

    def test_twins_that_were_deleted_stay_so(self) -> None:
        live = [marked("o1", "k", M), marked("o2", "k", M, nonce="n2", created=1)]
        undone, _ = back(plan([manifest("k", M)], live), live)
        assert undone.changes == ()

    @pytest.mark.parametrize("result", [result for result in Result if result is not Result.DONE])
    def test_what_was_not_done_is_not_taken_back(self, result: Result) -> None:
        live = marked("o1", "k", M)
        found = plan([manifest("k", {"model": "n"})], [live])
        told = [replace(one, result=result) for one in outcomes(found, [live], applied(found, [live], ASSISTANT))]
        assert rollback(found, {"assistant": index(ASSISTANT, [live], OWNER)}, told).changes == ()

    @pytest.mark.parametrize(
        "told",
        [
            Outcome(Address("assistant", "k"), Action.UPDATE, Result.DONE, "o1"),
            Outcome(Address("assistant", "k"), Action.UPDATE, Result.DONE, "o1", after={"id": "o1"}, number=7),
        ],
        ids=["no answer", "not planned"],
    )
    def test_what_is_not_known_is_not_taken_back(self, told: Outcome) -> None:
        live = marked("o1", "k", M)
        found = plan([manifest("k", {"model": "n"})], [live])
        assert rollback(found, {"assistant": index(ASSISTANT, [live], OWNER)}, [told]).changes == ()

    def test_an_object_that_was_not_seen_before_is_not_taken_back(self) -> None:
        live = marked("o1", "k", M)
        found = plan([manifest("k", {"model": "n"})], [live])
        told = outcomes(found, [live], applied(found, [live], ASSISTANT))
        assert rollback(found, {"assistant": index(ASSISTANT, [], OWNER)}, told).changes == ()

    def test_what_was_made_and_protected_is_not_deleted(self) -> None:
        found = plan([manifest("k", M, protect=True)])
        undone = rollback(
            found, {"assistant": index(ASSISTANT, [], OWNER)}, outcomes(found, [], applied(found, [], ASSISTANT))
        )
        assert [(c.action, c.blocked and c.blocked.by) for c in undone.changes] == [(Action.DELETE, Blocker.PROTECT)]

    def test_many_creates_are_not_deleted_without_their_number(self) -> None:
        found = plan([manifest("a", M), manifest("b", M)])
        told = outcomes(found, [], applied(found, [], ASSISTANT))
        undone = rollback(found, {"assistant": index(ASSISTANT, [], OWNER)}, told)
        assert [c.blocked and c.blocked.by for c in undone.changes] == [Blocker.GUARD, Blocker.GUARD]


def test_what_was_created_counts_as_owned_for_the_guard() -> None:
    live = [marked(f"o{n}", f"k{n}", {"model": f"m{n}"}) for n in range(4)]
    files = [manifest(f"k{n}", {"model": f"m{n}"}) for n in range(4)]
    found = plan([*files, manifest("new", M)], live)
    told = outcomes(found, live, applied(found, live, ASSISTANT))
    undone = rollback(found, {"assistant": index(ASSISTANT, live, OWNER)}, told)
    assert actions(undone) == [("delete", "new", "new_new", False)]


def test_deletes_go_last_and_in_reverse_order_of_dependency() -> None:
    files = Kind("file", WIDGET.fields, "labels")
    found = {"file": index(files, [], OWNER), "assistant": index(ASSISTANT, [marked("o1", "gone", M)], OWNER)}
    gone = Change(Address("assistant", "gone"), Action.DELETE, "o1", removal=Removal.ORPHAN, number=2)
    made = [Change(Address(kind, "new"), Action.CREATE, number=n) for n, kind in enumerate(("file", "assistant"))]
    told = [Outcome(c.address, c.action, Result.DONE, f"{c.address.kind}_new", after={}, number=c.number) for c in made]
    told.append(Outcome(gone.address, gone.action, Result.DONE, "o1", number=2))
    undone = rollback(replace(plan([]), changes=(*made, gone)), found, told)
    assert [(c.action.value, c.address.kind) for c in undone.changes] == [
        ("create", "assistant"),
        ("delete", "assistant"),
        ("delete", "file"),
    ]


def test_it_can_be_run_again() -> None:
    live = [marked("o1", "k", M), bare("o2", M)]
    found = plan([manifest("k", {"model": "n"}), manifest("new", M), manifest("by-id", M, id="o2")], live)
    undone, now = back(found, live)
    after = index(ASSISTANT, applied(undone, now, ASSISTANT), OWNER)
    assert all(isinstance(check(change, after), AlreadyApplied) for change in undone.changes)


def test_it_can_be_run_again_where_the_mark_before_was_damaged() -> None:
    live = [with_mark("o1", "hello", M)]
    undone, now = back(plan([manifest("k", M, id="o1")], live), live)
    after = index(ASSISTANT, applied(undone, now, ASSISTANT), OWNER)
    assert isinstance(check(the_change(undone), after), AlreadyApplied)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("digests", [False, True], ids=["names", "digests"])
@law
@given(st.data())
def test_everything_is_as_it_was_the_marks_too(name: str, digests: bool, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, remembering=digests))
    scope: dict[str, Any] = {"prune": True, "allow_deletes": data.draw(st.integers(0, 4)), "source": BaseSource()}
    found = plan(files, live, kind, digests=digests, **scope)
    undone, now = back(found, live, kind)
    then = index(kind, now, OWNER)
    assert all(isinstance(check(change, then), Ready) for change in undone.changes)
    held = [change for change in undone.changes if change.blocked]
    assert {change.blocked.by for change in held if change.blocked} <= {
        Blocker.PROTECT,
        Blocker.CLONE,
        Blocker.DUPLICATE,  # two objects of one address, of different times
        Blocker.METADATA_FULL,  # it was before as well
    }
    after = applied(undone, now, kind)
    gone = {change.id for change in due(found) if change.action is Action.DELETE}
    before = index(kind, live, OWNER)
    alike = [[owned.live.id for owned in before.candidates(key)] for key in before.managed]
    deleted = {ids[0] for ids in alike if gone.issuperset(ids)}
    twins = gone - deleted
    assert {one.id for one in live} - deleted - twins <= {one.id for one in after}
    assert len(after) == len(live) - len(twins) + sum(change.action is Action.DELETE for change in held)
    for one in live:
        if one.id not in deleted | twins | {change.id for change in held}:
            [again] = [each for each in after if each.id == one.id]
            assert_same(kind, one, again)
            assert mark_text(kind, again) == mark_text(kind, one)
    made = [one for one in after if one.id not in {one.id for one in live}]
    for one in (one for one in live if one.id in deleted):
        [again] = [each for each in made if without_nonce(kind, each) == without_nonce(kind, one)][:1]
        made.remove(again)
        assert again.id not in {one.id for one in live}


def without_nonce(kind: Kind, live: LiveObject) -> tuple[object, dict[object, object]]:
    """What an object is; its id, the nonce of its mark and what remotes never show aside."""
    mark = mark_of(kind, live)
    assert isinstance(mark, Mark)
    shown = {u: v for u, v in units(kind, live.body).items() if v is not None and not meaning_of(kind, u).uncompared}
    return replace(mark, nonce=NO_NONCE), shown


def test_a_second_object_of_an_address_is_not_brought_back() -> None:
    live = [marked("o1", "k", M), marked("o2", "k", M, created=1)]
    undone, _ = back(plan([], live, prune=True, allow_deletes=2), live)
    assert [(change.action, change.address.key) for change in undone.changes] == [(Action.CREATE, "k")]
    assert "o2 was one of 2 objects" in undone.diagnostics[0].summary + undone.diagnostics[-1].summary


def test_the_first_object_of_an_address_is_not_made_again_beside_one_that_stayed() -> None:
    live = [marked("o1", "k", M), marked("o2", "k", M, created=1, protect=True)]
    found = plan([], live, prune=True, allow_deletes=1)
    assert actions(found) == [("delete", "k", "o1", False), ("delete", "k", "o2", True)]
    undone, _ = back(found, live)
    assert undone.changes == ()
    assert [said.code for said in undone.diagnostics] == [Code.NOT_THE_SAME]
