"""The connections to a remote have an owner: once it closes them, nothing is sent, and none stays open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.drivers.base import Interrupted, Unreachable
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.transport.connection_pool import ConnectionPool
from reconciler.drivers.transport.http import HttpClient
from reconciler.server import create_app
from reconciler.server.http import serve
from tests.conftest import Remote
from tests.ports import free_port


def connection(url: str) -> ConnectionSettings:
    return ConnectionSettings(f"{url}/v1", {"openai-beta": "assistants=v2"})


def test_a_closed_client_sends_nothing(remote: Remote) -> None:
    with HttpClient(connection(remote.url)) as client:
        assert client.send("GET", "/assistants").status == 200
    remote.forget()
    with pytest.raises(Interrupted):
        client.send("GET", "/assistants")
    assert remote.app.requests == []
    remote.quiet()  # every connection has ended


def test_what_is_closed_while_it_waits_to_send_again_sends_nothing_again() -> None:
    tries: list[str] = []
    client = HttpClient(
        connection(f"http://127.0.0.1:{free_port()}"), trace=tries.append, pause=lambda seconds: client.close() or False
    )
    with pytest.raises(Interrupted):
        client.send("GET", "/assistants")
    assert len(tries) == 1


def test_a_connection_in_use_is_closed_when_its_request_ends() -> None:
    app, reached, let_go = create_app(), threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        reached.set()
        let_go.wait(300)
        return app(environ, start_response)

    with serve(slow) as server:
        client = HttpClient(connection(server.url))
        found: list[int] = []
        asking = threading.Thread(target=lambda: found.append(client.send("GET", "/assistants").status))
        asking.start()
        assert reached.wait(300)
        client.close()
        let_go.set()
        asking.join(300)
        assert found == [200]
        Remote(app, server).quiet()


def test_clients_of_one_channel_share_its_connection_and_its_retries(remote: Remote) -> None:
    ports: set[str] = set()

    def noting(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        ports.add(environ["REMOTE_PORT"])
        return remote.app(environ, start_response)

    with serve(noting) as server, ConnectionPool(f"{server.url}/v1", 60) as channel:
        for _ in range(5):
            with HttpClient(connection(server.url), pool=channel) as client:
                client.send("GET", "/assistants")
        assert len(ports) == 1
    gone = f"http://127.0.0.1:{free_port()}"
    tries: list[str] = []
    with ConnectionPool(gone, 60) as channel:
        for _ in range(60):
            with (
                HttpClient(connection(gone), pool=channel, trace=tries.append, pause=lambda seconds: False) as client,
                pytest.raises(Unreachable),
            ):
                client.send("GET", "/assistants")
    assert len(tries) == 60 + 50  # the budget of one client, for all of them


def test_at_rest_only_as_many_connections_stay_as_are_spared(remote: Remote) -> None:
    with ConnectionPool(f"{remote.url}/v1", 60) as channel, HttpClient(connection(remote.url), pool=channel) as client:
        client.send("GET", "/assistants")
        channel.close_idle(0)
        remote.quiet()
        assert client.send("GET", "/assistants").status == 200
