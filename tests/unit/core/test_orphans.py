"""Clones, duplicates, near-renames and newer marks: what must not be deleted, doubled or taken for something else."""

from __future__ import annotations

import pytest

from reconciler.core.decide import decide_update
from reconciler.core.matching.index import mark_text
from reconciler.core.values.marks import read
from reconciler.core.values.model import Blocker, OnRemove, Reason
from tests.unit.core.build import (
    ASSISTANT,
    OWNER,
    actions,
    bare,
    manifest,
    marked,
    plan,
    remembered,
    the_change,
    with_mark,
)

MANY = [marked(f"x{n}", f"x{n}", {"model": f"x{n}"}) for n in range(20)]
FILES = [manifest(f"x{n}", {"model": f"x{n}"}) for n in range(20)]


def test_a_duplicate_with_a_clone_stays_because_the_clone_would_go_next() -> None:
    objects = [
        marked("o1", "k", {}, nonce="a", created=1),
        marked("o2", "k", {}, nonce="b", created=2),
        marked("o3", "k", {}, nonce="b", created=3),
    ]
    duplicate = plan([manifest("k", {})], objects).changes[-1]
    assert (duplicate.id, duplicate.blocked and duplicate.blocked.by) == ("o2", Blocker.CLONE)


@pytest.mark.parametrize("on_remove", [None, OnRemove.RELEASE], ids=["deleted", "released"])
@pytest.mark.parametrize("key", ["gone", "else"], ids=["of its key", "of another"])
def test_an_orphan_with_a_clone_stays_because_the_clone_would_go_next(key: str, on_remove: OnRemove | None) -> None:
    orphan = marked("o1", "gone", {"model": "m"}, created=1, on_remove=on_remove)
    clone = marked("o2", key, {"model": "m"}, created=2, nonce="n1")
    found = plan(FILES, [*MANY, orphan, clone], prune=True)
    [change] = [c for c in found.changes if c.address.key == "gone"]
    assert change.blocked is not None
    assert change.blocked.by is Blocker.CLONE
    assert "o2" in change.blocked.hint


@pytest.mark.parametrize("created", [0.5, 1, 2])
@pytest.mark.parametrize(("key", "nonce"), [("gone", "n1"), ("gone", "n2"), ("else", "n1"), ("x0", "x0")])
def test_a_mark_of_another_owner_with_our_nonce_or_key_changes_nothing_for_us(
    key: str, nonce: str, created: float
) -> None:
    orphan = marked("o1", "gone", {"model": "m"}, created=1)
    theirs = marked("o2", key, {"model": "m"}, created=created, nonce=nonce, owner="other")
    with_them, without = (plan(FILES, [*MANY, orphan, *more], prune=True).changes for more in ([theirs], []))
    assert with_them == without
    assert [(c.action, c.id) for c in with_them if c.is_due] == [("delete", "o1")]


def test_an_orphan_and_its_duplicates_go_together_and_all_count_for_the_guard() -> None:
    orphans = [marked(f"o{n}", "gone", {"model": "m"}, nonce=f"n{n}", created=n) for n in range(2)]
    assert [(c.id, c.blocked and c.blocked.by) for c in plan(FILES, [*MANY, *orphans], prune=True).changes][-2:] == [
        ("o0", Blocker.GUARD),
        ("o1", Blocker.GUARD),
    ]
    allowed = plan(FILES, [*MANY, *orphans], prune=True, allow_deletes=2)
    assert [(c.id, c.reasons) for c in allowed.changes][-2:] == [("o0", (Reason.ORPHAN,)), ("o1", (Reason.ORPHAN,))]


def test_a_name_that_another_manifest_adopts_in_the_same_plan_is_no_obstacle() -> None:
    live = bare("o1", {"name": "desk", "model": "m"})
    files = [
        manifest("adopts", {"model": "m", "name": "desk"}, id="o1"),
        manifest("creates", {"model": "m", "name": "desk", "instructions": "other"}),
    ]
    assert actions(plan(files, [live])) == [("adopt", "adopts", "o1", False), ("create", "creates", None, False)]


def test_an_address_whose_object_a_newer_version_made_gets_no_second() -> None:
    newer = with_mark("o1", f"2 {OWNER} k whatever comes", {"model": "n"})
    for files in ([manifest("k", {"model": "m"})], [manifest("new", {"model": "m"}, moved_from="k")]):
        change = the_change(plan(files, [newer]))
        assert change.blocked is not None
        assert change.blocked.by is Blocker.READ_ONLY_MARK
        assert "o1" in change.blocked.hint
    others = [with_mark("o1", "2 other k x", {"model": "n"}), with_mark("o2", f"2 {OWNER} else x", {"model": "n"})]
    assert actions(plan([manifest("k", {"model": "m"})], others)) == [("create", "k", None, False)]


def test_giving_up_what_others_have_reset_already_says_nothing() -> None:
    live = marked("o1", "k", {"model": "m"}, managed=[("model",), ("name",)])
    base = remembered({"model": "m", "name": "old"})
    mark = read(mark_text(ASSISTANT, live))
    decision = decide_update(ASSISTANT, manifest("k", {"model": "m"}), live.body, mark, base)  # type: ignore[arg-type]
    assert (decision.writes, decision.diagnostics) == ((), ())
