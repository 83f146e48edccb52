"""Which live object is whose."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from reconciler.core.matching.index import Index, content_of, folded, index, mark_of, mark_text
from reconciler.core.values.marks import DamagedMark, Mark, NewerMark
from reconciler.core.values.model import Json, LiveObject
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
    assert [each.live.id for each in found.foreign] == ["theirs"]
    assert {key: each.live.id for key, each in found.managed.items()} == {"k": "mine"}
    assert ids(found.unmanaged) == ["plain", "theirs", "newer", "damaged"]
    assert set(found.by_id) == {"plain", "mine", "theirs", "newer", "damaged"}


def test_the_older_of_two_with_one_nonce_wins_and_the_other_is_a_clone() -> None:
    found = indexed(marked("new", "k", {}, created=2, nonce="n1"), marked("old", "k", {}, created=1, nonce="n1"))
    assert found.managed["k"].live.id == "old"
    assert [(first.live.id, clone.live.id) for first, clone in found.clones] == [("old", "new")]
    assert found.duplicates == {}
    assert ids(found.unmanaged) == ["new"]


def test_the_older_of_two_with_different_nonces_wins_and_the_other_is_a_duplicate() -> None:
    found = indexed(marked("new", "k", {}, nonce="n2", created=2), marked("old", "k", {}, created=1))
    assert found.managed["k"].live.id == "old"
    assert [duplicate.live.id for duplicate in found.duplicates["k"]] == ["new"]
    assert found.clones == []
    assert found.unmanaged == []


def test_between_objects_of_one_age_the_smaller_id_wins_for_everyone() -> None:
    pair = [marked("b", "k", {}, nonce="n1"), marked("a", "k", {}, nonce="n2")]
    assert indexed(*pair).managed["k"].live.id == indexed(*reversed(pair)).managed["k"].live.id == "a"


def test_several_duplicates_are_all_kept_in_order_of_age() -> None:
    found = indexed(*(marked(f"o{n}", "k", {}, nonce=f"n{n}", created=9 - n) for n in range(3)))
    assert (found.managed["k"].live.id, [duplicate.live.id for duplicate in found.duplicates["k"]]) == (
        "o2",
        ["o1", "o0"],
    )


def test_the_same_key_of_another_owner_is_neither_clone_nor_duplicate() -> None:
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


def test_a_clone_of_a_duplicate_is_a_clone_too() -> None:
    found = indexed(
        marked("o1", "k", {}, nonce="a", created=1),
        marked("o2", "k", {}, nonce="b", created=2),
        marked("o3", "k", {}, nonce="b", created=3),
    )
    assert [each.live.id for each in found.duplicates["k"]] == ["o2"]
    assert [(first.live.id, clone.live.id) for first, clone in found.clones] == [("o2", "o3")]
    assert [each.live.id for each in found.candidates("k")] == ["o1", "o2"]
    assert found.candidates("other") == []
    assert [found.is_clone(id) for id in ("o1", "o2", "o3")] == [False, False, True]


def test_a_nonce_counts_within_one_owner() -> None:
    found = indexed(marked("mine", "k", {}, created=2, nonce="n1"), marked("theirs", "k", {}, owner="x", nonce="n1"))
    assert found.clones == []
    assert found.managed["k"].live.id == "mine"
    assert found.clone_of("mine") is None
    assert found.clone_of("theirs") is None


def test_a_nonce_that_is_not_drawn_yet_makes_no_clone() -> None:
    found = indexed(marked("o1", "a", {}, nonce="~"), marked("o2", "b", {}, nonce="~"))
    assert (found.clones, found.clone_of("o1")) == ([], None)


def test_objects_that_are_not_ours_are_found_by_their_folded_name_and_their_content_by_id() -> None:
    same, other = {"model": "m", "name": "Stra\u00dfe"}, {"model": "m", "name": "STRASSE", "metadata": {"a": "1"}}
    found = indexed(bare("o2", same), bare("o1", other), marked("o3", "k", same), marked("o4", "k", same, owner="x"))
    assert ids(found.unmanaged_named("strasse")) == ["o1", "o2", "o4"]
    assert ids(found.unmanaged_like(content_of(ASSISTANT, {**same, "metadata": {"b": "2"}}))) == ["o2", "o4"]
    assert found.unmanaged_like(content_of(ASSISTANT, {"model": "n"})) == ()


@pytest.mark.parametrize("name", [None, "", ["one"], 1])
def test_what_is_not_a_text_is_no_name(name: Json) -> None:
    assert folded(name) is None
    assert indexed(bare("o1", {"model": "m", "name": name})).unmanaged_named(name) == ()


def test_a_name_is_the_same_however_its_letters_are_composed() -> None:
    assert folded("Caf\u00e9") == folded("CAFE\u0301") == "caf\u00e9"


def test_of_the_objects_of_another_owner_the_oldest_of_a_key_is_found() -> None:
    young, old = marked("o1", "k", {}, owner="x", created=2), marked("o2", "k", {}, owner="y", created=1)
    first = indexed(young, old).foreign_of("k")
    assert first is not None
    assert first.live.id == "o2"
    assert indexed(young).foreign_of("else") is None
