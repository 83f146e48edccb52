"""Generated worlds: some files, and objects that are more or less what the files say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

from reconciler.core.plan import Plan
from reconciler.core.values.model import ABSENT, Action, Change, LiveObject, Manifest, OnRemove
from reconciler.core.values.semantics import Kind, meaning_of, same, units
from tests.strategies import bodies
from tests.unit.core.build import ASSISTANT, SCHEMA, WIDGET, WIDGET_SCHEMA, bare, manifest, marked

KINDS = {"assistant": ASSISTANT, "widget": WIDGET}
BODIES = {"assistant": bodies(SCHEMA), "widget": bodies(WIDGET_SCHEMA)}
KEYS = st.sampled_from(["a", "b", "c", "d"])
IDS = (None, None, "o0", "o1", "none")


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
def objects(draw: st.DrawFn, kind: Kind, near: list[Manifest], remembering: bool) -> list[LiveObject]:
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
                "last": draw(st.none() | st.just(body) | BODIES[kind.name]) if remembering else None,
            }
            found.append(marked(f"o{place}", draw(KEYS), body, kind, managed=managed, created=made, **block))
    return found


@st.composite
def worlds(
    draw: st.DrawFn, kind: Kind, ids: Sequence[str | None] = IDS, remembering: bool = False
) -> tuple[list[Manifest], list[LiveObject]]:
    """Files and what is live; `remembering` puts digests into some of the marks."""
    files = draw(manifests(kind, ids))
    return files, draw(objects(kind, files, remembering))


def with_sensible_moves(files: list[Manifest]) -> list[Manifest]:
    """No two manifests that move the same object, and none that moves what another manifest holds."""
    taken = {m.address.key for m in files}
    found = []
    for m in files:
        found.append(replace(m, moved_from=None) if m.moved_from in taken else m)
        taken.add(m.moved_from or "")
    return found


def due(found: Plan) -> list[Change]:
    """The changes that an apply carries out."""
    return [c for c in found.changes if c.action is not Action.NOOP and not c.blocked]


def assert_same(kind: Kind, one: LiveObject, again: LiveObject) -> None:
    """Units are equal in meaning, but for those that nothing clears."""
    before, after = units(kind, one.body), units(kind, again.body)
    for unit in {**before, **after}:
        meaning = meaning_of(kind, unit)
        if len(unit) > 1 or unit in before or meaning.on_remove is not ABSENT:
            assert same(meaning, before.get(unit), after.get(unit)), unit
