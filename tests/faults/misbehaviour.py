"""The faults of the matrix, by the names that the documentation gives them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any

from reconciler.drivers.transport.http import MAX_ANSWER_BYTES
from tests.faults.wire import Exchange, Fault

ERROR = {"error": {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}}
TIME_OUT_SECONDS = 2.0
"""How long the client waits for an answer to a kind of request where the fault is that none comes."""


def says(status: int, body: Any = ERROR, headers: Mapping[str, str] | None = None, *, commit: bool = False) -> Fault:
    """Answer with a status and a body (text, bytes or JSON), after the work or in place of it."""

    def fault(exchange: Exchange) -> bool:
        if commit:
            exchange.commit()
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else _json(body)
        exchange.send(status, {"content-type": "application/json", **(headers or {})}, content)
        return True

    return fault


def hangs(*, commit: bool) -> Fault:
    """Never answer."""

    def fault(exchange: Exchange) -> None:
        if commit:
            exchange.commit()
        exchange.hang()

    return fault


def resets(*, commit: bool) -> Fault:
    """End the connection with a reset."""

    def fault(exchange: Exchange) -> None:
        if commit:
            exchange.commit()
        exchange.reset()

    return fault


def closes(exchange: Exchange) -> None:
    """Do the work and hang up politely, without an answer."""
    exchange.commit()


def reworked(change: Callable[[int, dict[str, str], bytes], tuple[int, dict[str, str], bytes]]) -> Fault:
    """Do the work, and answer with something made of the honest answer."""

    def fault(exchange: Exchange) -> None:
        exchange.send(*change(*exchange.commit()))

    return fault


def bomb(exchange: Exchange) -> None:
    """Do the work; the answer is small on the wire and large when unpacked."""
    exchange.commit()
    large = gzip.compress(b'{"id": "' + b"0" * (2 * MAX_ANSWER_BYTES) + b'"}', 1)
    exchange.send(200, {"content-type": "application/json", "content-encoding": "gzip"}, large)


def drips(exchange: Exchange) -> None:
    """Do the work; the answer comes one byte a second, for hours."""
    exchange.commit()
    exchange.send(200, {"content-type": "application/json", "content-length": "100000"}, b"")
    for _ in range(100_000):
        exchange.elapse(1)
        exchange.raw(b" ")


def delivered_twice(exchange: Exchange) -> bool:
    """A gateway sends the request a second time, and answers with what it got then."""
    exchange.commit()
    exchange.send(*exchange.commit())
    return True


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _cut(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, headers, body[: len(body) // 2]


def _garbled(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, headers, bytes(byte ^ 0x55 for byte in body)


def _as_text(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, {**headers, "content-type": "text/plain; charset=utf-16"}, body


def _with_nan(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, {"content-type": "application/json"}, body.rstrip()[:-1] + b', "extra": NaN}'


def _badly_packed(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, {**headers, "content-encoding": "gzip"}, body


FAULTS: dict[str, Fault] = {
    "timeout before commit": hangs(commit=False),
    "timeout after commit": hangs(commit=True),
    "reset before commit": resets(commit=False),
    "reset after commit": resets(commit=True),
    "hung up after commit": closes,
    "401": says(401),
    "408": says(408),
    "409": says(409),
    "429": says(429),
    "429, retry in 2 s": says(429, headers={"retry-after": "2"}),
    "429, retry at a date": says(429, headers={"retry-after": formatdate(0, usegmt=True)}),
    "429, retry in 30 years": says(429, headers={"retry-after": "1000000000"}),
    "429, retry in nonsense": says(429, headers={"retry-after": "-nan"}),
    "500": says(500),
    "500 after commit": says(500, commit=True),
    "502, HTML": says(502, "<html>Bad Gateway</html>", {"content-type": "text/html"}),
    "503": says(503),
    "504 after commit": says(504, commit=True),
    "truncated": reworked(_cut),
    "garbled": reworked(_garbled),
    "JSON with NaN": reworked(_with_nan),
    "200, nested 100,000 deep": says(200, b"[" * 100_000, commit=True),
    "200, empty": says(200, b"", commit=True),
    "200, HTML": says(200, "<html>Welcome</html>", {"content-type": "text/html"}, commit=True),
    "200, error body": says(200, ERROR),
    "200, error body after commit": says(200, ERROR, commit=True),
    "JSON called UTF-16 text": reworked(_as_text),
    "gzip bomb": bomb,
    "gzip that is none": reworked(_badly_packed),
    "no HTTP at all": lambda exchange: exchange.raw(b"220 smtp.example ESMTP\r\n"),
    "slow drip": drips,
    "redirect to another host": says(307, headers={"location": "https://elsewhere.example/v1/assistants"}),
    "246 from a gateway": says(246, {"hook_results": {"after_request_hooks": []}}, commit=True),
    "446 from a gateway": says(446, {"error": {"message": "a guardrail said no", "type": "hooks_failed"}}),
    "delivered twice": delivered_twice,
}
