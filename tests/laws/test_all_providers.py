"""The laws of plans, on generated worlds of every provider that is shipped: a new data file is tried at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import Observation, index, mark_text
from reconciler.core.plan import Plan, Scope, make_plan
from reconciler.core.rules.guard import release_guard
from reconciler.core.values.model import Action, Blocker, Change, Manifest, OnRemove
from reconciler.formats.parse_plan import plan_from_document
from reconciler.formats.plan_document import document_text, plan_document
from reconciler.formats.redact import redact, restore
from reconciler.operations.applying.rollback import rollback
from tests.laws.provider_worlds import World, kinds, provider_worlds
from tests.unit.core.build import OWNER, SCHEMAS, TARGET, applied_to, manifest, marked, outcomes
from tests.unit.core.worlds import assert_same

FILES = (SCHEMAS / "providers").glob("*.yaml")
SHIPPED = sorted((file.stem for file in FILES), key=lambda name: (name.startswith("local"), name))
PROVIDERS = [each for place, each in enumerate(SHIPPED) if kinds(each) not in [kinds(one) for one in SHIPPED[:place]]]
"""Those whose kinds are not the same as another's: the embedded servers' are those of their vendors."""
EACH = pytest.mark.parametrize("provider", PROVIDERS)
law = settings(deadline=None, max_examples=6, suppress_health_check=list(HealthCheck))
"""Few of each: there are many providers, and a world has many bodies."""


def plan_of(files: Sequence[Manifest], observed: Sequence[Observation], *, digests: bool = False) -> Plan:
    """The plan of a world; the guard is told the right number."""
    deletes = None
    for _ in range(2):
        scope = Scope(OWNER, prune=True, allow_deletes=deletes, digests=digests)
        found = make_plan(TARGET, scope, "sha256:0", files, observed, BaseSource())
        deletes = sum(1 for c in found.changes if c.blocked and c.blocked.by is Blocker.GUARD) or None
        if deletes is None:
            break
    return found


def due(found: Plan) -> list[Change]:
    return [change for change in found.changes if change.is_due]


def without_unchanged(found: Plan) -> Plan:
    """The plan as a document has it: what needs nothing is only counted."""
    return replace(found, changes=tuple(c for c in found.changes if c.action is not Action.NOOP))


def requested(change: Change) -> object:
    return change.address, change.action, change.id, change.patch, change.expects


def text_of(found: Plan) -> str:
    return document_text(plan_document(found))


def shuffled(data: st.DataObject, world: World) -> World:
    observed = [replace(each, objects=tuple(data.draw(st.permutations(each.objects)))) for each in world.observed]
    return World(tuple(data.draw(st.permutations(world.files))), tuple(observed))


@EACH
@law
@given(data=st.data(), digests=st.booleans())
def test_a_plan_comes_back_as_it_was_and_does_not_depend_on_any_order(
    provider: str, data: st.DataObject, digests: bool
) -> None:
    world = data.draw(provider_worlds(provider, digests=digests))
    found = plan_of(world.files, world.observed, digests=digests)
    text = text_of(found)
    assert plan_from_document(json.loads(text)) == without_unchanged(found)
    other = shuffled(data, world)
    assert text_of(plan_of(other.files, other.observed, digests=digests)) == text


def assert_unsealed(found: Plan, world: World, digests: bool = False) -> None:
    """Out of a sealed file, with the contents that the files give, come the same requests."""
    saved = plan_from_document(json.loads(text_of(redact(found, world.kinds))))
    again, lost = restore(saved, plan_of(world.files, world.observed, digests=digests), world.observed)
    assert lost == ()
    assert [requested(change) for change in due(again)] == [requested(change) for change in due(found)]


@EACH
@law
@given(data=st.data(), digests=st.booleans())
def test_the_files_give_a_sealed_plan_its_contents_back(provider: str, data: st.DataObject, digests: bool) -> None:
    world = data.draw(provider_worlds(provider, digests=digests))
    assert_unsealed(plan_of(world.files, world.observed, digests=digests), world, digests)


@pytest.mark.parametrize("provider", [each for each in PROVIDERS if len(kinds(each)) == 1])
def test_a_sealed_plan_that_takes_an_entry_or_the_mark_off_comes_back(provider: str) -> None:
    (kind,) = kinds(provider)
    live = marked(
        f"{kind.name}_0", "a", {"name": "a", kind.mark_field: {"team": "x"}}, kind, on_remove=OnRemove.RELEASE
    )
    for files in ((), (manifest("a", {"name": "a"}, kind),)):
        world = World(files, (Observation(kind, (live,), 1),))
        found = plan_of(files, world.observed)
        assert [change.action for change in due(found)] == [Action.UPDATE if files else Action.RELEASE]
        assert_unsealed(found, world)


@EACH
@law
@given(data=st.data(), digests=st.booleans(), merging=st.booleans())
def test_after_one_apply_nothing_is_left_to_do(
    provider: str, data: st.DataObject, digests: bool, merging: bool
) -> None:
    world = data.draw(provider_worlds(provider, settled=True, digests=digests))
    found = plan_of(world.files, world.observed, digests=digests)
    after = applied_to(found, world.observed, merging)
    assert due(plan_of(world.files, after, digests=digests)) == []


@EACH
@law
@given(data=st.data(), merging=st.booleans())
def test_whatever_fails_a_few_applies_settle_it(provider: str, data: st.DataObject, merging: bool) -> None:
    world = data.draw(provider_worlds(provider))
    observed: Sequence[Observation] = world.observed
    found = plan_of(world.files, observed)
    failing = data.draw(st.sets(st.sampled_from(range(len(found.changes))))) if found.changes else set()
    observed = applied_to(found, observed, merging, failing)
    for _ in range(3):
        observed = applied_to(plan_of(world.files, observed), observed, merging)
    assert [(c.address, c.action) for c in due(plan_of(world.files, observed))] == []


@EACH
@law
@given(data=st.data())
def test_after_a_rollback_all_is_as_before_or_it_says_what_is_not(provider: str, data: st.DataObject) -> None:
    world = data.draw(provider_worlds(provider))
    found = plan_of(world.files, world.observed)
    now = applied_to(found, world.observed)
    undone = taken_back(found, world.observed, now)
    then = applied_to(undone, now)
    refused = {str(c.address) for c in undone.changes if c.blocked} | {each.address for each in undone.diagnostics}
    refused_ids = {c.id for c in undone.changes if c.blocked}  # one that was moved goes back to its earlier address
    for before, old, after in zip(world.observed, now, then, strict=True):
        kind, left = before.kind, {live.id: live for live in after.objects}
        assert len(left) == len(old.objects) + sum(_more(c) for c in due(undone) if c.address.kind == kind.name)
        for live in before.objects:
            touched = [str(c.address) for c in due(found) if c.id == live.id and c.address.kind == kind.name]
            if not refused.intersection(touched) and live.id not in refused_ids:
                assert_same(kind, live, left[live.id])
                assert (mark_text(kind, left[live.id]) or None) == mark_text(kind, live)


def _more(change: Change) -> int:
    return {Action.CREATE: 1, Action.DELETE: -1}.get(change.action, 0)


def taken_back(found: Plan, before: Sequence[Observation], after: Sequence[Observation]) -> Plan:
    """The plan that takes an apply back, its deletes allowed."""
    done = []
    for one, other in zip(before, after, strict=True):
        changes = tuple(change for change in found.changes if change.address.kind == one.kind.name)
        done += outcomes(replace(found, changes=changes), one.objects, other.objects)
    indexes = {each.kind.name: index(each.kind, each.objects, OWNER) for each in before}
    undone = rollback(found, indexes, done)
    deletes = sum(change.blocked is not None and change.blocked.by is Blocker.GUARD for change in undone.changes)
    return replace(undone, changes=tuple(release_guard(undone.changes, deletes)))
