"""Calls, requests, replies and refusals: the values that parts of the embedded server exchange."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any

Json = Any  # whatever `json.loads` gives; profiles check it, nothing else looks inside
Entropy = Callable[[int], str]  # n → n characters of 0-9A-Za-z, as ids are made of

JSON_TYPE = "application/json"
RATE_LIMIT = "You've exceeded the rate limit, please slow down and try again later."


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


class Repeating(dict[str, Json]):
    """An object of a body in which a key was given twice; the last value counts, as JSON readers have it."""

    key = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What a method and a path mean to a profile."""

    operation: str  # list, retrieve, create, modify or delete; for some kinds also cancel, content or search
    kind: str
    id: str = ""
    within: str = ""  # the id of the object it belongs to
    takes_form: bool = False  # the body is a multipart form


@dataclass(slots=True)
class Form:
    """A multipart form. The file lies in memory while it is small and on disk when it is not, until `close`."""

    fields: dict[str, str]
    filename: str = ""
    content: IO[bytes] | None = None
    size: int = 0

    def close(self) -> None:
        """Forget the file."""
        if self.content is not None:
            self.content.close()

    def recorded(self) -> Json:
        """What is remembered of it: the file by its name and size."""
        file = {"filename": self.filename, "bytes": self.size} if self.content is not None else None
        return self.fields | {"file": file}


@dataclass(slots=True)
class Request:
    """One request, read to its end. Header names are lower-case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json  # as it is worked on: a `Form` where the call takes one, `Unparsable` when it is not JSON
    sent: Json  # as it came
    repeated: str | None = None  # the first key of the query that was given twice


@dataclass(slots=True)
class Reply:
    """One answer. The body stays text: stored objects go out as they were stored, without being parsed."""

    status: int
    text: str
    content_type: str = JSON_TYPE
    headers: list[tuple[str, str]] = field(default_factory=list)
    stream: tuple[int, Iterator[bytes]] | None = None  # a size and parts of bytes, in place of the text


@dataclass(frozen=True, slots=True)
class Indexing:
    """How the indexing of one file goes: when it ends, and with what."""

    reads: int = 1  # it ends only after so many reads have shown it
    seconds: float = 0.0  # and not before this, by the server's clock
    failure: tuple[str, str] | None = None  # code and message

    def failing(self, code: str, message: str) -> "Indexing":
        """The same, but in the end it fails."""
        return replace(self, failure=(code, message))


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a profile deviates from its recorded behaviour, for one request (see chaos and adversary)."""

    list_age: float = 0.0  # lists show the state of so many seconds ago
    creates_hidden: float = 0.0  # objects younger than this are in no list
    deleted_cursor_unknown: bool = False  # the id of a deleted object no longer anchors a page
    metadata_merges: bool = False  # modify merges metadata instead of replacing it
    stale_reply: bool = False  # modify commits, and answers with the object as it was
    page_size: Callable[[int], int] | None = None  # asked limit → items really put on the page
    attached_late: Callable[[], bool] | None = None  # → this read does not know of files still being indexed
    attach_limit: int | None = None  # attaches to one vector store a minute, single ones and batches together
    expired_gone: bool = False  # an expired vector store is unknown, instead of expired
    indexing: Callable[[str], Indexing] = lambda filename: Indexing()  # how files attached by this request fare


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as the server saw it, for tests that assert what was sent."""

    method: str
    path: str  # with the query string
    headers: Mapping[str, str]
    body: Json
    status: int  # 0 when there was no answer: the connection was dropped before it
    dropped: bool = False
