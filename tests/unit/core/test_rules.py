"""What must not happen unasked: each blocker with the line that would allow it."""

from __future__ import annotations

from typing import ClassVar

import pytest

from reconciler.core import policy
from reconciler.core.model import Action, Address, Block, Blocker, Body, Change, OnRemove, Reason
from tests.unit.core.build import WIDGET, actions, bare, manifest, marked, plan, the_change, with_mark


def removals(count: int, reason: Reason = Reason.ORPHAN, action: Action = Action.DELETE) -> list[Change]:
    return [Change(Address("assistant", f"k{n}"), action, f"o{n}", (reason,)) for n in range(count)]


class TestGuard:
    @pytest.mark.parametrize(
        ("count", "owned", "held"),
        [(0, 0, False), (0, 9, False), (1, 1, True), (1, 2, True), (1, 4, True), (1, 5, False), (2, 100, True)],
        ids=["none", "none of 9", "all", "half", "a quarter", "a fifth", "more than one"],
    )
    def test_more_than_one_or_over_a_fifth_or_all_is_held(self, count: int, owned: int, held: bool) -> None:
        assert [c.blocked is not None for c in policy.guard(removals(count), owned, None)] == [held] * count

    def test_the_hint_names_the_exact_number(self) -> None:
        block = Block(Blocker.GUARD, "3 of 40 would be deleted: if that is meant, add --allow-deletes 3")
        assert [c.blocked for c in policy.guard(removals(3), 40, None)] == [block] * 3

    @pytest.mark.parametrize(("allowed", "held"), [(3, False), (2, True), (4, True), (0, True), (None, True)])
    def test_only_the_exact_number_lets_them_pass(self, allowed: int | None, held: bool) -> None:
        assert all((c.blocked is not None) is held for c in policy.guard(removals(3), 40, allowed))

    def test_twins_releases_and_deletes_already_held_are_not_counted(self) -> None:
        others = removals(3, Reason.DUPLICATE) + removals(3, action=Action.RELEASE)
        protected = Change(Address("assistant", "p"), Action.DELETE, "p", blocked=Block(Blocker.PROTECT, "h"))
        changes = [*others, protected, *removals(1)]
        assert policy.guard(changes, 5, None) == changes

    def test_what_is_held_for_another_reason_keeps_its_reason(self) -> None:
        protected = Change(Address("assistant", "p"), Action.DELETE, "p", blocked=Block(Blocker.PROTECT, "h"))
        assert policy.guard([protected, *removals(2)], 99, None)[0] == protected

    def test_the_guard_is_lifted_for_exactly_the_number_it_holds(self) -> None:
        protected = Change(Address("assistant", "p"), Action.DELETE, "p", blocked=Block(Blocker.PROTECT, "h"))
        held = policy.guard([*removals(2), protected], 9, None)
        assert policy.release_guard(held, 2) == [*removals(2), protected]
        assert [policy.release_guard(held, n) for n in (None, 1, 3)] == [held] * 3


class TestSameName:
    BODY: ClassVar[Body] = {"model": "m", "name": "HR bot"}

    def test_a_create_beside_one_of_the_same_name_is_blocked_with_three_ways_out(self) -> None:
        change = the_change(plan([manifest("hr", self.BODY)], [bare("o1", self.BODY)]))
        assert (change.action, change.blocked and change.blocked.by) == (Action.CREATE, Blocker.SAME_NAME)
        assert change.blocked is not None
        assert change.blocked.hint == (
            "o1 has the same name and is not managed here. To manage it: `reconciler adopt assistant/hr o1` "
            "(or add `reconciler: {id: o1}`). To create another: `reconciler: {same_name: allow}`"
        )

    def test_it_is_allowed_where_the_manifest_says_so(self) -> None:
        wanted = manifest("hr", self.BODY, same_name_allowed=True)
        assert the_change(plan([wanted], [bare("o1", self.BODY)])).blocked is None

    @pytest.mark.parametrize("name", ["hr bot", "", None])
    def test_another_name_or_none_is_no_hindrance(self, name: str | None) -> None:
        wanted = manifest("hr", {"model": "m", "name": name})
        assert the_change(plan([wanted], [bare("o1", {**self.BODY, "name": name and "HR bot"})])).blocked is None

    def test_a_kind_without_names_has_no_namesakes(self) -> None:
        found = plan([manifest("w", {"title": "t"}, WIDGET)], [bare("o1", {"title": "t"}, WIDGET)], WIDGET)
        assert the_change(found).blocked is None

    def test_objects_of_another_owner_count_and_our_own_do_not(self) -> None:
        theirs = marked("o1", "x", self.BODY, owner="other")
        assert the_change(plan([manifest("hr", self.BODY)], [theirs])).blocked is not None
        ours = marked("o2", "b", self.BODY)
        both = [manifest("b", self.BODY), manifest("hr", self.BODY)]
        assert [c.blocked for c in plan(both, [ours]).changes] == [None, None]

    @pytest.mark.parametrize(
        ("count", "shown"), [(2, "o0, o1 has"), (3, "o0, o1, o2 has"), (5, "o0, o1, o2 and 2 more")]
    )
    def test_many_namesakes_are_counted_not_listed(self, count: int, shown: str) -> None:
        objects = [bare(f"o{n}", self.BODY) for n in reversed(range(count))]
        change = the_change(plan([manifest("hr", self.BODY)], objects))
        assert change.blocked is not None
        assert change.blocked.hint.startswith(shown)


class TestBinding:
    BODY: ClassVar[Body] = {"model": "m"}

    def test_an_object_by_its_id_is_adopted_with_its_mark_only(self) -> None:
        change = the_change(plan([manifest("hr", self.BODY, id="o1")], [bare("o1", {**self.BODY, "name": "x"})]))
        assert (change.action, change.id, change.reasons) == (Action.ADOPT, "o1", (Reason.BOUND,))
        assert change.patch == {"metadata": {"reconciler": "1 acme hr ~ - pCJhgb"}}
        assert change.blocked is None

    def test_an_adopted_object_is_also_brought_in_line(self) -> None:
        change = the_change(plan([manifest("hr", {"model": "new"}, id="o1")], [bare("o1", self.BODY)]))
        assert change.reasons == (Reason.BOUND, Reason.CHANGED)
        assert change.patch is not None
        assert change.patch["model"] == "new"

    def test_an_object_with_a_damaged_mark_can_be_adopted(self) -> None:
        change = the_change(plan([manifest("hr", self.BODY, id="o1")], [with_mark("o1", "hello", self.BODY)]))
        assert (change.action, change.blocked) == (Action.ADOPT, None)

    def test_an_object_bound_by_id_that_is_already_ours_is_only_updated(self) -> None:
        found = plan([manifest("hr", self.BODY, id="o1")], [marked("o1", "hr", self.BODY)])
        assert actions(found) == [("noop", "hr", "o1", False)]
        found = plan([manifest("hr", {"model": "new"}, id="o1")], [marked("o1", "hr", self.BODY)])
        assert (actions(found), the_change(found).reasons) == ([("update", "hr", "o1", False)], (Reason.CHANGED,))

    def test_an_object_of_ours_under_another_key_is_moved(self) -> None:
        change = the_change(plan([manifest("new", self.BODY, id="o1")], [marked("o1", "old", self.BODY)]))
        assert (change.action, change.reasons) == (Action.MOVE, (Reason.MOVED,))

    @pytest.mark.parametrize(
        ("objects", "by", "hint"),
        [
            ([], Blocker.NO_SUCH_ID, "the target has no assistant with id o1: correct or remove `id`"),
            (
                [bare("o1", {}), marked("o2", "hr", {})],
                Blocker.ALREADY_BOUND,
                "o2 is already managed under this address: release it first, or remove `id`",
            ),
            (
                [marked("o1", "x", {}, owner="other")],
                Blocker.FOREIGN_OWNER,
                "o1 is managed by 'other', not 'acme': they release it, or `reconciler takeover --from other`",
            ),
            (
                [with_mark("o1", "2 x", {})],
                Blocker.READ_ONLY_MARK,
                "o1 was written by a newer reconciler: upgrade to change it",
            ),
        ],
        ids=["no such id", "address has another", "foreign owner", "newer mark"],
    )
    def test_a_binding_that_cannot_be_is_refused(self, objects: list[object], by: Blocker, hint: str) -> None:
        change = the_change(plan([manifest("hr", self.BODY, id="o1")], objects))  # type: ignore[arg-type]
        assert (change.action, change.id, change.patch) == (Action.ADOPT, "o1", None)
        assert change.blocked == Block(by, hint)

    def test_one_object_is_bound_once(self) -> None:
        both = [manifest("a", self.BODY, id="o1"), manifest("b", self.BODY, id="o1")]
        first, second = plan(both, [bare("o1", self.BODY)]).changes
        assert first.blocked is None
        assert second.blocked == Block(Blocker.ALREADY_BOUND, "o1 is already bound by assistant/a")


class TestOtherRefusals:
    def test_an_immutable_field_is_not_changed(self) -> None:
        live = marked("o1", "w", {"size": 1, "title": "t"}, WIDGET)
        change = the_change(plan([manifest("w", {"size": 2, "title": "u"}, WIDGET)], [live], WIDGET))
        assert change.action is Action.UPDATE
        assert change.blocked == Block(Blocker.IMMUTABLE, "size can only be set when the object is created")
        assert the_change(plan([manifest("w", {"size": 1, "title": "u"}, WIDGET)], [live], WIDGET)).blocked is None

    def test_an_immutable_field_is_set_at_create(self) -> None:
        assert the_change(plan([manifest("w", {"size": 2}, WIDGET)], [], WIDGET)).blocked is None

    @pytest.mark.parametrize(("others", "held"), [(2, False), (3, True)])
    def test_no_more_entries_are_sent_than_the_remote_takes(self, others: int, held: bool) -> None:
        theirs = {f"x{n}": "y" for n in range(others)}
        live = bare("o1", {"labels": theirs}, WIDGET)
        change = the_change(plan([manifest("w", {"labels": {"a": "1"}}, WIDGET, id="o1")], [live], WIDGET))
        hint = "o1 would have 5 labels entries with those of others; at most 4"
        assert change.blocked == (Block(Blocker.METADATA_FULL, hint) if held else None)

    def test_a_full_map_that_is_not_written_is_no_hindrance(self) -> None:
        body = {"title": "t", "labels": {f"x{n}": "y" for n in range(9)}}
        live = marked("o1", "w", body, WIDGET, managed=[("title",)])
        assert the_change(plan([manifest("w", {"title": "u"}, WIDGET)], [live], WIDGET)).blocked is None

    def test_a_protected_orphan_is_kept_and_the_hint_says_how_to_delete_it(self) -> None:
        found = plan([], [marked("o1", "gone", {}, protect=True)], prune=True)
        hint = "to delete it, bring its manifest back with `protect: false`, apply, then remove the manifest"
        assert the_change(found).blocked == Block(Blocker.PROTECT, hint)

    def test_protection_does_not_hold_what_is_only_released(self) -> None:
        found = plan([], [marked("o1", "gone", {}, protect=True, on_remove=OnRemove.RELEASE)])
        assert actions(found) == [("release", "gone", "o1", False)]
