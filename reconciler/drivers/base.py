"""The driver protocol, and the errors that drivers raise.

RemoteError                 anything that went wrong between us and the remote
├── Unreachable             no answer: refused, DNS, TLS, timeout
├── CredentialRefused       401, 403
├── NotFound                404 for one object
├── NoSuchApi               404 for the whole API, or something that is no API at all
├── Rejected                another 4xx: the remote understood and refused
├── RateLimited             429 to the end of our patience
├── ServerFailed            5xx
├── BadResponse             an answer that cannot be understood or trusted
│   └── TooLarge            an answer of more bytes than are read
├── IncompleteList          a list that could not be read to its end
├── RouteChanged            a gateway answered from another upstream than before
├── VersionConflict         a write that the remote refused (or may have done) because the object changed meanwhile
├── Ambiguous               a create whose answer was lost: it may or may not have happened
└── Interrupted             the user asked to stop while we waited
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypeGuard

from reconciler.core.values.model import Body, Json
from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,255}", re.ASCII)


class RemoteError(ReconcilerError):
    """Something went wrong between us and the remote; `diagnostic` says it to a person, without secrets."""

    code = Code.BAD_RESPONSE

    def __init__(self, summary: str, *, detail: str = "", hint: str = "", status: int | None = None) -> None:
        super().__init__([Diagnostic(Severity.ERROR, self.code, summary, detail, hint)])
        self.status = status


class Unreachable(RemoteError):
    """No answer came. `reached` is False where the request certainly was not sent."""

    code = Code.UNREACHABLE

    def __init__(self, summary: str, *, reached: bool, hint: str = "") -> None:
        super().__init__(summary, hint=hint)
        self.reached = reached


class CredentialRefused(RemoteError):
    """The remote does not accept the credential."""

    code = Code.REFUSED_CREDENTIAL


class NotFound(RemoteError):
    """The object is not there, as far as one answer can prove it."""

    code = Code.NOT_FOUND


class NoSuchApi(RemoteError):
    """The remote does not serve this API at this URL."""

    code = Code.NO_SUCH_API


class Rejected(RemoteError):
    """The remote refused the request."""

    code = Code.REJECTED


class RateLimited(RemoteError):
    """The remote asks for more patience than we have."""

    code = Code.RATE_LIMITED


class ServerFailed(RemoteError):
    """The remote failed."""

    code = Code.SERVER_ERROR


class BadResponse(RemoteError):
    """The answer is not what this API answers with."""

    code = Code.BAD_RESPONSE


class TooLarge(BadResponse):
    """The answer is larger than anything that is read."""

    code = Code.TOO_LARGE_ANSWER


class IncompleteList(RemoteError):
    """The list could not be read to its end; nothing may be concluded from what is missing in it."""

    code = Code.INCOMPLETE_LIST


class RouteChanged(RemoteError):
    """A gateway answered from another upstream, or may do so, which holds other objects: nothing more may be sent.

    `sent` says whether the request went out, `body` what was answered.
    """

    code = Code.ROUTE_CHANGED
    sent = False
    body: Json = None


class VersionConflict(RemoteError):
    """The object is not at the version that was seen: somebody else's write, or our own whose answer was lost."""

    code = Code.VERSION_CONFLICT


class Ambiguous(RemoteError):
    """The answer to a create was lost."""

    code = Code.UNRESOLVED_CREATE


class Interrupted(RemoteError):
    """The wait was ended by the user."""

    code = Code.UNREACHABLE


@dataclass(slots=True)
class RequestCount:
    """What one thread sent since it last asked: requests, the remote's id of the last one, repeats by a gateway."""

    requests: int = 0
    request_id: str | None = None
    repeated: bool = False


class Collection(Protocol):
    """The members of one object, which are put in and taken out one by one."""

    def list(self, status: str | None = None) -> Iterator[Body]:
        """Every member, or those of one status. Raises when the list cannot be read to its end."""
        ...

    def read(self, id: str) -> Body:
        """One member. Raises NotFound where it is not in."""
        ...

    def attach(self, entries: Sequence[Body]) -> None:
        """Put members in; one that is in already is put in anew. Safe to repeat."""
        ...

    def modify(self, id: str, patch: Body) -> None:
        """Change what can be changed of a member."""
        ...

    def detach(self, id: str) -> None:
        """Take a member out; one that is not in is out."""
        ...


Sending: TypeAlias = Callable[[], tuple[Body, Body] | None]
"""Asked right before an update goes out: another patch, and the object as it looks now; None where nothing is new."""


class Driver(Protocol):
    """Five blocking verbs, safe from several threads; bodies go in and out as the remote speaks them."""

    def list(self, kind: str) -> Iterator[Body]:
        """Every object of a kind, over all pages. Raises when the list cannot be read to its end."""
        ...

    def read(self, kind: str, id: str) -> Body:
        """One object. Raises NotFound when it is absent."""
        ...

    def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
        """Make an object. Sent once; raises Ambiguous when the answer is lost.

        `sending` is called right before each time the request goes out: waiting for its turn can take minutes.
        """
        ...

    def update(self, kind: str, id: str, patch: Body, seen: Body | None = None, sending: Sending | None = None) -> Body:
        """Change the fields in `patch` of an object that looked as `seen`; answers with the whole object.

        `sending` is called right before each time the request goes out; where it answers, that is sent instead. What it
        raises is passed on, and nothing is sent.
        Raises VersionConflict where the remote compares versions and has another, or may have done it.
        """
        ...

    def delete(self, kind: str, id: str, sending: Callable[[], None] | None = None) -> None:
        """Remove an object; one that is absent already is removed. `sending` is called as for an update."""
        ...

    def within(self, kind: str, id: str, field: str) -> Collection:
        """The collection that is a field of an object."""
        ...

    def prove_whole(self) -> None:
        """See that the lists that were read do not go on: for what is decided because something is not there.

        Raises IncompleteList. A create and a delete do it themselves.
        """
        ...

    def take_request_count(self) -> RequestCount:
        """What this thread sent since it last asked."""
        ...


class DriverInFront:
    """A driver in front of another one. What a subclass does not change goes through as it is."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def update(self, kind: str, id: str, patch: Body, seen: Body | None = None, sending: Sending | None = None) -> Body:
        """Change the fields in `patch`; answers with the whole object."""
        return self._driver.update(kind, id, patch, seen, sending)

    def delete(self, kind: str, id: str, sending: Callable[[], None] | None = None) -> None:
        """Remove an object."""
        self._driver.delete(kind, id, sending)

    def within(self, kind: str, id: str, field: str) -> Collection:
        """The collection that is a field of an object."""
        return self._driver.within(kind, id, field)

    def prove_whole(self) -> None:
        """See that the lists that were read do not go on. Raises IncompleteList."""
        self._driver.prove_whole()

    def take_request_count(self) -> RequestCount:
        """What this thread sent since it last asked."""
        return self._driver.take_request_count()


def is_usable_id(value: Any) -> TypeGuard[str]:
    """Whether this is an id that can stand in a URL, and on a terminal."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None
