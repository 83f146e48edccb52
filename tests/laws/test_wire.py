"""The laws on the wire: against the embedded server at its most adversarial, with bodies of every shape."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.core.matching.index import index
from reconciler.core.values.model import Action, Manifest, Reason
from reconciler.core.values.semantics import is_mark, meaning_of, same, units
from reconciler.core.verify import planned_writes
from reconciler.formats.outcome import Result
from tests.world import KIND, World, accepted, due, fleets, without_nonce

law = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
seeds = st.integers(0, 2**32)


def settled(world: World, files: list[Manifest]) -> None:
    """Law 1 and law 5: nothing is left to do, and what we own is what the files say."""
    plan = world.plan(files)
    assert [(c.address, c.action, c.fields) for c in due(plan)] == []
    (seen,) = world.see()
    assert set(index(KIND, seen.objects, "acme").managed) == {manifest.address.key for manifest in files}


@law
@given(first=fleets(), second=fleets(), foreign=st.lists(accepted(), max_size=2), seed=seeds, digests=st.booleans())
def test_converges_on_any_shape_of_answer_and_leaves_others_alone(
    first: list[Manifest], second: list[Manifest], foreign: list[dict], seed: int, digests: bool
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        world = World(Path(scratch), adversary=seed, digests=digests)
        theirs = [world.by_hand(body) for body in foreign]
        before = {id: world.raw()[id] for id in theirs}
        for files in (first, second):
            plan = world.plan(files)
            assume(not any(change.blocked for change in plan.changes))
            outcomes = world.apply(plan)
            assert {outcome.result for outcome in outcomes} <= {Result.DONE}
            assert [finding for outcome in outcomes for finding in outcome.findings] == []
            settled(world, files)
        assert {id: world.raw()[id] for id in theirs} == before


@law
@given(first=fleets(), second=fleets(), seed=seeds, digests=st.booleans())
def test_what_is_sent_is_what_the_plan_shows_and_only_what_differs(
    first: list[Manifest], second: list[Manifest], seed: int, digests: bool
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        world = World(Path(scratch), adversary=seed, digests=digests)
        for files in (first, second):
            plan = world.plan(files)
            assume(not any(change.blocked for change in plan.changes))
            raw = world.raw()
            world.apply(plan)
            sent = [without_nonce(r.body) for r in world.app.requests if r.method == "POST"]
            assert sent == [without_nonce(c.patch) for c in due(plan) if c.action is not Action.DELETE]
            for change in due(plan):
                if change.action in (Action.CREATE, Action.DELETE):
                    continue
                live = units(KIND, raw[change.id or ""])
                coupled = {f.path for f in change.fields if f.reason is Reason.COUPLED}
                for unit, value in planned_writes(change, KIND).items():
                    if not is_mark(KIND, unit) and unit not in coupled:
                        after = None if value.__class__.__name__ == "Absent" else value
                        assert not same(meaning_of(KIND, unit), after, live.get(unit))


@law
@given(files=fleets(keys=("a", "b")), edits=st.lists(accepted(), min_size=1, max_size=2), seed=seeds)
def test_units_never_in_the_files_stay_as_a_hand_left_them(files: list[Manifest], edits: list[dict], seed: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        world = World(Path(scratch), adversary=seed)
        world.apply(world.plan(files))
        (seen,) = world.see()
        ours = index(KIND, seen.objects, "acme").managed
        expected = {}
        for manifest, edit in zip(files, edits, strict=False):
            id = ours[manifest.address.key].live.id
            patch = {
                name: value
                for name, value in edit.items()
                if name in ("name", "description", "instructions", "tools") and name not in manifest.body
            }
            room = len(manifest.body.get("metadata") or {}) < 15
            if room and "by-hand" not in (manifest.body.get("metadata") or {}):
                patch["metadata"] = {**world.raw()[id]["metadata"], "by-hand": "kept"}
            world.edit_by_hand(id, patch)
            expected[id] = {name: world.raw()[id][name] for name in patch if name != "metadata"}
            expected[id]["by-hand"] = world.raw()[id]["metadata"].get("by-hand")
        assert due(world.plan(files)) == []
        changed = [
            Manifest(m.address, {**m.body, "metadata": {"only": "this"}}, m.source, same_name_allowed=True)
            for m in files
        ]
        world.apply(world.plan(changed))
        settled(world, changed)
        for id, kept in expected.items():
            after = world.raw()[id]
            assert {name: after[name] for name in kept if name != "by-hand"} == {
                name: value for name, value in kept.items() if name != "by-hand"
            }
            assert after["metadata"].get("by-hand") == kept["by-hand"]


@law
@given(files=fleets(keys=("a", "b", "c")), seed=seeds, faults=st.data())
def test_one_object_for_each_address_whatever_answers_are_lost(
    files: list[Manifest], seed: int, faults: st.DataObject
) -> None:
    effects = [{"drop": "after_commit"}, {"drop": "before_commit"}, {"status": 500}, {"truncate": 9}, {"garbage": "x"}]
    rules = [
        {"on": "create", "nth": nth, **faults.draw(st.sampled_from(effects))}
        for nth in faults.draw(st.lists(st.integers(1, 6), unique=True, max_size=4))
    ]
    with tempfile.TemporaryDirectory() as scratch:
        world = World(Path(scratch), adversary=seed, chaos={"rules": rules} if rules else None)
        for _ in range(3):
            world.apply(world.plan(files))
        settled(world, files)
        keys = [body["metadata"]["reconciler"].split(" ")[2] for body in world.raw().values()]
        assert sorted(keys) == sorted(manifest.address.key for manifest in files)
