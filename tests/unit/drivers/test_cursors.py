"""Lists that are read page by page, on remotes that make it hard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.drivers.base import IncompleteList, NotFound, Tally
from reconciler.drivers.cursors import by_last, by_time
from reconciler.drivers.listing import read_each
from reconciler.drivers.provider import ListStyle
from reconciler.drivers.tallies import Tallies

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
    def read(summary: dict[str, Any]) -> dict[str, Any] | None:
        if summary["id"] == "c":
            raise NotFound("it is not there")
        return None if summary["id"] == "b" else summary

    whole = read_each(({"id": id} for id in "ab"), read, at_once, Tallies())
    assert [body["id"] for body in whole] == ["a"]
    with pytest.raises(NotFound):
        list(read_each(({"id": id} for id in "abc"), read, at_once, Tallies()))


def test_requests_of_other_threads_are_counted_for_the_one_that_asked() -> None:
    class Counting(Tallies):
        def read(self, summary: dict[str, Any]) -> dict[str, Any]:
            self.add_tally(Tally(requests=1))
            return summary

    counting = Counting()
    assert len(list(read_each(({"id": str(each)} for each in range(20)), counting.read, 4, counting))) == 20
    assert counting.take_tally().requests == 20
