"""Which manifest gets which object: every object at most once, and what was probably renamed is found."""

from __future__ import annotations

import pytest

from reconciler.core.values.model import Action, Address, Block, Blocker, Body, OnRemove
from reconciler.core.values.semantics import Kind
from tests.unit.core.build import ASSISTANT, WIDGET, actions, bare, manifest, marked, plan, the_change, with_mark
from tests.unit.core.filed import SHELF

M = {"model": "m"}
ONE = {"model": "m", "name": "one"}


def test_the_first_by_its_key_is_named_whichever_way_it_is_alike() -> None:
    other = marked("o1", "b", {**ONE, "temperature": 0.5})
    same = marked("o2", "c", ONE, created=1)
    [row] = [row for row in plan([manifest("new", ONE)], [same, other]).changes if row.action is Action.CREATE]
    assert row.blocked is not None
    assert row.blocked.hint.startswith("o1 of assistant/b has the same name")


def test_of_two_of_one_name_the_first_by_its_key_is_named() -> None:
    older = marked("o1", "z", {**ONE, "temperature": 0.5})
    younger = marked("o2", "a", {**ONE, "temperature": 0.6}, created=1)
    [row] = [row for row in plan([manifest("new", ONE)], [older, younger]).changes if row.action is Action.CREATE]
    assert row.blocked is not None
    assert row.blocked.hint.startswith("o2 of assistant/a has the same name")


def test_each_of_many_moved_manifests_finds_its_own() -> None:
    bodies = [{"model": "m", "name": f"n{number}"} for number in range(9)]
    objects = [marked(f"o{number}", f"old/{number}", body) for number, body in enumerate(bodies)]
    found = plan([manifest(f"new/{number}", body) for number, body in enumerate(bodies)], objects)
    hints = [change.blocked.hint for change in found.changes if change.blocked]
    assert [hint.split(" has ")[0] for hint in hints] == [f"o{n} of assistant/old/{n}" for n in range(9)]


def test_an_empty_name_is_nothing_in_common() -> None:
    lost = marked("o1", "old", {"model": "m", "name": "", "temperature": 0.5})
    assert actions(plan([manifest("new", {"model": "m", "name": ""})], [lost])) == [("create", "new", None, False)]


class TestProbableRenames:
    def test_a_delete_and_a_create_of_equal_contents_are_both_blocked(self) -> None:
        found = plan([manifest("new", M)], [marked("o1", "old", M)], prune=True)
        create, delete = found.changes
        assert create.blocked == Block(
            Blocker.PROBABLE_RENAME,
            "o1 of assistant/old has the same content and no manifest: if it was renamed, add `reconciler: "
            "{moved_from: old}`; if it is a different one, `reconciler: {same_name: allow}`",
        )
        hint = "it looks renamed to assistant/new: confirm it there with `moved_from`"
        assert delete.blocked == Block(Blocker.PROBABLE_RENAME, hint)

    def test_the_create_is_blocked_where_nothing_is_deleted(self) -> None:
        assert actions(plan([manifest("new", M)], [marked("o1", "old", M)])) == [("create", "new", None, True)]

    def test_a_release_waits_too(self) -> None:
        found = plan([manifest("new", M)], [marked("o1", "old", M, on_remove=OnRemove.RELEASE)])
        assert actions(found) == [("create", "new", None, True), ("release", "old", "o1", True)]
        assert [each.blocked and each.blocked.by for each in found.changes] == [Blocker.PROBABLE_RENAME] * 2

    def test_other_contents_are_no_rename(self) -> None:
        found = plan([manifest("new", {"model": "n"})], [marked("o1", "old", M)], prune=True, allow_deletes=1)
        assert actions(found) == [("create", "new", None, False), ("delete", "old", "o1", False)]

    def test_objects_with_a_manifest_or_not_ours_are_no_rename(self) -> None:
        objects = [marked("o1", "old", M), bare("o2", {"model": "n"}), marked("o3", "x", {"model": "n"}, owner="other")]
        found = plan([manifest("new", M), manifest("old", M)], objects)
        assert actions(found) == [("create", "new", None, False), ("noop", "old", "o1", False)]

    def test_objects_whose_manifest_is_of_another_target_are_no_rename(self) -> None:
        old = marked("o1", "old", M)
        found = plan([manifest("new", M)], [old], elsewhere=frozenset({Address("assistant", "old")}), prune=True)
        assert actions(found) == [("create", "new", None, False)]

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
            "o1 of assistant/old has the same name and no manifest: if it was renamed, add `reconciler: "
            "{moved_from: old}`; if it is a different one, `reconciler: {same_name: allow}`",
        )
        another = manifest("new", {"model": "n", "name": "desk"}, same_name_allowed=True)
        assert the_change(plan([another], [live])).blocked is None

    @pytest.mark.parametrize("body", [M, {"model": "n", "name": "desk"}], ids=["content", "name"])
    def test_a_manifest_that_says_it_is_another_is_no_rename(self, body: Body) -> None:
        live = marked("o1", "old", {**M, "name": "desk"} if "name" in body else M)
        found = plan([manifest("new", body, same_name_allowed=True)], [live], prune=True, allow_deletes=1)
        assert actions(found) == [("create", "new", None, False), ("delete", "old", "o1", False)]

    @pytest.mark.parametrize(("name", "held"), [(None, False), ("", False), ("Bureau", False), ("Desk", True)])
    def test_no_name_and_another_name_are_nothing_in_common(self, name: str | None, held: bool) -> None:
        live = marked("o1", "old", {**M, "name": name and "desk"})
        assert actions(plan([manifest("new", {"model": "n", "name": name})], [live])) == [("create", "new", None, held)]

    def test_where_a_kind_has_no_names_only_contents_are_alike(self) -> None:
        live = marked("o1", "old", {"title": "t", "name": "desk"}, WIDGET)
        wanted = manifest("new", {"title": "u", "name": "desk"}, WIDGET)
        assert actions(plan([wanted], [live], WIDGET)) == [("create", "new", None, False)]

    def test_an_orphan_whose_move_was_done_earlier_is_a_rename_again(self) -> None:
        files = [manifest("a", M), manifest("b", M, moved_from="old")]
        moved = with_mark("o2", "1 acme b n2 -<fUzlQh pCJhgb", M)
        found = plan(files, [marked("o1", "old", M), moved])
        assert actions(found) == [("create", "a", None, True), ("noop", "b", "o2", False)]

    def test_an_orphan_that_has_more_is_no_rename_of_a_smaller_manifest(self) -> None:
        orphan = marked("o1", "gone", {"model": "m", "instructions": "something else entirely"})
        found = plan([manifest("new", {"model": "m"})], [orphan], prune=True, allow_deletes=1)
        assert actions(found) == [("create", "new", None, False), ("delete", "gone", "o1", False)]

    @pytest.mark.parametrize(
        ("kind", "live", "wanted"),
        [
            (ASSISTANT, {**M, "metadata": {"team": "a"}}, {**M, "metadata": {"team": "b"}}),
            (SHELF, {"title": "t", "papers": {"a": {"paper": "p1"}}}, {"title": "t", "papers": {"b": {"paper": "p2"}}}),
        ],
        ids=["metadata", "members"],
    )
    def test_what_is_managed_entry_by_entry_is_no_content(self, kind: Kind, live: Body, wanted: Body) -> None:
        found = plan([manifest("new", wanted, kind)], [marked("o1", "old", live, kind)], kind)
        assert actions(found) == [("create", "new", None, True)]
