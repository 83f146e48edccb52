"""Changes of whose an object is: adopting, releasing, and taking over what another owner managed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.core.matching.index import index, mark_of
from reconciler.core.matching.match import match
from reconciler.core.ownership import Ownership
from reconciler.core.values import marks
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Action, Blocker, Body, Change, LiveObject, Manifest, OnRemove, Reason
from reconciler.core.values.semantics import Kind
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check
from tests.unit.core.build import (
    ASSISTANT,
    OWNER,
    SOURCE,
    WIDGET,
    applied,
    bare,
    manifest,
    marked,
    plan,
    the_change,
    with_mark,
)

BODY: Body = {"model": "m", "name": "n", "metadata": {"a": "1"}}
THEIRS = marked("o1", "k", BODY, owner="other", protect=True, on_remove=OnRemove.RELEASE, last=BODY)


M: Body = {"model": "m"}


def ownership(kind: Kind, *objects: LiveObject, files: Sequence[Manifest] = ()) -> Ownership:
    return Ownership(match(index(kind, objects, OWNER), {each.address.key: each for each in files}), OWNER)


def taken(wanted: Manifest, *objects: LiveObject, owner: str = "other") -> Change | None:
    return ownership(ASSISTANT, *objects).take_over(wanted, owner)


def test_only_the_owner_in_the_mark_is_another() -> None:
    change = taken(manifest("k", {"model": "new"}), THEIRS)
    assert change is not None
    assert (change.action, change.id, change.reasons) == (Action.ADOPT, "o1", (Reason.TAKEOVER,))
    assert (change.source, change.fields, change.blocked) == (SOURCE, (), None)
    assert change.units == (("metadata", "reconciler"),)
    text = THEIRS.body["metadata"]["reconciler"].replace(" other ", f" {OWNER} ")
    assert change.patch == {"metadata": {"a": "1", "reconciler": text}}


def test_what_they_managed_and_the_manifest_does_not_name_is_given_up_afterwards() -> None:
    wanted = manifest("k", {"model": "m"})
    change = taken(wanted, THEIRS)
    assert change is not None
    [live] = applied_alone(change, THEIRS)
    found = the_change(plan([wanted], [live]))
    assert found.reasons == (Reason.REMOVED,)
    assert set(found.patch or {}) == {"name", "metadata"}


def test_it_is_checked_like_every_other_change() -> None:
    change = taken(manifest("k", {}), THEIRS)
    assert change is not None
    assert check(change, index(ASSISTANT, [THEIRS], OWNER)) == Ready(change.patch)
    assert check(change, index(ASSISTANT, applied_alone(change, THEIRS), OWNER)) == AlreadyApplied("o1")
    released = bare("o1", BODY)
    assert isinstance(check(change, index(ASSISTANT, [released], OWNER)), Stale)


def test_an_id_names_the_object_and_the_manifest_its_key() -> None:
    change = taken(manifest("new", {}, id="o2"), THEIRS, marked("o2", "x", BODY, owner="other"))
    assert change is not None
    assert (change.id, change.address.key) == ("o2", "new")
    [live] = applied_alone(change, marked("o2", "x", BODY, owner="other"))
    mark = mark_of(ASSISTANT, live)
    assert isinstance(mark, Mark)
    assert (mark.owner, mark.key, mark.nonce) == (OWNER, "new", "n2")


@pytest.mark.parametrize(
    ("wanted", "objects"),
    [
        (manifest("k", {}), []),
        (manifest("other", {}), [THEIRS]),
        (manifest("k", {}, id="o2"), [THEIRS]),
        (manifest("k", {}), [marked("o1", "k", BODY, owner="third")]),
        (manifest("k", {}), [marked("o1", "k", BODY)]),
        (manifest("k", {}), [bare("o1", BODY)]),
        (manifest("k", {}), [with_mark("o1", "2 other k x", BODY)]),
    ],
    ids=["no object", "another key", "another id", "another owner", "ours", "nobody's", "a newer mark"],
)
def test_there_is_nothing_to_take_where_they_have_no_object_for_it(wanted: Manifest, objects: list[LiveObject]) -> None:
    assert taken(wanted, *objects) is None


def test_an_address_that_has_an_object_of_ours_gets_no_second() -> None:
    change = taken(manifest("k", {}), THEIRS, marked("o9", "k", BODY))
    assert change is not None
    assert change.blocked is not None
    assert change.blocked.by is Blocker.ALREADY_BOUND
    assert "o9" in change.blocked.hint


def test_until_it_is_taken_over_a_plan_does_not_touch_it_and_makes_no_second() -> None:
    change = the_change(plan([manifest("k", {"model": "m"})], [THEIRS], prune=True))
    assert (change.action, change.id) == (Action.CREATE, None)
    assert change.blocked is not None
    assert change.blocked.by is Blocker.FOREIGN_OWNER
    assert "`reconciler takeover --from other assistant/k`" in change.blocked.hint


def test_whom_it_is_taken_from_is_kept_in_the_change() -> None:
    change = taken(manifest("k", {}), THEIRS)
    assert change is not None
    assert (change.former_owner, change.blocked) == ("other", None)


def test_digests_that_do_not_fit_under_a_longer_name_are_left_out() -> None:
    body = {f"field{n}": "x" for n in range(35)}
    live = marked("o1", "k" * 45, body, owner="a", last=body)
    change = taken(manifest("k" * 45, {}), live, owner="a")
    assert change is not None
    assert marks.read((change.patch or {})["metadata"]["reconciler"]).digests == {}  # type: ignore[union-attr]


def applied_alone(change: Change, live: LiveObject) -> list[LiveObject]:
    """The object after this one change."""
    return applied(replace(plan(), changes=(change,)), [live], ASSISTANT)


def adopted(wanted: Manifest, *objects: LiveObject, kind: Kind = ASSISTANT) -> tuple[Action, object, object]:
    change = ownership(kind, *objects).adopt(wanted, "o1")
    return change.action, change.patch, change.blocked and change.blocked.by


def test_the_manifests_are_those_that_were_paired_by_their_keys() -> None:
    files = [manifest("a", M), manifest("b", M, id="o9")]
    assert ownership(ASSISTANT, marked("o1", "k", M), files=files).manifests == {"a": files[0], "b": files[1]}


class TestAdopting:
    def test_adopting_writes_the_mark_and_no_field(self) -> None:
        patch = {"metadata": {"reconciler": "1 acme k ~ - pCJhgb"}}
        assert adopted(manifest("k", {"model": "new"}), bare("o1", M)) == (Action.ADOPT, patch, None)

    def test_adopting_what_is_already_ours_keeps_its_nonce(self) -> None:
        assert adopted(manifest("k", M), marked("o1", "k", M)) == (Action.NOOP, None, None)
        patch = {"metadata": {"reconciler": "1 acme k2 n1 - pCJhgb"}}
        assert adopted(manifest("k2", M), marked("o1", "k", M)) == (Action.ADOPT, patch, None)

    def test_a_clone_gets_a_nonce_of_its_own_though_its_mark_says_all_else(self) -> None:
        original, clone = marked("o0", "other", M, nonce="n"), marked("o1", "k", M, nonce="n", created=1)
        patch = {"metadata": {"reconciler": "1 acme k ~ - pCJhgb"}}
        assert adopted(manifest("k", M), original, clone) == (Action.ADOPT, patch, None)

    @pytest.mark.parametrize(
        ("objects", "by"),
        [
            ([], Blocker.NO_SUCH_ID),
            ([bare("o1", M), marked("o2", "k", M)], Blocker.ALREADY_BOUND),
            ([marked("o1", "k", M, owner="other")], Blocker.FOREIGN_OWNER),
            ([with_mark("o1", "2 x", M)], Blocker.READ_ONLY_MARK),
        ],
    )
    def test_adopting_is_refused_as_an_id_in_the_manifest_would_be(
        self, objects: list[LiveObject], by: Blocker
    ) -> None:
        action, _, found = adopted(manifest("k", M), *objects)
        assert (action, found) == (Action.ADOPT, by)
        bound = the_change(plan([manifest("k", M, id="o1")], [each for each in objects if each.id == "o1"]))
        assert bound.blocked is not None or by is Blocker.ALREADY_BOUND

    def test_adopting_is_refused_where_the_map_is_full(self) -> None:
        live = bare("o1", {"labels": {f"x{n}": "y" for n in range(4)}}, WIDGET)
        action, _, by = adopted(manifest("w", {}, WIDGET), live, kind=WIDGET)
        assert (action, by) == (Action.ADOPT, Blocker.METADATA_FULL)


class TestReleasing:
    def test_releasing_takes_the_mark_off_and_nothing_where_there_is_none(self) -> None:
        found = ownership(ASSISTANT, marked("o1", "k", M))
        change = found.release("k")
        assert change is not None
        assert (change.action, change.reasons, change.patch) == (Action.RELEASE, (Reason.RELEASED,), {"metadata": {}})
        assert (change.blocked, change.is_removal) == (None, False)
        assert found.release("other") is None

    def test_a_protected_object_can_be_released(self) -> None:
        change = ownership(ASSISTANT, marked("o1", "k", M, protect=True)).release("k")
        assert change is not None
        assert change.blocked is None

    def test_what_has_a_clone_is_not_released(self) -> None:
        change = ownership(ASSISTANT, marked("o1", "k", M), marked("o2", "k", M, nonce="n1", created=1)).release("k")
        assert change is not None
        assert change.blocked is not None
        assert change.blocked.by is Blocker.CLONE
