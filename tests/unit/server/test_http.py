"""Over HTTP: connections that stay open, chunked bodies, what is refused, and stopping."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest

from reconciler.server import App, create_app
from reconciler.server.http import Server, serve
from tests.unit.server.conftest import BETA


@pytest.fixture
def app() -> App:
    return create_app()


@pytest.fixture
def server(app: App) -> Iterator[Server]:
    with serve(app) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/v1", headers=BETA) as client:
        yield client


def test_one_connection_serves_many_requests(server: Server) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    connection.connect()
    opened = connection.sock
    for _ in range(3):
        for method, path, body in (("POST", "/v1/assistants", '{"model": "m"}'), ("GET", "/v1/nothing", None)):
            connection.request(method, path, body, headers=BETA)
            answer = connection.getresponse()
            assert json.loads(answer.read())
            assert answer.headers["connection"] is None
    assert connection.sock is opened
    connection.close()


def test_a_chunked_body(client: httpx.Client) -> None:
    answer = client.post("/assistants", content=iter([b'{"model": "m", ', b'"name": ', b'"chunks"}']))
    assert answer.json()["name"] == "chunks"
    assert client.get("/assistants").json()["data"] == [answer.json()]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_cap(chunked: bool, client: httpx.Client, app: App) -> None:
    large = b" " * (8 * 1024 * 1024 + 1)
    answer = client.post("/assistants", content=iter([large]) if chunked else large)
    assert answer.status_code == 413
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert client.get("/assistants").status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "10.0.0.1", "localhost.evil.example", "[::2]:80"])
def test_another_host_is_refused(host: str, client: httpx.Client, app: App) -> None:
    assert client.get("/assistants", headers={"Host": host}).status_code == 403
    assert app.requests == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "[::1]"])
def test_a_loopback_host_is_served(host: str, client: httpx.Client) -> None:
    assert client.get("/assistants", headers={"Host": host}).status_code == 200


def _raw(server: Server, content: bytes) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(content)
        answer = b""
        while read := connection.recv(65536):
            answer += read
        return answer


@pytest.mark.parametrize("header", [b"Content-Length: x", b"Content-Length: -5", b"Transfer-Encoding: chunked"])
def test_a_body_of_no_known_length(header: bytes, server: Server) -> None:
    request = b"POST /v1/assistants HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\nzz\r\n"
    assert _raw(server, request).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_wants_to_close_is_told_so(server: Server) -> None:
    answer = _raw(server, b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in answer


def test_head_has_no_body(client: httpx.Client) -> None:
    answer = client.head("/assistants")
    assert (answer.status_code, answer.content) == (404, b"")
    assert client.get("/assistants").status_code == 200


def test_a_fault_of_the_server_is_a_500(capsys: pytest.CaptureFixture[str]) -> None:
    def failing(environ: object, start_response: object) -> list[bytes]:
        raise ZeroDivisionError("in the application")

    with serve(failing) as server:
        assert httpx.get(server.url).status_code == 500
    assert "in the application" in capsys.readouterr().err


def test_nothing_is_said_about_requests(client: httpx.Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.get("/assistants")
    assert capfd.readouterr() == ("", "")


def test_a_stopped_server_ends_its_connections(app: App) -> None:
    server = serve(app).start()
    with httpx.Client(base_url=server.url, headers=BETA) as client:
        assert client.get("/v1/assistants").status_code == 200
        server.stop()
        server.stop()
        with pytest.raises(httpx.TransportError):
            client.get("/v1/assistants")


def test_a_port_that_is_taken_is_an_error_to_catch(server: Server, app: App) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(app, port=int(server.url.rpartition(":")[2]))


def test_a_server_that_never_ran_can_be_stopped(app: App) -> None:
    serve(app).stop()


def test_an_answer_without_a_body_is_still_an_answer() -> None:
    def empty(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        start_response("204 No Content", [("content-length", "0")])
        return []

    with serve(empty) as server, httpx.Client(base_url=server.url) as client:  # type: ignore[arg-type]
        assert [client.get("/").status_code for _ in range(2)] == [204, 204]
