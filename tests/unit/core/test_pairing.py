"""Which live object is whose."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from reconciler.core.index import Index, index, mark_of, mark_text
from reconciler.core.marks import DamagedMark, Mark, NewerMark
from reconciler.core.model import Json, LiveObject
from tests.unit.core.build import ASSISTANT, OWNER, WIDGET, bare, marked, with_mark


def indexed(*objects: LiveObject) -> Index:
    return index(ASSISTANT, objects, OWNER)


def ids(objects: Iterable[LiveObject]) -> list[str]:
    return [live.id for live in objects]


def test_objects_are_sorted_by_whose_they_are() -> None:
    found = indexed(
        bare("plain", {}),
        marked("mine", "k", {}),
        marked("theirs", "k", {}, owner="other"),
        with_mark("newer", "2 x", {}),
        with_mark("damaged", "hello", {}),
    )
    assert (ids(found.unmarked), ids(live for live, _ in found.newer), ids(found.damaged)) == (
        ["plain"],
        ["newer"],
        ["damaged"],
    )
    assert [owned.live.id for owned in found.foreign] == ["theirs"]
    assert {key: owned.live.id for key, owned in found.managed.items()} == {"k": "mine"}
    assert ids(found.unmanaged) == ["plain", "theirs", "newer", "damaged"]
    assert set(found.by_id) == {"plain", "mine", "theirs", "newer", "damaged"}


def test_the_older_of_two_with_one_nonce_wins_and_the_other_is_a_copy() -> None:
    found = indexed(marked("new", "k", {}, created=2, nonce="n1"), marked("old", "k", {}, created=1, nonce="n1"))
    assert found.managed["k"].live.id == "old"
    assert [(first.live.id, copy.live.id) for first, copy in found.clones] == [("old", "new")]
    assert found.duplicates == {}
    assert ids(found.unmanaged) == ["new"]


def test_the_older_of_two_with_different_nonces_wins_and_the_other_is_a_twin() -> None:
    found = indexed(marked("new", "k", {}, nonce="n2", created=2), marked("old", "k", {}, created=1))
    assert found.managed["k"].live.id == "old"
    assert [twin.live.id for twin in found.duplicates["k"]] == ["new"]
    assert found.clones == []
    assert found.unmanaged == []


def test_between_objects_of_one_age_the_smaller_id_wins_for_everyone() -> None:
    pair = [marked("b", "k", {}, nonce="n1"), marked("a", "k", {}, nonce="n2")]
    assert indexed(*pair).managed["k"].live.id == indexed(*reversed(pair)).managed["k"].live.id == "a"


def test_several_twins_are_all_kept_in_order_of_age() -> None:
    found = indexed(*(marked(f"o{n}", "k", {}, nonce=f"n{n}", created=9 - n) for n in range(3)))
    assert (found.managed["k"].live.id, [twin.live.id for twin in found.duplicates["k"]]) == ("o2", ["o1", "o0"])


def test_the_same_key_of_another_owner_is_neither_copy_nor_twin() -> None:
    found = indexed(marked("mine", "k", {}, created=2), marked("theirs", "k", {}, owner="other", created=1))
    assert found.managed["k"].live.id == "mine"
    assert (found.clones, found.duplicates) == ([], {})


@pytest.mark.parametrize("carrier", [None, "text", [], {}, {"other": "x"}])
def test_an_object_without_an_entry_in_the_marks_place_has_no_mark(carrier: Json) -> None:
    live = bare("o", {"metadata": carrier})
    assert mark_text(ASSISTANT, live) is None
    assert mark_of(ASSISTANT, live) is None


def test_the_mark_is_read_from_the_field_the_provider_names() -> None:
    assert isinstance(mark_of(WIDGET, marked("o", "k", {}, WIDGET)), Mark)
    assert mark_of(WIDGET, marked("o", "k", {})) is None
    assert mark_of(ASSISTANT, with_mark("o", "3 new", {})) == NewerMark("new", "")
    assert mark_of(ASSISTANT, with_mark("o", ["x"], {})) == DamagedMark()
