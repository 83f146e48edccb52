"""What a saved plan checks before it writes."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from reconciler.core.matching.index import index, mark_of
from reconciler.core.rules.change_rules import refusal
from reconciler.core.rules.world import World
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import ABSENT, Action, Blocker, Body, Change, LiveObject, Manifest, OnRemove
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check, check_live, expected, planned_writes
from tests.unit.core.build import ASSISTANT, OWNER, WIDGET, applied, bare, manifest, marked, plan, the_change, with_mark

BODY: Body = {"model": "m", "temperature": 0.2, "metadata": {"team": "x", "theirs": "y"}}
MANAGED = [("model",), ("temperature",), ("metadata", "team")]
LIVE = marked("o1", "k", BODY, managed=MANAGED)
WANTED = manifest("k", {"model": "m", "temperature": 0.7, "metadata": {"team": "x"}})


def changed(live: LiveObject, **fields: object) -> LiveObject:
    return replace(live, body={**live.body, **fields})


def checked(wanted: Manifest | None, then: LiveObject | None, *now: LiveObject, **scope: object) -> object:
    """What becomes of a change in the world as it is now: what is sent, or why it is not."""
    change = the_change(plan([wanted] if wanted else [], [then] if then else [], **scope))
    found = index(ASSISTANT, now, OWNER)
    verdict, block = check(change, found), refusal(change, World({"assistant": found}))
    return block.by if block and isinstance(verdict, Ready) else verdict


class TestUpdate:
    def test_it_is_ready_where_nothing_happened(self) -> None:
        assert checked(WANTED, LIVE, LIVE) == Ready({"temperature": 0.7})

    def test_a_unit_it_would_write_that_changed_makes_it_stale(self) -> None:
        now = changed(LIVE, temperature=0.3)
        assert checked(WANTED, LIVE, now) == Stale("o1 has changed in temperature since the plan was made")

    def test_a_unit_it_would_not_write_is_no_matter(self) -> None:
        now = changed(LIVE, model="other", name="new", beta=1)
        assert checked(WANTED, LIVE, now) == Ready({"temperature": 0.7})

    def test_another_shape_of_the_same_meaning_is_no_change(self) -> None:
        then, now = changed(LIVE, temperature=1), changed(LIVE, temperature=None)
        assert checked(WANTED, then, now) == Ready({"temperature": 0.7})

    def test_a_unit_that_is_already_as_wanted_is_already_applied(self) -> None:
        assert checked(WANTED, LIVE, changed(LIVE, temperature=0.7)) == AlreadyApplied("o1")

    def test_an_object_that_is_gone_makes_it_stale_and_never_recreates(self) -> None:
        assert checked(WANTED, LIVE) == Stale("o1 no longer exists")

    def test_a_mark_that_an_earlier_key_signed_is_written_anew_whatever_it_says(self) -> None:
        mark = mark_of(ASSISTANT, LIVE)
        assert isinstance(mark, Mark)
        earlier = replace(LIVE, mark=replace(mark, proof=Proof.EARLIER))
        change = the_change(plan([WANTED], [earlier]))
        done = changed(earlier, temperature=0.7)
        assert isinstance(check_live(change, ASSISTANT, done), Ready)
        assert isinstance(check_live(change, ASSISTANT, replace(done, mark=mark)), AlreadyApplied | Stale)

    def test_a_mark_that_changed_makes_it_stale(self) -> None:
        now = with_mark("o1", "1 other k n1 - -", BODY)
        assert checked(WANTED, LIVE, now) == Stale("o1 has changed in its mark since the plan was made")

    def test_entries_of_others_are_sent_as_they_are_now(self) -> None:
        wanted = manifest("k", {"model": "m", "temperature": 0.2, "metadata": {"team": "new"}})
        now = changed(LIVE, metadata={**LIVE.body["metadata"], "theirs": "changed", "more": "z"})
        mark = LIVE.body["metadata"]["reconciler"]
        sent = {"metadata": {"team": "new", "theirs": "changed", "more": "z", "reconciler": mark}}
        assert checked(wanted, LIVE, now) == Ready(sent)

    def test_an_entry_already_taken_away_is_already_applied(self) -> None:
        wanted = manifest("k", {"model": "m", "temperature": 0.2})
        now = applied(plan([wanted], [LIVE]), [LIVE], ASSISTANT)
        assert checked(wanted, LIVE, *now) == AlreadyApplied("o1")
        assert isinstance(checked(wanted, LIVE, LIVE), Ready)


class TestUnitByUnit:
    WANTED = manifest("k", {"model": "n", "temperature": 0.7, "metadata": {"team": "x"}})

    def test_a_unit_that_has_its_value_by_now_is_not_sent_again(self) -> None:
        assert checked(self.WANTED, LIVE, changed(LIVE, temperature=0.7)) == Ready({"model": "n"})

    def test_a_unit_that_has_another_value_is_the_only_one_that_is_named(self) -> None:
        stale = checked(self.WANTED, LIVE, changed(LIVE, temperature=0.3, model="n"))
        assert stale == Stale("o1 has changed in temperature since the plan was made")

    def test_a_null_that_travels_with_a_change_is_sent_though_it_changes_nothing(self) -> None:
        wanted = manifest("k", {"model": "n", "reasoning_effort": None, "metadata": {"team": "x"}})
        then = marked("o1", "k", {"model": "m", "metadata": {"team": "x"}})
        sent = checked(wanted, then, then)
        assert isinstance(sent, Ready)
        assert sent.patch is not None
        assert (sent.patch["model"], sent.patch["reasoning_effort"]) == ("n", None)

    def test_nothing_is_sent_where_every_unit_has_its_value(self) -> None:
        assert checked(self.WANTED, LIVE, changed(LIVE, temperature=0.7, model="n")) == AlreadyApplied("o1")


class TestAnObjectReadByItself:
    """What is checked once more right before a map is sent that others write to as well."""

    WANTED = manifest("k", {"model": "m", "temperature": 0.2, "metadata": {"team": "new"}})

    def against(self, **fields: object) -> object:
        return check_live(the_change(plan([self.WANTED], [LIVE])), ASSISTANT, changed(LIVE, **fields))

    def test_it_is_sent_with_the_entries_of_others_as_they_are_right_now(self) -> None:
        metadata = {**LIVE.body["metadata"], "theirs": "changed", "more": "z"}
        assert self.against(metadata=metadata) == Ready({"metadata": {**metadata, "team": "new"}})

    def test_what_somebody_else_did_elsewhere_is_no_matter(self) -> None:
        assert self.against(model="other", temperature=0.9) == Ready(
            {"metadata": {**LIVE.body["metadata"], "team": "new"}}
        )

    def test_it_is_not_sent_again_where_it_is_done(self) -> None:
        assert self.against(metadata={**LIVE.body["metadata"], "team": "new"}) == AlreadyApplied("o1")

    def test_it_is_not_sent_where_its_entry_is_another(self) -> None:
        found = self.against(metadata={**LIVE.body["metadata"], "team": "hand"})
        assert found == Stale("o1 has changed in metadata.team since the plan was made")


class TestMarks:
    WANTED = manifest("k", {"model": "m"}, id="o1")
    THEN = bare("o1", {"model": "m"})

    def test_an_adoption_is_ready_then_already_applied_whatever_nonce_was_drawn(self) -> None:
        assert isinstance(checked(self.WANTED, self.THEN, self.THEN), Ready)
        assert checked(self.WANTED, self.THEN, marked("o1", "k", {"model": "m"}, nonce="any")) == AlreadyApplied("o1")

    @pytest.mark.parametrize(
        "now",
        [
            marked("o1", "k", {"model": "m"}, owner="other"),
            marked("o1", "other", {"model": "m"}),
            marked("o1", "k", {"model": "m"}, protect=True),
            marked("o1", "k", {"model": "m"}, managed=[]),
            with_mark("o1", "2 newer", {"model": "m"}),
            with_mark("o1", "damaged", {"model": "m"}),
        ],
        ids=["owner", "key", "flags", "units", "newer", "damaged"],
    )
    def test_a_mark_that_says_something_else_makes_it_stale(self, now: LiveObject) -> None:
        assert checked(self.WANTED, self.THEN, now) == Stale("o1 has changed in its mark since the plan was made")

    def test_a_drawn_nonce_has_to_be_the_same(self) -> None:
        wanted, then = manifest("k", {"model": "m"}), marked("o1", "k", {"model": "m"}, managed=[])
        now = marked("o1", "k", {"model": "m"}, nonce="n2")
        assert isinstance(checked(wanted, then, now), Stale)

    def test_a_release_is_ready_then_already_applied(self) -> None:
        then = marked("o1", "gone", {"metadata": {"a": "1"}}, on_remove=OnRemove.RELEASE)
        assert checked(None, then, then) == Ready({"metadata": {"a": "1"}})
        assert checked(None, then, bare("o1", {"metadata": {"a": "1"}})) == AlreadyApplied("o1")
        assert isinstance(checked(None, then, with_mark("o1", "2 x", {})), Stale)


class TestCreate:
    WANTED = manifest("k", {"model": "m"})

    def test_it_is_ready_where_the_address_has_no_object(self) -> None:
        assert isinstance(checked(self.WANTED, None, bare("o9", {"model": "other"})), Ready)

    def test_an_object_of_the_same_content_that_is_not_ours_holds_it_back(self) -> None:
        assert checked(self.WANTED, None, bare("o9", {"model": "m"})) == Blocker.SAME_CONTENT

    def test_it_is_already_applied_where_its_object_is_there(self) -> None:
        assert checked(self.WANTED, None, marked("o1", "k", {"model": "m"})) == AlreadyApplied("o1")

    def test_another_object_at_its_address_makes_it_stale(self) -> None:
        now = marked("o1", "k", {"model": "other"})
        assert checked(self.WANTED, None, now) == Stale("o1 has been created for assistant/k since the plan was made")


class TestNamesakes:
    """A create that must not stand beside an object of its name, made since the plan, that is not ours."""

    BODY: ClassVar[Body] = {"model": "m", "name": "desk"}
    WANTED = manifest("k", BODY)
    OTHER: ClassVar[Body] = {"model": "other", "name": "desk"}

    @pytest.mark.parametrize(
        "now",
        [
            bare("o9", OTHER),
            marked("o9", "other", OTHER, owner="other"),
            with_mark("o9", "2 newer", OTHER),
            with_mark("o9", "damaged", OTHER),
        ],
        ids=["unmarked", "another owner's", "newer", "damaged"],
    )
    def test_one_of_its_name_that_is_not_ours_makes_it_stale(self, now: LiveObject) -> None:
        assert checked(self.WANTED, None, bare("o8", {"name": "other"}), now) == Blocker.SAME_NAME

    def test_one_of_its_address_holds_it_back_whoever_wrote_its_mark(self) -> None:
        assert checked(self.WANTED, None, marked("o9", "k", self.OTHER, owner="other")) == Blocker.FOREIGN_OWNER
        newer = with_mark("o9", "2 acme k", {"model": "other"})
        assert checked(self.WANTED, None, newer) == Blocker.READ_ONLY_MARK

    def test_one_of_its_name_that_is_ours_is_no_matter(self) -> None:
        assert isinstance(checked(self.WANTED, None, marked("o9", "other", self.BODY)), Ready)

    def test_a_copy_of_one_of_ours_is_a_namesake_too(self) -> None:
        pair = [
            marked("o1", "other", {"name": "x"}, nonce="n"),
            marked("o9", "other", self.OTHER, nonce="n", created=1),
        ]
        assert checked(self.WANTED, None, *pair) == Blocker.SAME_NAME

    def test_where_the_name_may_be_there_twice_it_is_no_matter(self) -> None:
        wanted = manifest("k", self.BODY, same_name_allowed=True)
        assert isinstance(checked(wanted, None, bare("o9", self.BODY)), Ready)

    @pytest.mark.parametrize("name", ["Desk 2", "", None])
    def test_another_name_or_none_is_no_matter(self, name: str | None) -> None:
        wanted = manifest("k", {"model": "m", "name": name})
        assert isinstance(checked(wanted, None, bare("o9", {"model": "other", "name": name and "desk"})), Ready)

    def test_case_and_composition_are_no_difference(self) -> None:
        wanted = manifest("k", {"model": "m", "name": "Cafe\u0301"})
        assert checked(wanted, None, bare("o9", {"model": "other", "name": "CAF\u00c9"})) == Blocker.SAME_NAME

    def test_its_own_object_is_told_before_a_namesake(self) -> None:
        own = marked("o1", "k", self.BODY)
        assert checked(self.WANTED, None, bare("o9", self.BODY), own) == AlreadyApplied("o1")

    def test_a_kind_without_names_has_no_namesakes(self) -> None:
        change = the_change(plan([manifest("w", {"title": "t"}, WIDGET)], [], WIDGET))
        now = [bare("o9", {"title": "u", "name": None}, WIDGET), bare("o8", {"title": "u"}, WIDGET)]
        found = index(WIDGET, now, OWNER)
        assert isinstance(check(change, found), Ready)
        assert refusal(change, World({"widget": found})) is None


class TestDelete:
    THEN = marked("o1", "gone", BODY)

    @pytest.mark.parametrize("field", [{"model": "x"}, {"name": "new"}, {"metadata": {}}])
    def test_any_change_of_the_object_makes_it_stale(self, field: Body) -> None:
        now = changed(self.THEN, **field)
        stale = Stale("o1 has changed since the plan was made")
        assert checked(None, self.THEN, now, prune=True, allow_deletes=1) == stale

    def test_a_mark_that_says_something_else_makes_it_stale(self) -> None:
        now = with_mark("o1", "1 acme gone no1 - -", BODY)
        stale = Stale("o1 has changed since the plan was made")
        assert checked(None, self.THEN, now, prune=True, allow_deletes=1) == stale

    def test_it_is_ready_where_the_object_means_the_same(self) -> None:
        now = changed(self.THEN, temperature=0.20, tools=[], id="o1")
        del now.body["tools"]
        assert checked(None, self.THEN, now, prune=True, allow_deletes=1) == Ready(None)

    def test_a_field_that_the_schema_does_not_know_or_the_server_owns_is_no_matter(self) -> None:
        now = changed(self.THEN, last_used=7, created_at=8)
        assert checked(None, self.THEN, now, prune=True, allow_deletes=1) == Ready(None)

    def test_a_copy_that_somebody_made_meanwhile_makes_it_stale(self) -> None:
        copy = marked("o2", "gone", BODY, nonce="no1", created=1)
        then = marked("o1", "gone", BODY, nonce="no1")
        assert checked(None, then, copy, then, prune=True, allow_deletes=1) == Blocker.CLONE

    def test_a_copy_of_something_else_is_no_matter(self) -> None:
        others = [marked("o2", "k", BODY, nonce="n"), marked("o3", "k", BODY, nonce="n", created=1)]
        assert checked(None, self.THEN, *others, self.THEN, prune=True, allow_deletes=1) == Ready(None)

    def test_an_object_that_is_gone_is_already_deleted(self) -> None:
        assert checked(None, self.THEN, prune=True, allow_deletes=1) == AlreadyApplied("o1")


def test_the_writes_of_a_plan_are_read_back_from_its_patch() -> None:
    wanted = manifest("k", {"temperature": 0.7, "metadata": {"team": "new"}})
    change = the_change(plan([wanted], [LIVE]))
    writes = planned_writes(change, ASSISTANT)
    assert (writes[("temperature",)], writes[("metadata", "team")]) == (0.7, "new")
    assert set(writes) == set(change.units)
    nothing = Change(change.address, Action.UPDATE, units=(("model",), ("metadata", "a")))
    assert planned_writes(nothing, ASSISTANT) == {("model",): ABSENT, ("metadata", "a"): ABSENT}


def test_a_precondition_is_of_meaning_and_of_the_mark() -> None:
    one, other = bare("o1", {"steps": []}, WIDGET), bare("o1", {}, WIDGET)
    writes, mark = [("steps",)], ("labels", "reconciler")
    assert expected(WIDGET, one, writes) == expected(WIDGET, other, writes)
    assert expected(WIDGET, with_mark("o1", "m", {}, WIDGET), writes)[mark] != expected(WIDGET, other, writes)[mark]
    assert expected(WIDGET, one, [mark]) == expected(WIDGET, one, [])
