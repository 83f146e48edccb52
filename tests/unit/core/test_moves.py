"""Renames with `moved_from`: only marks move, also where keys are swapped, and whenever an apply is killed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.matching.index import mark_of
from reconciler.core.plan import Plan
from reconciler.core.values.model import (
    Action,
    Address,
    Block,
    Blocker,
    LiveObject,
    Manifest,
    OnRemove,
    Reason,
    Removal,
)
from tests.strategies import law
from tests.unit.core.build import ASSISTANT, actions, applied, manifest, marked, nonce_of, plan, the_change, with_mark

M = {"model": "m"}
WAY_OUT = "apply one rename after the other, or remove `moved_from`"


def at(key: str, id: str, content: str = "m", **block: object) -> LiveObject:
    return marked(id, key, {"model": content}, **block)  # type: ignore[arg-type]


def moved(id: str, created: float = 0) -> LiveObject:
    """An object that was moved from `old` to `new`."""
    return with_mark(id, f"1 acme new {nonce_of(id)} -<fUzlQh pCJhgb", M, created=created)


def wanted(key: str, content: str = "m", moved_from: str | None = None) -> Manifest:
    return manifest(key, {"model": content}, moved_from=moved_from)


def after(found: Plan, objects: list[LiveObject], *places: int) -> list[LiveObject]:
    """The objects after an apply that was killed when the changes at these places were done."""
    return applied(replace(found, changes=tuple(found.changes[place] for place in places)), objects, ASSISTANT)


class TestOneMove:
    def test_moved_from_keeps_the_object_and_writes_its_new_key_and_where_it_came_from(self) -> None:
        change = the_change(plan([manifest("new", M, moved_from="old")], [marked("o1", "old", M)]))
        assert (change.action, change.id, change.reasons) == (Action.MOVE, "o1", (Reason.MOVED,))
        assert change.patch == {"metadata": {"reconciler": "1 acme new n1 -<fUzlQh pCJhgb"}}

    def test_a_moved_object_is_brought_in_line_at_once(self) -> None:
        change = the_change(plan([manifest("new", {"model": "n"}, moved_from="old")], [marked("o1", "old", M)]))
        assert change.reasons == (Reason.MOVED, Reason.CHANGED)

    def test_a_move_that_is_done_is_passed_over(self) -> None:
        found = plan([manifest("new", M, moved_from="old")], [marked("o1", "new", M)])
        assert actions(found) == [("noop", "new", "o1", False)]

    def test_a_move_stays_done_whatever_happens_at_its_former_key(self) -> None:
        files, objects = [wanted("new", moved_from="old")], [at("old", "o1")]
        objects = applied(plan(files, objects), objects, ASSISTANT)
        again = [*files, wanted("old", "other")]
        first = plan(again, objects)
        assert actions(first) == [("noop", "new", "o1", False), ("create", "old", None, False)]
        objects = applied(first, objects, ASSISTANT)
        assert [c.action for c in plan(again, objects).changes] == [Action.NOOP, Action.NOOP]
        assert actions(plan(files, objects, prune=True, allow_deletes=1)) == [
            ("noop", "new", "o1", False),
            ("delete", "old", "new_old", False),
        ]

    def test_what_was_moved_can_be_moved_back(self) -> None:
        files, objects = [wanted("new", moved_from="old")], [at("old", "o1")]
        objects = applied(plan(files, objects), objects, ASSISTANT)
        back = [wanted("old", moved_from="new")]
        found = plan(back, objects)
        assert actions(found) == [("move", "old", "o1", False)]
        assert actions(plan(back, applied(found, objects, ASSISTANT))) == [("noop", "old", "o1", False)]

    def test_a_move_to_its_own_key_is_none(self) -> None:
        found = plan([wanted("k", moved_from="k")], [at("k", "o1")])
        assert actions(found) == [("noop", "k", "o1", False)]

    def test_a_move_from_nothing_is_a_create(self) -> None:
        assert actions(plan([manifest("new", M, moved_from="old")])) == [("create", "new", None, False)]

    @pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "of another target"])
    def test_moving_from_a_key_that_has_a_manifest_is_refused(self, elsewhere: bool) -> None:
        files = [manifest("new", M, moved_from="old"), *([] if elsewhere else [manifest("old", M)])]
        others = frozenset({Address("assistant", "old")}) if elsewhere else frozenset()
        found = plan(files, [marked("o1", "old", M)], elsewhere=others)
        assert actions(found) == [("move", "new", "o1", True), ("noop", "old", "o1", False)][: len(files)]
        hint = "moved_from names old, which still has a manifest"
        assert found.changes[0].blocked == Block(Blocker.ALREADY_BOUND, hint)

    def test_a_key_that_is_occupied_while_the_other_manifest_is_elsewhere_waits_for_that(self) -> None:
        others = frozenset({Address("assistant", "old")})
        found = plan([wanted("new", moved_from="old")], [at("old", "o1"), at("new", "o2")], elsewhere=others)
        assert actions(found) == [("move", "new", "o1", True)]
        hint = "moved_from names old, whose manifest is not in this part: apply both at once, or remove it"
        assert found.changes[0].blocked == Block(Blocker.ALREADY_BOUND, hint)

    def test_one_object_moves_once(self) -> None:
        both = [manifest("a", M, moved_from="old"), manifest("b", M, moved_from="old")]
        first, second = plan(both, [marked("o1", "old", M)]).changes
        assert first.blocked is None
        assert second.blocked == Block(Blocker.ALREADY_BOUND, "o1 already becomes assistant/a")

    def test_of_several_objects_of_a_key_the_oldest_moves(self) -> None:
        objects = [at("old", "o1", created=1), at("old", "o2", created=1)]
        found = plan([wanted("new", moved_from="old")], objects)
        assert actions(found) == [("move", "new", "o1", False)]

    def test_an_address_whose_object_is_bound_elsewhere_waits_for_that(self) -> None:
        files = [manifest("a", M), manifest("b", M, id="o1")]
        objects = [marked("o1", "a", M)]
        first = plan(files, objects)
        assert actions(first) == [("create", "a", None, True), ("move", "b", "o1", False)]
        hint = "o1 of this address is bound by another manifest: apply that first"
        assert first.changes[0].blocked == Block(Blocker.ALREADY_BOUND, hint)
        second = plan(files, applied(first, objects, ASSISTANT))
        assert actions(second) == [("create", "a", None, False), ("noop", "b", "o1", False)]

    def test_an_object_that_a_manifest_of_another_part_binds_is_not_taken(self) -> None:
        found = plan([wanted("a")], [at("a", "o1")], bound=frozenset({("assistant", "o1")}))
        assert actions(found) == [("create", "a", None, True)]
        assert found.changes[0].blocked is not None
        assert found.changes[0].blocked.by is Blocker.ALREADY_BOUND

    def test_nothing_of_an_address_is_an_orphan_while_it_is_not_known_which_object_it_has(self) -> None:
        files = [manifest("new", M, moved_from="old", id="nowhere")]
        found = plan(files, [at("new", "o1"), moved("o2", created=1)], prune=True, allow_deletes=1)
        assert actions(found) == [("adopt", "new", "nowhere", True)]

    def test_an_object_takes_the_key_of_one_that_is_bound_elsewhere(self) -> None:
        files = [manifest("a", M, moved_from="c"), manifest("b", M, id="o1")]
        found = plan(files, [marked("o1", "a", M), marked("o2", "c", M)])
        assert actions(found) == [("move", "a", "o2", False), ("move", "b", "o1", False)]


class TestChains:
    FILES = (wanted("b", "1", moved_from="a"), wanted("c", "2", moved_from="b"))
    OBJECTS = (at("a", "o1", "1"), at("b", "o2", "2"))

    def test_a_chain_is_one_plan(self) -> None:
        found = plan(self.FILES, self.OBJECTS, prune=True)
        assert actions(found) == [("move", "b", "o1", False), ("move", "c", "o2", False)]
        assert [set(change.patch or {}) for change in found.changes] == [{"metadata"}, {"metadata"}]
        objects = applied(found, self.OBJECTS, ASSISTANT)
        assert actions(plan(self.FILES, objects)) == [("noop", "b", "o1", False), ("noop", "c", "o2", False)]

    @pytest.mark.parametrize(
        ("on_remove", "action"), [(None, "delete"), (OnRemove.RELEASE, "release")], ids=["pruned", "released"]
    )
    def test_a_chain_whose_end_is_occupied_is_refused_and_its_objects_stay(
        self, on_remove: OnRemove | None, action: str
    ) -> None:
        objects = [at("a", "o1", "1", on_remove=on_remove), self.OBJECTS[1], at("c", "o3", "3")]
        found = plan(self.FILES, objects, prune=True, allow_deletes=1)
        assert actions(found) == [("move", "b", "o1", True), ("move", "c", "o2", True), (action, "a", "o1", True)]
        assert [change.blocked for change in found.changes] == [
            Block(Blocker.ALREADY_BOUND, f"the object of a cannot become b, which o2 has already: {WAY_OUT}"),
            Block(Blocker.ALREADY_BOUND, f"the object of b cannot become c, which o3 has already: {WAY_OUT}"),
            Block(Blocker.PROBABLE_RENAME, "it looks renamed to assistant/b: confirm it there with `moved_from`"),
        ]
        assert found.changes[0].source == self.FILES[0].source

    def test_three_files_shift_by_one_and_the_last_object_stays_what_it_was(self) -> None:
        files = [wanted("a", "2", moved_from="b"), wanted("b", "3", moved_from="c")]
        objects = [at("a", "o1", "1"), at("b", "o2", "2"), at("c", "o3", "3")]
        found = plan(files, objects, prune=True, allow_deletes=1)
        assert [change.is_due for change in found.changes] == [False] * len(found.changes)

    def test_a_rename_of_what_is_not_there_any_more_is_no_chain(self) -> None:
        assert actions(plan(self.FILES, self.OBJECTS[1:])) == [("update", "b", "o2", False), ("move", "c", "o2", True)]

    def test_a_chain_whose_middle_is_free_goes_through(self) -> None:
        assert actions(plan(self.FILES, self.OBJECTS[:1])) == [("move", "b", "o1", False), ("create", "c", None, False)]

    def test_a_rename_from_a_key_that_has_a_manifest_again_is_no_chain(self) -> None:
        files = [wanted("a", "1"), *self.FILES]
        assert actions(plan(files, self.OBJECTS)) == [
            ("noop", "a", "o1", False),
            ("update", "b", "o2", False),
            ("move", "c", "o2", True),
        ]

    def test_a_rename_that_nobody_follows_is_refused_where_its_key_has_an_object(self) -> None:
        found = plan(self.FILES[:1], self.OBJECTS, prune=True, allow_deletes=1)
        assert actions(found) == [("move", "b", "o1", True), ("delete", "a", "o1", True)]
        hint = f"the object of a cannot become b, which o2 has already: {WAY_OUT}"
        assert found.changes[0].blocked == Block(Blocker.ALREADY_BOUND, hint)

    def test_a_key_with_several_objects_is_not_left_by_one_of_them(self) -> None:
        found = plan(self.FILES, [*self.OBJECTS, at("b", "o3", "2", created=1)], prune=True)
        assert [change.is_due for change in found.changes] == [False] * len(found.changes)

    def test_what_waited_for_its_move_when_its_manifest_left_is_an_orphan_and_no_duplicate(self) -> None:
        objects = after(plan(self.FILES, self.OBJECTS), [*self.OBJECTS], 0)
        assert actions(plan(self.FILES[:1], objects)) == [("noop", "b", "o1", False)]
        pruned = plan(self.FILES[:1], objects, prune=True)
        assert actions(pruned) == [("noop", "b", "o1", False), ("delete", "b", "o2", True)]
        assert (pruned.changes[1].removal, pruned.changes[1].blocked and pruned.changes[1].blocked.by) == (
            Removal.ORPHAN,
            Blocker.GUARD,
        )

    def test_what_is_about_to_leave_a_key_is_not_what_an_expired_object_is_renewed_for(self) -> None:
        kind = replace(ASSISTANT, expired=("name", "over"))
        over = with_mark("o2", "1 acme new n2 -<fUzlQh pCJhgb", {**M, "name": "over"}, created=1)
        files = [manifest("new", M, moved_from="old", renew=True), wanted("next", moved_from="new")]
        found = plan(files, [at("new", "o1"), over], kind)
        assert actions(found) == [
            ("create", "new", None, False),
            ("move", "next", "o1", False),
            ("delete", "new", "o2", False),
        ]
        assert found.changes[0].replaces == ("o2",)

    def test_duplicates_of_what_was_moved_are_duplicates(self) -> None:
        objects = [moved("o1", created=1), moved("o2", created=2)]
        found = plan([wanted("new", moved_from="old")], objects, prune=True, allow_deletes=1)
        assert actions(found) == [("noop", "new", "o1", False), ("delete", "new", "o2", False)]

    def test_what_came_by_the_move_goes_before_an_older_one_of_the_key(self) -> None:
        found = plan([wanted("new", moved_from="old")], [at("new", "o1"), moved("o2", created=1)], prune=True)
        assert actions(found) == [("noop", "new", "o2", False), ("delete", "new", "o1", True)]
        assert found.changes[1].removal is Removal.ORPHAN


class TestSwaps:
    FILES = (wanted("a", "2", moved_from="b"), wanted("b", "1", moved_from="a"))
    OBJECTS = (at("a", "o1", "1"), at("b", "o2", "2"))

    def test_a_swap_moves_marks_and_no_content(self) -> None:
        found = plan(self.FILES, self.OBJECTS, prune=True)
        assert actions(found) == [("move", "a", "o2", False), ("move", "b", "o1", False)]
        assert [set(change.patch or {}) for change in found.changes] == [{"metadata"}, {"metadata"}]

    @pytest.mark.parametrize("first", [0, 1])
    def test_half_a_swap_is_finished(self, first: int) -> None:
        half = after(plan(self.FILES, self.OBJECTS), [*self.OBJECTS], first)
        rest = plan(self.FILES, half, prune=True)
        assert [change.action for change in rest.changes] == [
            Action.NOOP if place == first else Action.MOVE for place in range(2)
        ]
        done = plan(self.FILES, applied(rest, half, ASSISTANT))
        assert actions(done) == [("noop", "a", "o2", False), ("noop", "b", "o1", False)]

    def test_a_swap_that_is_done_is_not_done_again_where_contents_are_edited(self) -> None:
        objects = applied(plan(self.FILES, self.OBJECTS), self.OBJECTS, ASSISTANT)
        edited = [replace(each, body={"model": "new"}) for each in self.FILES]
        assert actions(plan(edited, objects)) == [("update", "a", "o2", False), ("update", "b", "o1", False)]

    def test_one_end_of_a_swap_is_not_there(self) -> None:
        found = plan(self.FILES, self.OBJECTS[:1], prune=True)
        assert actions(found) == [("update", "a", "o1", False), ("move", "b", "o1", True)]


KEYS = "abcdef"


@st.composite
def renames(draw: st.DrawFn) -> dict[str, str]:
    """Where each key goes; no two go to one place."""
    sources = sorted(draw(st.sets(st.sampled_from(KEYS), min_size=1)))
    return dict(zip(sources, draw(st.permutations(KEYS)), strict=False))


@law
@given(renames(), st.booleans(), st.data())
def test_keys_change_places_in_any_way_and_an_apply_may_be_killed_at_any_moment(
    way: dict[str, str], alike: bool, data: st.DataObject
) -> None:
    objects = [at(key, f"o{key}", "m" if alike else key, created=place) for place, key in enumerate(way)]
    files = [wanted(to, "m" if alike else key, moved_from=key if to != key else None) for key, to in way.items()]
    for _ in range(3):
        found = plan(files, data.draw(st.permutations(objects)), prune=True)
        assert {change.action for change in found.changes} <= {Action.MOVE, Action.NOOP}
        assert not any(change.blocked for change in found.changes)
        places = [place for place, change in enumerate(found.changes) if change.action is Action.MOVE]
        objects = after(found, objects, *(place for place in places if data.draw(st.booleans())))
    objects = applied(plan(files, objects), objects, ASSISTANT)
    assert {change.action for change in plan(files, objects, prune=True).changes} == {Action.NOOP}
    assert {live.id: mark_of(ASSISTANT, live).key for live in objects} == {  # type: ignore[union-attr]
        f"o{key}": to for key, to in way.items()
    }
