"""A digest of what a manifest wants, and whether an object is so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.fingerprint import fingerprint, in_sync
from reconciler.core.matching.index import mark_of
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Address, LiveObject, Manifest
from reconciler.core.values.semantics import Kind, Meaning, meaning_of, same
from tests.unit.core.build import ASSISTANT, WIDGET, manifest, marked
from tests.unit.core.filed import SHELF
from tests.unit.core.linked import BOT

M = {"model": "m", "temperature": 0.5, "metadata": {"team": "t"}}


def synced(live: LiveObject, file: Manifest, kind: Kind = ASSISTANT, digests: bool = False) -> bool:
    mark = mark_of(kind, live)
    assert isinstance(mark, Mark)
    return in_sync(kind, file, fingerprint(kind, file), mark, live, digests=digests)


@pytest.mark.parametrize("more", [{}, {"instructions": None}, {"tools": []}, {"metadata": {"team": "t", "other": "o"}}])
def test_an_object_that_has_what_is_wanted_is_in_sync(more: dict[str, Any]) -> None:
    managed = [("model",), ("temperature",), ("metadata", "team")]
    assert synced(marked("o1", "a", {**M, **more}, managed=managed), manifest("a", {**M, "temperature": 0.50}))


@pytest.mark.parametrize(
    ("live", "file"),
    [
        (marked("o1", "a", {**M, "model": "n"}), manifest("a", M)),
        (marked("o1", "a", {**M, "metadata": {"team": "u"}}), manifest("a", M)),
        (marked("o1", "a", M), manifest("a", {"model": "m"})),
        (marked("o1", "a", M, managed=[("model",)]), manifest("a", M)),
        (marked("o1", "a", M, protect=True), manifest("a", M)),
        (marked("o1", "b", M), manifest("a", M)),
        (marked("o1", "old", M), manifest("a", M, moved_from="old")),
    ],
)
def test_another_value_or_mark_is_not(live: LiveObject, file: Manifest) -> None:
    assert not synced(live, file)


def test_where_units_are_left_to_others_or_wait_for_an_id_nothing_is_known() -> None:
    assert fingerprint(ASSISTANT, manifest("a", M, ignore={"model"})) is None
    assert fingerprint(ASSISTANT, manifest("a", M, initial={"model"})) is None
    assert fingerprint(BOT, manifest("a", {"store": "?"}, BOT, refs={("store",): Address("store", "s")})) is None
    assert fingerprint(SHELF, manifest("s", {"title": "s", "papers": {}}, SHELF)) is None
    assert not synced(marked("o1", "a", M), manifest("a", M, ignore={"model"}))


def test_a_value_that_is_not_compared_is_never_in_sync() -> None:
    body = {"title": "t", "secret": "s"}
    assert fingerprint(WIDGET, manifest("a", body, WIDGET)) is None
    assert not synced(marked("o1", "a", body, WIDGET), manifest("a", body, WIDGET), WIDGET)


@pytest.mark.parametrize(("last", "right"), [(M, True), ({**M, "model": "n"}, False), (None, False)])
def test_where_marks_keep_digests_they_have_to_be_right(last: Any, right: bool) -> None:
    assert synced(marked("o1", "a", M, last=last), manifest("a", M), digests=True) is right


def test_where_a_mark_has_no_room_for_digests_that_is_to_be_reported() -> None:
    kind = replace(ASSISTANT, max_mark=1)
    assert not synced(marked("o1", "a", M, kind), manifest("a", M, kind), kind, digests=True)


def test_where_marks_keep_none_a_mark_with_digests_is_to_be_written_again() -> None:
    assert not synced(marked("o1", "a", M, last=M), manifest("a", M))


def test_what_has_expired_is_not_in_sync() -> None:
    kind = replace(ASSISTANT, expired=("status", "over"))
    live = marked("o1", "a", {**M, "status": "over"}, managed=[("model",), ("temperature",), ("metadata", "team")])
    assert (synced(live, manifest("a", M), kind), synced(live, manifest("a", M))) == (False, True)


LONG = "word " * 100
PROSE = replace(ASSISTANT, fields={**ASSISTANT.fields, "instructions": Meaning(default=LONG)})
SPELLED = replace(ASSISTANT, fields={**ASSISTANT.fields, "instructions": Meaning(shown_as={f'"{LONG}"': "short"})})


@pytest.mark.parametrize(
    ("kind", "file", "live", "right"),
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
    kind: Kind, file: dict[str, Any], live: dict[str, Any], right: bool
) -> None:
    managed = [(name,) for name in file]
    assert synced(marked("o1", "a", live, kind, managed=managed), manifest("a", file, kind), kind) is right
    same_each = [same(meaning_of(kind, (name,)), file[name], live[name]) for name in file]
    assert all(same_each) is right
