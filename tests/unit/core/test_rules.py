"""What must not happen unasked: each blocker with the line that would allow it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from reconciler.core.decide import ConflictPolicy, OnDrift, Resolve
from reconciler.core.matching.index import index
from reconciler.core.rules import change_rules
from reconciler.core.rules.guard import guard, release_guard
from reconciler.core.rules.world import World
from reconciler.core.values.model import (
    Action,
    Address,
    Block,
    Blocker,
    Body,
    Change,
    Json,
    LiveObject,
    OnRemove,
    Reason,
    Removal,
)
from tests.unit.core.build import (
    ASSISTANT,
    OWNER,
    WIDGET,
    actions,
    bare,
    manifest,
    marked,
    plan,
    remembered,
    the_change,
    with_mark,
)


def removals(count: int, action: Action = Action.DELETE, removal: Removal | None = Removal.ORPHAN) -> list[Change]:
    return [Change(Address("assistant", f"k{n}"), action, f"o{n}", number=n, removal=removal) for n in range(count)]


PROTECTED = Change(
    Address("assistant", "p"),
    Action.DELETE,
    "p",
    blocked=Block(Blocker.PROTECT, "h"),
    number=99,
    removal=Removal.ORPHAN,
)


class TestGuard:
    @pytest.mark.parametrize("action", [Action.DELETE, Action.RELEASE])
    @pytest.mark.parametrize(
        ("count", "owned", "held"),
        [(0, 0, False), (0, 9, False), (1, 1, True), (1, 2, True), (1, 4, True), (1, 5, False), (2, 100, True)],
        ids=["none", "none of 9", "all", "half", "a quarter", "a fifth", "more than one"],
    )
    def test_more_than_one_or_over_a_fifth_or_all_is_held(
        self, count: int, owned: int, held: bool, action: Action
    ) -> None:
        assert [c.blocked is not None for c in guard(removals(count, action), owned, None, {})] == [held] * count

    @pytest.mark.parametrize(
        ("actions", "what"),
        [
            ([Action.DELETE] * 3, "deleted"),
            ([Action.RELEASE] * 3, "deleted or released"),
            ([Action.DELETE, Action.DELETE, Action.RELEASE], "deleted or released"),
        ],
        ids=["deletes", "releases", "both"],
    )
    def test_the_hint_names_the_exact_number(self, actions: list[Action], what: str) -> None:
        changes = [replace(c, action=action) for c, action in zip(removals(3), actions, strict=True)]
        hint = f"3 of 40 would be {what}: if that is intended, add --allow-deletes 3"
        block = Block(Blocker.GUARD, f"{hint}, or set RECONCILER_APPLY_ALLOW_DELETES=3 in a job that applies")
        assert [c.blocked for c in guard(changes, 40, None, {})] == [block] * 3

    @pytest.mark.parametrize(("allowed", "held"), [(3, False), (2, True), (4, True), (0, True), (None, True)])
    def test_only_the_exact_number_lets_them_pass(self, allowed: int | None, held: bool) -> None:
        assert all((c.blocked is not None) is held for c in guard(removals(3), 40, allowed, {}))

    def test_duplicates_are_counted(self) -> None:
        changes = [*removals(1), *removals(2, removal=Removal.DUPLICATE)]
        hint = "3 of 40 would be deleted: if that is intended, add --allow-deletes 3"
        hint += ", or set RECONCILER_APPLY_ALLOW_DELETES=3 in a job that applies"
        assert [c.blocked for c in guard(changes, 40, None, {})] == [Block(Blocker.GUARD, hint)] * 3
        assert guard(changes, 40, 3, {}) == changes

    def test_what_is_replaced_releases_by_command_and_what_is_held_are_not_counted(self) -> None:
        others = [
            *removals(3, removal=Removal.REPLACED),
            *removals(3, action=Action.RELEASE, removal=None),
        ]
        changes = [*others, PROTECTED, *removals(1)]
        assert guard(changes, 5, None, {}) == changes

    def test_what_is_held_for_another_reason_keeps_its_reason(self) -> None:
        assert guard([PROTECTED, *removals(2)], 99, None, {})[0] == PROTECTED

    def test_the_guard_is_lifted_for_exactly_the_number_it_holds(self) -> None:
        held = guard([*removals(2), PROTECTED], 9, None, {})
        assert release_guard(held, 2) == [*removals(2), PROTECTED]
        assert [release_guard(held, n) for n in (None, 1, 3)] == [held] * 3


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
                "o1 is managed by 'other', not 'acme': they release it, "
                "or `reconciler takeover --from other assistant/hr`",
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
        assert (change.action, change.id) == (Action.ADOPT, "o1")
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
        hint = "o1 would have 5 labels entries, together with those of others; at most 4"
        assert change.blocked == (Block(Blocker.METADATA_FULL, hint) if held else None)

    @pytest.mark.parametrize("maps", ["patch", "merge"])
    def test_entries_that_are_not_sent_count_where_the_remote_keeps_them(self, maps: str) -> None:
        kind = replace(WIDGET, maps=maps)
        live = bare("o1", {"labels": {f"x{n}": "y" for n in range(3)}}, kind)
        change = the_change(plan([manifest("w", {"labels": {"a": "1"}}, kind, id="o1")], [live], kind))
        assert change.patch is not None
        assert len(change.patch["labels"]) == 2
        assert change.blocked is not None
        assert change.blocked.by is Blocker.METADATA_FULL

    def test_a_full_map_that_is_not_written_is_no_hindrance(self) -> None:
        body = {"title": "t", "labels": {f"x{n}": "y" for n in range(9)}}
        live = marked("o1", "w", body, WIDGET, managed=[("title",)])
        assert the_change(plan([manifest("w", {"title": "u"}, WIDGET)], [live], WIDGET)).blocked is None

    def test_a_protected_orphan_is_kept_and_the_hint_says_how_to_delete_it(self) -> None:
        found = plan([], [marked("o1", "gone", {}, protect=True)], prune=True)
        hint = "to delete it, restore its manifest with `protect: false`, apply, then remove the manifest"
        assert the_change(found).blocked == Block(Blocker.PROTECT, hint)

    def test_protection_does_not_hold_what_is_only_released(self) -> None:
        others = [marked(f"k{n}", f"k{n}", {}) for n in range(4)]
        live = marked("o1", "gone", {}, protect=True, on_remove=OnRemove.RELEASE)
        found = plan([manifest(f"k{n}", {}) for n in range(4)], [live, *others])
        assert actions(found)[-1] == ("release", "gone", "o1", False)

    @pytest.mark.parametrize("action", [Action.UPDATE, Action.MOVE, Action.RELEASE, Action.DELETE])
    @pytest.mark.parametrize(
        ("live", "by"),
        [
            (marked("o1", "hr", {}, owner="other"), Blocker.FOREIGN_OWNER),
            (with_mark("o1", "2 x", {}), Blocker.READ_ONLY_MARK),
            (marked("o1", "hr", {}), None),
            (bare("o1", {}), None),
            (with_mark("o1", "hello", {}), None),
        ],
        ids=["foreign owner", "newer mark", "ours", "no mark", "damaged"],
    )
    def test_whatever_is_done_to_an_object_its_mark_as_it_is_now_counts(
        self, action: Action, live: LiveObject, by: Blocker | None
    ) -> None:
        before = marked("o1", "hr", {})
        change = Change(Address("assistant", "hr"), action, "o1")
        world = World({"assistant": index(ASSISTANT, [before], OWNER)})
        assert change_rules.refusal(change, world) is None
        fresh = replace(world, fresh={("assistant", "o1"): live})
        block = change_rules.refusal(change, fresh)
        assert (block and block.by) is by

    def test_protection_that_appears_late_counts(self) -> None:
        world = World({"assistant": index(ASSISTANT, [marked("o1", "hr", {})], OWNER)})
        change = Change(Address("assistant", "hr"), Action.DELETE, "o1")
        fresh = replace(world, fresh={("assistant", "o1"): marked("o1", "hr", {}, protect=True)})
        block = change_rules.refusal(change, fresh)
        assert block is not None
        assert block.by is Blocker.PROTECT

    @pytest.mark.parametrize("action", [Action.DELETE, Action.RELEASE])
    @pytest.mark.parametrize(("removal", "held"), [(Removal.ORPHAN, True), (Removal.REPLACED, False), (None, False)])
    def test_an_object_whose_manifest_is_for_another_target_stays(
        self, action: Action, removal: Removal | None, held: bool
    ) -> None:
        change = Change(Address("assistant", "hr"), action, "o1", removal=removal)
        world = World({"assistant": index(ASSISTANT, [marked("o1", "hr", {})], OWNER)})
        assert change_rules.refusal(change, world) is None
        block = change_rules.refusal(change, replace(world, elsewhere=frozenset({change.address})))
        hint = "assistant/hr has a manifest for another target"
        assert block == (Block(Blocker.ALREADY_BOUND, hint) if held else None)

    def test_what_is_not_there_any_more_is_refused_by_no_rule(self) -> None:
        world = World({"assistant": index(ASSISTANT, [], OWNER)})
        for action in Action:
            assert change_rules.refusal(Change(Address("assistant", "hr"), action, "o1"), world) is None


class TestChangesOfOthers:
    """A unit that was changed outside these files; what is not certain blocks nothing."""

    def planned(self, file: Json, live: Json, certain: bool = True, **policy: Any) -> Block | None:
        base = remembered({"temperature": 0.5}, certain=certain)
        found = plan(
            [manifest("k", {"temperature": file})],
            [marked("o1", "k", {"temperature": live})],
            base=base,
            policy=ConflictPolicy(**policy),
        )
        return the_change(found).blocked

    def test_a_certain_conflict_is_refused_with_the_ways_out(self) -> None:
        assert self.planned(0.7, 0.9) == Block(
            Blocker.CONFLICT,
            "temperature changed both here and outside these files: `--resolve ours` sends the value of the "
            "file, `--resolve theirs` keeps the live value, `reconciler pull --theirs assistant/k` writes it "
            "into the file",
        )
        assert self.planned(0.7, 0.9, certain=False) is None
        assert self.planned(0.7, 0.9, resolve=Resolve.OURS) is None

    def test_certain_drift_is_refused_where_that_is_asked_for(self) -> None:
        assert self.planned(0.5, 0.9, on_drift=OnDrift.FAIL) == Block(
            Blocker.DRIFT,
            "temperature changed outside these files: `--on-drift revert` sends the value of the file, "
            "`--on-drift keep` keeps the live value, `reconciler pull --theirs assistant/k` writes it into the "
            "file",
        )
        assert self.planned(0.5, 0.9) is None
        assert self.planned(0.5, 0.9, certain=False, on_drift=OnDrift.FAIL) is None
        assert self.planned(0.7, 0.5, on_drift=OnDrift.FAIL) is None
