"""What becomes of the objects of a kind: duplicates, clones, orphans, and what was last applied."""

from __future__ import annotations

import pytest

from reconciler.core.values.model import Action, Blocker, OnRemove, Reason, Removal
from reconciler.diagnostics import Code, Severity
from tests.unit.core.build import (
    actions,
    bare,
    manifest,
    marked,
    plan,
    remembered,
    the_change,
    with_mark,
)

M = {"model": "m"}


class TestDuplicatesAndClones:
    DUPLICATES = (marked("o1", "k", M, created=1), marked("o2", "k", M, nonce="n2", created=2))
    CLONES = (marked("o1", "k", M), marked("o2", "k", M, created=1, nonce="n1"))

    def test_the_younger_duplicate_is_deleted_where_that_is_asked_for(self) -> None:
        kept = plan([manifest("k", M)], self.DUPLICATES, allow_deletes=1)
        assert actions(kept) == [("noop", "k", "o1", False), ("delete", "k", "o2", True)]
        assert kept.changes[1].blocked is not None
        assert kept.changes[1].blocked.by is Blocker.PRUNE
        found = plan([manifest("k", M)], self.DUPLICATES, prune=True, allow_deletes=1)
        assert actions(found) == [("noop", "k", "o1", False), ("delete", "k", "o2", False)]
        assert (found.changes[1].reasons, found.changes[1].removal) == ((Reason.DUPLICATE,), Removal.DUPLICATE)
        assert found.changes[1].patch is None

    @pytest.mark.parametrize(("allowed", "held"), [(None, True), (3, True), (4, False)])
    def test_duplicates_count_for_the_guard(self, allowed: int | None, held: bool) -> None:
        many = [marked(f"o{n}", "k", M, nonce=f"n{n}", created=n + 1) for n in range(5)]
        found = plan([manifest("k", M)], many, prune=True, allow_deletes=allowed)
        assert [row[3] for row in actions(found)] == [False, held, held, held, held]

    def test_in_a_part_of_the_files_no_duplicate_is_deleted(self) -> None:
        wanted = manifest("k", M)
        assert actions(plan([wanted], self.DUPLICATES, only=frozenset({wanted.address}))) == [
            ("noop", "k", "o1", False)
        ]

    @pytest.mark.parametrize("on_remove", [None, *OnRemove])
    def test_a_protected_duplicate_stays(self, on_remove: OnRemove | None) -> None:
        young = marked("o2", "k", M, nonce="n2", created=1, protect=True, on_remove=on_remove)
        assert actions(plan([manifest("k", M)], [self.DUPLICATES[0], young]))[-1] == ("delete", "k", "o2", True)

    def test_a_clone_is_only_reported(self) -> None:
        found = plan([manifest("k", M)], self.CLONES, prune=True)
        assert actions(found) == [("noop", "k", "o1", False)]
        [said] = found.diagnostics
        assert (said.code, said.summary) == (Code.COPY, "o2 is a copy of o1, mark included")
        assert found.unmanaged == 1

    def test_a_clone_can_be_bound_to_an_address_of_its_own(self) -> None:
        found = plan([manifest("k", M), manifest("k2", M, id="o2")], self.CLONES)
        assert actions(found) == [("noop", "k", "o1", False), ("move", "k2", "o2", False)]

    def test_a_clone_with_a_manifest_of_its_own_gets_a_nonce_of_its_own(self) -> None:
        live = [marked("o1", "k", M, nonce="n1"), marked("o2", "k2", M, nonce="n1", created=1)]
        _, change = plan([manifest("k", M), manifest("k2", M, id="o2")], live).changes
        assert (change.action, change.id, change.reasons) == (Action.UPDATE, "o2", (Reason.MARK,))
        assert change.patch == {"metadata": {"reconciler": "1 acme k2 ~ - pCJhgb"}}

    def test_a_duplicate_that_another_manifest_binds_is_moved_and_not_deleted(self) -> None:
        found = plan([manifest("k", M), manifest("k2", M, id="o2")], self.DUPLICATES)
        assert actions(found) == [("noop", "k", "o1", False), ("move", "k2", "o2", False)]

    def test_the_duplicate_takes_the_address_when_the_older_is_bound_elsewhere(self) -> None:
        third = marked("o3", "k", M, nonce="n3", created=3)
        files = [manifest("k", M), manifest("k2", M, id="o1")]
        found = plan(files, [*self.DUPLICATES, third], prune=True, allow_deletes=1)
        assert actions(found) == [
            ("noop", "k", "o2", False),
            ("move", "k2", "o1", False),
            ("delete", "k", "o3", False),
        ]

    @pytest.mark.parametrize("id", ["o2", "none"])
    def test_an_object_is_no_duplicate_because_its_manifest_asks_for_another(self, id: str) -> None:
        objects = [self.DUPLICATES[0], bare("o2", M)]
        assert actions(plan([manifest("k", M, id=id)], objects)) == [("adopt", "k", id, True)]

    def test_binding_the_older_deletes_the_younger(self) -> None:
        found = plan([manifest("k", M, id="o1")], self.DUPLICATES, prune=True, allow_deletes=1)
        assert actions(found) == [("noop", "k", "o1", False), ("delete", "k", "o2", False)]


class TestOrphans:
    ORPHAN = marked("o1", "gone", M)

    def test_without_prune_orphans_are_counted_and_stay(self) -> None:
        found = plan([], [self.ORPHAN, marked("o2", "more", M, on_remove=OnRemove.DELETE)])
        assert found.changes == ()
        counted, named = found.diagnostics
        assert (counted.code, counted.severity) == (Code.ORPHAN, Severity.INFO)
        assert counted.summary == "2 assistant objects of acme have no manifest and stay"
        assert (named.code, named.severity, named.address) == (Code.ORPHAN, Severity.WARNING, "assistant/more")
        assert named.summary == "o2 has no manifest, and `on_remove: delete`, but stays because of `prune: none`"
        assert counted.hint == named.hint == "`prune: owned` in reconciler.yaml would delete them"

    def test_with_prune_they_are_deleted_within_the_guard(self) -> None:
        others = [marked(f"k{n}", f"k{n}", M) for n in range(4)]
        found = plan([manifest(f"k{n}", M) for n in range(4)], [self.ORPHAN, *others], prune=True)
        assert actions(found)[-1] == ("delete", "gone", "o1", False)
        assert (found.changes[-1].reasons, found.changes[-1].removal) == ((Reason.ORPHAN,), Removal.ORPHAN)
        assert actions(plan([], [self.ORPHAN], prune=True)) == [("delete", "gone", "o1", True)]

    def test_what_is_released_counts_for_the_guard_too(self) -> None:
        let_go = marked("o1", "gone", M, on_remove=OnRemove.RELEASE)
        others = [marked(f"k{n}", f"k{n}", M) for n in range(4)]
        files = [manifest(f"k{n}", M) for n in range(4)]
        assert actions(plan(files, [let_go, *others]))[-1] == ("release", "gone", "o1", False)
        both = plan(files, [let_go, marked("o2", "more", M), *others], prune=True)
        assert actions(both)[-2:] == [("release", "gone", "o1", True), ("delete", "more", "o2", True)]

    def test_release_takes_only_the_mark_away(self) -> None:
        live = marked("o1", "gone", {"metadata": {"a": "1"}}, on_remove=OnRemove.RELEASE)
        change = the_change(plan([], [live], prune=True))
        assert (change.action, change.patch) == (Action.RELEASE, {"metadata": {"a": "1"}})
        assert change.units == (("metadata", "reconciler"),)

    def test_objects_of_others_are_never_orphans(self) -> None:
        objects = [bare("o1", M), marked("o2", "x", M, owner="other"), with_mark("o3", "2 x", M)]
        objects.append(with_mark("o4", "hello", M))
        found = plan([], objects, prune=True)
        assert (found.changes, found.unmanaged) == ((), 4)
        assert {(d.code, d.summary) for d in found.diagnostics} == {
            (Code.NEWER_MARK, "o3 was written by a newer reconciler: not changed"),
            (Code.DAMAGED_MARK, "o4 has a mark that cannot be read: treated as unmanaged"),
        }

    def test_a_moved_object_is_no_orphan(self) -> None:
        found = plan([manifest("new", M, moved_from="gone")], [self.ORPHAN], prune=True)
        assert actions(found) == [("move", "new", "o1", False)]


class TestBase:
    def test_reasons_follow_what_was_last_applied(self) -> None:
        base = remembered({"model": "m", "temperature": 0.2, "top_p": 0.5})
        live = marked("o1", "k", {"model": "m", "temperature": 0.2, "top_p": 0.1})
        found = plan([manifest("k", {"model": "m", "temperature": 0.7, "top_p": 0.5})], [live], base=base)
        assert the_change(found).reasons == (Reason.EDITED, Reason.DRIFTED)

    def test_a_base_never_steers_what_is_written(self) -> None:
        live, wanted = marked("o1", "k", {"temperature": 0.2}), manifest("k", {"temperature": 0.7})
        bases = [remembered({"temperature": t}) for t in (0.2, 0.7, 0.9)]
        patches = [the_change(plan([wanted], [live], base=base)).patch for base in bases]
        assert patches == [{"temperature": 0.7}] * 3

    def test_what_is_said_of_a_unit_reaches_the_plan(self) -> None:
        live = marked("o1", "k", {"model": "m", "temperature": 0.2})
        found = plan([manifest("k", M)], [live], base=remembered({"temperature": 0.9}))
        assert [d.code for d in found.diagnostics] == [Code.CANNOT_CLEAR]

    def test_a_mark_without_room_for_digests_keeps_names_and_that_is_reported(self) -> None:
        body = {"metadata": {f"field{n}": "x" for n in range(60)}}
        found = plan([manifest("k" * 128, body)], digests=True)
        assert [(d.code, d.severity) for d in found.diagnostics] == [(Code.BASE_UNKNOWN, Severity.WARNING)]
        assert plan([manifest("k", {"model": "m"})], digests=True).diagnostics == ()
