"""Answers that are small on the wire and large in memory, and lists that never end: errors, in bounded memory."""

from __future__ import annotations

import gzip
import itertools
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import pytest

from reconciler.drivers.base import Ambiguous, BadResponse, IncompleteList, RemoteError, TooLarge, Unreachable
from reconciler.drivers.lists import list_limits
from reconciler.drivers.provider import ListStyle, Provider, ProviderKind
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import MAX_ANSWER_BYTES
from tests.world import PROVIDER as WORLD
from tests.world import client

PROVIDER = Provider("p", {"thing": ProviderKind("x", "/things", "metadata")})
THING = b'{"id": "x1"}'
MIB = 1024 * 1024


class Remote:
    """Answers every request alike, and counts them."""

    def __init__(self, status: int, headers: dict[str, str], *pieces: bytes) -> None:
        self.answer = status, headers, pieces
        self.seen: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.seen.append(environ)
        status, headers, pieces = self.answer
        start_response(f"{status} x", list(headers.items()))
        return pieces

    def driver(self) -> RestDriver:
        return RestDriver(PROVIDER, client(self))  # type: ignore[arg-type]


@cache
def packed(content: bytes, layers: int) -> bytes:
    return gzip.compress(packed(content, layers - 1), 9) if layers else content


def peak(work: Callable[[], object]) -> int:
    """How much memory the work took at its most, in bytes."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LARGE = b"0" * (96 * MIB)
BOMBS = {
    "one layer": ("gzip", lambda: packed(LARGE, 1), TooLarge, "larger than 32 MiB"),
    "two layers": (
        "gzip, gzip",
        lambda: packed(LARGE, 2),
        BadResponse,
        "an encoding that was not requested: gzip, gzip",
    ),
    "three layers": ("gzip,gzip,gzip", lambda: packed(LARGE, 3), BadResponse, "was not requested"),
    "another layer": ("deflate, gzip", lambda: packed(zlib.compress(LARGE), 1), BadResponse, "was not requested"),
    "deflate": ("deflate", lambda: zlib.compress(LARGE), BadResponse, "not requested: deflate"),
    "brotli": ("br", lambda: THING, BadResponse, "not requested: br"),
    "zstd": ("zstd", lambda: THING, BadResponse, "not requested: zstd"),
    "a word of its own": ("gzip;q=1", lambda: packed(THING, 1), BadResponse, "was not requested"),
}


@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("bomb", BOMBS)
def test_an_answer_is_unpacked_once_and_no_further_than_the_limit(bomb: str, status: int) -> None:
    encoding, content, kind, said = BOMBS[bomb]
    remote = Remote(status, {"content-encoding": encoding}, content())

    def read() -> None:
        with pytest.raises(kind, match=said):
            remote.driver().read("thing", "x1")

    assert peak(read) < MAX_ANSWER_BYTES + 48 * MIB
    assert remote.seen[0]["HTTP_ACCEPT_ENCODING"] == "gzip"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_in_a_page_of_a_list_ends_the_list(bomb: str) -> None:
    encoding, content, kind, said = BOMBS[bomb]
    with pytest.raises(kind, match=said):
        list(Remote(200, {"content-encoding": encoding}, content()).driver().list("thing"))


def test_a_bomb_as_the_answer_to_a_create_leaves_open_whether_it_was_made() -> None:
    encoding, content, _, said = BOMBS["two layers"]
    with pytest.raises(Ambiguous, match=said):
        Remote(200, {"content-encoding": encoding}, content()).driver().create("thing", {})


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "identity", "", "identity, gzip"])
def test_what_is_asked_for_is_read(encoding: str) -> None:
    content = THING if "gzip" not in encoding.lower() else packed(THING, 1)
    pieces = [content[at : at + 3] for at in range(0, len(content), 3)]
    assert Remote(200, {"content-encoding": encoding}, *pieces).driver().read("thing", "x1") == {"id": "x1"}
    with pytest.raises(BadResponse, match="still exists"):
        Remote(200, {"content-encoding": encoding}, *pieces).driver().delete("thing", "x1")


DAMAGED = {
    "cut": packed(THING, 1)[:-9],
    "no gzip": THING,
    "another sum": packed(THING, 1)[:-8] + b"00000000",
    "more after its end": packed(THING, 1) + b"x",
    "two of them": packed(THING, 1) * 2,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_gzip_that_is_damaged_is_no_answer(content: bytes) -> None:
    with pytest.raises(Unreachable, match="gzip data of the response is damaged"):
        Remote(200, {"content-encoding": "gzip"}, content).driver().read("thing", "x1")


def test_gzip_that_stands_for_nothing_ends_at_the_limit() -> None:
    pack = zlib.compressobj(0, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    head = pack.compress(b"x") + pack.flush(zlib.Z_FULL_FLUSH)
    nothing = b"\x00\x00\x00\xff\xff" * 200_000  # stored blocks of no bytes
    given = 0

    class Endless:
        def __iter__(self) -> Any:
            nonlocal given
            yield head
            while given < 200:
                given += 1
                yield nothing

    with pytest.raises(TooLarge):
        RestDriver(PROVIDER, client(_answering(Endless()))).read("thing", "x1")
    assert given < 40


def _answering(pieces: Iterable[bytes]) -> Callable[..., Iterable[bytes]]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 x", [("content-encoding", "gzip")])
        return pieces

    return app


def test_cookies_are_not_kept() -> None:
    remote = Remote(200, {"set-cookie": f"a={'x' * 4000}; Path=/"}, THING)
    driver = remote.driver()
    for _ in range(3):
        driver.read("thing", "x1")
    assert [each.get("HTTP_COOKIE") for each in remote.seen] == [None] * 3


NESTED = {
    "lists": b'{"id": "x1", "a": ' + b"[" * 500 + b"]" * 500 + b"}",
    "mappings": b'{"id": "x1", "a": ' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}",
    "both, with more beside": b'{"id": "x1", "a": ' + b'[1,{"b":2,"a":' * 200 + b"1" + b"}]" * 200 + b"}",
    "beyond what Python reads": b'{"id": "x1", "a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
}
NUMBERS = {
    "400 digits": b'{"id": "x1", "created_at": ' + b"9" * 400 + b"}",
    "400 digits, negative": b'{"id": "x1", "created_at": -' + b"9" * 400 + b"}",
    "5,000 digits": b'{"id": "x1", "created_at": ' + b"9" * 5000 + b"}",
    "too large a fraction": b'{"id": "x1", "created_at": 1.5e999}',
}


@pytest.mark.parametrize("body", (NESTED | NUMBERS).values(), ids=NESTED | NUMBERS)
def test_what_no_reader_can_bear_is_said_to_be_so(body: bytes) -> None:
    said = "nested deeper than 100 levels" if body in NESTED.values() else "is too large"
    with pytest.raises(BadResponse, match=said):
        Remote(200, {}, body).driver().read("thing", "x1")
    page = b'{"data": [' + body + b'], "has_more": false}'
    with pytest.raises(BadResponse, match=said):
        list(Remote(200, {}, page).driver().list("thing"))
    with pytest.raises(RemoteError):
        Remote(400, {}, body).driver().read("thing", "x1")


@pytest.mark.parametrize("value", [b"[]", b"{}", b'"ab"', b"1.5"])
def test_an_answer_of_millions_of_small_values_is_not_held(value: bytes) -> None:
    body = b'{"id": "x1", "a": [' + b",".join([value] * 3_000_000) + b"]}"

    def read() -> None:
        with pytest.raises(TooLarge, match="more than 1,000,000 values"):
            Remote(200, {}, body).driver().read("thing", "x1")

    assert peak(read) < 4 * len(body)


def test_commas_in_texts_are_no_values() -> None:
    table = "a,b," * 100_000 + '"\\,'
    body = json.dumps({"id": "x1", "a": [table] * 6}).encode()
    assert Remote(200, {}, body).driver().read("thing", "x1")["a"][5] == table


@pytest.mark.parametrize("wait", ["9" * 400, "1e999", "-1", "9" * 5000, "Fri, 31 Dec " + "9" * 400 + " 23:59:59 GMT"])
@pytest.mark.parametrize("header", ["retry-after", "retry-after-ms"])
def test_a_wait_that_is_no_time_is_none(header: str, wait: str) -> None:
    with pytest.raises(RemoteError, match="429"):
        Remote(429, {header: wait}, b"{}").driver().read("thing", "x1")


# Lists without end


def paged(style: str) -> Provider:
    """A provider whose list is read in that style, two objects at a time."""
    how: dict[str, dict[str, Any]] = {
        "after": {"cursor": "after", "more": "has_more"},
        "page": {"cursor": "token", "more": "next"},
        "offset": {"cursor": "offset"},
        "last": {"cursor": "last"},
        "time": {"cursor": "before"},
    }
    list_style = ListStyle(style=style, size="limit", limit=2, items="data", **how[style])  # type: ignore[arg-type]
    return Provider("p", {"thing": ProviderKind("x", "/things", "metadata", created_field="made", list=list_style)})


class Endless:
    """A list that always has another page, of another cursor each time; its pages hold `size` new objects."""

    def __init__(self, size: int = 2, weight: int = 0) -> None:
        self.pages = 0
        self._size = size
        self._text = "x" * weight
        self._last: dict[str, Any] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.pages += 1
        at = 4_000_000_000 - self.pages * self._size
        data = [{"id": f"x{at - n}", "made": at - n, "text": self._text} for n in range(self._size)]
        query = environ["QUERY_STRING"]
        if "offset=" in query and "offset=0" not in query:
            data = [self._last, *data]
        self._last = data[-1] if data else self._last
        start_response("200 x", [])
        return [json.dumps({"data": data, "has_more": True, "next": f"t{self.pages}"}).encode()]


@pytest.mark.parametrize("style", ["after", "page", "offset", "last", "time"])
def test_a_list_whose_pages_never_end_ends_at_a_number_of_them(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_limits, "MAX_PAGES", 300)
    remote = Endless()
    with pytest.raises(IncompleteList, match="/things has more than 300 pages"):
        list(itertools.islice(RestDriver(paged(style), client(remote)).list("thing"), 2000))
    assert remote.pages == 301


def test_pages_that_hold_nothing_end_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_limits, "MAX_PAGES", 300)
    remote = Endless(size=0)
    with pytest.raises(IncompleteList, match="more than 300 pages"):
        list(RestDriver(paged("page"), client(remote)).list("thing"))


@pytest.mark.parametrize("style", ["after", "page", "offset", "last", "time"])
def test_a_list_ends_at_a_number_of_bytes(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_limits, "MAX_LIST_BYTES", 1024**2)
    remote = Endless(weight=50_000)
    with pytest.raises(IncompleteList, match="the list of /things is larger than"):
        list(RestDriver(paged(style), client(remote)).list("thing"))
    assert remote.pages < 20


def test_a_list_ends_at_a_number_of_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_limits, "MAX_LIST_VALUES", 100_000)
    small = [{"id": f"x{number}", "made": number, "parts": [[]] * 30_000} for number in range(2)]
    pages = iter(range(100))

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        page = next(pages)
        start_response("200 x", [])
        data = [each | {"id": f"{each['id']}-{page}"} for each in small]
        return [json.dumps({"data": data, "has_more": True, "next": f"t{page}"}).encode()]

    with pytest.raises(IncompleteList, match="more than 100,000 values"):
        list(RestDriver(paged("page"), client(app)).list("thing"))
    assert next(pages) == 2


def test_a_list_ends_at_a_number_of_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_limits, "MAX_OBJECTS", 10_000)
    remote = Endless(size=4_000)
    with pytest.raises(IncompleteList, match="more than 10,000 objects"):
        list(RestDriver(paged("page"), client(remote)).list("thing"))
    assert remote.pages == 3


def test_the_members_of_an_object_end_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_limits, "MAX_PAGES", 300)
    driver = RestDriver(WORLD, client(Endless()))
    with pytest.raises(IncompleteList, match="/vector_stores/vs_1/files has more than 300 pages"):
        list(driver.within("vector_store", "vs_1", "files").list())


def test_objects_behind_summaries_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_limits, "MAX_LIST_BYTES", 1024**2)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 x", [])
        path = environ["PATH_INFO"]
        if path.endswith("/things"):
            page = [{"id": f"x{n}"} for n in range(1000)]
            return [json.dumps({"data": page, "has_more": False}).encode()]
        return [json.dumps({"id": path.rpartition("/")[2], "text": "x" * 50_000}).encode()]

    spec = ProviderKind("x", "/things", "metadata", list=ListStyle(limit=1000, summaries=True))
    with pytest.raises(IncompleteList, match="larger than"):
        list(RestDriver(Provider("p", {"thing": spec}), client(app)).list("thing"))


def test_a_hundred_thousand_objects_are_read() -> None:
    remote = Endless(size=100, weight=2000)
    thousand = itertools.islice(RestDriver(paged("page"), client(remote)).list("thing"), 100_000)
    assert sum(1 for _ in thousand) == 100_000
