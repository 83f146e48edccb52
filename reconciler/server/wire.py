"""The words the parts of the embedded server use with each other: a call, a request, a reply, a refusal."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any  # whatever `json.loads` gives; profiles check it, nothing else looks inside
Entropy = Callable[[int], str]  # n → n characters of 0-9A-Za-z, as ids are made of

JSON_TYPE = "application/json"


class ConnectionDropped(ConnectionResetError):
    """The server hung up: raised to an in-process caller; over HTTP the client sees the connection end."""


class Refusal(Exception):
    """A request the vendor would refuse, with the four keys of its error envelope."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        type_: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": type_, "param": param, "code": code}

    def reply(self) -> "Reply":
        """The refusal as it goes over the wire."""
        return Reply(self.status, json.dumps({"error": self.error}))


def invalid_url(method: str, path: str) -> Refusal:
    """What a route that does not exist (or has been shut down) answers."""
    return Refusal(f"Invalid URL ({method} {path})", status=404)


class Unparsable:
    """Stands for a body that is not JSON: whether that matters is for the verb to say."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a method and a path mean to a profile."""

    operation: str  # list, retrieve, create, modify or delete
    kind: str
    id: str = ""


@dataclass(slots=True)
class Request:
    """One request, read to its end. Header names are lower-case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json  # as it is worked on; `Unparsable` when it is not JSON
    sent: Json  # as it came


@dataclass(slots=True)
class Reply:
    """One answer. The body stays text: stored objects go out as they were stored, without being parsed."""

    status: int
    text: str
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a profile deviates from its recorded behaviour, for one request (see chaos and adversary)."""

    list_age: float = 0.0  # lists show the state of so many seconds ago
    creates_hidden: float = 0.0  # objects younger than this are in no list
    deleted_cursor_unknown: bool = False  # the id of a deleted object no longer anchors a page
    metadata_merges: bool = False  # modify merges metadata instead of replacing it
    stale_reply: bool = False  # modify commits, and answers with the object as it was
    page_size: Callable[[int], int] | None = None  # asked limit → items really put on the page


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as the server saw it, for tests that assert what was sent."""

    method: str
    path: str  # with the query string
    headers: Mapping[str, str]
    body: Json
    status: int  # 0 when there was no answer: the connection was dropped before it
    dropped: bool = False
