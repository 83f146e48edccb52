"""A credential that expires is asked for again in time, and is masked whatever its age."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.credentials.expiring_credential import EARLY_SECONDS, ExpiringCredential, Token
from reconciler.drivers.transport.http import HttpClient
from tests.conftest import Remote


class Clock:
    """Unix seconds that a test moves on."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def renewing(clock: Clock, lasts: float) -> ExpiringCredential:
    numbers: Iterator[int] = count(1)
    return ExpiringCredential(
        "Authorization", "Bearer {}", lambda: Token(f"token-{next(numbers)}", clock.now + lasts), clock
    )


def test_a_token_is_used_until_it_is_about_to_expire() -> None:
    clock = Clock()
    renewed = renewing(clock, 3600)
    assert renewed.headers() == {"Authorization": "Bearer token-1"}
    clock.now += 3600 - EARLY_SECONDS - 1
    assert renewed.headers() == {"Authorization": "Bearer token-1"}
    clock.now += 2
    assert renewed.headers() == {"Authorization": "Bearer token-2"}


def test_every_request_carries_the_token_of_its_time_and_no_answer_shows_one(remote: Remote) -> None:
    clock = Clock()
    connection = ConnectionSettings(f"{remote.url}/v1", {"OpenAI-Beta": "assistants=v2"}, renewed=renewing(clock, 3600))
    client = HttpClient(connection, pause=lambda seconds: False)
    assert client.send("GET", "/assistants").status == 200
    clock.now += 7200
    assert client.send("GET", "/assistants").status == 200
    assert client.mask("token-1 and token-2") == "(secret) and (secret)"
