"""Sends HTTP requests with httpx: retries, rate limits, limits on responses."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from reconciler.core.values.model import Body
from reconciler.drivers.base import Interrupted, Unreachable
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.credentials.credential_masking import without_secrets
from reconciler.drivers.provider import Query
from reconciler.drivers.transport.connection_pool import ConnectionPool
from reconciler.drivers.transport.content_encoding import content_of
from reconciler.drivers.transport.deadline import TooLate
from reconciler.drivers.transport.json_encoding import encoded
from reconciler.drivers.transport.rate_limiter import ConcurrencyLimit, LocalRateLimiter, RateLimiter, rate_limiters_of
from reconciler.drivers.transport.request_counter import RequestCounter
from reconciler.drivers.transport.response import Response, failure_of
from reconciler.drivers.transport.retry import wait_before_retry
from reconciler.drivers.upload_stream import Upload

MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024
LATE_SECONDS: Final = 0.1
EARLY_SECONDS: Final = 0.25
"""How long before its turn a request may be announced: it goes out in time then, however long announcing takes."""
MOST_ANNOUNCED: Final = 3
LANE_SECONDS: Final = 0.05
"""How long to wait before looking again whether a lane is free: about as long as a request takes."""


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """One request, to be sent by the moment `latest`, or not at all."""

    method: str
    path: str
    query: Query | None
    headers: Mapping[str, str] | None
    body: Body | None
    upload: Upload | None
    latest: float = math.inf


class HttpClient(RequestCounter):
    """Sends requests to one base URL. Safe from several threads. A context manager: once it is left, nothing is sent.

    `pool` is kept by somebody else, who closes it; without one, this client has its own. `wsgi_app` answers in this
    process instead of the network. `trace` hears a line about each try: method, path, status
    and time, never a header or a body. `pause(seconds)` waits and answers True when the user
    interrupted the wait. `chance` gives numbers in [0, 1). `gates` are those that other processes share, for reads
    (False) and writes (True). `fence` is asked right before each write how many seconds are left to send it in; what it
    raises is passed on, and nothing is sent.
    """

    def __init__(
        self,
        connection: ConnectionSettings,
        *,
        pool: ConnectionPool | None = None,
        wsgi_app: Any = None,
        trace: Callable[[str], None] | None = None,
        pause: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
        gates: Mapping[bool, RateLimiter] | None = None,
        fence: Callable[[], float] = lambda: math.inf,
    ) -> None:
        super().__init__()
        self._connection = connection
        self._trace = trace
        self._pause = pause or _sleep
        self._clock = clock
        self._chance = chance
        self._fence = fence
        self._buckets_lock = threading.Lock()
        self._gates = gates or rate_limiters_of(
            connection.reads_per_minute, connection.writes_per_minute, connection.requests_per_minute, clock
        )
        self._buckets: dict[str, LocalRateLimiter] = {}
        self._lanes = {False: ConcurrencyLimit(), True: ConcurrencyLimit()}
        self._channel = pool or ConnectionPool(
            connection.url, connection.timeout_seconds, wsgi_app=wsgi_app, clock=clock
        )
        self._owns_channel = pool is None
        self._closed = False

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Send nothing any more, also nothing again. Closing twice is fine."""
        self._closed = True
        if self._owns_channel:
            self._channel.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        repeatable: bool = True,
        sending: Callable[[], Body | None] | None = None,
        renewing: bool = False,
        upload: Upload | None = None,
        bucket: tuple[str, int] | None = None,
    ) -> Response:
        """Send a request, again where that is safe and useful, and return the last answer, whatever its status.

        An `upload` goes instead of a body. A `bucket` is a rate of its own: its name, and requests a minute.

        `sending` is called right before each try, at most `EARLY_SECONDS`; the body it gives goes instead, and what it
        raises is passed on, and nothing is sent. What is not out a quarter of the timeout later is not sent any more.
        Where it took so long that the try goes out later, it is called once more if it is `renewing` what it looks at.
        Raises Unreachable when no answer came, TooLarge when it is, Interrupted when a wait was ended.
        """
        limiter, lanes = self._gates[method != "GET"], self._lanes[method != "GET"]
        limiter = limiter if bucket is None else self._bucket(*bucket)
        # The bytes of a file take the time they take.
        within = self._connection.timeout_seconds / 4 if sending and upload is None else math.inf
        outgoing = _Outgoing(method, path, query, headers, body, upload)
        tries = 0
        while True:
            tries += 1
            while (lane := lanes.enter()) is None:
                self._wait(max(LANE_SECONDS, limiter.opens_in()))
            limited = False
            try:
                moment, fresh = self._take_turn(limiter, sending, MOST_ANNOUNCED if renewing else 1)
                latest = moment + within
                outgoing = outgoing if fresh is None else replace(outgoing, body=fresh)
                left = math.inf if method == "GET" else self._fence()
                latest = latest if upload else min(latest, self._clock() + left)
                response, error = self._try(replace(outgoing, latest=latest))
                if response is not None and response.status < 400:
                    self._channel.earn_retry()
                    return response
                failure = failure_of(tries, repeatable, response, error)
                seconds = wait_before_retry(failure, self._chance())
                limited = failure.status == 429
                if seconds is not None and limited:
                    limiter.close(seconds)  # before the lane is free for the next one
            finally:
                counts = lanes.leave(lane, limited=limited)
            free = limited and not counts
            if seconds is None or not (free or self._channel.may_retry()):
                if error is not None:
                    raise error
                assert response is not None
                return response
            self._wait(seconds)

    def mask(self, text: str) -> str:
        """`text` without the secrets of this connection, in whatever spelling they are there."""
        return without_secrets(text, self._connection.secrets_so_far)

    def sends(self, header: str) -> bool:
        """Whether every request has this header."""
        return header.lower() in {name.lower() for name in self._connection.headers_now}

    def _try(self, outgoing: _Outgoing) -> tuple[Response | None, Unreachable | None]:
        """What came of one try: an answer, or none."""
        response: Response | None = None
        error: Unreachable | None = None
        begin = self._clock()
        try:
            response = self._send_once(outgoing)
        except Unreachable as unreachable:
            error = unreachable
        if self._trace:
            outcome = error or (response and response.status)
            request = f"{outgoing.method} {outgoing.path}{_shown(outgoing.query)}"
            self._trace(f"{self.mask(request)}  {outcome}  {self._clock() - begin:.3f} s")
        return response, error

    def _send_once(self, outgoing: _Outgoing) -> Response:
        tally = self._tally()
        tally.requests += 1
        pairs = (*self._connection.headers_now.items(), *(outgoing.headers or {}).items())
        headers = {name.lower(): text for name, text in pairs}  # in two spellings, both would be sent
        form: dict[str, Any] = {}
        if outgoing.body is not None:
            form = {"content": encoded(outgoing.body)}
            headers["content-type"] = "application/json"
        url = self._connection.url.rstrip("/") + outgoing.path
        try:
            with (
                self._channel.client() as (client, deadline),
                outgoing.upload.opened() if outgoing.upload else nullcontext() as file,
            ):
                deadline.send_by(outgoing.latest)
                if upload := outgoing.upload:
                    form = {"data": upload.fields, "files": {upload.part: (upload.name, file)}}
                extensions = {"trace": deadline.trace}
                request = client.build_request(
                    outgoing.method, url, params=outgoing.query, headers=headers, extensions=extensions, **form
                )
                response = client.send(request, stream=True)
                try:
                    encoding = self.mask(response.headers.get("content-encoding", ""))
                    raw = content_of(response.iter_raw(), encoding, MAX_ANSWER_BYTES)
                finally:
                    response.close()
        except (httpx.ConnectError, httpx.ConnectTimeout, TooLate) as error:
            raise self._unreachable(error, reached=False) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unreachable(error, reached=True) from None
        tally.request_id = self.mask(response.headers.get("x-request-id", "")) or tally.request_id
        return Response(response.status_code, response.headers, raw, self._connection.secrets_so_far)

    def take_places(self, name: str, per_minute: int, count: int) -> None:
        """Wait until a rate of its own has room for so many. Raises Interrupted."""
        limiter = self._bucket(name, per_minute)
        self._wait(max(limiter.reserve() for _ in range(count)))

    def _bucket(self, name: str, per_minute: int) -> LocalRateLimiter:
        with self._buckets_lock:
            return self._buckets.setdefault(name, LocalRateLimiter(per_minute, self._clock))

    def _unreachable(self, error: Exception, *, reached: bool) -> Unreachable:
        message = self.mask(str(error)) or type(error).__name__
        message = message.partition("] ")[2] if message.startswith("[Errno") else message
        hint = "check the url, the network and any proxy settings; `reconciler doctor` checks each step"
        if "refused" in message:
            hint = "nothing listens there: check the url; `reconciler serve` starts the embedded server"
        return Unreachable(f"{self._connection.url}: {message}", reached=reached, hint=hint)

    def _take_turn(
        self, limiter: RateLimiter, announce: Callable[[], Body | None] | None, most: int
    ) -> tuple[float, Body | None]:
        """Wait for a place at the gate, and announce what takes it, `most` times at the most.

        Gives the moment right before it was announced, and the body that is to be sent by now. A place that was missed,
        because the process stood still, or announcing took long, is not used: used late, it would crowd those of
        others.
        """
        early, announced, body, now = EARLY_SECONDS if announce else 0.0, 0, None, 0.0
        while True:
            due = self._place(limiter)
            if announced < most:
                self._wait(due - self._clock() - early)
                if (now := self._clock()) - due >= LATE_SECONDS:
                    continue
                if announce and (fresh := announce()) is not None:
                    body = fresh  # nothing newer the next time: this is still what is to be sent
                announced += 1
                if announce and self._clock() - due >= LATE_SECONDS:
                    continue
            self._wait(due - self._clock())
            return now, body

    def _place(self, limiter: RateLimiter) -> float:
        """Take a place; the moment it is due. Where taking it took long, as if that had taken no time at all."""
        began = self._clock()
        seconds = limiter.reserve()
        now = self._clock()
        return (now if now - began < LATE_SECONDS else began) + seconds

    def _wait(self, seconds: float) -> None:
        if self._closed or (seconds > 0 and self._pause(seconds)):
            raise Interrupted("stopped while waiting to send the next request")


def _shown(query: Query | None) -> str:
    return "?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else ""


def _sleep(seconds: float) -> bool:
    time.sleep(seconds)
    return False
