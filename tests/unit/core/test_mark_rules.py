"""Marks that nothing proves: what is left alone, what is blocked, and the line to run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.matching.index import Index, index
from reconciler.core.matching.match import Match, match
from reconciler.core.ownership import Ownership
from reconciler.core.plan import Plan
from reconciler.core.rules.change_rules import another_object, refusal, unfounded
from reconciler.core.rules.guard import guard
from reconciler.core.rules.mark_rules import reason_to_doubt
from reconciler.core.rules.world import World
from reconciler.core.values import marks
from reconciler.core.values.marks import Signing, checked
from reconciler.core.values.model import Action, Address, Block, Blocker, Change, LiveObject, Manifest, Removal
from tests.unit.core.build import ASSISTANT, OWNER, actions, manifest, marked, plan, the_change
from tests.unit.core.filed import PAPER, SHELF, due, entry, filed, of, on_paper, on_shelf, paper, shelf

SIGNING = Signing((b"k" * 32,))
LATER = Signing((b"n" * 32, *SIGNING.keys))
M = {"model": "m"}


def matched(found: Index, files: list[Manifest]) -> Match:
    return match(found, {each.address.key: each for each in files})


def seen(
    live: LiveObject, signing: Signing | None = SIGNING, *, sign: bool = False, field: str = "metadata"
) -> LiveObject:
    """An object as it is read where marks are signed."""
    text = live.body[field]["reconciler"]
    text = marks.signed(text, SIGNING) if sign else text
    body = {**live.body, field: {**live.body[field], "reconciler": text}}
    return replace(live, body=body, mark=checked(text, signing))


@pytest.mark.parametrize(
    ("signing", "sign", "hint"),
    [
        (
            SIGNING,
            False,
            "the mark is not signed. If it is yours: `reconciler adopt assistant/k o1`, or for all of them "
            "`reconciler takeover --from acme`. If it is not: remove the entry `reconciler` from its metadata",
        ),
        (
            Signing((b"x" * 32,)),
            True,
            "or the mark was changed. If only the key is new: set RECONCILER_MARK_KEY=NEW,OLD and apply. If it",
        ),
        (None, True, "the mark is signed, and no key is set here: set RECONCILER_MARK_KEY to the key"),
    ],
)
def test_an_object_of_a_manifest_is_adopted_only_where_somebody_asks(
    signing: Signing | None, sign: bool, hint: str
) -> None:
    found = plan([manifest("k", M)], [seen(marked("o1", "k", M), signing, sign=sign)], prune=True)
    change = the_change(found)
    assert (change.action, change.id) == (Action.ADOPT, "o1")
    assert change.blocked is not None
    assert change.blocked.by is Blocker.UNPROVEN
    assert hint in change.blocked.hint
    assert [said.code for said in found.diagnostics] == ["RC0422"]


def test_a_claim_of_a_lock_file_says_how_to_ask_for_it() -> None:
    live = marked("o1", "k", M)
    claim = replace(live, body={**live.body, "metadata": {"reconciler": marks.claimed("1 acme k n1 - -")}})
    block = the_change(plan([manifest("k", M)], [claim])).blocked
    assert block is not None
    assert "`reconciler adopt assistant/k o1`, or `id: o1` in its manifest, or for all of them" in block.hint


def test_what_was_moved_from_an_unproven_object_is_not_made_anew() -> None:
    change = the_change(plan([manifest("new", M, moved_from="k")], [seen(marked("o1", "k", M))]))
    assert (change.action, change.blocked and change.blocked.by) == (Action.CREATE, Blocker.UNPROVEN)


def test_what_nothing_proves_is_no_orphan_no_duplicate_and_no_clone() -> None:
    ours = seen(marked("o1", "k", M, created=2), sign=True)
    others = [
        seen(marked("o2", "k", M, created=1, nonce="x")),
        seen(marked("o3", "gone", M)),
        seen(marked("o4", "k", M, nonce="n1")),
    ]
    found = plan([manifest("k", M)], [ours, *others], prune=True, allow_deletes=1)
    assert actions(found) == [("noop", "k", "o1", False)]
    assert {said.code for said in found.diagnostics} == {"RC0422"}


def test_a_mark_of_an_earlier_key_is_signed_anew_and_says_so() -> None:
    old = seen(marked("o1", "k", M), LATER, sign=True)
    change = the_change(plan([manifest("k", M)], [old]))
    assert (change.action, [row.path for row in change.fields]) == (Action.UPDATE, [("reconciler", "signature")])
    assert the_change(plan([manifest("k", M)], [seen(marked("o1", "k", M), sign=True)])).action is Action.NOOP


def test_a_takeover_from_ourselves_makes_it_ours() -> None:
    found = index(ASSISTANT, [seen(marked("o1", "k", M))], OWNER)
    change = Ownership(matched(found, [manifest("k", M)]), OWNER).take_over(manifest("k", M), OWNER)
    assert change is not None
    assert (change.action, change.id, change.blocked) == (Action.ADOPT, "o1", None)
    assert (change.patch or {})["metadata"]["reconciler"].startswith("1 acme k n1 ")


def world(live: LiveObject, fresh: LiveObject | None = None) -> World:
    found = index(ASSISTANT, [live], OWNER)
    return World({"assistant": found}, fresh={("assistant", "o1"): fresh} if fresh else {})


@pytest.mark.parametrize("action", [Action.UPDATE, Action.MOVE, Action.RELEASE, Action.DELETE])
def test_an_object_whose_mark_is_not_believed_any_more_is_not_changed(action: Action) -> None:
    proven, doubtful = seen(marked("o1", "k", M), sign=True), seen(marked("o1", "k", M))
    change = Change(Address("assistant", "k"), action, "o1", removal=Removal.ORPHAN)
    assert refusal(change, world(proven)) is None
    block = refusal(change, world(proven, doubtful))
    assert block is not None
    assert block.by is Blocker.UNPROVEN


def test_what_proves_a_mark_needs_no_reason() -> None:
    assert reason_to_doubt(marks.Mark(OWNER, "k")) == "nothing proves it"


FILES = [paper("a"), shelf("s", {"a": {}})]


def planned(papers: list[LiveObject], shelves: list[LiveObject], **scope: Any) -> Plan:
    return filed(FILES, papers, shelves, **scope)


def blocked(found: Plan) -> Block | None:
    return of(found, "store/s").blocked


def test_a_file_that_only_its_name_speaks_for_is_put_into_nothing() -> None:
    for shelves in ([], [on_shelf("s1", "s", [])]):
        block = blocked(planned([on_paper("pa", "a")], shelves, made_here=set()))
        assert block is not None
        assert block.by is Blocker.UNPROVEN
        assert "pa has the name of paper/a, and only its name identifies its content" in block.hint
        assert blocked(planned([on_paper("pa", "a")], shelves, made_here={"pa"})) is None
        assert blocked(planned([seen(on_paper("pa", "a"), sign=True, field="mark")], shelves, made_here=set())) is None


def test_what_ours_use_already_stays_and_may_be_put_into_more() -> None:
    held = on_shelf("s1", "s", [entry("pa", "a")])
    more = filed([*FILES, shelf("t", {"a": {}})], [on_paper("pa", "a")], [held], made_here=set())
    assert due(more) == ["create store/t"]
    orphan = on_shelf("s2", "gone", [entry("pa", "a")])
    assert blocked(planned([on_paper("pa", "a")], [orphan], made_here=set())) is not None
    found: dict[str, Index] = {
        "paper": index(PAPER, [on_paper("pa", "a")], OWNER),
        "store": index(SHELF, [held], OWNER),
    }
    change = of(more, "store/t")
    assert refusal(change, World(found)) is None, "without manifests, any of ours speaks for it"
    assert refusal(change, World({**found, "store": index(SHELF, [], OWNER)})) is not None


def test_what_is_no_file_of_ours_is_not_doubted() -> None:
    change = of(planned([on_paper("pa", "a")], []), "store/s")
    assert refusal(change, World({"store": index(SHELF, [], OWNER)})) is None
    assert refusal(change, World({"store": index(SHELF, [], OWNER), "paper": index(PAPER, [], OWNER)})) is None


def test_a_copy_of_a_name_makes_both_doubtful() -> None:
    papers = [on_paper("pa", "a"), on_paper("px", "a", created=2, nonce="pa")]
    block = blocked(planned(papers, []))
    assert block is not None
    assert "px is a copy of its name" in block.hint
    assert "Delete pa and px in the provider's console or with its API" in block.hint


@pytest.mark.parametrize(
    ("signing", "sign", "hint"),
    [
        (SIGNING, False, "the mark is not signed. If it is yours, delete it in the provider's console or with its API"),
        (None, True, "the mark is signed, and no key is set here. Set RECONCILER_MARK_KEY to the key"),
    ],
)
def test_a_file_whose_name_is_not_signed_is_not_deleted_where_names_are(
    signing: Signing | None, sign: bool, hint: str
) -> None:
    doubtful = seen(on_paper("pa", "gone"), signing, sign=sign, field="mark")
    [change] = filed([], [doubtful], prune=True, allow_deletes=1).changes
    assert change.blocked is not None
    assert (change.blocked.by, change.blocked.hint.partition(":")[0]) == (Blocker.UNPROVEN, hint)


@pytest.mark.parametrize(("sign", "held"), [(False, True), (True, False)])
def test_what_only_a_lock_file_says_is_ours_is_never_deleted_without_a_number(sign: bool, held: bool) -> None:
    beside = replace(ASSISTANT, marked_beside=True)
    many = [seen(marked(f"o{n}", f"k{n}", M), SIGNING if sign else None, sign=sign) for n in range(9)]
    files = [manifest(f"k{n}", M) for n in range(8)]
    assert actions(plan(files, many, beside, prune=True))[-1] == ("delete", "k8", "o8", held)
    assert actions(plan(files, many, beside, prune=True, allow_deletes=1))[-1] == ("delete", "k8", "o8", False)
    gone = Change(Address("assistant", "k8"), Action.DELETE, "gone", removal=Removal.ORPHAN)
    assert guard([gone], 9, None, {"assistant": index(beside, many, OWNER)}) == [gone]


def test_an_object_goes_for_the_reason_there_is() -> None:
    objects = [marked("o1", "k", M), marked("o2", "gone", M), marked("o3", "k", M, nonce="x", created=9)]
    matches = {"assistant": matched(index(ASSISTANT, objects, OWNER), [manifest("k", M)])}
    known = World({"assistant": matches["assistant"].found}, matches)
    for key, id, removal, right in [
        ("gone", "o2", Removal.ORPHAN, True),
        ("gone", "o2", Removal.REPLACED, False),
        ("k", "o2", Removal.ORPHAN, False),
        ("k", "o3", Removal.DUPLICATE, True),
        ("k", "o3", Removal.REPLACED, False),
        ("k", "o1", Removal.ORPHAN, False),
        ("k", "none", Removal.ORPHAN, True),
    ]:
        change = Change(Address("assistant", key), Action.DELETE, id, removal=removal)
        assert (unfounded(change, known) is None) is right, (key, id, removal)
        assert right or refusal(change, known) is not None
        assert unfounded(change, replace(known, matches={})) is None
    for key, id, right in [("k", "o1", True), ("k", "o2", False), ("gone", "o2", True), ("k", "none", True)]:
        assert (another_object(Change(Address("assistant", key), Action.UPDATE, id), known) is None) is right
    assert another_object(Change(Address("assistant", "k"), Action.UPDATE, "o2"), replace(known, matches={})) is None
