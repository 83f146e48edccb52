"""Parts of a plan: each change in exactly one, what belongs together in the same, few moves when a part is added."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.plan import Plan, TargetIdentity
from reconciler.core.values.model import Action, Address, Change
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.operations.planning.shards import Shard, in_shard, shard_of

KEYS = [f"team/{number}" for number in range(40)]


def at(key: str) -> Address:
    return Address("assistant", key)


def plan_of(changes: list[Change], *said: Diagnostic) -> Plan:
    numbered = tuple(replace(change, number=number) for number, change in enumerate(changes))
    return Plan(TargetIdentity("t", "p", "u"), "acme", "sha256:0", numbered, {}, diagnostics=said)


@given(st.lists(st.sampled_from(KEYS), unique=True), st.integers(1, 9))
def test_every_change_is_in_exactly_one_part(keys: list[str], count: int) -> None:
    plan = plan_of([Change(at(key), Action.CREATE) for key in keys])
    parts = [in_shard(plan, Shard(number, count)).changes for number in range(1, count + 1)]
    assert sorted(c.address.key for part in parts for c in part) == sorted(keys)


@given(st.sampled_from(KEYS), st.integers(1, 20))
def test_with_one_part_more_an_address_stays_or_goes_to_the_new_part(key: str, count: int) -> None:
    assert shard_of(at(key), count + 1) in (shard_of(at(key), count), count + 1)


def test_parts_are_about_as_large_as_one_another() -> None:
    sizes = [0] * 4
    for number in range(4000):
        sizes[shard_of(at(str(number)), 4) - 1] += 1
    assert min(sizes) > 900


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=30), st.integers(2, 9))
def test_changes_that_need_one_another_are_in_one_part(pairs: list[tuple[str, str]], count: int) -> None:
    needs: dict[str, set[str]] = {key: set() for key in KEYS}
    for first, second in pairs:
        needs[first].add(second)
    numbers = {key: number for number, key in enumerate(KEYS)}
    plan = plan_of(
        [Change(at(key), Action.CREATE, needs=tuple(sorted(numbers[each] for each in needs[key]))) for key in KEYS]
    )
    for number in range(1, count + 1):
        inside = {change.address.key for change in in_shard(plan, Shard(number, count)).changes}
        for key in KEYS:
            if key in inside:
                assert needs[key] <= inside


def test_a_need_for_something_that_does_not_change_ties_nothing_together() -> None:
    plan = plan_of([Change(at("a"), Action.CREATE, refs=((("name",), at("settled")),))])
    assert in_shard(plan, Shard(shard_of(at("a"), 3), 3)).changes == plan.changes


def test_what_is_said_about_an_address_is_said_in_its_part_and_the_rest_everywhere() -> None:
    about = Diagnostic(Severity.WARNING, Code.KEPT, "one", address="assistant/a")
    whole = Diagnostic(Severity.INFO, Code.ORPHAN, "all")
    plan = plan_of([Change(at("a"), Action.NOOP)], about, whole)
    said = [in_shard(plan, Shard(number, 5)).diagnostics for number in range(1, 6)]
    assert sorted(map(len, said)) == [1, 1, 1, 1, 2]


def test_a_shard_is_written_as_people_type_it() -> None:
    assert str(Shard(2, 8)) == "2/8"
