"""Several objects of one address: what two applies at once made too much goes, what a stranger may have made stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.matching.index import index
from reconciler.core.rules import change_rules
from reconciler.core.rules.world import World
from reconciler.core.values.model import Action, Address, Block, Blocker, Change, LiveObject, Manifest, Removal
from tests.unit.core.build import ASSISTANT, OWNER, actions, manifest, marked, plan
from tests.unit.core.linked import BOT, STORE, blocker, planned, pointing, store

M = {"model": "m"}
FILES = [manifest("k", M), *(manifest(f"x{n}", {"model": f"x{n}"}) for n in range(9))]
OTHERS = [marked(f"x{n}", f"x{n}", {"model": f"x{n}"}) for n in range(9)]


def two(first: float, second: float, **block: Any) -> list[LiveObject]:
    return [marked("o1", "k", M, created=first), marked("o2", "k", M, created=second, nonce="n2", **block), *OTHERS]


def blocked(objects: list[LiveObject], **scope: Any) -> Block | None:
    [change] = [c for c in plan(FILES, objects, **{"prune": True, **scope}).changes if c.action is Action.DELETE]
    assert (change.id, change.removal) == ("o2", Removal.DUPLICATE)
    return change.blocked


@pytest.mark.parametrize(
    ("first", "second", "held"),
    [(100, 100, False), (100, 130, False), (100, 130.5, True), (0, 0, True), (0, 20, True), (1, 1e9, True)],
    ids=["at once", "within", "after", "no times", "one time", "years"],
)
def test_a_duplicate_goes_only_where_both_were_made_within_the_hold_off(
    first: float, second: float, held: bool
) -> None:
    block = blocked(two(first, second), settle_seconds=30)
    assert (block is not None and block.by is Blocker.DUPLICATE) is held
    assert held or block is None


def test_nothing_is_pruned_where_the_settings_do_not_ask_for_it() -> None:
    assert blocked(two(5, 5), prune=False, made_here=frozenset({"n1"})) == Block(
        Blocker.PRUNE, "o2 has this address as well, and `prune: none` deletes nothing: delete one of them by hand"
    )


def test_what_this_machine_made_is_taken_back_whatever_is_pruned() -> None:
    assert blocked(two(5, 9000), prune=False, made_here=frozenset({"n1", "n2"})) is None
    assert blocked(two(5, 5), prune=False, made_here=frozenset({"n2"})) is None


def test_without_a_hold_off_only_the_same_moment_is_at_once() -> None:
    assert blocked(two(5, 5), settle_seconds=0) is None
    assert blocked(two(5, 6), settle_seconds=0) is not None


def test_the_machine_that_made_both_deletes_the_younger_at_any_time() -> None:
    assert blocked(two(1, 1e6), made_here=frozenset({"n1", "n2"})) is None
    assert blocked(two(1, 1e6), made_here=frozenset({"n1"})) is not None
    assert blocked(two(1, 1e6, protect=True), made_here=frozenset({"n1", "n2"})) is not None


def test_who_made_the_younger_one_may_have_looked_some_hold_offs_before() -> None:
    assert blocked(two(5, 305), made_here=frozenset({"n2"}), settle_seconds=30) is None
    assert blocked(two(5, 306), made_here=frozenset({"n2"}), settle_seconds=30) is not None
    assert blocked(two(5, 36), made_here=frozenset({"n1"}), settle_seconds=30) is not None


def test_an_older_object_that_a_stranger_marked_has_none_of_ours_deleted() -> None:
    assert blocked(two(1, 1e6), made_here=frozenset({"n2"})) is not None


def test_the_hint_says_how_each_of_both_is_kept() -> None:
    assert blocked(two(1, 1e6)) == Block(
        Blocker.DUPLICATE,
        "o2 has this address as well and may belong to others: both stay. Delete the wrong one by hand, or "
        "keep it unmanaged: `reconciler release assistant/k --id o2` (or `reconciler release assistant/k --id "
        "o1`, then o2 is managed)",
    )


def test_what_cannot_be_changed_cannot_be_released() -> None:
    change = Change(Address("assistant", "k"), Action.DELETE, "o2", removal=Removal.DUPLICATE)
    world = World({"assistant": index(replace(ASSISTANT, immutable=True), two(1, 1e6), OWNER)})
    hint = "o2 has this address as well and may belong to others: both stay. Delete the wrong one by hand"
    assert change_rules.refusal(change, world) == Block(Blocker.DUPLICATE, hint)


def test_protection_is_told_first() -> None:
    block = blocked(two(1, 2, protect=True))
    assert block is not None
    assert block.by is Blocker.PROTECT


def test_it_is_compared_with_the_object_that_the_address_keeps() -> None:
    files = [manifest("k2", M, id="o0"), *FILES]
    objects = [marked("o0", "k", M, created=1, nonce="n0"), *two(1000, 1010)]
    assert actions(plan(files, objects, prune=True, settle_seconds=30))[-1] == ("delete", "k", "o2", False)
    assert [c.blocked is None for c in plan(FILES, objects).changes if c.removal] == [False, False]


class TestWithoutPairs:
    """Right before a request, what a plan keeps is known, and not how it was paired."""

    CHANGE = Change(Address("assistant", "k"), Action.DELETE, "o2", removal=Removal.DUPLICATE)

    def refused(self, objects: list[LiveObject], **known: Any) -> bool:
        world = World({"assistant": index(ASSISTANT, objects, OWNER)}, settle_seconds=30, **known)
        return change_rules.refusal(self.CHANGE, world) is not None

    def test_it_is_compared_with_what_the_plan_keeps_for_the_address(self) -> None:
        objects = [marked("o0", "k", M, created=1, nonce="n0"), *two(1000, 1010)]
        assert self.refused(objects)
        assert not self.refused(objects, kept={Address("assistant", "k"): "o1"})
        assert self.refused(objects, kept={Address("assistant", "k"): "o0"})

    def test_else_with_the_oldest_that_no_other_address_keeps(self) -> None:
        objects = [marked("o0", "k", M, created=1, nonce="n0"), *two(1000, 1010)]
        assert not self.refused(objects, kept={Address("assistant", "k2"): "o0"})
        assert self.refused(objects, kept={Address("vector_store", "k2"): "o0"})

    def test_without_one_that_stays_it_stays(self) -> None:
        assert self.refused(two(5, 5)[1:])
        assert not self.refused(two(5, 5))

    def test_a_mark_that_is_gone_is_nobodys(self) -> None:
        world = World({"assistant": index(ASSISTANT, two(1, 1e6), OWNER)}, made_here=frozenset({"n1", "n2"}))
        assert change_rules.refusal(self.CHANGE, world) is None
        bare = LiveObject("assistant", "o2", {"id": "o2", **M}, 1e6)
        assert change_rules.refusal(self.CHANGE, replace(world, fresh={("assistant", "o2"): bare})) is not None


class TestWhileNobodyKnowsWhichObjectIsRight:
    """A stranger can mark an older object as ours: it gets nothing of ours, and nothing of ours begins to use it."""

    EDITED = (manifest("k", {"model": "new"}), *FILES[1:])
    STORES = (
        marked("s1", "a", {"title": "a"}, STORE, created=1),
        marked("s2", "a", {"title": "a"}, STORE, created=900),
    )

    def block(self, files: Sequence[Manifest], objects: list[LiveObject], **scope: Any) -> Blocker | None:
        found = plan(files, objects, **{"prune": True, "settle_seconds": 30, **scope})
        change = next(each for each in found.changes if each.id == "o1")
        return change.blocked and change.blocked.by

    def test_its_address_is_not_changed(self) -> None:
        assert self.block(self.EDITED, two(1, 900)) is Blocker.DUPLICATE
        assert self.block(self.EDITED, two(1, 20)) is None
        assert self.block(self.EDITED, two(1, 900), made_here=frozenset({"n1", "n2"})) is None
        assert self.block(self.EDITED, [each for each in two(1, 900) if each.id != "o2"]) is None

    def test_a_manifest_may_say_which_one_it_is(self) -> None:
        named = manifest("k", {"model": "new"}, id="o1")
        assert self.block([named, *FILES[1:]], two(1, 900)) is None

    def test_nothing_begins_to_refer_to_it(self) -> None:
        live = marked("b1", "b", {"text": "b", "store": "s2"}, BOT)
        found = planned([store("a"), pointing("b", "store/a")], self.STORES, [live], settle_seconds=30)
        assert blocker(found, "bot/b") == "duplicate"
        found = planned([store("a"), pointing("b", "store/a")], self.STORES[1:], [live], settle_seconds=30)
        assert blocker(found, "bot/b") is None
        found = planned([store("a"), pointing("new", "store/a")], self.STORES, [], settle_seconds=30)
        assert blocker(found, "bot/new") == "duplicate"

    def test_right_before_a_request_all_with_the_mark_count_but_those_of_other_addresses(self) -> None:
        change = Change(Address("assistant", "k"), Action.UPDATE, "o1", patch={"model": "new"})
        world = World({"assistant": index(ASSISTANT, two(1, 900), OWNER)}, settle_seconds=30)
        block = change_rules.refusal(change, world)
        assert block == Block(
            Blocker.DUPLICATE,
            "o1 and o2 both have the mark of assistant/k, and one of them may belong to others. Delete the "
            "wrong one by hand, or remove its mark: `reconciler release assistant/k --id ID`",
        )
        assert change_rules.refusal(change, replace(world, kept={Address("assistant", "k2"): "o2"})) is None
