"""No request waits for ever, whatever comes, goes or does not: a request and its answer have each a time as a whole."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from reconciler.drivers.base import Unreachable
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.drivers.transport.retry import MAX_TRIES
from reconciler.server import create_app
from tests.faults.wire import Exchange, Fault, Wire, self_signed
from tests.world import PROVIDER, Clock

SECONDS = 60


def drip(*, before: bytes, after: bytes, of: str) -> Fault:
    """Send `before`, then a byte a second for ten minutes, then `after`."""

    def dripping(exchange: Exchange) -> None:
        exchange.raw(before)
        for _ in range(600):
            exchange.elapse(1)
            exchange.raw(of.encode())
        exchange.raw(after)

    return dripping


DRIPS = {
    "a head": drip(before=b"HTTP/1.1 200 x\r\ncontent-length: 13\r\nx-slow: ", of="x", after=b'\r\n\r\n{"id": "asst"}'),
    "a head without end": drip(before=b"HTTP/1.1 200 x\r\n", of="x-more: y\r\n", after=b"\r\n"),
    "a status": drip(before=b"HTTP/1.1 200 ", of="x", after=b'\r\ncontent-length: 14\r\n\r\n{"id": "asst"}'),
    "interim answers": drip(
        before=b"", of="HTTP/1.1 102 x\r\n\r\n", after=b'HTTP/1.1 200 x\r\ncontent-length: 14\r\n\r\n{"id": "asst"}'
    ),
    "a body": drip(before=b"HTTP/1.1 200 x\r\ncontent-length: 614\r\n\r\n", of=" ", after=b'{"id": "asst"}'),
    "chunks": drip(
        before=b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n",
        of="1\r\n \r\n",
        after=b'e\r\n{"id": "asst"}\r\n0\r\n\r\n',
    ),
}


@contextmanager
def reading(clock: Clock, fault: Fault, scratch: Path | None = None) -> Iterator[tuple[Wire, Callable[[], object]]]:
    """A server with a fault on every read, over TLS where there is room for a certificate; and how to read."""
    tls = self_signed(scratch)[0] if scratch else None
    with Wire(create_app(), clock.pause, tls).serving() as wire:
        wire.arm("read", fault, 1, 100)
        connection = ConnectionSettings(wire.url, PROVIDER.headers, (), SECONDS, 10**6, 10**6)
        driver = RestDriver(PROVIDER, HttpClient(connection, pause=clock.pause, clock=clock, chance=lambda: 0.0))
        yield wire, lambda: driver.read("assistant", "asst")


@pytest.mark.parametrize("dripping", DRIPS)
def test_an_answer_that_comes_bit_by_bit_is_cut_off(dripping: str) -> None:
    clock = Clock()
    begin = clock.now
    with reading(clock, DRIPS[dripping]) as (wire, read), pytest.raises(Unreachable, match="did not end in time"):
        read()
    assert wire.sent["read"] == MAX_TRIES
    assert clock.now - begin >= MAX_TRIES * SECONDS


def test_over_tls_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "localhost.pem"))
    with reading(clock, DRIPS["a head"], tmp_path) as (_, read), pytest.raises(Unreachable, match="in time"):
        read()


def test_a_slow_answer_that_is_in_time_is_taken_and_the_next_one_has_a_time_of_its_own() -> None:
    clock = Clock()

    def slow(exchange: Exchange) -> bool:
        exchange.elapse(SECONDS - 20)
        exchange.send(200, {"content-type": "application/json"}, b'{"id": "asst"}')
        return True

    with reading(clock, slow) as (wire, read):
        for _ in range(3):
            assert read() == {"id": "asst"}
    assert wire.sent["read"] == 3


def test_a_server_that_accepts_and_never_answers_is_given_up_after_its_tries() -> None:
    tries: list[str] = []  # as the client tells them: the server may be slower than to hear of all of them in time
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        connection = ConnectionSettings(url, PROVIDER.headers, (), 0.1, 10**6, 10**6)
        driver = RestDriver(PROVIDER, HttpClient(connection, trace=tries.append, pause=lambda seconds: False))
        with pytest.raises(Unreachable):
            driver.read("assistant", "asst")
    assert len(tries) == MAX_TRIES


@contextmanager
def sipping(clock: Clock, piece: int) -> Iterator[tuple[list[bool], RestDriver]]:
    """A server that takes a piece of a request each second, and a driver; with whether each request came in whole."""
    whole: list[bool] = []

    def serve() -> None:
        while True:
            connection, caller = listener.accept()
            if caller == last:
                return
            with connection, suppress(ConnectionError):
                whole.append(False)
                whole[-1] = taken(connection)

    def taken(connection: socket.socket) -> bool:
        head, _, begun = connection.recv(4096).partition(b"\r\n\r\n")
        if not head:  # given up before a byte of it was sent: the clock is the same for all connections
            return False
        left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) - len(begun)
        while left > 0 and (found := connection.recv(piece)):
            left -= len(found)
            clock.pause(len(found) / piece)
        connection.sendall(b'HTTP/1.1 200 x\r\ncontent-length: 14\r\n\r\n{"id": "asst"}')
        return left == 0

    with socket.socket() as listener, socket.socket() as farewell:
        farewell.bind(("127.0.0.1", 0))
        last = farewell.getsockname()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        connection = ConnectionSettings(url, PROVIDER.headers, (), SECONDS, 10**6, 10**6)
        yield whole, RestDriver(PROVIDER, HttpClient(connection, pause=clock.pause, clock=clock, chance=lambda: 0.0))
        farewell.connect(listener.getsockname())  # connections are taken in their order: this one after all others
        thread.join()


LARGE = {"instructions": "x" * (8 << 20)}


def test_a_request_that_is_taken_bit_by_bit_is_given_up() -> None:
    with (
        sipping(Clock(), 4096) as (whole, driver),
        pytest.raises(Unreachable, match="could not be sent in time"),
    ):
        driver.update("assistant", "asst", LARGE)
    assert whole == [False] * MAX_TRIES


def test_a_large_request_that_is_taken_in_time_is_answered() -> None:
    clock = Clock()
    begin = clock.now
    with sipping(clock, 256 * 1024) as (whole, driver):
        assert driver.update("assistant", "asst", LARGE) == {"id": "asst"}
    assert whole == [True]
    assert 30 < clock.now - begin < SECONDS


@pytest.mark.parametrize("head", [b"x-long: " + b"x" * (4 << 20), b"x-more: y\r\n" * (400 << 10)], ids=["one", "many"])
def test_a_huge_head_is_cut_off_by_its_size(head: bytes) -> None:
    def huge(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.1 200 x\r\ncontent-length: 14\r\n" + head + b'\r\n\r\n{"id": "asst"}')

    with reading(Clock(), huge) as (wire, read), pytest.raises(Unreachable):
        read()
    assert wire.sent["read"] == MAX_TRIES
