"""Chains of renames: a key that one object leaves and another takes. One rename goes after the other."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.core import policy
from reconciler.core.index import index
from reconciler.core.model import Block, Blocker, LiveObject, Manifest, OnRemove
from tests.unit.core.build import ASSISTANT, OWNER, actions, applied, manifest, marked, plan

WAY_OUT = "apply one rename after the other, or remove `moved_from`"


class TestTheRule:
    """A rename to a key whose own object is being renamed as well."""

    OLD = marked("o1", "old", {})
    NEW = marked("o2", "new", {})
    WANTED = manifest("new", {}, moved_from="old")

    def refused(self, *objects: LiveObject, wanted: Manifest = WANTED, keys: Sequence[str] = ()) -> Block | None:
        manifests = {key: manifest(key, {}) for key in ("new", *keys)}
        return policy.refuse_chain(wanted, index(ASSISTANT, objects, OWNER), manifests)

    def test_two_objects_cannot_have_one_key(self) -> None:
        hint = f"o1 of old cannot become new, which o2 has already: {WAY_OUT}"
        assert self.refused(self.OLD, self.NEW) == Block(Blocker.ALREADY_BOUND, hint)

    def test_it_takes_an_object_at_both_ends(self) -> None:
        assert [self.refused(*objects) for objects in ([], [self.OLD], [self.NEW])] == [None] * 3
        theirs = marked("o1", "old", {}, owner="other")
        assert self.refused(theirs, self.NEW) is None

    def test_what_is_not_renamed_or_stays_in_the_files_is_no_chain(self) -> None:
        assert self.refused(self.OLD, self.NEW, wanted=manifest("new", {})) is None
        assert self.refused(self.OLD, self.NEW, keys=["old"]) is None


class TestPlans:
    FILES = (manifest("b", {"model": "1"}, moved_from="a"), manifest("c", {"model": "2"}, moved_from="b"))
    OBJECTS = (marked("o1", "a", {"model": "1"}), marked("o2", "b", {"model": "2"}))

    @pytest.mark.parametrize(
        ("on_remove", "action"), [(None, "delete"), (OnRemove.RELEASE, "release")], ids=["pruned", "released"]
    )
    def test_a_chain_is_refused_and_its_objects_stay(self, on_remove: OnRemove | None, action: str) -> None:
        objects = [marked("o1", "a", {"model": "1"}, on_remove=on_remove), self.OBJECTS[1]]
        found = plan(self.FILES, objects, prune=True, allow_deletes=1)
        assert actions(found) == [("move", "b", None, True), ("move", "c", "o2", True), (action, "a", "o1", True)]
        taken = f"o1 of a cannot become b, which o2 has already: {WAY_OUT}"
        assert [change.blocked for change in found.changes] == [
            Block(Blocker.ALREADY_BOUND, taken),
            Block(Blocker.ALREADY_BOUND, "moved_from names b, which still has a manifest"),
            Block(Blocker.PROBABLE_RENAME, "it looks renamed to assistant/b: say so there with `moved_from`"),
        ]
        assert found.changes[0].source == self.FILES[0].source

    def test_one_rename_after_the_other_goes_through(self) -> None:
        first = [manifest("a", {"model": "1"}), self.FILES[1]]
        found = plan(first, self.OBJECTS)
        assert actions(found) == [("noop", "a", "o1", False), ("move", "c", "o2", False)]
        objects = applied(found, self.OBJECTS, ASSISTANT)
        found = plan(self.FILES, objects)
        assert actions(found) == [("move", "b", "o1", False), ("noop", "c", "o2", False)]
        objects = applied(found, objects, ASSISTANT)
        assert actions(plan(self.FILES, objects)) == [("noop", "b", "o1", False), ("noop", "c", "o2", False)]

    def test_a_rename_of_what_is_not_there_any_more_is_no_chain(self) -> None:
        assert actions(plan(self.FILES, self.OBJECTS[1:])) == [("update", "b", "o2", False), ("move", "c", "o2", True)]

    def test_a_chain_whose_middle_is_free_goes_through(self) -> None:
        assert actions(plan(self.FILES, self.OBJECTS[:1])) == [("move", "b", "o1", False), ("create", "c", None, False)]

    def test_a_rename_from_a_key_that_has_a_manifest_again_is_no_chain(self) -> None:
        files = [manifest("a", {"model": "1"}), *self.FILES]
        assert actions(plan(files, self.OBJECTS)) == [
            ("noop", "a", "o1", False),
            ("update", "b", "o2", False),
            ("move", "c", "o2", True),
        ]

    def test_a_rename_that_nobody_follows_is_passed_over_where_its_key_has_an_object(self) -> None:
        assert actions(plan(self.FILES[:1], self.OBJECTS)) == [("update", "b", "o2", False)]
