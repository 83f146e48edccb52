"""What anything live goes on using, ours or not, is not deleted; the rest is deleted after its use has ended."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan
from reconciler.core.references import refuse_used, usable
from reconciler.core.values.model import Action, Block, Blocker, Body, Change, LiveObject, Manifest, OnRemove
from tests.unit.core.build import bare, marked
from tests.unit.core.filed import PAPER, SHELF, due, entry, filed, on_paper, on_shelf, paper
from tests.unit.core.linked import BOT, STORE, at, blocker, bot, change_of, order, planned, store


def test_what_a_kind_can_use_is_told_by_its_references_however_deep() -> None:
    assert usable(BOT) == {STORE.name, BOT.name}
    assert usable(PAPER) == frozenset()
    assert usable(SHELF) == {PAPER.name}


class TestWhatIsInUse:
    S1 = marked("s1", "gone", {"title": "gone"}, STORE)

    def deleted(self, *bots: LiveObject, files: Sequence[Manifest] = (), count: int = 1) -> Plan:
        return planned(files, [self.S1], bots, prune=True, allow_deletes=count)

    @pytest.mark.parametrize(
        "body",
        [
            {"store": "s1"},
            {"stores": ["s0", "s1"]},
            {"search": {"ids": ["s1"]}},
            {"named": {"any": "s1"}},
        ],
        ids=str,
    )
    def test_what_an_object_that_is_not_ours_uses_is_not_deleted(self, body: Body) -> None:
        found = self.deleted(bare("b1", body, BOT))
        hint = "bot b1 still uses it: remove it there first"
        assert change_of(found, "store/gone").blocked == Block(Blocker.IN_USE, hint)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"store": None, "stores": None, "search": {"ids": None}},
            {"store": "s2", "stores": [1, None]},
            {"text": "s1", "unknown": ["s1"], "labels": {"s1": "s1"}},
            {"next": "s1"},
            {"search": {"s1": "s1", "more": {"ids": ["s1"]}}},
        ],
        ids=str,
    )
    def test_its_id_elsewhere_is_no_use(self, body: Body) -> None:
        change = change_of(self.deleted(bare("b1", body, BOT)), "store/gone")
        assert (change.blocked, change.needs) == (None, ())

    def test_what_one_of_ours_goes_on_using_is_not_deleted(self) -> None:
        user = marked("b1", "k", {"text": "k", "store": "s1"}, BOT, managed=[("text",)])
        for files in ([bot("k")], [bot("k", {"text": "new"})], [bot("k", protect=True)], [bot("k", id="b1")]):
            assert blocker(self.deleted(user, files=files), "store/gone") == "in-use"

    def test_what_one_that_is_adopted_or_released_uses_is_not_deleted(self) -> None:
        body = {"text": "k", "store": "s1"}
        adopted = self.deleted(bare("b1", body, BOT), files=[bot("k", id="b1")])
        assert blocker(adopted, "store/gone") == "in-use"
        let_go = self.deleted(marked("b1", "k", body, BOT, on_remove=OnRemove.RELEASE))
        assert (change_of(let_go, "bot/k").action, blocker(let_go, "store/gone")) == (Action.RELEASE, "in-use")

    @pytest.mark.parametrize(
        ("wanted", "rest"),
        [(bot("k"), {"store": "s1"}), (bot("k", {"stores": ["s2"]}), {"stores": ["s1", "s2"]})],
        ids=["given up", "edited"],
    )
    def test_it_is_deleted_after_the_change_that_ends_its_use(self, wanted: Manifest, rest: Body) -> None:
        found = self.deleted(marked("b1", "k", {"text": "k", **rest}, BOT), files=[wanted])
        change = change_of(found, "store/gone")
        assert (change.blocked, change.needs) == (None, (change_of(found, "bot/k").number,))
        assert order(found) == ["update bot/k", "delete store/gone"]

    def test_it_is_deleted_after_those_that_are_deleted_with_it(self) -> None:
        users = [marked(f"b{key}", key, {"text": key, "store": "s1"}, BOT) for key in "ba"]
        found = self.deleted(*users, count=3)
        users_gone = (change_of(found, "bot/a").number, change_of(found, "bot/b").number)
        assert change_of(found, "store/gone").needs == users_gone
        assert order(found) == ["delete bot/a", "delete bot/b", "delete store/gone"]

    def test_one_that_goes_on_holds_it_where_others_end(self) -> None:
        users = [marked("b1", "k", {"text": "k", "store": "s1"}, BOT), bare("b2", {"store": "s1"}, BOT)]
        found = self.deleted(*users, files=[bot("k")])
        hint = "bot b2 still uses it: remove it there first"
        assert change_of(found, "store/gone").blocked == Block(Blocker.IN_USE, hint)

    @pytest.mark.parametrize("listed", [(1, 2, 3), (3, 1, 2)])
    def test_the_first_of_many_users_is_named_in_whatever_order_they_are_listed(self, listed: tuple[int, ...]) -> None:
        change = change_of(self.deleted(*(bare(f"b{n}", {"store": "s1"}, BOT) for n in listed)), "store/gone")
        assert change.blocked is not None
        assert change.blocked.hint.startswith("bot b1 ")

    def test_a_use_whose_end_is_blocked_goes_on(self) -> None:
        user = marked("b1", "k", {"text": "k", "store": "s1"}, BOT, protect=True)
        assert blocker(self.deleted(user), "store/gone") == "in-use"

    def test_a_use_by_another_place_of_the_same_object_goes_on(self) -> None:
        user = marked("b1", "k", {"text": "k", "store": "s1", "stores": ["s1"]}, BOT, managed=[("text",), ("store",)])
        assert blocker(self.deleted(user, files=[bot("k")]), "store/gone") == "in-use"

    def test_an_object_that_refers_to_itself_is_deleted_without_waiting_for_itself(self) -> None:
        itself = marked("b1", "k", {"text": "k", "next": "b1"}, BOT)
        change = change_of(planned([], [], [itself], prune=True, allow_deletes=1), "bot/k")
        assert (change.blocked, change.needs) == (None, ())

    def test_within_a_kind_users_go_first(self) -> None:
        bots = [
            marked("b1", "a", {"text": "a"}, BOT),
            marked("b2", "b", {"text": "b", "next": "b1"}, BOT),
            marked("b3", "c", {"text": "c", "next": "b2"}, BOT),
        ]
        found = planned([], [], bots, prune=True, allow_deletes=3)
        assert order(found) == ["delete bot/c", "delete bot/b", "delete bot/a"]

    def test_a_duplicate_in_use_stays_too(self) -> None:
        stores = [marked(f"s{n}", "a", {"title": "a"}, STORE, created=n) for n in (1, 2)]
        found = planned([store("a")], stores, [bare("b1", {"store": "s2"}, BOT)], prune=True)
        assert [(c.action, c.blocked and c.blocked.by) for c in found.changes] == [
            (Action.NOOP, None),
            (Action.DELETE, Blocker.IN_USE),
        ]

    def test_what_is_protected_says_so_and_not_that_it_is_in_use(self) -> None:
        kept = marked("s1", "gone", {"title": "gone"}, STORE, protect=True)
        found = planned([], [kept], [bare("b1", {"store": "s1"}, BOT)], prune=True)
        assert blocker(found, "store/gone") == "protect"

    def test_what_is_in_use_does_not_count_for_the_guard(self) -> None:
        stores = [marked(f"s{n}", f"k{n}", {"title": f"k{n}"}, STORE) for n in range(10)]
        files = [store(f"k{n}") for n in range(2, 10)]
        found = planned(files, stores, [bare("b1", {"store": "s1"}, BOT)], prune=True)
        assert (blocker(found, "store/k0"), blocker(found, "store/k1")) == (None, "in-use")

    def test_what_is_used_by_something_that_cannot_be_deleted_itself_stays(self) -> None:
        used = [marked(f"s{n}", f"k{n}", {"title": f"k{n}"}, STORE) for n in range(9)]
        user = marked("b1", "gone", {"text": "gone", "store": "s0"}, BOT)
        found = planned(
            [store(f"k{n}") for n in range(1, 9)], used, [user, bare("b2", {"next": "b1"}, BOT)], prune=True
        )
        assert blocker(found, "bot/gone") == "in-use"
        assert blocker(found, "store/k0") == "in-use"

    def test_a_row_of_users_stays_to_its_end_where_the_first_one_stays(self) -> None:
        row = [marked(f"b{n}", f"k{n}", {"text": "", "next": f"b{n + 1}"}, BOT) for n in range(6)]
        found = planned([], [], [*row, bare("first", {"next": "b0"}, BOT)], prune=True, allow_deletes=6)
        assert [blocker(found, f"bot/k{n}") for n in range(6)] == ["in-use"] * 6

    def test_a_duplicate_stays_where_the_guard_holds_its_user(self) -> None:
        stores = [marked(f"s{n}", "a", {"title": "a"}, STORE, created=n) for n in (1, 2)]
        found = planned([store("a")], stores, [marked("b1", "gone", {"text": "k", "store": "s2"}, BOT)], prune=True)
        assert blocker(found, "bot/gone") == "guard"
        assert [c.is_due for c in found.changes if c.id == "s2"] == [False]

    def test_what_is_replaced_stays_where_the_guard_holds_its_user(self) -> None:
        """The guard does not count it, and looks last."""
        users = [on_shelf(f"s{n}", f"gone{n}", [entry("p1", "a")]) for n in range(2)]
        found = filed([paper("a", "new")], [on_paper("p1", "a", "old")], users, prune=True)
        assert [blocker(found, f"store/gone{n}") for n in range(2)] == ["guard", "guard"]
        assert due(found) == ["create paper/a"]

    def test_only_deletes_wait(self) -> None:
        user = marked("b1", "k", {"text": "k", "store": "s1"}, BOT)
        found = self.deleted(user, files=[bot("k"), bot("new")])
        assert [change.needs for change in found.changes if change.action is not Action.DELETE] == [(), ()]

    def test_where_nothing_is_deleted_nothing_is_touched(self) -> None:
        changes = [
            Change(at("bot/k"), Action.CREATE, needs=(7,)),
            Change(at("store/a"), Action.RELEASE, "s1"),
        ]
        assert refuse_used(changes, [Observation(BOT, (bare("b1", {"store": "s1"}, BOT),), 1)]) == changes
