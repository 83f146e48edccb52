"""What is kept of objects while they are read. That plans stay the same is checked with every plan of the tests of the
core (`build.made_plan`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.fingerprint import fingerprint
from reconciler.core.matching.index import Observation, content_of, mark_of
from reconciler.core.values.model import Address, LiveObject, Manifest
from reconciler.core.values.semantics import Kind
from reconciler.engine.compact import Compactor
from tests.unit.core.build import ASSISTANT, OWNER, bare, manifest, marked, plan, the_change, with_mark
from tests.unit.core.linked import BOT, STORE

M = {"model": "m", "temperature": 0.5, "metadata": {"team": "t"}}


def known(files: list[Manifest], kind: Kind = ASSISTANT) -> list[Manifest]:
    return [replace(each, fingerprint=fingerprint(kind, each)) for each in files]


def lean(live: LiveObject, *files: Manifest, kind: Kind = ASSISTANT, digests: bool = False) -> LiveObject:
    return Compactor(known(list(files), kind), OWNER, digests=digests).compact(kind, live)


def test_an_object_that_is_as_wanted_is_kept_as_its_mark() -> None:
    managed = [("model",), ("temperature",), ("metadata", "team")]
    live = marked("o1", "a", {**M, "instructions": None, "tools": []}, managed=managed)
    kept = lean(live, manifest("a", {**M, "temperature": 0.50}))
    assert kept.in_sync
    assert kept.body == {}
    assert mark_of(ASSISTANT, kept) == mark_of(ASSISTANT, live) is not None
    assert (kept.id, kept.created) == (live.id, live.created)


@pytest.mark.parametrize(
    ("live", "files"),
    [
        (marked("o1", "a", {**M, "temperature": 1}), [manifest("a", M)]),
        (marked("o1", "a", M), []),
        (marked("o1", "a", M), [manifest("b", M)]),
        (marked("o1", "a", M, nonce="~"), [manifest("a", M)]),
        (bare("o1", M), [manifest("a", M, id="o1")]),
        (marked("o1", "a", M, owner="other"), [manifest("a", M, id="o1")]),
        (marked("o1", "a", M), [manifest("a", M, protect=True)]),
        (marked("o1", "a", M), [manifest("a", {"model": "m"})]),
        (marked("o1", "a", M), [manifest("a", M, ignore={"temperature"})]),
        (marked("o1", "a", M), [manifest("a", M, initial={"temperature"})]),
        (marked("o1", "a", M), [manifest("a", M, id="o1")]),
        (marked("o1", "a", M), [manifest("a", M), manifest("b", M, id="o1")]),
        (marked("o1", "a", M), [manifest("a", M), manifest("b", M, moved_from="a")]),
    ],
)
def test_what_needs_something_or_may_is_kept_whole(live: LiveObject, files: list[Manifest]) -> None:
    assert lean(live, *files) == live


@pytest.mark.parametrize("mark", [None, "1 other a n1 - -", "1 other a ~ - -", "2 acme a n1 - -", "by hand", {"a": 1}])
def test_of_what_is_not_ours_the_mark_the_name_and_what_it_uses_are_kept(mark: Any) -> None:
    kind, body = replace(BOT, name_field="text"), {"text": "t", "store": "vs1", "long": "l", "labels": {"of": "others"}}
    live = bare("o1", body, kind, 7) if mark is None else with_mark("o1", mark, body, kind, 7)
    kept = lean(live, manifest("a", {"text": "t"}, kind), kind=kind)
    assert kept == replace(live, body={"text": "t", "store": "vs1"})
    assert kept.content == content_of(kind, body)
    assert mark_of(kind, kept) == mark_of(kind, live)


@pytest.mark.parametrize(("last", "in_sync"), [(M, True), ({**M, "model": "n"}, False), (None, False)])
def test_where_marks_keep_digests_they_have_to_be_right(last: Any, in_sync: bool) -> None:
    assert lean(marked("o1", "a", M, last=last), manifest("a", M), digests=True).in_sync is in_sync


def test_ids_of_kinds_that_were_read_stand_for_references() -> None:
    store, where = manifest("s", {"title": "s"}, STORE), ("store",)
    bot = manifest("b", {"text": "b", "store": "(unknown)"}, BOT, refs={where: Address("store", "s")})
    live = marked("o1", "b", {"text": "b", "store": "vs1"}, BOT)
    compactor = Compactor([*known([store], STORE), *known([bot], BOT)], OWNER)
    assert not compactor.compact(BOT, live).in_sync
    assert compactor.learn(Observation(STORE, (marked("vs1", "s", {"title": "s"}, STORE),), 1)) == []
    kept = compactor.compact(BOT, live)
    assert kept.in_sync
    assert kept.body["store"] == "vs1", "what it uses cannot be deleted"


def test_an_id_of_what_is_moved_is_not_known_while_the_move_may_be_refused() -> None:
    store, where = manifest("s", {"title": "s"}, STORE, moved_from="old"), ("store",)
    bot = manifest("b", {"text": "b", "store": "(unknown)"}, BOT, refs={where: Address("store", "s")})
    compactor = Compactor([*known([store], STORE), *known([bot], BOT)], OWNER)
    assert compactor.learn(Observation(STORE, (marked("vs1", "old", {"title": "s"}, STORE),), 1)) == []
    assert not compactor.compact(BOT, marked("o1", "b", {"text": "b", "store": "vs1"}, BOT)).in_sync


def test_a_second_object_of_an_address_is_needed_whole() -> None:
    compactor = Compactor(known([manifest("a", M)]), OWNER)
    old, young = marked("o1", "a", M, created=1), marked("o2", "a", M, created=2, nonce="n2")
    seen = tuple(compactor.compact(ASSISTANT, each) for each in (young, old))
    assert compactor.learn(Observation(ASSISTANT, seen, 1)) == ["o1", "o2"]


def test_a_copy_that_is_as_wanted_is_needed_whole() -> None:
    """It is not ours, and may be what a create is about: a plan needs its name and content."""
    files = known([manifest("b", M)])
    compactor = Compactor(files, OWNER)
    first, copy = marked("o1", "a", M, nonce="n1", created=1), marked("o2", "b", M, nonce="n1", created=2)
    kept = tuple(compactor.compact(ASSISTANT, live) for live in (first, copy))
    assert kept[1].in_sync
    assert compactor.learn(Observation(ASSISTANT, kept, 1)) == ["o2"]
    assert the_change(plan([manifest("b", M)], [first, copy])).blocked is not None


def test_an_object_of_a_moved_key_is_kept_as_little_as_any_other() -> None:
    file = manifest("new", M, moved_from="old")
    live = marked("o1", "new", M)
    assert lean(live, file).in_sync
    assert lean(marked("o1", "old", M), file).body == marked("o1", "old", M).body


def test_an_object_that_has_expired_is_kept_whole_though_it_is_as_wanted() -> None:
    kind = replace(ASSISTANT, expired=("status", "over"))
    live = marked("o1", "a", {**M, "status": "over"}, managed=[("model",), ("temperature",), ("metadata", "team")])
    assert lean(live, manifest("a", M), kind=kind) == live
    assert lean(live, manifest("a", M)).in_sync
