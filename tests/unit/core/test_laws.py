"""The laws that the core alone can keep, tried on generated worlds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.decide import ConflictPolicy, OnDrift, Resolve
from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import index, mark_of
from reconciler.core.rules.guard import guard, release_guard
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Action, Address, Block, Blocker, Change, Json, Removal, Unit
from reconciler.core.values.semantics import Kind, meaning_of, same, units
from reconciler.core.verify import AlreadyApplied, Ready, check
from tests.strategies import law
from tests.unit.core.build import OWNER, applied, plan
from tests.unit.core.worlds import KINDS, due, with_sensible_moves, worlds

EACH_KIND = pytest.mark.parametrize("name", KINDS)
REMEMBERING = pytest.mark.parametrize("digests", [False, True], ids=["names", "digests"])


def scoped(data: st.DataObject, digests: bool) -> dict[str, Any]:
    """A scope that prunes; where marks remember what was applied, with one of the policies people choose."""
    if not digests:
        return {"prune": True}
    policy = data.draw(st.builds(ConflictPolicy, st.sampled_from(OnDrift), st.sampled_from([None, *Resolve])))
    return {"prune": True, "digests": True, "policy": policy, "source": BaseSource()}


@EACH_KIND
@law
@given(st.data())
def test_a_plan_does_not_depend_on_the_order_of_files_or_objects(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind))
    shuffled = plan(data.draw(st.permutations(files)), data.draw(st.permutations(live)), kind, prune=True)
    assert shuffled == plan(files, live, kind, prune=True)


@EACH_KIND
@REMEMBERING
@pytest.mark.parametrize("merging", [False, True], ids=["replacing", "merging"])
@law
@given(st.data())
def test_after_one_apply_nothing_is_left_to_do(name: str, digests: bool, merging: bool, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, ids=[None], remembering=digests))
    files, scope = with_sensible_moves(files), scoped(data, digests)
    first = plan(files, live, kind, **scope)
    world = applied(first, live, kind, merging and kind.nested == "unknown")
    assert due(plan(files, world, kind, **scope)) == []


@EACH_KIND
@REMEMBERING
@law
@given(st.data())
def test_where_objects_change_hands_a_few_applies_settle_it(name: str, digests: bool, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, remembering=digests))
    scope = scoped(data, digests)
    first = found = plan(files, live, kind, **scope)
    rounds = 0
    while due(found):
        live = applied(found, live, kind)
        found = plan(files, live, kind, **scope)
        rounds += 1
        assert rounds <= (4 if any(c.blocked for c in first.changes) else 1)


@EACH_KIND
@REMEMBERING
@law
@given(st.data())
def test_every_unit_of_a_patch_differs_from_live_but_coupled_nulls(
    name: str, digests: bool, data: st.DataObject
) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, remembering=digests))
    by_id = {one.id: one for one in live}
    for change in due(plan(files, live, kind, **scoped(data, digests))):
        if change.action in (Action.CREATE, Action.DELETE):
            continue
        before, after = units(kind, by_id[str(change.id)].body), units(kind, change.patch or {})
        coupled = {n for group in kind.coupled for n in group if not group_is_still(kind, group, before, after)}
        for unit, value in after.items():
            if unit in change.units and not (unit[0] in coupled and value is None):
                assert not same(meaning_of(kind, unit), value, before.get(unit)), unit
            elif unit not in change.units:
                assert len(unit) == 2
                assert value == before[unit], "entries of others go along as they are"


def group_is_still(kind: Kind, group: tuple[str, ...], before: dict[Unit, Json], after: dict[Unit, Json]) -> bool:
    names = [(name,) for name in group if (name,) in after]
    return all(same(meaning_of(kind, unit), after[unit], before.get(unit)) for unit in names)


@EACH_KIND
@law
@given(st.data())
def test_units_never_ours_and_objects_of_others_stay_as_they_are(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind))
    after = {one.id: one for one in applied(plan(files, live, kind, prune=True), live, kind)}
    for one in live:
        mark = mark_of(kind, one)
        claimed = {unit for m in files for unit in units(kind, m.body)} | {
            unit
            for unit in [*units(kind, one.body), *((f,) for f in kind.fields)]
            if isinstance(mark, Mark) and mark.manages(unit)
        }
        mine = isinstance(mark, Mark) and mark.owner == OWNER
        if not mine and one.id not in {m.id for m in files}:
            assert after[one.id] == one
        elif one.id in after:
            now, then = units(kind, after[one.id].body), units(kind, one.body)
            assert {u: v for u, v in now.items() if u not in claimed} == {
                u: v for u, v in then.items() if u not in claimed
            }


@EACH_KIND
@law
@given(st.data())
def test_every_key_in_the_files_that_had_an_object_of_ours_keeps_one(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind))
    keys = {m.address.key for m in files}
    before, after = (index(kind, now, OWNER).managed for now in (live, applied(plan(files, live, kind), live, kind)))
    moved = {c.id for c in plan(files, live, kind).changes if c.action is Action.MOVE}
    for key in keys & before.keys():
        assert key in after or before[key].live.id in moved


@EACH_KIND
@REMEMBERING
@law
@given(st.data())
def test_a_plan_is_checked_as_ready_then_as_already_applied(name: str, digests: bool, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, ids=[None], remembering=digests))
    found = plan(files, live, kind, **scoped(data, digests))
    then = index(kind, live, OWNER)
    assert all(check(change, then) in (Ready(change.patch), Ready(None)) for change in due(found))
    now = index(kind, applied(found, live, kind), OWNER)
    assert all(isinstance(check(change, now), AlreadyApplied) for change in due(found))


@law
@given(
    st.lists(st.sampled_from(["delete", "duplicate", "replaced", "held", "noop"]), max_size=12),
    st.integers(0, 12),
    st.none() | st.integers(0, 12),
)
def test_the_guard_holds_deletes_back_unless_they_are_few_or_counted(
    made: list[str], others: int, allowed: int | None
) -> None:
    changes = [ROWS[row](place) for place, row in enumerate(made)]
    counted = [row in ("delete", "duplicate") for row in made]
    wanted = sum(counted)
    owned = wanted + others
    few = wanted <= 1 and 5 * wanted <= owned and wanted < max(owned, 1)
    free = few or wanted == allowed
    guarded = guard(changes, owned, allowed, {})
    held = [c.address.key for c in guarded if c.blocked and c.blocked.by is Blocker.GUARD]
    assert held == [] if free else held == [c.address.key for c, counts in zip(changes, counted, strict=True) if counts]
    assert release_guard(guarded, wanted) == changes
    assert release_guard(guarded, wanted + 1) == guarded


def removal(place: int, why: Removal, block: Block | None = None) -> Change:
    address = Address("assistant", f"k{place}")
    return Change(address, Action.DELETE, f"o{place}", number=place, removal=why, blocked=block)


ROWS = {
    "delete": lambda place: removal(place, Removal.ORPHAN),
    "duplicate": lambda place: removal(place, Removal.DUPLICATE),
    "replaced": lambda place: removal(place, Removal.REPLACED),
    "held": lambda place: removal(place, Removal.ORPHAN, Block(Blocker.PROTECT, "")),
    "noop": lambda place: Change(Address("assistant", f"k{place}"), Action.NOOP, f"o{place}", number=place),
}
