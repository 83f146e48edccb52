"""Files compared with files: as an apply of the earlier ones would leave things, and nothing only a remote knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.last_applied import BaseSource
from reconciler.core.plan import Plan, Scope
from reconciler.core.values.model import Action, Address, Blocker, Change, Manifest, Reason
from reconciler.core.values.semantics import Kind
from reconciler.formats.plan_document import plan_document
from reconciler.operations.planning.compare_files import compare
from tests.strategies import law
from tests.unit.core.build import ASSISTANT, OWNER, TARGET, WIDGET, actions, applied, manifest, plan, the_change
from tests.unit.core.worlds import KINDS, manifests, with_sensible_moves

EACH_KIND = pytest.mark.parametrize("name", KINDS)
IDS = (None, None, "o1", "o2")
M = {"model": "m"}


def compared(
    earlier: Sequence[Manifest], wanted: Sequence[Manifest], kinds: Sequence[Kind] = (ASSISTANT,), **scope: Any
) -> Plan:
    return compare(TARGET, Scope(OWNER, **scope), "sha256:1", earlier, wanted, kinds, "git:main")


def test_a_changed_value_is_the_files_edit() -> None:
    change = the_change(compared([manifest("k", {**M, "name": "a"})], [manifest("k", {**M, "name": "b"})]))
    assert (change.action, change.reasons) == (Action.UPDATE, (Reason.EDITED,))
    assert [(field.path, field.before, field.after) for field in change.fields] == [(("name",), "a", "b")]


def test_a_unit_that_left_is_cleared_and_one_set_once_is_left() -> None:
    earlier = [manifest("k", {**M, "name": "a", "description": "d"}, initial=["description"])]
    change = the_change(compared(earlier, [manifest("k", M)]))
    assert change.reasons == (Reason.REMOVED,)
    assert change.units == (("metadata", "reconciler"), ("name",))


def test_an_immutable_field_is_refused_as_it_would_be_on_a_target() -> None:
    change = the_change(compared([manifest("w", {"size": 1}, WIDGET)], [manifest("w", {"size": 2}, WIDGET)], [WIDGET]))
    assert change.blocked is not None
    assert change.blocked.by is Blocker.IMMUTABLE


def test_a_rename_is_a_move_where_it_is_said_and_else_held() -> None:
    earlier = [manifest("old", M)]
    assert actions(compared(earlier, [manifest("new", M, moved_from="old")])) == [("move", "new", None, False)]
    change = the_change(compared(earlier, [manifest("new", M)]))
    assert change.blocked is not None
    assert change.blocked.by is Blocker.PROBABLE_RENAME


def test_kinds_are_told_apart_and_in_order() -> None:
    files = [manifest("k", M), manifest("k", {"title": "t"}, WIDGET)]
    found = compared([], files, [WIDGET, ASSISTANT])
    assert [str(change.address) for change in found.changes] == ["widget/k", "assistant/k"]
    assert [c.action for c in compared(files, files, [WIDGET, ASSISTANT]).changes] == [Action.NOOP] * 2


def test_what_leaves_the_files_is_deleted_where_prune_says_so() -> None:
    earlier = [manifest(f"k{n}", {"model": f"m{n}"}) for n in range(6)]
    found = compared(earlier, earlier[1:], prune=True)
    assert actions(found)[-1] == ("delete", "k0", None, False)
    assert found.changes[-1].address == Address("assistant", "k0")
    assert [c.action for c in compared(earlier, earlier[1:]).changes] == [Action.NOOP] * 5


def test_an_id_makes_a_new_manifest_an_adoption_and_an_old_one_no_change() -> None:
    adopted = the_change(compared([], [manifest("k", M, id="o1")]))
    assert (adopted.action, adopted.id, adopted.reasons) == (Action.ADOPT, "o1", (Reason.BOUND,))
    kept = the_change(compared([manifest("k", M)], [manifest("k", M, id="o1")]))
    assert (kept.action, kept.id) == (Action.NOOP, "o1")


def test_files_are_no_different_from_themselves_where_marks_keep_digests() -> None:
    assert actions(compared([manifest("k", M)], [manifest("k", M)], digests=True)) == [("noop", "k", None, False)]


def test_a_manifest_that_binds_an_id_and_gets_another_key_is_a_move() -> None:
    found = compared([manifest("old", M, id="o1")], [manifest("new", M, id="o1")])
    assert actions(found) == [("move", "new", "o1", False)]


@EACH_KIND
@law
@given(st.data())
def test_files_are_no_different_from_themselves(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files = data.draw(manifests(kind, IDS))
    found = compared(data.draw(st.permutations(files)), files, [kind], prune=True)
    assert [change.action for change in found.changes] == [Action.NOOP] * len(files)
    assert found.diagnostics == ()


@EACH_KIND
@law
@given(st.data())
def test_against_nothing_everything_is_new(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    files = data.draw(manifests(kind, IDS))
    found = compared([], files, [kind])
    ids = {each.address: each.id for each in files}
    assert [(c.action, c.id) for c in found.changes] == [
        (Action.ADOPT if ids[c.address] else Action.CREATE, ids[c.address]) for c in found.changes
    ]
    assert {c.address for c in found.changes} == set(ids)
    assert not any(c.blocked for c in found.changes)


@EACH_KIND
@law
@given(st.data())
def test_nothing_is_told_that_only_a_remote_knows(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    earlier, files = data.draw(manifests(kind, IDS)), data.draw(manifests(kind, IDS))
    found = compared(earlier, files, [kind], prune=True, allow_deletes=data.draw(st.integers(0, 3)))
    named = {each.address: each.id for each in (*earlier, *files)}
    for change in found.changes:
        assert (change.patch, change.expects) == (None, {})
        assert change.id == named[change.address]
    assert (found.read, found.unmanaged, found.against) == ({}, 0, "git:main")
    assert plan_document(found)["applyable"] is False


@EACH_KIND
@law
@given(st.data())
def test_it_is_the_plan_for_a_target_to_which_the_earlier_files_were_applied(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    earlier = [replace(each, ignore=frozenset()) for each in data.draw(manifests(kind, [None]))]
    files = with_sensible_moves(data.draw(manifests(kind, [None])))
    live = applied(plan(earlier, [], kind), [], kind)
    base = BaseSource({each.address: each for each in earlier})
    found = plan(files, live, kind, prune=True, source=base)
    assert [told(c) for c in compared(earlier, files, [kind], prune=True).changes] == [told(c) for c in found.changes]


def told(change: Change) -> tuple[object, ...]:
    """What a change says of files alone."""
    by = change.blocked and change.blocked.by
    return (change.address, change.action, change.reasons, change.source, change.fields, change.units, by)
