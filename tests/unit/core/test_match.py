"""What is found by look-up is what comparing each with each would find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconciler.core.likeness import LeftBehind, Likeness

from reconciler.core import marks
from reconciler.core.base import UnknownBase, managed_units
from reconciler.core.decide import decide_update
from reconciler.core.index import Managed, index
from reconciler.core.model import Action, LiveObject, Manifest
from reconciler.core.semantics import Kind
from tests.unit.core.build import ASSISTANT, OWNER, actions, bare, manifest, marked, plan
from tests.unit.core.filed import SHELF
from tests.unit.core.worlds import KINDS, worlds

ONE = {"model": "m", "name": "one"}
TWO = {"model": "m", "name": "two"}


def one_by_one(kind: Kind, objects: Iterable[Managed], manifest: Manifest) -> tuple[Managed, Likeness] | None:
    for owned in sorted(objects, key=lambda each: each.mark.key):
        writes = decide_update(kind, manifest, owned.live.body, None, UnknownBase()).writes
        if not writes and owned.mark.units == marks.codes(managed_units(kind, manifest)):
            return owned, Likeness.CONTENT
        name = manifest.body.get(kind.name_field or "")
        if name and not manifest.same_name_allowed and owned.live.body.get(kind.name_field or "") == name:
            return owned, Likeness.NAME
    return None


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_the_same_is_found_as_by_looking_at_each(kind: str, data: st.DataObject) -> None:
    files, objects = data.draw(worlds(KINDS[kind]))
    managed = [
        marked(f"m{place}", f"k{place}", dict(each.body), KINDS[kind], managed=managed_units(KINDS[kind], each))
        for place, each in enumerate(files)
    ]
    lost = index(KINDS[kind], data.draw(st.permutations([*objects, *managed])), OWNER).ours.values()
    left = LeftBehind(KINDS[kind], lost)
    for each in files:
        for asked in (each, replace(each, same_name_allowed=not each.same_name_allowed)):
            assert left.like(asked) == one_by_one(KINDS[kind], lost, asked)


def test_the_first_by_its_key_is_told_whichever_way_it_is_alike() -> None:
    other = marked("o1", "b", {**ONE, "temperature": 0.5})
    same = marked("o2", "c", ONE, created=1)
    [row] = [row for row in plan([manifest("new", ONE)], [same, other]).changes if row.action is Action.CREATE]
    assert row.blocked is not None
    assert row.blocked.hint.startswith("o1 of assistant/b has the same name")


def test_what_is_in_a_collection_counts() -> None:
    def shelf(id: str, key: str, member: str) -> LiveObject:
        body = {"title": "t", "papers": [{"paper": member, "state": "ready"}]}
        return marked(id, key, body, SHELF, managed=[("title",), ("papers",)])

    found = index(SHELF, [shelf("o1", "a", "p1"), shelf("o2", "b", "p2")], OWNER)
    left = LeftBehind(SHELF, found.managed.values())
    asked = [manifest("new", {"title": "t", "papers": [{"paper": each}]}, SHELF) for each in ("p2", "p3")]
    assert [left.like(each) for each in asked] == [(found.managed["b"], Likeness.CONTENT), None]


def test_of_two_of_one_name_the_first_by_its_key_is_told() -> None:
    older = marked("o1", "z", {**ONE, "temperature": 0.5})
    younger = marked("o2", "a", {**ONE, "temperature": 0.6}, created=1)
    [row] = [row for row in plan([manifest("new", ONE)], [older, younger]).changes if row.action is Action.CREATE]
    assert row.blocked is not None
    assert row.blocked.hint.startswith("o2 of assistant/a has the same name")


def test_each_of_many_moved_manifests_finds_its_own() -> None:
    bodies = [{"model": "m", "name": f"n{number}"} for number in range(9)]
    objects = [marked(f"o{number}", f"old/{number}", body) for number, body in enumerate(bodies)]
    found = plan([manifest(f"new/{number}", body) for number, body in enumerate(bodies)], objects)
    hints = [change.blocked.hint for change in found.changes if change.blocked]
    assert [hint.split(" has ")[0] for hint in hints] == [f"o{n} of assistant/old/{n}" for n in range(9)]


def test_strangers_of_one_name_are_all_told() -> None:
    objects = [bare("o3", ONE), bare("o1", ONE), bare("o2", TWO), marked("o4", "a", ONE, owner="other")]
    found = plan([manifest("new", ONE)], objects)
    assert actions(found) == [("create", "new", None, True)]
    assert found.changes[0].blocked is not None
    assert found.changes[0].blocked.hint.startswith("o1, o3, o4 has the same name")


def test_a_stranger_that_a_manifest_binds_is_no_namesake_of_another() -> None:
    found = plan([manifest("bound", ONE, id="o1"), manifest("new", ONE)], [bare("o1", ONE)])
    assert actions(found) == [("adopt", "bound", "o1", False), ("create", "new", None, False)]


def test_an_empty_name_is_nothing_in_common() -> None:
    lost = marked("o1", "old", {"model": "m", "name": "", "temperature": 0.5})
    assert actions(plan([manifest("new", {"model": "m", "name": ""})], [lost])) == [("create", "new", None, False)]


def test_what_is_not_a_text_is_no_name() -> None:
    odd = bare("o1", {"model": "m", "name": ["one"]})
    assert index(ASSISTANT, [odd], OWNER).strangers_named(["one"]) == []
    assert index(ASSISTANT, [bare("o1", {"model": "m", "name": ""})], OWNER).strangers_named("") == []
