"""One request and its answer: retries, limits, secrets, and answers that are none."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any

import pytest

from reconciler.drivers.base import BadResponse, CredentialRefused, Interrupted, Rejected, RemoteError, ServerFailed
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.provider import Provider, ProviderKind
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import MAX_ANSWER_BYTES, HttpClient
from reconciler.drivers.transport.response import retry_after

Answers = Iterator[tuple[int, dict[str, str], bytes]]
FINE = (200, {}, b'{"id": "x1"}')


class Remote:
    """Answers from a list; remembers when it was asked and for what."""

    def __init__(self, *answers: tuple[int, dict[str, str], bytes]) -> None:
        self.answers = iter(answers)
        self.seen: list[dict[str, Any]] = []
        self.now = 0.0
        self.waits: list[float] = []
        self.interrupted = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.seen.append(environ)
        status, headers, body = next(self.answers)
        start_response(f"{status} x", list(headers.items()))
        return [body]

    def pause(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.now += seconds
        return self.interrupted

    def client(self, *secrets: str) -> HttpClient:
        headers = {"Authorization": f"Bearer {secrets[0]}"} if secrets else {}
        connection = ConnectionSettings("http://embedded/v1", headers, secrets)
        return HttpClient(connection, wsgi_app=self, pause=self.pause, clock=lambda: self.now, chance=lambda: 0.5)

    def driver(self, *secrets: str) -> RestDriver:
        return RestDriver(Provider("p", {"thing": ProviderKind("x", "/things", "metadata")}), self.client(*secrets))


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
def test_what_may_be_repeated_is_sent_again_a_few_times(status: int) -> None:
    remote = Remote((status, {}, b"{}"), (status, {}, b"{}"), FINE)
    assert remote.driver().update("thing", "x1", {}) == {"id": "x1"}
    assert len(remote.seen) == 3
    remote = Remote(*[(status, {}, b"{}")] * 9)
    with pytest.raises(RemoteError):
        remote.driver().update("thing", "x1", {})
    assert len(remote.seen) == 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 412, 422, 446])
def test_a_refusal_is_not_repeated(status: int) -> None:
    remote = Remote((status, {}, b"{}"), FINE)
    with pytest.raises(RemoteError):
        remote.driver().update("thing", "x1", {})
    assert len(remote.seen) == 1


def test_the_remote_s_own_advice_goes_first() -> None:
    remote = Remote((500, {"x-should-retry": "false"}, b"{}"), FINE)
    with pytest.raises(ServerFailed):
        remote.driver().update("thing", "x1", {})
    remote = Remote((400, {"x-should-retry": "true"}, b"{}"), FINE)
    assert remote.driver().update("thing", "x1", {}) == {"id": "x1"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": formatdate(1000 + 30)}, 30),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": formatdate(10)}, None),
        ({}, None),
    ],
)
def test_how_long_the_remote_asks_us_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=lambda: 1000.0) == seconds


def test_an_asked_wait_is_kept_and_an_absurd_one_is_told() -> None:
    remote = Remote((429, {"retry-after": "10"}, b"{}"), FINE)
    remote.driver().update("thing", "x1", {})
    assert 10 <= sum(remote.waits) <= 12
    remote = Remote((429, {"retry-after": "1000000000"}, b"{}"), FINE)
    with pytest.raises(RemoteError, match="429"):
        remote.driver().update("thing", "x1", {})
    assert remote.waits == []


def test_a_wait_that_the_user_ends_ends_the_request() -> None:
    remote = Remote((429, {"retry-after": "10"}, b"{}"), FINE)
    remote.interrupted = True
    with pytest.raises(Interrupted):
        remote.driver().update("thing", "x1", {})


def test_a_storm_of_failures_uses_up_the_retry_budget() -> None:
    remote = Remote(*[(500, {}, b"{}")] * 1000)
    driver = remote.driver()
    for _ in range(100):
        with pytest.raises(ServerFailed):
            driver.update("thing", "x1", {})
    assert len(remote.seen) == 150


BAD = {
    "html": b"<html>hello</html>",
    "empty": b"",
    "not a number": b'{"id": "x1", "t": NaN}',
    "too large a number": b'{"id": "x1", "t": 1e999}',
    "too many digits": b'{"id": "x1", "t": ' + b"1" * 5000 + b"}",
    "too deep": b"[" * 100_000,
    "a list": b"[1]",
    "no id": b"{}",
    "an id of another type": b'{"id": 5}',
}


@pytest.mark.parametrize("case", BAD)
def test_an_answer_that_is_none_is_told_as_such(case: str) -> None:
    with pytest.raises(BadResponse):
        Remote((200, {}, BAD[case])).driver().read("thing", "x1")


def test_an_answer_is_cut_by_its_size_also_when_it_was_compressed() -> None:
    bomb = gzip.compress(b" " * (MAX_ANSWER_BYTES + 1))
    with pytest.raises(BadResponse, match="larger"):
        Remote((200, {"content-encoding": "gzip"}, bomb)).driver().read("thing", "x1")


GONE = (404, {}, b'{"error": {"message": "No thing found with id \'x1\'.", "code": null}}')


@pytest.mark.parametrize("answer", [(200, {}, b'{"deleted": true}'), (204, {}, b""), GONE])
def test_a_delete_is_believed_where_the_answer_says_so(answer: tuple[int, dict[str, str], bytes]) -> None:
    remote = Remote(answer)
    remote.driver().delete("thing", "x1")
    assert len(remote.seen) == 1


def test_a_delete_that_is_answered_by_something_else_is_checked() -> None:
    html = (200, {}, b"<html>")
    Remote(html, GONE).driver().delete("thing", "x1")
    with pytest.raises(BadResponse, match="still exists"):
        Remote(html, FINE).driver().delete("thing", "x1")


def test_redirects_are_not_followed() -> None:
    remote = Remote((302, {"location": "https://evil.example/"}, b""), FINE)
    with pytest.raises(BadResponse, match="redirects"):
        remote.driver("sk-secret-1").read("thing", "x1")
    assert len(remote.seen) == 1


def test_a_secret_that_the_remote_echoes_is_masked() -> None:
    body = json.dumps({"error": {"message": "Incorrect API key provided: sk-secret-1.", "code": "x"}}).encode()
    with pytest.raises(CredentialRefused) as refused:
        Remote((401, {}, body)).driver("sk-secret-1").read("thing", "x1")
    assert "sk-secret-1" not in str(refused.value) + refused.value.diagnostic.detail
    assert "(secret)" in str(refused.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error": {"message": "no", "code": "c"}}', "no [c]"),
        (b'{"error": "plain"}', "plain"),
        (b'{"message": "gateway", "status": "failure"}', "gateway"),
        (b'{"detail": "fastapi"}', "fastapi"),
        (b'{"detail": [{"loc": ["body", "name"], "msg": "m"}]}', "body.name: m"),
        (b'{"detail": {"status": "s", "message": "nested"}}', "nested"),
        (b'{"error": "Not Found", "message": "no such route", "statusCode": 404}', "no such route"),
        (b"Message: fetch failed", "Message: fetch failed"),
        (b"", "no text"),
    ],
)
def test_what_an_error_says_in_any_of_its_shapes(body: bytes, said: str) -> None:
    with pytest.raises(Rejected) as refused:
        Remote((422, {}, body)).driver().read("thing", "x1")
    assert str(refused.value).endswith(said)


def test_ids_are_checked_before_they_are_put_into_a_url() -> None:
    remote = Remote(FINE)
    for id in ("../admin", "a?x=1", "a\r\nb", "", "x" * 300):
        with pytest.raises(BadResponse):
            remote.driver().read("thing", id)
    assert remote.seen == []
