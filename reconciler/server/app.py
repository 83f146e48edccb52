"""The embedded server as a WSGI application."""

import itertools
import os
import random
import string
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from reconciler.server.chaos.adversary import Adversary, Shape
from reconciler.server.chaos.chaos_effects import NO_EFFECTS, Effects
from reconciler.server.chaos.rules import Chaos
from reconciler.server.profiles import PROFILES
from reconciler.server.recorded_requests import without_credentials
from reconciler.server.request_reader import read_body, request_head
from reconciler.server.store import Store
from reconciler.server.wire import Call, ConnectionDropped, Form, RecordedRequest, Refusal, Reply, Request, invalid_url

_NOBODY = Call("none", "")
_ALPHABET = string.digits + string.ascii_letters
_PHRASES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def create_app(
    db: str | Path = ":memory:",
    *,
    profile: str = "assistants-v2",
    api_key: str | None = None,
    chaos: Chaos | None = None,
    adversary: int | None = None,
    clock: Callable[[], float] = time.time,
    record: str | Path | None = None,
    remember: int = 100_000,
) -> "App":
    """A server over the SQLite file `db` (made if absent) or over memory.

    `api_key`: require it; without it any key, or none, will do. `chaos`: faults to play. `adversary`: a seed; every
    answer then takes another legal shape. `clock`: seconds since the epoch. `record`: append each request to this file
    as a JSON line, without credentials. `remember`: how many requests `App.requests` keeps, about.
    """
    return App(db, profile, api_key, chaos, adversary, clock, record, remember)


class App:
    """A WSGI application; a context manager that closes its database.

    `requests` is what it was asked, in the order of the answers; tests may clear it.
    """

    def __init__(
        self,
        db: str | Path,
        profile: str,
        api_key: str | None,
        chaos: Chaos | None,
        adversary: int | None,
        clock: Callable[[], float],
        record: str | Path | None,
        remember: int,
    ) -> None:
        if profile not in PROFILES:
            raise ValueError(f"unknown profile {profile!r}; known are {', '.join(PROFILES)}")
        self.requests: list[RecordedRequest] = []
        self._remember = remember
        self._record = Path(record) if record is not None else None
        self._record_lock = threading.Lock()
        self._chaos = chaos
        self._adversary = Adversary(adversary) if adversary is not None else None
        self._numbers = itertools.count()
        # Seeded with the adversary, so that a failing run can be had again, ids included.
        self._random = random.Random(adversary)  # noqa: S311 — ids, not secrets
        self._store = Store(db, clock=clock, history_seconds=chaos.history_seconds if chaos else 0.0)
        self._profile = PROFILES[profile](self._store, api_key=api_key, clock=clock, entropy=self._entropy)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """One request. A dropped connection raises `ConnectionDropped`."""
        request = request_head(environ)
        call = self._profile.call_for(request.method, request.path) or _NOBODY
        refusal = read_body(request, environ, call)
        effects = self._chaos.effects_for(call) if self._chaos else NO_EFFECTS
        shape = self._adversary.shape(next(self._numbers)) if self._adversary else None
        status, dropped = 0, True
        try:
            reply = refusal.reply() if refusal else self._answer(call, request, effects, shape)
            status, dropped = reply.status, effects.cut_at is not None
        finally:
            # Before the answer leaves: who has the answer finds the request here.
            self._note(request, environ, status, dropped)
            if isinstance(request.body, Form):
                request.body.close()
        size, parts = reply.stream or _whole(reply.text)
        start_response(_PHRASES.get(status) or f"{status} Unassigned", self._headers(reply, size))
        return parts if effects.cut_at is None else _broken_off(parts, effects.cut_at)

    def __enter__(self) -> "App":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database. An application that is forgotten closes it too."""
        self._store.close()

    def _answer(self, call: Call, request: Request, effects: Effects, shape: Shape | None) -> Reply:
        try:
            early = effects.instead(request)
            if early is not None:
                return early
            self._admit(call, request)
            request.body = effects.reshaped(call, request.body)
            reply = self._profile.answer(call, request, effects.quirks(shape))
            if shape and reply.stream is None:
                reply.text = shape.reshaped(reply.text)
        except Refusal as refusal:
            if call is _NOBODY:
                return refusal.reply()
            reply = refusal.reply()
        return effects.afterwards(call, reply)

    def _admit(self, call: Call, request: Request) -> None:
        """Refuse who may not ask, and what there is nobody for; what they sent is not remembered. Raises Refusal."""
        try:
            if call is _NOBODY:
                raise invalid_url(request.method, request.path)
            self._profile.admit(call, request)
        except Refusal:
            request.sent = None
            raise

    def _headers(self, reply: Reply, size: int) -> list[tuple[str, str]]:
        return [
            ("content-type", reply.content_type),
            ("content-length", str(size)),
            ("x-request-id", f"req_{self._random.getrandbits(128):032x}"),
            *self._profile.headers(),
            *reply.headers,
        ]

    def _entropy(self, count: int) -> str:
        return "".join(self._random.choices(_ALPHABET, k=count))

    def _note(self, request: Request, environ: WSGIEnvironment, status: int, dropped: bool) -> None:
        query = environ.get("QUERY_STRING", "")
        path = f"{request.path}?{query}" if query else request.path
        noted = RecordedRequest(request.method, path, request.headers, request.sent, status, dropped)
        self.requests.append(noted)
        if len(self.requests) > 2 * self._remember:
            del self.requests[: -self._remember or None]
        if self._record is not None:
            line = without_credentials(noted)
            with self._record_lock, open(self._record, "a", encoding="utf-8", opener=_private) as file:
                file.write(line + "\n")


def _private(path: str, flags: int) -> int:
    """Open a file that its owner alone may read, where it is new: it holds what was sent."""
    return os.open(path, flags, 0o600)


def _whole(text: str) -> tuple[int, Iterator[bytes]]:
    content = text.encode("utf-8", "replace")
    return len(content), iter((content,))


def _broken_off(parts: Iterator[bytes], left: int) -> Iterator[bytes]:
    for part in parts:
        yield part[:left]
        left -= len(part)
        if left <= 0:
            break
    raise ConnectionDropped("the server hung up in the middle of its answer")
