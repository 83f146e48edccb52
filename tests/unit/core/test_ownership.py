"""Taking over what another owner managed: our name in their mark, and nothing else of it or of the object."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core import marks
from reconciler.core.index import index, mark_of
from reconciler.core.kind_plan import KindPlanner
from reconciler.core.marks import Mark
from reconciler.core.model import Action, Blocker, Body, Change, LiveObject, Manifest, OnRemove, Reason
from reconciler.core.verify import AlreadyApplied, Ready, Stale, check
from tests.unit.core.build import (
    ASSISTANT,
    OWNER,
    SOURCE,
    actions,
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


def taken(wanted: Manifest, *objects: LiveObject, owner: str = "other") -> Change | None:
    return KindPlanner(index(ASSISTANT, objects, OWNER), {}, OWNER).takeover(wanted, owner)


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


def test_until_it_is_taken_over_a_plan_does_not_touch_it() -> None:
    assert actions(plan([manifest("k", {"model": "m"})], [THEIRS], prune=True)) == [("create", "k", None, False)]


def test_digests_that_do_not_fit_under_a_longer_name_are_left_out() -> None:
    body = {f"field{n}": "x" for n in range(35)}
    live = marked("o1", "k" * 45, body, owner="a", last=body)
    change = taken(manifest("k" * 45, {}), live, owner="a")
    assert change is not None
    assert marks.read((change.patch or {})["metadata"]["reconciler"]).digests == {}  # type: ignore[union-attr]


def applied_alone(change: Change, live: LiveObject) -> list[LiveObject]:
    """The object after this one change."""
    return applied(replace(plan(), changes=(change,)), [live], ASSISTANT)
