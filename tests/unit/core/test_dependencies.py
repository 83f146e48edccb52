"""What comes before what, what cannot come at all, and what is not deleted because it is still in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.plan import in_order
from reconciler.core.references import dependencies_of, depths, levels, refuse_broken, with_ids_filled_in
from reconciler.core.values import marks
from reconciler.core.values.model import Action, Address, Block, Blocker, Body, Change, LiveObject, Manifest, Path
from reconciler.core.values.semantics import Kind
from tests.strategies import law
from tests.unit.core.build import bare, marked, nonce_of, sent_to
from tests.unit.core.linked import BOT, STORE, at, blocker, bot, change_of, order, planned, pointing, store


def making(address: str, *refers_to: str, action: Action = Action.CREATE) -> Change:
    refs = tuple(((f"f{place}",), at(other)) for place, other in enumerate(refers_to))
    return Change(at(address), action, refs=refs)


def numbered(*changes: Change, needs: Mapping[str, Sequence[str]] | None = None) -> list[Change]:
    """Changes as a plan has them; `needs` has addresses of changes that come before another."""
    numbers = {str(change.address): number for number, change in enumerate(changes)}
    waits = {address: tuple(numbers[each] for each in before) for address, before in (needs or {}).items()}
    return [replace(c, number=number, needs=waits.get(str(c.address), ())) for number, c in enumerate(changes)]


class TestOrder:
    def test_what_refers_comes_after_what_it_refers_to_also_within_a_kind(self) -> None:
        files = [store("z"), pointing("a", "bot/c"), pointing("b", "store/z"), pointing("c", "bot/b"), bot("d")]
        assert order(planned(files)) == [
            "create store/z", "create bot/b", "create bot/d", "create bot/c", "create bot/a",
        ]  # fmt: skip

    def test_a_change_needs_what_it_refers_to_and_what_it_names(self) -> None:
        changes = numbered(
            making("bot/k", "store/a", "store/a", "bot/b", "bot/not-planned"),
            making("store/a"),
            making("bot/b"),
            making("bot/c", action=Action.UPDATE),
            needs={"bot/k": ["bot/c"]},
        )
        assert dependencies_of(changes) == {0: {1, 2, 3}}

    def test_a_level_is_the_longest_way_to_it(self) -> None:
        changes = numbered(
            making("bot/a", "bot/b", "bot/c"), making("bot/b", "bot/c"), making("bot/c", "bot/d"), making("bot/d")
        )
        assert levels(changes) == levels(changes[::-1]) == {0: 3, 1: 2, 2: 1}

    def test_a_row_as_long_as_an_account_has_levels(self) -> None:
        changes = numbered(*(making(f"bot/{n}", f"bot/{n + 1}") for n in range(3000)), making("bot/3000"))
        assert levels(changes)[0] == 3000
        files = [pointing(f"b{n}", f"bot/b{n + 1}") for n in range(1200)] + [bot("b1200")]
        assert order(planned(files))[:2] == ["create bot/b1200", "create bot/b1199"]

    def test_other_kinds_and_what_is_not_planned_do_not_count(self) -> None:
        assert levels(numbered(making("bot/a", "store/a", "bot/not-planned"), making("store/a"))) == {}

    def test_several_changes_of_one_address_have_levels_of_their_own(self) -> None:
        first, second = making("bot/a", action=Action.DELETE), making("bot/a", "bot/b")
        changes = numbered(first, second, making("bot/b"))
        for one in (changes, changes[::-1]):
            assert levels(one) == {1: 1}
        itself = replace(changes[0], needs=(0,))
        assert levels([itself, *changes[1:]]) == {1: 1}

    def test_a_circle_comes_to_an_end(self) -> None:
        changes = numbered(making("bot/a", "bot/b"), making("bot/b", "bot/a"), making("bot/c", "bot/a"))
        assert levels(changes).keys() <= {0, 1, 2}
        assert len(in_order(changes, ["store", "bot"])) == 3

    def test_what_is_not_among_those_that_wait_comes_before_nothing(self) -> None:
        assert depths({"a": ["b", "elsewhere"], "b": ["elsewhere"], "c": ["c"]}) == {"a": 1, "b": 0, "c": 3}

    def test_deletes_follow_their_needs_too(self) -> None:
        removals = [making(f"bot/{key}", action=Action.DELETE) for key in "abc"]
        changes = numbered(*removals, making("bot/d"), needs={"bot/a": ["bot/c"]})
        found = in_order(changes, ["store", "bot"])
        assert [str(change.address) for change in found] == ["bot/d", "bot/b", "bot/c", "bot/a"]
        assert [(change.number, change.needs) for change in found] == [(0, ()), (1, ()), (2, ()), (3, (2,))]


class TestWhatIsMissing:
    def test_what_refers_to_a_create_that_is_blocked_is_blocked_and_so_on(self) -> None:
        files = [
            store("a", id="gone"),
            pointing("c", "store/a"),
            pointing("b", "bot/c"),
            pointing("a", "bot/b"),
            bot("d"),
        ]
        found = planned(files)
        assert [blocker(found, f"bot/{key}") for key in "abcd"] == ["dependency"] * 3 + [None]
        hint = "it refers to bot/c, which does not exist and is not created by this plan"
        assert change_of(found, "bot/b").blocked == Block(Blocker.DEPENDENCY, hint)

    def test_what_is_out_of_scope_is_not_made(self) -> None:
        found = planned([store("a"), pointing("k", "store/a")], only=frozenset({at("bot/k")}))
        hint = "it refers to store/a, which does not exist and is not created by this plan"
        assert change_of(found, "bot/k").blocked == Block(Blocker.DEPENDENCY, hint)

    def test_the_first_of_its_references_that_is_missing_is_named(self) -> None:
        _, change = refuse_broken([making("store/a"), making("bot/k", "store/a", "store/b", "store/c")])
        assert change.blocked is not None
        assert change.blocked.hint.startswith("it refers to store/b,")

    def test_an_update_that_refers_to_nothing_is_blocked_alike(self) -> None:
        [change] = refuse_broken([making("bot/k", "store/a", action=Action.UPDATE)])
        assert change.blocked is not None

    @pytest.mark.parametrize("action", [Action.UPDATE, Action.DELETE, Action.NOOP])
    def test_only_a_create_makes(self, action: Action) -> None:
        _, change = refuse_broken([making("store/a", action=action), making("bot/k", "store/a")])
        assert change.blocked is not None

    def test_what_is_blocked_for_another_reason_keeps_its_reason(self) -> None:
        held = replace(making("bot/k", "store/a"), blocked=Block(Blocker.CONFLICT, "h"))
        assert refuse_broken([held]) == [held]

    def test_where_all_is_made_nothing_is_touched(self) -> None:
        changes = [making("bot/b", "bot/a"), making("bot/a", "store/a"), making("store/a")]
        assert refuse_broken(changes) == changes

    def test_what_refers_round_in_a_circle_is_made_as_far_as_this_goes(self) -> None:
        changes = [making("bot/a", "bot/b"), making("bot/b", "bot/a")]
        assert refuse_broken(changes) == changes


@st.composite
def accounts(draw: st.DrawFn) -> tuple[list[Manifest], list[LiveObject], list[LiveObject]]:
    """Files that refer to each other but never in a circle, and live objects that refer to live stores."""
    keys = sorted(draw(st.sets(st.sampled_from("abc"))))
    files = [store(key) for key in keys]
    earlier: list[str] = [f"store/{key}" for key in keys]
    for key in draw(st.permutations(list("pqrs"))):
        refs: dict[Path, str] = {}
        if draw(st.booleans()) and earlier:
            address = draw(st.sampled_from(earlier))
            refs[("store",) if address.startswith("store/") else ("next",)] = address
        files.append(bot(key, refs=refs))
        earlier.append(f"bot/{key}")
    ids = [f"s{n}" for n in range(draw(st.integers(0, 4)))]
    stores = [live(draw, STORE, id, key, {"title": key}) for id, key in zip(ids, "abcx", strict=False)]
    bots = []
    for key in draw(st.sets(st.sampled_from(["p", "q", "y", "z"]))):
        used = draw(st.sets(st.sampled_from(ids))) if ids else set()
        bots.append(live(draw, BOT, f"b{key}", key, {"text": key, "stores": sorted(used)}))
        if draw(st.booleans()) and ids:
            bots[-1].body["store"] = draw(st.sampled_from(ids))
    return files, stores, bots


def live(draw: st.DrawFn, kind: Kind, id: str, key: str, body: Body) -> LiveObject:
    return marked(id, key, body, kind) if draw(st.integers(0, 3)) else bare(id, body, kind)


def uses(objects: Iterable[LiveObject]) -> set[str]:
    """The ids that objects refer to."""
    found = {o.body[name] for o in objects for name in ("store", "next") if o.body.get(name) is not None}
    return found.union(*(o.body.get("stores") or () for o in objects))


@law
@given(accounts())
def test_at_every_step_of_an_apply_all_that_is_referred_to_is_there(
    account: tuple[list[Manifest], list[LiveObject], list[LiveObject]],
) -> None:
    files, stores, bots = account
    first = planned(files, stores, bots, prune=True)
    held = sum(change.blocked is not None and change.blocked.by is Blocker.GUARD for change in first.changes)
    found = planned(files, stores, bots, prune=True, allow_deletes=held)
    world = {o.id: o for o in (*stores, *bots)}
    ids: dict[Address, str] = {}
    for change in found.changes:
        if not change.is_due:
            continue
        if change.action is Action.DELETE:
            del world[str(change.id)]
        else:
            ready = with_ids_filled_in(change, ids)
            assert ready.refs == ()
            made = sent(ready, world)
            world[made.id] = made
            ids[change.address] = made.id
        assert uses(world.values()) <= world.keys()
    stores, bots = ([o for o in world.values() if o.kind == kind.name] for kind in (STORE, BOT))
    assert [change for change in planned(files, stores, bots, prune=True).changes if change.is_due] == []


def sent(change: Change, world: Mapping[str, LiveObject]) -> LiveObject:
    """The object after a change, on a remote that keeps what it is sent."""
    id, kind = change.id or f"new {change.address}", BOT if change.address.kind == "bot" else STORE
    body = sent_to(world[id].body if id in world else {"id": id}, change.patch or {}, kind)
    if text := (body.get("labels") or {}).get("reconciler"):
        body["labels"] = {**body["labels"], "reconciler": marks.draw(text, nonce_of(id))}
    return LiveObject(kind.name, id, body, 1)
