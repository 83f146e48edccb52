"""Lists that are read page by page, on remotes that make it hard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.base import IncompleteList, NotFound, RequestCount
from reconciler.drivers.lists.page_fetcher import read_each
from reconciler.drivers.lists.sequential_pages import by_last, by_offset, by_time, by_token
from reconciler.drivers.provider import ListStyle
from reconciler.drivers.transport.request_counter import RequestCounter

LAST = ListStyle(style="last", items="", cursor="after")
TIME = ListStyle(style="time", items="", cursor="until", limit=2)
Page = tuple[list[dict[str, Any]], None]


class Remote:
    """A list of ids, newest first, two on a page; an id it does not know begins it again. `gone` go after a page."""

    def __init__(self, ids: str, gone: str = "") -> None:
        self.ids = list(ids)
        self.gone = list(gone)
        self.asked = 0

    def __call__(self, said: Mapping[str, Any]) -> Page:
        self.asked += 1
        after = said.get("after")
        start = self.ids.index(after) + 1 if after in self.ids else 0
        page = self.ids[start : start + 2]
        if self.gone:
            self.ids.remove(self.gone.pop(0))
        return [{"id": id} for id in page], None


def listed(remote: Remote) -> str:
    return "".join(body["id"] for body in by_last(LAST, remote))


def test_a_list_ends_with_an_empty_page() -> None:
    remote = Remote("edcba")
    assert listed(remote) == "edcba"
    assert remote.asked == 4


def test_where_the_last_object_is_gone_the_list_begins_again_and_shows_nothing_twice() -> None:
    assert listed(Remote("edcba", gone="d")) == "edcba"


def test_a_list_that_ignores_the_cursor_is_given_up() -> None:
    with pytest.raises(IncompleteList, match="again and again"):
        list(by_last(LAST, lambda said: ([{"id": "a"}, {"id": "b"}], None)))


@pytest.mark.parametrize(
    ("times", "asked"),
    [
        (["2026-01-02T00:00:00.123Z", "2026-01-01T00:00:00Z"], "2026-01-01T00:00:00.001Z"),
        (["2026-01-02T00:00:00.123Z", "2026-01-01T02:00:00.500+02:00"], "2026-01-01T00:00:00.501Z"),
        ([1_700_000_001, 1_700_000_000], 1_700_000_001),
    ],
    ids=["without a fraction", "another zone", "seconds"],
)
def test_what_was_made_within_the_moment_that_is_shown_is_asked_for_again(times: list[Any], asked: Any) -> None:
    said: list[Mapping[str, Any]] = []

    def fetch(query: Mapping[str, Any]) -> Page:
        said.append(dict(query))
        return [{"id": str(at), "made": time} for at, time in enumerate(times)][len(said) - 1 :], None

    assert len(list(by_time(TIME, fetch, "made"))) == 2
    assert said == [{}, {"until": asked}]


@pytest.mark.parametrize("time", [None, "yesterday", True, 1.5])
def test_an_object_without_a_time_ends_the_reading(time: Any) -> None:
    with pytest.raises(IncompleteList, match="without a time"):
        list(by_time(TIME, lambda said: ([{"id": "a", "made": time}], None), "made"))


@pytest.mark.parametrize("at_once", [1, 4])
def test_what_reading_one_object_raises_ends_all_of_it(at_once: int) -> None:
    def read(summary: dict[str, Any]) -> dict[str, Any]:
        if summary["id"] == "c":
            raise NotFound("it is not there")
        return summary

    whole = read_each(({"id": id} for id in "ab"), read, at_once, RequestCounter())
    assert sorted(body["id"] for body in whole) == ["a", "b"]
    with pytest.raises(NotFound):
        list(read_each(({"id": id} for id in "abc"), read, at_once, RequestCounter()))


def test_requests_of_other_threads_are_counted_for_the_one_that_asked() -> None:
    class Counting(RequestCounter):
        def read(self, summary: dict[str, Any]) -> dict[str, Any]:
            self.add_request_count(RequestCount(requests=1))
            return summary

    counting = Counting()
    assert len(list(read_each(({"id": str(each)} for each in range(20)), counting.read, 4, counting))) == 20
    assert counting.take_request_count().requests == 20


class Sized:
    """A list of objects, newest first, read in any style; `sizes` are those of its pages, by turns."""

    def __init__(self, times: list[int], sizes: list[int], style: ListStyle) -> None:
        self.objects = [{"id": f"o{at}", "made": time} for at, time in enumerate(times)]
        self.sizes = sizes
        self.style = style
        self.asked = 0

    def __call__(self, said: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Any]:
        cursor = said.get(self.style.cursor)
        ids = [each["id"] for each in self.objects]
        objects, start = self.objects, 0
        if cursor is not None and self.style.style == "time":
            objects = [each for each in self.objects if each["made"] <= cursor]
        elif cursor is not None:
            start = ids.index(cursor) + 1 if self.style.style == "last" else int(cursor)
        size = self.sizes[self.asked % len(self.sizes)]
        self.asked += 1
        page = objects[start : start + size]
        more = start + size < len(objects)
        return page, str(start + size) if more else None

    def listed(self) -> list[str]:
        readers = {"page": by_token, "offset": by_offset, "last": by_last, "time": lambda s, f: by_time(s, f, "made")}
        return [body["id"] for body in readers[self.style.style](self.style, self)]


STYLES = [ListStyle(style=name, cursor="at", limit=5) for name in ("page", "offset", "last", "time")]  # type: ignore[arg-type]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.style)
@given(count=st.integers(0, 30), size=st.integers(1, 5))
def test_a_server_that_gives_fewer_objects_than_it_is_asked_for_is_read_whole(
    style: ListStyle, count: int, size: int
) -> None:
    """By time it is refused where a page holds one object: what was made in the same moment might be cut off."""
    remote = Sized(list(range(1000, 1000 - 10 * count, -10)), [size], style)
    if style.style == "time" and size == 1 < count:
        with pytest.raises(IncompleteList):
            remote.listed()
    else:
        assert remote.listed() == [each["id"] for each in remote.objects]


@given(times=st.lists(st.integers(0, 12), max_size=20), size=st.integers(1, 5))
def test_objects_of_one_time_are_all_found_or_the_list_is_incomplete(times: list[int], size: int) -> None:
    remote = Sized(sorted(times, reverse=True), [size], STYLES[3])
    try:
        found = remote.listed()
    except IncompleteList:
        return
    older = {each["made"] for each in remote.objects if each["id"] not in found}
    # What a remote cuts off at every page, and shows by no request, cannot be known: all of it was made last of all.
    assert older <= {min(times, default=0)}


def test_a_list_of_131_objects_one_on_a_page_is_read_by_offsets() -> None:
    remote = Sized(list(range(131, 0, -1)), [1], STYLES[1])
    assert len(remote.listed()) == 131


def test_where_pages_have_room_no_request_is_added() -> None:
    for count, asked in ((0, 1), (4, 2), (5, 2), (6, 3), (9, 3)):
        remote = Sized(list(range(count, 0, -1)), [5], STYLES[1])
        assert len(remote.listed()) == count
        assert remote.asked == asked


@pytest.mark.parametrize("at", range(12))
def test_a_delete_while_objects_come_one_by_one_loses_no_other(at: int) -> None:
    """Whatever request it comes after: the list has moved, and is read again."""
    remote = Sized([4, 3, 2, 1], [1], STYLES[1])

    def fetch(said: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Any]:
        page = remote(said)
        if remote.asked == at + 1:
            del remote.objects[0]
        return page

    assert {body["id"] for body in by_offset(STYLES[1], fetch)} >= {"o1", "o2", "o3"}
