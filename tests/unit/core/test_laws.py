"""The laws that the core alone can keep, tried on generated worlds."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core import marks
from reconciler.core.decide import decide_update, desired_units
from reconciler.core.model import Action, Body, Change, LiveObject, Manifest, OnRemove, Reason
from reconciler.core.marks import Mark
from reconciler.core.pairing import mark_of
from reconciler.core.semantics import Kind, is_mark, meaning_of, same, units
from tests.strategies import bodies, law
from tests.unit.core.build import ASSISTANT, SCHEMA, WIDGET, WIDGET_SCHEMA, applied, bare, manifest, marked, plan

KINDS = {"assistant": ASSISTANT, "widget": WIDGET}
EACH_KIND = pytest.mark.parametrize("name", KINDS)
BODIES = {"assistant": bodies(SCHEMA), "widget": bodies(WIDGET_SCHEMA)}
KEYS = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def manifests(draw: st.DrawFn, kind: Kind) -> list[Manifest]:
    found = []
    for key in sorted(draw(st.sets(KEYS, max_size=3))):
        body = draw(BODIES[kind.name])
        block = {
            "protect": draw(st.booleans()),
            "on_remove": draw(st.sampled_from([None, *OnRemove])),
            "ignore": draw(st.sets(st.sampled_from(sorted(kind.fields)), max_size=1)),
            "initial": draw(st.sets(st.sampled_from(sorted(kind.fields)), max_size=1)),
            "moved_from": draw(st.none() | KEYS),
            "id": draw(st.none() | st.none() | st.sampled_from(["o0", "o1", "none"])),
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


def without_doubled_orphans(live: list[LiveObject], files: list[Manifest], kind: Kind) -> list[LiveObject]:
    """Twins and copies only of what has a manifest: those of an orphan take one apply after the other."""
    keys = {m.address.key for m in files}
    found: dict[str, LiveObject] = {}
    for one in live:
        mark = mark_of(kind, one)
        key = mark.key if isinstance(mark, Mark) and mark.key not in keys else one.id
        found.setdefault(key, one)
    return list(found.values())


@st.composite
def worlds(draw: st.DrawFn, kind: Kind) -> tuple[list[Manifest], list[LiveObject]]:
    files = draw(manifests(kind))
    return files, draw(objects(kind, files))


def due(kind: Kind, files: list[Manifest], live: list[LiveObject], **scope: object) -> list[Change]:
    found = plan(files, live, kind, **scope)
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
def test_after_apply_nothing_is_left_to_do(name: str, merging: bool, data: st.DataObject) -> None:
    kind = KINDS[name]
    merging = merging and kind.nested == "unknown"
    files, live = data.draw(worlds(kind))
    live = without_doubled_orphans(live, files, kind)
    first = plan(files, live, kind, prune=True)
    assert due(kind, files, applied(first, live, kind, merging), prune=True) == []
