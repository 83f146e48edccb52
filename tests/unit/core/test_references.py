"""References: ids that are known are filled in, the others are said in the change and filled in by apply."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import index
from reconciler.core.matching.match import match
from reconciler.core.references import has_place, placeholder, resolved, with_ids_filled_in
from reconciler.core.values.model import Action, Address, Blocker, Body, Change, LiveObject, Manifest, Path, Reason
from tests.unit.core.build import OWNER, applied, bare, marked
from tests.unit.core.linked import BOT, STORE, at, blocker, bot, change_of, planned, pointing, store

PLACES: list[Path] = [("store",), ("stores", 0), ("search", "ids", 0), ("named", "main"), ("labels", "team")]
UNKNOWN = "(known after apply: store/a)"


def live_store(id: str = "s1", key: str = "a", **more: object) -> LiveObject:
    return marked(id, key, {"title": key}, STORE, **more)  # type: ignore[arg-type]


def value_at(body: Body | None, path: Path) -> object:
    found: object = body
    for step in path:
        found = found[step]  # type: ignore[index]
    return found


class TestFillingIn:
    A, B = at("store/a"), at("store/b")
    WANTED = bot("k", {"text": "t"}, {("stores", 0): "store/a", ("stores", 1): "store/b", ("store",): "store/a"})

    def test_what_stands_for_an_id_says_whose_it_is(self) -> None:
        assert placeholder(self.A) == UNKNOWN

    def test_a_manifest_gets_the_ids_that_are_known_and_still_refers_to_the_others(self) -> None:
        found = resolved(self.WANTED, {self.A: "s1"})
        assert found.body == {"text": "t", "stores": ["s1", placeholder(self.B)], "store": "s1"}
        assert found.refs == {("stores", 1): self.B}

    def test_a_manifest_stays_as_it_was_written(self) -> None:
        before = copy.deepcopy(self.WANTED.body)
        resolved(self.WANTED, {self.A: "s1", self.B: "s2"})
        assert self.WANTED.body == before

    def test_a_manifest_that_refers_to_nothing_is_itself(self) -> None:
        plain = bot("k")
        assert resolved(plain, {self.A: "s1"}) is plain

    def test_a_change_gets_the_ids_that_are_known_in_its_patch(self) -> None:
        patch = {"stores": [UNKNOWN, placeholder(self.B)], "text": UNKNOWN}
        change = Change(
            at("bot/k"), Action.UPDATE, "b1", patch=patch, refs=((("stores", 0), self.A), (("stores", 1), self.B))
        )
        found = with_ids_filled_in(change, {self.B: "s2"})
        assert found.patch == {"stores": [UNKNOWN, "s2"], "text": UNKNOWN}
        assert found.refs == ((("stores", 0), self.A),)
        assert with_ids_filled_in(found, {self.A: "s1"}).patch == {"stores": ["s1", "s2"], "text": UNKNOWN}
        assert change.patch == {"stores": [UNKNOWN, placeholder(self.B)], "text": UNKNOWN}

    def test_a_change_that_refers_to_nothing_is_itself(self) -> None:
        change = Change(at("bot/k"), Action.DELETE, "b1")
        assert with_ids_filled_in(change, {self.A: "s1"}) is change


@pytest.mark.parametrize(
    ("path", "there"),
    [
        (("a",), True),
        (("a", 1), True),
        (("a", 1, "b"), True),
        (("n",), True),
        ((), False),
        (("b",), False),
        (("a", 2), False),
        (("a", -1), False),
        (("a", "1"), False),
        (("n", 0), False),
        (("a", 0, 0), False),
    ],
    ids=str,
)
def test_a_place_is_where_maps_and_lists_lead_to(path: Path, there: bool) -> None:
    assert has_place({"a": ["x", {"b": None}], "n": None}, path) is there


class TestWhatIsThere:
    """The id of an object that exists is in the patch at once."""

    @pytest.mark.parametrize("path", PLACES, ids=str)
    def test_its_id_stands_wherever_it_is_referred_to(self, path: Path) -> None:
        found = planned([store("a"), bot("k", refs={path: "store/a"})], [live_store()])
        change = change_of(found, "bot/k")
        assert (value_at(change.patch, path), change.refs, change.blocked) == ("s1", (), None)

    @pytest.mark.parametrize(
        ("wanted", "live"),
        [
            (store("a"), live_store()),
            (store("a", id="s1"), bare("s1", {"title": "a"}, STORE)),
            (store("a", id="s1"), live_store(key="other")),
            (store("a", moved_from="old"), live_store(key="old")),
        ],
        ids=["by its key", "bound by id", "bound by id from another key", "by the key it had"],
    )
    def test_it_is_found_as_its_manifest_finds_it(self, wanted: Manifest, live: LiveObject) -> None:
        change = change_of(planned([wanted, pointing("k", "store/a")], [live]), "bot/k")
        assert change.patch is not None
        assert (change.patch["store"], change.refs) == ("s1", ())

    def test_one_whose_move_is_refused_has_none_until_then(self) -> None:
        stores = [live_store("s1", "old"), live_store("s2", "a")]
        found = planned([store("a", moved_from="old"), pointing("k", "store/a")], stores)
        assert blocker(found, "store/a") == Blocker.ALREADY_BOUND
        assert blocker(found, "bot/k") == Blocker.DEPENDENCY

    def test_what_uses_one_whose_move_another_target_refuses_waits_as_well(self) -> None:
        files = [store("a", moved_from="old"), pointing("k", "store/a")]
        user = marked("b1", "k", {"text": "k", "store": "s1"}, BOT)
        found = planned(files, [live_store("s1", "old")], [user], elsewhere=frozenset({at("store/old")}))
        assert (blocker(found, "store/a"), blocker(found, "bot/k")) == (Blocker.ALREADY_BOUND, Blocker.DEPENDENCY)

    def test_once_it_has_moved_what_is_at_its_former_key_is_no_matter(self) -> None:
        files = [store("a", moved_from="old"), pointing("k", "store/a")]
        [moved] = applied(planned(files[:1], [live_store("s2", "old")]), [live_store("s2", "old")], STORE)
        change = change_of(planned(files, [live_store("s1", "old"), moved]), "bot/k")
        assert change.patch is not None
        assert change.patch["store"] == "s2"

    def test_where_keys_are_swapped_ids_go_with_the_objects(self) -> None:
        files = [store("a", moved_from="b"), store("b", moved_from="a"), pointing("k", "store/a")]
        found = planned(files, [live_store("s1", "a"), live_store("s2", "b")])
        assert (change_of(found, "bot/k").patch or {})["store"] == "s2"

    def test_one_of_another_owner_and_one_of_the_same_name_are_not_it(self) -> None:
        theirs, plain = live_store("s1", key="x", owner="other"), bare("s2", {"title": "a"}, STORE)
        wanted = store("a", same_name_allowed=True)
        assert change_of(planned([wanted, pointing("k", "store/a")], [theirs, plain]), "bot/k").refs == (
            (("store",), at("store/a")),
        )

    def test_an_id_that_is_not_there_is_no_id_even_where_the_key_has_an_object(self) -> None:
        found = planned([store("a", id="gone"), pointing("k", "store/a")], [live_store()])
        assert blocker(found, "store/a") == Blocker.NO_SUCH_ID
        assert blocker(found, "bot/k") == Blocker.DEPENDENCY
        assert change_of(found, "bot/k").refs == ((("store",), at("store/a")),)

    def test_keys_of_one_kind_are_not_those_of_another(self) -> None:
        found = planned([store("a"), bot("a"), pointing("k", "store/a")], [], [marked("b1", "a", {"text": "a"}, BOT)])
        assert change_of(found, "bot/k").refs == ((("store",), at("store/a")),)

    @pytest.mark.parametrize(
        "files",
        [
            [store("a", moved_from="old"), store("old")],
            [store("a", moved_from="old"), store("0", moved_from="old")],
        ],
        ids=["the key it had has a manifest", "another gets it"],
    )
    def test_the_id_of_an_object_that_stays_another_s_is_not_filled_in(self, files: list[Manifest]) -> None:
        found = planned([*files, pointing("k", "store/a")], [live_store("s1", "old")])
        assert blocker(found, "store/a") == Blocker.ALREADY_BOUND
        assert blocker(found, "bot/k") == Blocker.DEPENDENCY

    def test_the_id_of_an_object_that_another_manifest_binds_is_not_filled_in(self) -> None:
        files = [store("a"), store("b", id="s1"), pointing("k", "store/a")]
        assert blocker(planned(files, [live_store()]), "bot/k") == Blocker.DEPENDENCY
        twins = planned(files, [live_store(), live_store("s2", created=1)])
        assert (change_of(twins, "bot/k").patch or {})["store"] == "s2"

    def test_what_already_holds_the_id_needs_nothing(self) -> None:
        bots = [marked("b1", "k", {"text": "k", "store": "s1"}, BOT)]
        assert (
            change_of(planned([store("a"), pointing("k", "store/a")], [live_store()], bots), "bot/k").action
            is Action.NOOP
        )

    def test_a_reference_out_of_scope_is_filled_in_where_it_exists(self) -> None:
        found = planned([store("a"), pointing("k", "store/a")], [live_store()], only=frozenset({at("bot/k")}))
        [change] = found.changes
        assert (change.refs, change.blocked) == ((), None)

    def test_a_reference_that_was_moved_by_hand_is_drift_and_no_conflict(self) -> None:
        files = [store("a"), pointing("k", "store/a")]
        bots = [marked("b1", "k", {"text": "k", "store": "by hand"}, BOT)]
        found = planned(files, [live_store()], bots, BaseSource({each.address: each for each in files}))
        assert change_of(found, "bot/k").reasons == (Reason.DRIFTED,)

    def test_a_reference_that_only_the_earlier_files_have_is_what_was_applied(self) -> None:
        earlier = [store("a"), pointing("k", "store/a")]
        bots = [marked("b1", "k", {"text": "k", "store": "s1"}, BOT)]
        base = BaseSource({each.address: each for each in earlier})
        found = planned([store("a"), bot("k", {"text": "k", "store": "written out"})], [live_store()], bots, base)
        assert change_of(found, "bot/k").reasons == (Reason.EDITED,)


class TestWhatIsNotThereYet:
    """The patch says that an id is missing, and the change says where."""

    @pytest.mark.parametrize("path", PLACES, ids=str)
    def test_a_create_says_every_place_of_it(self, path: Path) -> None:
        change = change_of(planned([store("a"), bot("k", refs={path: "store/a"})]), "bot/k")
        assert change.refs == ((path, at("store/a")),)
        assert value_at(change.patch, path) == UNKNOWN
        assert value_at(with_ids_filled_in(change, {at("store/a"): "s1"}).patch, path) == "s1"

    def test_an_update_says_only_the_places_it_writes(self) -> None:
        wanted = bot("k", {"text": "new"}, {("store",): "store/a"}, ignore=["store"])
        bots = [marked("b1", "k", {"text": "old"}, BOT)]
        change = change_of(planned([store("a"), wanted], [], bots), "bot/k")
        assert (change.units, change.refs) == ((("text",),), ())

    def test_of_a_map_only_the_entries_it_writes_are_said(self) -> None:
        refs: dict[Path, str] = {("labels", "theirs"): "store/a", ("labels", "ours"): "store/a"}
        change = change_of(planned([store("a"), bot("k", refs=refs, ignore=["labels.theirs"])]), "bot/k")
        assert change.refs == ((("labels", "ours"), at("store/a")),)

    def test_places_are_in_one_order(self) -> None:
        refs: dict[Path, str] = {("store",): "store/b", ("stores", 0): "store/a", ("stores", 1): "store/b"}
        wanted = bot("k", refs=refs)
        for one in (wanted, replace(wanted, refs=dict(sorted(wanted.refs.items(), key=repr, reverse=True)))):
            change = change_of(planned([store("a"), store("b"), one]), "bot/k")
            assert [path for path, _ in change.refs] == [("store",), ("stores", 0), ("stores", 1)]

    def test_known_and_unknown_ids_stand_side_by_side(self) -> None:
        refs: dict[Path, str] = {("stores", 0): "store/a", ("stores", 1): "store/b"}
        change = change_of(planned([store("a"), store("b"), bot("k", refs=refs)], [live_store()]), "bot/k")
        assert change.patch is not None
        assert change.patch["stores"] == ["s1", "(known after apply: store/b)"]
        assert change.refs == ((("stores", 1), Address("store", "b")),)


def test_a_manifest_that_names_an_object_by_id_gets_no_other() -> None:
    found = index(STORE, [live_store("s1", "a")], OWNER)
    assert match(found, {"a": store("a", id="nowhere")}).ids == {}
