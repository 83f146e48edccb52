"""Answers that are small on the wire and large in memory, and lists that never end: each an error, in bounded memory."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.drivers.base import Ambiguous, BadResponse, RemoteError, TooLarge, Unreachable
from reconciler.drivers.http import MAX_ANSWER_BYTES
from reconciler.drivers.provider import Provider, ProviderKind
from reconciler.drivers.rest import RestDriver
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


def packed(content: bytes, layers: int) -> bytes:
    for _ in range(layers):
        content = gzip.compress(content, 9)
    return content


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
    "one layer": ("gzip", packed(LARGE, 1), TooLarge, "larger than 32 MiB"),
    "two layers": ("gzip, gzip", packed(LARGE, 2), BadResponse, "packed in a way nobody asked for: gzip, gzip"),
    "three layers": ("gzip,gzip,gzip", packed(LARGE, 3), BadResponse, "nobody asked for"),
    "another layer": ("deflate, gzip", packed(zlib.compress(LARGE), 1), BadResponse, "nobody asked for"),
    "deflate": ("deflate", zlib.compress(LARGE), BadResponse, "nobody asked for: deflate"),
    "brotli": ("br", THING, BadResponse, "nobody asked for: br"),
    "zstd": ("zstd", THING, BadResponse, "nobody asked for: zstd"),
    "a word of its own": ("gzip;q=1", packed(THING, 1), BadResponse, "nobody asked for"),
}


@pytest.mark.parametrize("status", [200, 400, 503])
@pytest.mark.parametrize("bomb", BOMBS)
def test_an_answer_is_unpacked_once_and_no_further_than_the_limit(bomb: str, status: int) -> None:
    encoding, content, kind, said = BOMBS[bomb]
    remote = Remote(status, {"content-encoding": encoding}, content)

    def read() -> None:
        with pytest.raises(kind, match=said):
            remote.driver().read("thing", "x1")

    assert peak(read) < MAX_ANSWER_BYTES + 48 * MIB
    assert remote.seen[0]["HTTP_ACCEPT_ENCODING"] == "gzip"


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_in_a_page_of_a_list_ends_the_list(bomb: str) -> None:
    encoding, content, kind, said = BOMBS[bomb]
    with pytest.raises(kind, match=said):
        list(Remote(200, {"content-encoding": encoding}, content).driver().list("thing"))


def test_a_bomb_as_the_answer_to_a_create_leaves_open_whether_it_was_made() -> None:
    encoding, content, _, said = BOMBS["two layers"]
    with pytest.raises(Ambiguous, match=said):
        Remote(200, {"content-encoding": encoding}, content).driver().create("thing", {})


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP", "identity", "", "identity, gzip"])
def test_what_is_asked_for_is_read(encoding: str) -> None:
    content = THING if "gzip" not in encoding.lower() else packed(THING, 1)
    pieces = [content[at : at + 3] for at in range(0, len(content), 3)]
    assert Remote(200, {"content-encoding": encoding}, *pieces).driver().read("thing", "x1") == {"id": "x1"}
    with pytest.raises(BadResponse, match="still there"):
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
    with pytest.raises(Unreachable, match="gzip of the answer is damaged"):
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
