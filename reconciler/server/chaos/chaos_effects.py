"""Applies the faults of a rule to one request."""

import json
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from reconciler.server.chaos.adversary import Shape
from reconciler.server.wire import (
    JSON_TYPE,
    RATE_LIMIT,
    Call,
    ConnectionDropped,
    Indexing,
    Json,
    Quirks,
    Refusal,
    Reply,
    Request,
    invalid_url,
)

_Options = Mapping[str, Any]
_FAR_AWAY = 1e12  # seconds: never
_SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"


class Effects:
    """The effects that play for one request."""

    __slots__ = ("_indexing", "_playing", "_sleep")

    def __init__(
        self, playing: Mapping[str, _Options], indexing: Sequence[tuple[str, _Options]], sleep: Callable[[float], None]
    ) -> None:
        self._playing = playing
        self._indexing = indexing
        self._sleep = sleep

    @property
    def cut_at(self) -> int | None:
        """Where the body ends too early."""
        bytes_left: int | None = self._value("truncate")
        return bytes_left

    def instead(self, request: Request) -> Reply | None:
        """The answer when the work is not even begun."""
        if latency := self._value("latency_ms"):
            self._sleep(latency / 1000)
        if self._value("sunset"):
            raise invalid_url(request.method, request.path)
        if self._value("drop") == "before_commit":
            raise ConnectionDropped("the server hung up before it did anything")
        return self._forced(committed=False)

    def reshaped(self, call: Call, body: Json) -> Json:
        """The body as the work gets it: what a gateway in between makes of it."""
        if call.operation not in ("create", "modify") or not isinstance(body, dict):
            return body
        ignored = self._value("ignore") or ()
        body = {name: value for name, value in body.items() if name not in ignored}
        if self._value("ignore_null"):
            body = {name: value for name, value in body.items() if value is not None}
        return body | (self._value("override") or {})

    def quirks(self, shape: Shape | None) -> Quirks:
        """How the work itself deviates, by chaos or by the adversary."""
        return Quirks(
            list_age=self._value("stale_list") or 0.0,
            creates_hidden=self._value("slow_visibility") or 0.0,
            deleted_cursor_unknown=self._value("deleted_cursor") == "unknown",
            metadata_merges=self._value("metadata") == "merge",
            stale_reply=bool(self._value("stale_reply")),
            page_size=shape.page_size if shape else None,
            attached_late=shape.attached_late if shape else None,
            attach_limit=self._value("attach_limit"),
            expired_gone=self._value("expired") == "gone",
            indexing=self._indexing_of,
        )

    def afterwards(self, call: Call, reply: Reply) -> Reply:
        """The answer after the work is done."""
        if self._value("drop") == "after_commit":
            raise ConnectionDropped("the server hung up after it did the work")
        overlay = dict(self._value("answer") or {})
        if self._value("empty_page") and call.operation == "list":
            overlay |= {"data": [], "first_id": None, "last_id": None, "has_more": True}
        if overlay and reply.status == 200 and reply.stream is None:
            reply.text = json.dumps(json.loads(reply.text) | overlay)
        return self._forced(committed=True) or reply

    def _indexing_of(self, filename: str) -> Indexing:
        # Rules may differ by name only, so each file has its own first rule of each effect.
        first: dict[str, _Options] = {}
        for effect, options in self._indexing:
            if fnmatchcase(filename, options.get("name", "*")):
                first.setdefault(effect, options)
        seconds = first["index_seconds"]["index_seconds"] if "index_seconds" in first else 0.0
        fails = first.get("index_fails")
        return Indexing(
            reads=first["index_reads"]["index_reads"] if "index_reads" in first else Indexing().reads,
            seconds=_FAR_AWAY if "index_never" in first else seconds,
            failure=(fails.get("code", "server_error"), fails["index_fails"]) if fails else None,
        )

    def _forced(self, *, committed: bool) -> Reply | None:
        options = self._playing.get("status")
        if options is not None and options.get("commit", False) == committed:
            return _status_reply(options)
        options = self._playing.get("garbage")
        if options is not None and options.get("commit", True) == committed:
            return Reply(200, options["garbage"], content_type="text/html; charset=utf-8")
        return None

    def _value(self, effect: str) -> Any:
        options = self._playing.get(effect)
        return None if options is None else options[effect]


NO_EFFECTS = Effects({}, (), lambda seconds: None)


def _status_reply(options: _Options) -> Reply:
    status, body = options["status"], options.get("body")
    headers = list(options.get("headers", {}).items())
    if status in (204, 304):
        return Reply(status, "", headers=headers)
    if body is None:
        reply = _default_error(status).reply()
        return Reply(status, reply.text, headers=headers)
    if isinstance(body, str):
        return Reply(status, body, content_type="text/plain; charset=utf-8", headers=headers)
    return Reply(status, json.dumps(body), content_type=JSON_TYPE, headers=headers)


def _default_error(status: int) -> Refusal:
    if status == 429:
        return Refusal(RATE_LIMIT, status=status, code="rate_limit_exceeded")
    if status >= 500:
        return Refusal(_SERVER_ERROR, status=status, type_="server_error")
    return Refusal(f"Injected status {status}.", status=status)
