"""Writes go out while there is time left for them, and reads at any time."""

from __future__ import annotations

import pytest

from reconciler.drivers.base import Unreachable
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.transport.http import HttpClient
from reconciler.engine.locks.lock_protocol import LockLost, lost
from tests.conftest import Remote

BODY = {"name": "Desk", "model": "gpt-4o"}
HEADERS = {"OpenAI-Beta": "assistants=v2"}


def client(remote: Remote, fence: float | LockLost) -> HttpClient:
    def left() -> float:
        if isinstance(fence, LockLost):
            raise fence
        return fence

    return HttpClient(ConnectionSettings(f"{remote.url}/v1", HEADERS), pause=lambda seconds: False, fence=left)


def test_a_write_whose_time_is_over_before_its_bytes_are_written_is_not_sent(remote: Remote) -> None:
    with pytest.raises(Unreachable) as stopped:
        client(remote, -1.0).send("POST", "/assistants", body=BODY)
    assert not stopped.value.reached
    assert client(remote, -1.0).send("GET", "/assistants").status == 200
    assert remote.writes == []


def test_a_write_is_not_sent_where_the_lock_is_lost(remote: Remote) -> None:
    with pytest.raises(LockLost):
        client(remote, lost("acme/test", "it was removed")).send("POST", "/assistants", body=BODY)
    assert remote.writes == []


def test_a_write_with_time_left_is_sent_once(remote: Remote) -> None:
    assert client(remote, 600.0).send("POST", "/assistants", body=BODY).status == 200
    assert len(remote.writes) == 1
