"""Pairing manifests with objects over time: moves, renames, twins, copies, orphans, adoption."""

from __future__ import annotations

import pytest

from reconciler.core.index import index
from reconciler.core.kind_plan import KindPlanner
from reconciler.core.model import Action, Block, Blocker, LiveObject, Manifest, OnRemove, Reason
from reconciler.core.semantics import Kind
from reconciler.diagnostics import Code
from tests.unit.core.build import (
    ASSISTANT,
    OWNER,
    WIDGET,
    Applied,
    actions,
    applied,
    bare,
    manifest,
    marked,
    plan,
    the_change,
    with_mark,
)

M = {"model": "m"}


class TestMoves:
    def test_moved_from_keeps_the_object_and_writes_its_new_key(self) -> None:
        change = the_change(plan([manifest("new", M, moved_from="old")], [marked("o1", "old", M)]))
        assert (change.action, change.id, change.reasons) == (Action.MOVE, "o1", (Reason.MOVED,))
        assert change.patch == {"metadata": {"reconciler": "1 acme new n1 - pCJhgb"}}

    def test_a_moved_object_is_brought_in_line_at_once(self) -> None:
        change = the_change(plan([manifest("new", {"model": "n"}, moved_from="old")], [marked("o1", "old", M)]))
        assert change.reasons == (Reason.MOVED, Reason.CHANGED)

    def test_a_move_that_is_done_is_passed_over(self) -> None:
        found = plan([manifest("new", M, moved_from="old")], [marked("o1", "new", M)])
        assert actions(found) == [("noop", "new", "o1", False)]

    def test_a_move_from_nothing_is_a_create(self) -> None:
        assert actions(plan([manifest("new", M, moved_from="old")])) == [("create", "new", None, False)]

    def test_moving_from_a_key_that_has_a_manifest_is_refused(self) -> None:
        found = plan([manifest("new", M, moved_from="old"), manifest("old", M)], [marked("o1", "old", M)])
        assert actions(found) == [("move", "new", "o1", True), ("noop", "old", "o1", False)]
        hint = "moved_from names old, which still has a manifest"
        assert found.changes[0].blocked == Block(Blocker.ALREADY_BOUND, hint)

    def test_one_object_moves_once(self) -> None:
        both = [manifest("a", M, moved_from="old"), manifest("b", M, moved_from="old")]
        first, second = plan(both, [marked("o1", "old", M)]).changes
        assert first.blocked is None
        assert second.blocked == Block(Blocker.ALREADY_BOUND, "o1 already becomes assistant/a")

    def test_an_address_whose_object_is_bound_elsewhere_waits_for_that(self) -> None:
        files = [manifest("a", M), manifest("b", M, id="o1")]
        objects = [marked("o1", "a", M)]
        first = plan(files, objects)
        assert actions(first) == [("create", "a", None, True), ("move", "b", "o1", False)]
        hint = "o1 of this address is bound by another manifest: apply that first"
        assert first.changes[0].blocked == Block(Blocker.ALREADY_BOUND, hint)
        second = plan(files, applied(first, objects, ASSISTANT))
        assert actions(second) == [("create", "a", None, False), ("noop", "b", "o1", False)]

    def test_a_chain_of_moves_is_one_plan(self) -> None:
        files = [manifest("a", M, moved_from="c"), manifest("b", M, id="o1")]
        found = plan(files, [marked("o1", "a", M), marked("o2", "c", M)])
        assert actions(found) == [("move", "a", "o2", False), ("move", "b", "o1", False)]


class TestProbableRenames:
    def test_a_delete_and_a_create_of_equal_contents_are_both_blocked(self) -> None:
        found = plan([manifest("new", M)], [marked("o1", "old", M)], prune=True)
        create, delete = found.changes
        assert create.blocked == Block(
            Blocker.PROBABLE_RENAME,
            "o1 of assistant/old has the same content and no manifest: "
            "if it was renamed, add `reconciler: {moved_from: old}`",
        )
        hint = "it looks renamed to assistant/new: say so there with `moved_from`"
        assert delete.blocked == Block(Blocker.PROBABLE_RENAME, hint)

    def test_the_create_is_blocked_where_nothing_is_deleted(self) -> None:
        assert actions(plan([manifest("new", M)], [marked("o1", "old", M)])) == [("create", "new", None, True)]

    def test_a_release_waits_too(self) -> None:
        found = plan([manifest("new", M)], [marked("o1", "old", M, on_remove=OnRemove.RELEASE)])
        assert actions(found) == [("create", "new", None, True), ("release", "old", "o1", True)]

    def test_other_contents_are_no_rename(self) -> None:
        found = plan([manifest("new", {"model": "n"})], [marked("o1", "old", M)], prune=True, allow_deletes=1)
        assert actions(found) == [("create", "new", None, False), ("delete", "old", "o1", False)]

    def test_objects_with_a_manifest_or_not_ours_are_no_rename(self) -> None:
        objects = [marked("o1", "old", M), bare("o2", M), marked("o3", "x", M, owner="other")]
        found = plan([manifest("new", M), manifest("old", M)], objects)
        assert actions(found) == [("create", "new", None, False), ("noop", "old", "o1", False)]

    def test_an_object_that_another_manifest_moves_is_no_rename(self) -> None:
        files = [manifest("a", M), manifest("b", M, moved_from="old")]
        found = plan(files, [marked("o1", "old", M)])
        assert actions(found) == [("create", "a", None, False), ("move", "b", "o1", False)]

    def test_an_object_that_another_manifest_binds_is_no_rename(self) -> None:
        files = [manifest("a", M), manifest("b", M, id="o1")]
        found = plan(files, [marked("o1", "old", M)])
        assert actions(found) == [("create", "a", None, False), ("move", "b", "o1", False)]

    def test_one_name_with_other_contents_is_a_rename_too_and_another_is_allowed_by_saying_so(self) -> None:
        live = marked("o1", "old", {**M, "name": "desk"})
        wanted = manifest("new", {"model": "n", "name": "desk"})
        assert the_change(plan([wanted], [live])).blocked == Block(
            Blocker.PROBABLE_RENAME,
            "o1 of assistant/old has the same name and no manifest: "
            "if it was renamed, add `reconciler: {moved_from: old}`; "
            "if it is another, `reconciler: {same_name: allow}`",
        )
        another = manifest("new", {"model": "n", "name": "desk"}, same_name_allowed=True)
        assert the_change(plan([another], [live])).blocked is None

    def test_a_rename_without_a_name_in_common_is_not_allowed_by_the_word_for_names(self) -> None:
        wanted = manifest("new", M, same_name_allowed=True)
        assert actions(plan([wanted], [marked("o1", "old", M)])) == [("create", "new", None, True)]

    @pytest.mark.parametrize("name", [None, "", "Desk"])
    def test_no_name_and_another_name_are_nothing_in_common(self, name: str | None) -> None:
        live = marked("o1", "old", {**M, "name": name and "desk"})
        assert actions(plan([manifest("new", {"model": "n", "name": name})], [live])) == [
            ("create", "new", None, False)
        ]

    def test_where_a_kind_has_no_names_only_contents_are_alike(self) -> None:
        live = marked("o1", "old", {"title": "t", "name": "desk"}, WIDGET)
        wanted = manifest("new", {"title": "u", "name": "desk"}, WIDGET)
        assert actions(plan([wanted], [live], WIDGET)) == [("create", "new", None, False)]

    def test_an_orphan_whose_move_was_done_earlier_is_a_rename_again(self) -> None:
        files = [manifest("a", M), manifest("b", M, moved_from="old")]
        found = plan(files, [marked("o1", "old", M), marked("o2", "b", M)])
        assert actions(found) == [("create", "a", None, True), ("noop", "b", "o2", False)]


class TestTwinsAndCopies:
    TWINS = (marked("o1", "k", M), marked("o2", "k", M, nonce="n2", created=1))
    COPIES = (marked("o1", "k", M), marked("o2", "k", M, created=1, nonce="n1"))

    def test_the_younger_twin_is_deleted_even_without_prune(self) -> None:
        found = plan([manifest("k", M)], self.TWINS)
        assert actions(found) == [("noop", "k", "o1", False), ("delete", "k", "o2", False)]
        assert found.changes[1].reasons == (Reason.DUPLICATE,)
        assert found.changes[1].patch is None

    def test_twins_never_trip_the_guard(self) -> None:
        many = [marked(f"o{n}", "k", M, nonce=f"n{n}") for n in range(5)]
        assert [row[3] for row in actions(plan([manifest("k", M)], many))] == [False] * 5

    def test_a_copy_is_only_reported(self) -> None:
        found = plan([manifest("k", M)], self.COPIES, prune=True)
        assert actions(found) == [("noop", "k", "o1", False)]
        [said] = found.diagnostics
        assert (said.code, said.summary) == (Code.COPY, "o2 is a copy of o1, mark included")
        assert found.unmanaged == 1

    def test_a_copy_can_be_bound_to_an_address_of_its_own(self) -> None:
        found = plan([manifest("k", M), manifest("k2", M, id="o2")], self.COPIES)
        assert actions(found) == [("noop", "k", "o1", False), ("move", "k2", "o2", False)]

    def test_a_copy_with_a_manifest_of_its_own_gets_a_nonce_of_its_own(self) -> None:
        live = [marked("o1", "k", M, nonce="n1"), marked("o2", "k2", M, nonce="n1", created=1)]
        _, change = plan([manifest("k", M), manifest("k2", M, id="o2")], live).changes
        assert (change.action, change.id, change.reasons) == (Action.UPDATE, "o2", (Reason.MARK,))
        assert change.patch == {"metadata": {"reconciler": "1 acme k2 ~ - pCJhgb"}}

    def test_a_twin_that_another_manifest_binds_is_moved_and_not_deleted(self) -> None:
        found = plan([manifest("k", M), manifest("k2", M, id="o2")], self.TWINS)
        assert actions(found) == [("noop", "k", "o1", False), ("move", "k2", "o2", False)]

    def test_the_twin_takes_the_address_when_the_older_is_bound_elsewhere(self) -> None:
        third = marked("o3", "k", M, nonce="n3", created=2)
        found = plan([manifest("k", M), manifest("k2", M, id="o1")], [*self.TWINS, third])
        assert actions(found) == [
            ("noop", "k", "o2", False),
            ("move", "k2", "o1", False),
            ("delete", "k", "o3", False),
        ]

    @pytest.mark.parametrize("id", ["o2", "none"])
    def test_an_object_is_no_twin_because_its_manifest_asks_for_another(self, id: str) -> None:
        objects = [self.TWINS[0], bare("o2", M)]
        assert actions(plan([manifest("k", M, id=id)], objects)) == [("adopt", "k", id, True)]

    def test_binding_the_older_deletes_the_younger(self) -> None:
        found = plan([manifest("k", M, id="o1")], self.TWINS)
        assert actions(found) == [("noop", "k", "o1", False), ("delete", "k", "o2", False)]


class TestOrphans:
    ORPHAN = marked("o1", "gone", M)

    def test_without_prune_orphans_are_counted_and_stay(self) -> None:
        found = plan([], [self.ORPHAN, marked("o2", "more", M, on_remove=OnRemove.DELETE)])
        assert found.changes == ()
        [said] = found.diagnostics
        assert (said.code, said.summary) == (Code.ORPHAN, "2 assistant objects of acme have no manifest and stay")
        assert said.hint == "`prune: owned` in reconciler.yaml would delete them"

    def test_with_prune_they_are_deleted_within_the_guard(self) -> None:
        others = [marked(f"k{n}", f"k{n}", M) for n in range(4)]
        found = plan([manifest(f"k{n}", M) for n in range(4)], [self.ORPHAN, *others], prune=True)
        assert actions(found)[-1] == ("delete", "gone", "o1", False)
        assert found.changes[-1].reasons == (Reason.ORPHAN,)
        assert actions(plan([], [self.ORPHAN], prune=True)) == [("delete", "gone", "o1", True)]

    def test_release_takes_only_the_mark_away(self) -> None:
        live = marked("o1", "gone", {"metadata": {"a": "1"}}, on_remove=OnRemove.RELEASE)
        change = the_change(plan([], [live], prune=True))
        assert (change.action, change.patch) == (Action.RELEASE, {"metadata": {"a": "1"}})
        assert change.units == (("metadata", "reconciler"),)

    def test_objects_of_others_are_never_orphans(self) -> None:
        objects = [bare("o1", M), marked("o2", "x", M, owner="other"), with_mark("o3", "2 x", M)]
        objects.append(with_mark("o4", "hello", M))
        found = plan([], objects, prune=True)
        assert (found.changes, found.unmanaged) == ((), 4)
        assert {(d.code, d.summary) for d in found.diagnostics} == {
            (Code.NEWER_MARK, "o3 was written by a newer reconciler: left alone"),
            (Code.DAMAGED_MARK, "o4 has a mark that cannot be read: treated as not ours"),
        }

    def test_a_moved_object_is_no_orphan(self) -> None:
        found = plan([manifest("new", M, moved_from="gone")], [self.ORPHAN], prune=True)
        assert actions(found) == [("move", "new", "o1", False)]


class TestBase:
    def test_reasons_follow_what_was_last_applied(self) -> None:
        base = Applied(ASSISTANT, {"model": "m", "temperature": 0.2, "top_p": 0.5})
        live = marked("o1", "k", {"model": "m", "temperature": 0.2, "top_p": 0.1})
        found = plan([manifest("k", {"model": "m", "temperature": 0.7, "top_p": 0.5})], [live], base=base)
        assert the_change(found).reasons == (Reason.EDITED, Reason.DRIFTED)

    def test_a_base_never_steers_what_is_written(self) -> None:
        live, wanted = marked("o1", "k", {"temperature": 0.2}), manifest("k", {"temperature": 0.7})
        bases = [Applied(ASSISTANT, {"temperature": t}) for t in (0.2, 0.7, 0.9)]
        patches = [the_change(plan([wanted], [live], base=base)).patch for base in bases]
        assert patches == [{"temperature": 0.7}] * 3

    def test_what_is_said_of_a_unit_reaches_the_plan(self) -> None:
        live = marked("o1", "k", {"model": "m", "temperature": 0.2})
        found = plan([manifest("k", M)], [live], base=Applied(ASSISTANT, {"temperature": 0.9}))
        assert [d.code for d in found.diagnostics] == [Code.CANNOT_CLEAR]


class TestAdoptionAndReleaseByCommand:
    def adoption(self, wanted: Manifest, *objects: LiveObject) -> tuple[Action, object, object]:
        planner = KindPlanner(index(wanted_kind(wanted), objects, OWNER), {}, OWNER)
        change = planner.adoption(wanted, "o1")
        return change.action, change.patch, change.blocked and change.blocked.by

    def test_adopting_writes_the_mark_and_no_field(self) -> None:
        patch = {"metadata": {"reconciler": "1 acme k ~ - pCJhgb"}}
        assert self.adoption(manifest("k", {"model": "new"}), bare("o1", M)) == (Action.ADOPT, patch, None)

    def test_adopting_what_is_already_ours_keeps_its_nonce(self) -> None:
        assert self.adoption(manifest("k", M), marked("o1", "k", M)) == (Action.NOOP, None, None)
        patch = {"metadata": {"reconciler": "1 acme k2 n1 - pCJhgb"}}
        assert self.adoption(manifest("k2", M), marked("o1", "k", M)) == (Action.ADOPT, patch, None)

    def test_adopting_is_refused_as_an_id_in_the_manifest_would_be(self) -> None:
        assert self.adoption(manifest("k", M)) == (Action.ADOPT, None, Blocker.NO_SUCH_ID)

    def test_adopting_is_refused_where_the_map_is_full(self) -> None:
        live = bare("o1", {"labels": {f"x{n}": "y" for n in range(4)}}, WIDGET)
        action, _, by = self.adoption(manifest("w", {}, WIDGET), live)
        assert (action, by) == (Action.ADOPT, Blocker.METADATA_FULL)

    def test_releasing_takes_the_mark_off_and_nothing_where_there_is_none(self) -> None:
        planner = KindPlanner(index(ASSISTANT, [marked("o1", "k", M)], OWNER), {}, OWNER)
        [change] = planner.releases("k")
        assert (change.action, change.reasons, change.patch) == (Action.RELEASE, (Reason.RELEASED,), {"metadata": {}})
        assert planner.releases("other") == []


def wanted_kind(wanted: Manifest) -> Kind:
    return WIDGET if wanted.address.kind == "widget" else ASSISTANT
