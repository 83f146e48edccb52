"""Which live objects need nothing, and what is kept of them. That plans stay the same is checked with every plan here
(`build.made_plan`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from reconciler.core.agreement import Agreement

from reconciler.core.index import Observation, mark_of
from reconciler.core.model import Address, LiveObject, Manifest
from reconciler.core.semantics import Kind, Meaning, meaning_of, same
from tests.unit.core.build import ASSISTANT, OWNER, WIDGET, bare, manifest, marked, with_mark
from tests.unit.core.linked import BOT, STORE

M = {"model": "m", "temperature": 0.5, "metadata": {"team": "t"}}


def known(files: list[Manifest], kind: Kind = ASSISTANT) -> list[Manifest]:
    return [replace(each, fingerprint=fingerprint(kind, each)) for each in files]


def lean(live: LiveObject, *files: Manifest, kind: Kind = ASSISTANT, digests: bool = False) -> LiveObject:
    return Agreement(known(list(files), kind), OWNER, digests=digests).lean(kind, live)


def test_an_object_that_is_as_wanted_is_kept_as_its_mark() -> None:
    managed = [("model",), ("temperature",), ("metadata", "team")]
    live = marked("o1", "a", {**M, "instructions": None, "tools": []}, managed=managed)
    kept = lean(live, manifest("a", {**M, "temperature": 0.50}))
    assert kept.agrees
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
    assert mark_of(kind, kept) == mark_of(kind, live)


def test_a_value_that_is_not_compared_keeps_an_object_whole() -> None:
    body = {"title": "t", "secret": "s"}
    assert fingerprint(WIDGET, manifest("a", body, WIDGET)) is None
    assert not lean(marked("o1", "a", body, WIDGET), manifest("a", body, WIDGET), kind=WIDGET).agrees


@pytest.mark.parametrize(("last", "agrees"), [(M, True), ({**M, "model": "n"}, False), (None, False)])
def test_where_marks_keep_digests_they_have_to_be_right(last: Any, agrees: bool) -> None:
    assert lean(marked("o1", "a", M, last=last), manifest("a", M), digests=True).agrees is agrees


def test_ids_of_kinds_that_were_read_stand_for_references() -> None:
    store, where = manifest("s", {"title": "s"}, STORE), ("store",)
    bot = manifest("b", {"text": "b", "store": "(unknown)"}, BOT, refs={where: Address("store", "s")})
    live = marked("o1", "b", {"text": "b", "store": "vs1"}, BOT)
    agreement = Agreement([*known([store], STORE), *known([bot], BOT)], OWNER)
    assert not agreement.lean(BOT, live).agrees
    assert agreement.learn(Observation(STORE, (marked("vs1", "s", {"title": "s"}, STORE),), 1)) == []
    kept = agreement.lean(BOT, live)
    assert kept.agrees
    assert kept.body["store"] == "vs1", "what it uses cannot be deleted"


def test_a_second_object_of_an_address_is_needed_whole() -> None:
    agreement = Agreement(known([manifest("a", M)]), OWNER)
    old, young = marked("o1", "a", M, created=1), marked("o2", "a", M, created=2, nonce="n2")
    seen = tuple(agreement.lean(ASSISTANT, each) for each in (young, old))
    assert agreement.learn(Observation(ASSISTANT, seen, 1)) == ["o2"]


def test_an_object_that_has_expired_is_kept_whole_though_it_is_as_wanted() -> None:
    kind = replace(ASSISTANT, expired=("status", "over"))
    live = marked("o1", "a", {**M, "status": "over"}, managed=[("model",), ("temperature",), ("metadata", "team")])
    assert lean(live, manifest("a", M), kind=kind) == live
    assert lean(live, manifest("a", M)).agrees


LONG = "word " * 100
PROSE = replace(ASSISTANT, fields={**ASSISTANT.fields, "instructions": Meaning(default=LONG)})
SPELLED = replace(ASSISTANT, fields={**ASSISTANT.fields, "instructions": Meaning(shown_as={f'"{LONG}"': "short"})})


@pytest.mark.parametrize(
    ("kind", "file", "live", "agrees"),
    [
        (ASSISTANT, {"instructions": LONG}, {"instructions": LONG}, True),
        (ASSISTANT, {"instructions": LONG}, {"instructions": LONG + "."}, False),
        (ASSISTANT, {"instructions": LONG}, {"instructions": None}, False),
        (ASSISTANT, {"model": f"{LONG}'{LONG}", "name": LONG}, {"model": LONG, "name": f"{LONG}'{LONG}"}, False),
        (ASSISTANT, {"instructions": '"' + "q" * 300 + '"'}, {"instructions": "q" * 300}, False),
        (PROSE, {"instructions": LONG}, {"instructions": None}, True),
        (PROSE, {"instructions": LONG}, {"instructions": LONG}, True),
        (SPELLED, {"instructions": "short"}, {"instructions": LONG}, True),
    ],
)
def test_a_prompt_means_the_same_as_it_does_by_its_canonical_form(
    kind: Kind, file: dict[str, Any], live: dict[str, Any], agrees: bool
) -> None:
    found = lean(
        marked("o1", "a", live, kind, managed=[(name,) for name in file]), manifest("a", file, kind), kind=kind
    )
    assert found.agrees is agrees
    same_each = [same(meaning_of(kind, (name,)), file[name], live[name]) for name in file]
    assert all(same_each) is agrees
