"""Requests over httpx: retries, the rate gate, limits on answers. The only module that imports httpx.

One client for each thread (an httpx pool shared by many threads is slow), one TLS context for all of them.
"""

from __future__ import annotations

import json
import math
import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from reconciler.core.model import Body, Json
from reconciler.core.retry import Budget, Failure, wait_before_retry
from reconciler.drivers.base import BadResponse, Interrupted, Tally, Unreachable
from reconciler.drivers.gate import RateGate
from reconciler.drivers.uploads import Upload

MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
MASK: Final = "(secret)"
TEXT_BYTES: Final = 2000


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `body` is the parsed JSON, or None where there is none to parse (`text` then has the beginning).

    `text`, and the body of an error, are masked.
    """

    status: int
    headers: Mapping[str, str]
    body: Json
    text: str


@dataclass(frozen=True, slots=True)
class Connection:
    """Where requests go and with what. `secrets` are masked in everything that is said about them."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    timeout_seconds: float = 60
    reads_per_minute: int = 1000
    writes_per_minute: int = 300


class HttpClient:
    """Sends requests to one base URL. Safe from several threads.

    `wsgi_app` answers in this process instead of the network. `trace` hears a line about each try: method, path, status
    and time, never a header or a body. `pause(seconds)` waits and answers True when the user
    interrupted the wait. `chance` gives numbers in [0, 1).
    """

    def __init__(
        self,
        connection: Connection,
        *,
        wsgi_app: Any = None,
        trace: Callable[[str], None] | None = None,
        pause: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._connection = connection
        self._wsgi_app = wsgi_app
        self._trace = trace
        self._pause = pause or _sleep
        self._clock = clock
        self._chance = chance
        self._budget = Budget()
        self._budget_lock = threading.Lock()
        self._gates = {
            False: RateGate(connection.reads_per_minute, clock),
            True: RateGate(connection.writes_per_minute, clock),
        }
        self._buckets: dict[str, RateGate] = {}
        self._tls = _tls_context(connection.url)
        self._local = threading.local()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        repeatable: bool = True,
        sending: Callable[[], None] | None = None,
        upload: Upload | None = None,
        bucket: tuple[str, int] | None = None,
    ) -> Answer:
        """Send a request, again where that is safe and useful, and return the last answer, whatever its status.

        An `upload` goes instead of a body. A `bucket` is a rate of its own: its name, and requests a minute.

        `sending` is called right before each try, after the waits; what it raises is passed on, and nothing is sent.
        Raises Unreachable when no answer came, BadResponse when it is too large, Interrupted when a wait was ended.
        """
        gate = self._gates[method != "GET"] if bucket is None else self._bucket(*bucket)
        tries = 0
        while True:
            tries += 1
            self._wait(gate.reserve())
            if sending:
                sending()
            answer: Answer | None = None
            error: Unreachable | None = None
            begin = self._clock()
            try:
                answer = self._send_once(method, path, query, headers, body, upload)
            except Unreachable as unreachable:
                error = unreachable
            if self._trace:
                outcome = error or (answer and answer.status)
                self._trace(f"{method} {path}{_shown(query)}  {outcome}  {self._clock() - begin:.3f} s")
            if answer is not None and answer.status < 400:
                with self._budget_lock:
                    self._budget.earn()
                return answer
            failure = _failure(tries, repeatable, answer, error)
            seconds = wait_before_retry(failure, self._chance())
            if seconds is not None and failure.status == 429:
                gate.close(seconds)
            with self._budget_lock:
                again = seconds is not None and self._budget.spend()
            if not again or seconds is None:
                if error is not None:
                    raise error
                assert answer is not None
                return answer
            self._wait(seconds)

    def take_tally(self) -> Tally:
        """What this thread sent since it last asked."""
        tally: Tally = getattr(self._local, "tally", Tally())
        self._local.tally = Tally()
        return tally

    def note_repeated(self) -> None:
        """Remember that a gateway sent the last request of this thread more than once."""
        self._local.tally.repeated = True

    def mask(self, text: str) -> str:
        """`text` without the secrets of this connection."""
        for secret in self._connection.secrets:
            text = text.replace(secret, MASK)
        return text

    def _send_once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        body: Body | None,
        upload: Upload | None,
    ) -> Answer:
        tally = self._tally()
        tally.requests += 1
        client = self._client()
        content = None if body is None else _encoded(body)
        all_headers = {**self._connection.headers, **(headers or {})}
        if content is not None:
            all_headers["content-type"] = "application/json"
        url = self._connection.url.rstrip("/") + path
        try:
            with upload.opened() if upload else nullcontext() as file:
                form: dict[str, Any] = {"content": content}
                if upload:
                    form = {"data": upload.fields, "files": {upload.part: (upload.name, file)}}
                request = client.build_request(method, url, params=query, headers=all_headers, **form)
                response = client.send(request, stream=True)
                try:
                    raw = self._read(response)
                finally:
                    response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._unreachable(error, reached=False) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unreachable(error, reached=True) from None
        tally.request_id = self.mask(response.headers.get("x-request-id", "")) or tally.request_id
        return self._answer(response, raw)

    def _bucket(self, name: str, per_minute: int) -> RateGate:
        with self._budget_lock:
            return self._buckets.setdefault(name, RateGate(per_minute, self._clock))

    def _read(self, response: httpx.Response) -> bytes:
        deadline = self._clock() + self._connection.timeout_seconds
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise BadResponse(f"the answer is larger than {MAX_ANSWER_BYTES // 1024 // 1024} MiB")
            if self._clock() > deadline:
                raise httpx.ReadTimeout("the answer did not end in time")
            chunks.append(chunk)
        return b"".join(chunks)

    def _answer(self, response: httpx.Response, raw: bytes) -> Answer:
        try:
            body = json.loads(raw, parse_constant=_refuse_constant, parse_float=_finite)
            if response.status_code >= 400:
                body = _mapped(body, self.mask)
        except (ValueError, RecursionError):
            body = None
        return Answer(response.status_code, response.headers, body, self._beginning(raw))

    def _beginning(self, raw: bytes) -> str:
        """The first of an answer's text, masked before it is cut: half a secret is not found any more."""
        longest = max(map(len, self._connection.secrets), default=0)
        text = self.mask(raw[: TEXT_BYTES + longest].decode(errors="replace"))
        return text if len(raw) <= TEXT_BYTES else text[: max(0, len(text) - longest)]

    def _unreachable(self, error: Exception, *, reached: bool) -> Unreachable:
        said = self.mask(str(error)) or type(error).__name__
        hint = "check the url, the network and any proxy settings"
        return Unreachable(f"{self._connection.url}: {said}", reached=reached, hint=hint)

    def _client(self) -> httpx.Client:
        client: httpx.Client | None = getattr(self._local, "client", None)
        if client is None:
            timeout = httpx.Timeout(self._connection.timeout_seconds, connect=min(10, self._connection.timeout_seconds))
            if self._wsgi_app is not None:
                client = httpx.Client(transport=httpx.WSGITransport(app=self._wsgi_app))
            else:
                client = httpx.Client(verify=self._tls, timeout=timeout)
            self._local.client = client
        return client

    def _tally(self) -> Tally:
        if not hasattr(self._local, "tally"):
            self._local.tally = Tally()
        tally: Tally = self._local.tally
        return tally

    def _wait(self, seconds: float) -> None:
        if seconds > 0 and self._pause(seconds):
            raise Interrupted("stopped while waiting to send the next request")


def _encoded(body: Body) -> bytes:
    """A body as JSON; in ASCII where it holds lone surrogates, which UTF-8 has no bytes for (others' metadata may)."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body, allow_nan=False).encode()


def _shown(query: Mapping[str, str] | None) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds the remote asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return _positive(float(milliseconds) / 1000)
        if not (text := headers.get("retry-after")):
            return None
        try:
            return _positive(float(text))
        except ValueError:
            return _positive(parsedate_to_datetime(text).timestamp() - now())
    except (ValueError, OverflowError, TypeError):
        return None


def _positive(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _failure(tries: int, repeatable: bool, answer: Answer | None, error: Unreachable | None) -> Failure:
    if answer is None:
        return Failure(tries, repeatable, reached=error is None or error.reached)
    advice = {"true": True, "false": False}.get(answer.headers.get("x-should-retry", ""))
    return Failure(tries, repeatable, answer.status, True, retry_after(answer.headers), advice)


def _mapped(value: Json, change: Callable[[str], str]) -> Json:
    """A JSON value with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_mapped(each, change) for each in value]
    if isinstance(value, dict):
        return {change(name): _mapped(each, change) for name, each in value.items()}
    return value


def _refuse_constant(text: str) -> Iterable[None]:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"{text} is too large")
    return number


def _tls_context(url: str) -> ssl.SSLContext:
    """One context for all clients. Without TLS, an empty one that trusts nobody: loading certificates takes 40 ms."""
    return httpx.create_ssl_context() if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False
