"""Where a read starts from, and what it does about places that are gone."""

from __future__ import annotations

import pytest

from reconciler.drivers.paging.page import ListedObject, Order, Page
from reconciler.drivers.paging.parallel_read import PageRequest, ParallelRead, spread

PLACES = tuple(ListedObject(f"o{number}", float(number)) for number in range(10, 100, 10))


def page(*numbers: int, more: bool = True) -> Page:
    return Page(tuple(ListedObject(f"o{number}", float(number)) for number in numbers), more)


def started(reading: ParallelRead) -> dict[str | None, PageRequest]:
    """What is asked for once the first page is here: by cursor."""
    (first,) = reading.asks()
    reading.remember(PLACES)
    reading.take(first, page(109, 108))
    return {ask.after: ask for ask in reading.asks() if ask.order is Order.OLDEST_FIRST}


@pytest.mark.parametrize(
    "answer", [None, page(), page(more=False), page(1, 2)], ids=["404", "empty", "empty, the end", "the first page"]
)
def test_the_neighbours_of_a_place_that_is_gone_are_tried(answer: Page | None) -> None:
    reading = ParallelRead(3)
    asks = started(reading)
    assert asks.keys() == {None, "o40"}
    reading.take(asks["o40"], answer)
    (neighbour,) = [ask for ask in reading.asks() if ask.probe]
    assert neighbour.after == "o50"
    reading.take(neighbour, answer)
    (neighbour,) = [ask for ask in reading.asks() if ask.probe]
    assert neighbour.after == "o30"
    reading.take(neighbour, answer)
    assert not [ask for ask in reading.asks() if ask.probe]


def test_a_place_that_is_alive_is_read_on_from() -> None:
    reading = ParallelRead(3)
    asks = started(reading)
    reading.take(asks["o40"], page(41, 42))
    assert "o42" in [ask.after for ask in reading.asks()]


def test_a_short_list_is_read_one_page_after_the_other() -> None:
    reading = ParallelRead(8)
    for first in range(50, 0, -10):
        (ask,) = reading.asks()
        assert ask.order is Order.NEWEST_FIRST
        reading.take(ask, page(first, first - 5, more=first > 10))
    assert reading.complete
    assert reading.boundaries() == ()


def test_who_has_seen_one_second_only_has_passed_nobody() -> None:
    """A remote that lists the newest first whatever is asked, and a place remembered with a wrong time."""
    reading = ParallelRead(3, few_pages=1)
    (newest,) = reading.asks()
    reading.remember((ListedObject("o2", -5.0), ListedObject("o3", -5.0)))
    tied = Page((ListedObject("o9", 4.0), ListedObject("o8", 4.0)), True)
    reading.take(newest, tied)
    asks = {ask.after: ask for ask in reading.asks()}
    reading.take(asks["o2"], Page((ListedObject("o1", 0.0), ListedObject("o0", 0.0)), False))
    reading.take(asks[None], tied)
    assert not reading.complete


@pytest.mark.parametrize(
    ("size", "count", "places"),
    [(0, 6, []), (1, 6, []), (4, 6, [1, 2]), (9, 1, [3]), (80, 6, [10, 20, 30, 40, 50, 60]), (80, 0, [])],
)
def test_places_are_spread_with_a_double_share_for_the_two_that_meet_at_the_end(
    size: int, count: int, places: list[int]
) -> None:
    boundaries = [ListedObject(str(number), float(number)) for number in range(size)]
    assert [int(each[0].id) for each in spread(boundaries, count)] == places
