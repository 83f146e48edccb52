"""The laws that the core alone can keep, tried on generated worlds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core import policy
from reconciler.core.marks import Mark
from reconciler.core.model import (
    Action,
    Address,
    Block,
    Blocker,
    Change,
    Json,
    LiveObject,
    Manifest,
    OnRemove,
    Plan,
    Reason,
    Unit,
)
from reconciler.core.pairing import index, mark_of
from reconciler.core.precondition import AlreadyApplied, Ready, check
from reconciler.core.semantics import Kind, meaning_of, same, units
from tests.strategies import bodies, law
from tests.unit.core.build import ASSISTANT, OWNER, SCHEMA, WIDGET, WIDGET_SCHEMA, applied, bare, manifest, marked, plan

KINDS = {"assistant": ASSISTANT, "widget": WIDGET}
EACH_KIND = pytest.mark.parametrize("name", KINDS)
BODIES = {"assistant": bodies(SCHEMA), "widget": bodies(WIDGET_SCHEMA)}
KEYS = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def manifests(draw: st.DrawFn, kind: Kind, ids: Sequence[str | None]) -> list[Manifest]:
    found = []
    for key in sorted(draw(st.sets(KEYS, max_size=3))):
        body = draw(BODIES[kind.name])
        block = {
            "protect": draw(st.booleans()),
            "on_remove": draw(st.sampled_from([None, *OnRemove])),
            "ignore": draw(st.sets(st.sampled_from(sorted(kind.fields)), max_size=1)),
            "initial": draw(st.sets(st.sampled_from(sorted(kind.fields)), max_size=1)),
            "moved_from": draw(st.none() | KEYS),
            "id": draw(st.sampled_from(ids)),
            "same_name_allowed": draw(st.booleans()),
        }
        found.append(manifest(key, body, kind, **block))
    return found


@st.composite
def objects(draw: st.DrawFn, kind: Kind, near: list[Manifest]) -> list[LiveObject]:
    found = []
    for place in range(draw(st.integers(0, 4))):
        body = draw(BODIES[kind.name] | st.sampled_from([m.body for m in near])) if near else draw(BODIES[kind.name])
        managed = [unit for unit in units(kind, body) if draw(st.booleans())]
        made = draw(st.integers(0, 2))
        if draw(st.integers(0, 3)) == 0:
            found.append(bare(f"o{place}", body, kind, made))
        else:
            block = {
                "protect": draw(st.booleans()),
                "on_remove": draw(st.sampled_from([None, *OnRemove])),
                "owner": draw(st.sampled_from(["acme", "acme", "acme", "other"])),
                "nonce": draw(st.sampled_from(["n1", "n2"])),
            }
            found.append(marked(f"o{place}", draw(KEYS), body, kind, managed=managed, created=made, **block))
    return found


@st.composite
def worlds(
    draw: st.DrawFn, kind: Kind, ids: Sequence[str | None] = (None, None, "o0", "o1", "none")
) -> tuple[list[Manifest], list[LiveObject]]:
    files = draw(manifests(kind, ids))
    return files, draw(objects(kind, files))


def with_sensible_moves(files: list[Manifest]) -> list[Manifest]:
    """No two manifests that move the same object, and none that moves what another manifest holds."""
    taken = {m.address.key for m in files}
    found = []
    for m in files:
        found.append(replace(m, moved_from=None) if m.moved_from in taken else m)
        taken.add(m.moved_from or "")
    return found


def due(found: Plan) -> list[Change]:
    return [c for c in found.changes if c.action is not Action.NOOP and not c.blocked]


@EACH_KIND
@law
@given(st.data())
def test_a_plan_does_not_depend_on_the_order_of_files_or_objects(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind))
    shuffled = plan(data.draw(st.permutations(files)), data.draw(st.permutations(live)), kind, prune=True)
    assert shuffled == plan(files, live, kind, prune=True)


@EACH_KIND
@pytest.mark.parametrize("merging", [False, True], ids=["replacing", "merging"])
@law
@given(st.data())
def test_after_one_apply_nothing_is_left_to_do(name: str, merging: bool, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, ids=[None]))
    files = with_sensible_moves(files)
    first = plan(files, live, kind, prune=True)
    world = applied(first, live, kind, merging and kind.nested == "unknown")
    assert due(plan(files, world, kind, prune=True)) == []


@EACH_KIND
@law
@given(st.data())
def test_where_objects_change_hands_a_few_applies_settle_it(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind))
    first = found = plan(files, live, kind, prune=True)
    rounds = 0
    while due(found):
        live = applied(found, live, kind)
        found = plan(files, live, kind, prune=True)
        rounds += 1
        assert rounds <= (4 if any(c.blocked for c in first.changes) else 1)


@EACH_KIND
@law
@given(st.data())
def test_every_unit_of_a_patch_differs_from_live_but_coupled_nulls(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind))
    by_id = {one.id: one for one in live}
    for change in due(plan(files, live, kind)):
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
    before, after = (index(kind, now, OWNER).ours for now in (live, applied(plan(files, live, kind), live, kind)))
    moved = {c.id for c in plan(files, live, kind).changes if c.action is Action.MOVE}
    for key in keys & before.keys():
        assert key in after or before[key].live.id in moved


@EACH_KIND
@law
@given(st.data())
def test_a_plan_is_checked_as_ready_then_as_already_applied(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files, live = data.draw(worlds(kind, ids=[None]))
    found = plan(files, live, kind)
    then = index(kind, live, OWNER)
    assert all(check(change, then) in (Ready(change.patch), Ready(None)) for change in due(found))
    now = index(kind, applied(found, live, kind), OWNER)
    assert all(isinstance(check(change, now), AlreadyApplied) for change in due(found))


@law
@given(
    st.lists(st.sampled_from(["delete", "twin", "held", "noop"]), max_size=12),
    st.integers(0, 12),
    st.none() | st.integers(0, 12),
)
def test_the_guard_holds_deletes_back_unless_they_are_few_or_counted(
    made: list[str], others: int, allowed: int | None
) -> None:
    changes = [ROWS[row](place) for place, row in enumerate(made)]
    wanted = made.count("delete")
    owned = wanted + others
    few = wanted <= 1 and 5 * wanted <= owned and wanted < max(owned, 1)
    free = few or wanted == allowed
    guarded = policy.guard(changes, owned, allowed)
    held = [c.address.key for c in guarded if c.blocked and c.blocked.by is Blocker.GUARD]
    assert (
        held == [] if free else held == [c.address.key for c, row in zip(changes, made, strict=True) if row == "delete"]
    )
    assert policy.lift_guard(guarded, wanted) == changes
    assert policy.lift_guard(guarded, wanted + 1) == guarded


def removal(place: int, *reasons: Reason, blocked: Block | None = None, action: Action = Action.DELETE) -> Change:
    return Change(Address("assistant", f"k{place}"), action, f"o{place}", reasons, blocked=blocked)


ROWS = {
    "delete": lambda place: removal(place, Reason.ORPHAN),
    "twin": lambda place: removal(place, Reason.TWIN),
    "held": lambda place: removal(place, Reason.ORPHAN, blocked=Block(Blocker.PROTECT, "")),
    "noop": lambda place: removal(place, action=Action.NOOP),
}
