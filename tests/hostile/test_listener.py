"""Who may reach the listener of `run` may not take much of it: few connections, two seconds each, small requests."""

from __future__ import annotations

import os
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.operations.running.probe_server import LARGEST_REQUEST, MOST_CONNECTIONS, Listener
from tests.conftest import Project, Remote
from tests.running import fetch, limited, running, until

LONG = "x" * 4_000_000


@pytest.fixture
def listener() -> Iterator[Listener]:
    def page(path: str) -> tuple[int, str]:
        return 200, LONG if path == "/long" else f"{path}\n"

    with Listener("127.0.0.1:0", page) as listener:
        yield listener


def connected(url: str) -> socket.socket:
    place = urlsplit(url)
    connection = socket.create_connection((place.hostname, place.port))
    connection.settimeout(60)
    return connection


def all_of(connection: socket.socket) -> bytes:
    """What is answered until the end, which may be a reset."""
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionError:
        return found
    return found


def said(url: str, request: bytes) -> bytes:
    with connected(url) as connection:
        connection.sendall(request)
        return all_of(connection)


def test_a_request_is_answered_once(listener: Listener) -> None:
    assert fetch(f"{listener.url}/a?b=c") == (200, "/a\n")
    assert said(listener.url, b"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\n/a\n")
    assert len(fetch(f"{listener.url}/long")[1]) == len(LONG)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST /healthz HTTP/1.1\r\nContent-Length: 9\r\n\r\n", 405),
        (b"GET /healthz\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"\x16\x03\x01\x00\xa5\x01\n\n", 400),
        (b"GET /" + b"a" * LARGEST_REQUEST + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"a" * LARGEST_REQUEST, 431),
    ],
)
def test_what_is_no_small_get_is_refused(request_: bytes, status: int, listener: Listener) -> None:
    assert said(listener.url, request_).startswith(f"HTTP/1.1 {status} ".encode())
    assert fetch(f"{listener.url}/") == (200, "/\n")


@pytest.mark.parametrize("piece", [b"", b"GET / HTTP/1.1\r\n"], ids=["silent", "half a request"])
def test_who_does_not_finish_asking_is_cut_off(piece: bytes, listener: Listener) -> None:
    with connected(listener.url) as connection:
        connection.sendall(piece)
        assert all_of(connection) == b""


def test_who_asks_byte_by_byte_is_cut_off(listener: Listener) -> None:
    with connected(listener.url) as connection:
        connection.settimeout(0.05)
        for _ in range(2_000):
            try:
                connection.send(b"a")
                piece = connection.recv(1)
            except TimeoutError:
                continue
            except ConnectionError:
                return
            assert piece == b""
            return
        raise AssertionError("it may go on for ever")


def test_who_does_not_take_the_answer_is_cut_off(listener: Listener) -> None:
    with connected(listener.url) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\n\r\n")
        for _ in range(3):  # each is cut off by itself first
            with connected(listener.url) as other:
                assert all_of(other) == b""
        assert len(all_of(connection)) < len(LONG)


def test_a_probe_is_answered_among_any_number_that_say_nothing(listener: Listener) -> None:
    with ExitStack() as stack:
        for _ in range(5):
            for _ in range(4 * MOST_CONNECTIONS):
                stack.enter_context(connected(listener.url))
            assert fetch(f"{listener.url}/") == (200, "/\n")


def test_a_thousand_connections_stop_no_pass_and_take_no_descriptors(project: Project, remote: Remote) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))  # for this side of them
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    try:
        with (
            running(project, "--listen", "127.0.0.1:0", "--interval", "0.1", through=limited(64)) as (process, told),
            ExitStack() as stack,
        ):
            url = until(told, "listening")["url"]
            until(told, "pass")
            for number in range(1_000):
                connection = stack.enter_context(connected(url))
                if number % 2:
                    connection.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
                if number % 100 == 0:
                    assert until(told, "pass", "pass failed")["event"] == "pass"
                    assert len(os.listdir(f"/proc/{process.pid}/fd")) < 32
            status, text = fetch(f"{url}/metrics")
            assert status == 200
            assert re.search(r'^reconciler_failed_passes_total\{target="test"\} 0$', text, re.MULTILINE)
            threads = Path(f"/proc/{process.pid}/task")
            assert len(list(threads.iterdir())) < 8
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
