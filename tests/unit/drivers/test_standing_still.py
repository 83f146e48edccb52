"""A process that stands still between announcing a create and sending it, over a real connection."""

from __future__ import annotations

import pytest

from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.transport.http import EARLY_SECONDS, HttpClient
from tests.conftest import Remote


class Clock:
    """Jumps ahead at the n-th look after the first announcement."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.now = 0.0
        self.looks = 0
        self.announced = 0

    def announce(self) -> None:
        self.announced += 1
        self.looks = 0

    def __call__(self) -> float:
        self.looks += 1
        if self.announced == 1 and self.looks == self.at:
            self.now += 1000
        return self.now


@pytest.mark.parametrize(("at", "announced"), [(4, 2), (11, 2), (12, 1)], ids=["before the head", "the body", "after"])
def test_what_was_announced_too_long_ago_is_announced_again_and_sent_once(
    at: int, announced: int, remote: Remote
) -> None:
    clock = Clock(at)
    connection = ConnectionSettings(f"{remote.url}/v1", {"OpenAI-Beta": "assistants=v2"}, timeout_seconds=2000)
    client = HttpClient(connection, clock=clock, pause=lambda seconds: False, chance=lambda: 0.0)
    answer = client.send("POST", "/assistants", body={"model": "gpt-4o"}, repeatable=False, sending=clock.announce)
    assert answer.status == 200
    assert clock.announced == announced
    assert len(remote.objects()) == 1


@pytest.mark.parametrize("at", range(1, 18))
def test_whenever_it_stands_still_one_object_is_made(at: int, remote: Remote) -> None:
    clock = Clock(at)
    connection = ConnectionSettings(f"{remote.url}/v1", {"OpenAI-Beta": "assistants=v2"}, timeout_seconds=2000)
    client = HttpClient(connection, clock=clock, pause=lambda seconds: False, chance=lambda: 0.0)
    client.send("POST", "/assistants", body={"model": "gpt-4o"}, repeatable=False, sending=clock.announce)
    assert len(remote.objects()) == 1


class Queue:
    """A gate whose next place is due in ten seconds."""

    def reserve(self) -> float:
        return 10.0

    def close(self, seconds: float) -> None:
        raise AssertionError("nobody complained")

    def opens_in(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("announcing", "sent"),
    [(0.1, 10.0), (2.0, 10 - EARLY_SECONDS + 2 + 10)],
    ids=["in time", "too slowly: the next turn"],
)
def test_a_create_is_announced_shortly_before_its_turn_and_goes_out_at_its_turn(
    announcing: float, sent: float, remote: Remote
) -> None:
    now, announced = 0.0, []

    def wait(seconds: float) -> bool:
        nonlocal now
        now += seconds
        return False

    def announce() -> None:
        announced.append(now)
        wait(announcing)

    connection = ConnectionSettings(f"{remote.url}/v1", {"OpenAI-Beta": "assistants=v2"}, timeout_seconds=2000)
    client = HttpClient(connection, clock=lambda: now, pause=wait, gates={False: Queue(), True: Queue()})
    client.send("POST", "/assistants", body={"model": "gpt-4o"}, repeatable=False, sending=announce)
    assert announced == [10 - EARLY_SECONDS]
    assert now == sent
    assert len(remote.objects()) == 1
