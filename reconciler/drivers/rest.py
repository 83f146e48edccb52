"""The one generic driver: speaks to any remote whose ways are written down in provider data."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from reconciler.core.model import Body, Json
from reconciler.drivers.base import (
    Ambiguous,
    BadResponse,
    CredentialRefused,
    IncompleteList,
    NoSuchApi,
    NotFound,
    RateLimited,
    Rejected,
    RemoteError,
    RouteChanged,
    ServerFailed,
    Tally,
    Unreachable,
)
from reconciler.drivers.collection import RestCollection
from reconciler.drivers.http import Answer, HttpClient, retry_after
from reconciler.drivers.provider import Limits, ListStyle, Provider, UploadStyle
from reconciler.drivers.uploads import FileChanged, Upload

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,255}", re.ASCII)
_ROUTE_HINT: Final = "a gateway that balances or falls back between accounts cannot be reconciled: pin one upstream"


class RestDriver:
    """Follows a provider's data over an `HttpClient`. Safe from several threads.

    Files to upload are below `root`; `sent` hears of their bytes as they go out.
    """

    def __init__(
        self,
        provider: Provider,
        client: HttpClient,
        *,
        root: str = ".",
        limits: Limits | None = None,
        sent: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._provider = provider
        self._client = client
        self._root = os.path.realpath(root)
        self._limits = limits or provider.limits
        self._sent = sent
        self._route: str | None = None
        self.account: str | None = None  # what the remote last said of itself
        self._route_lock = threading.Lock()

    def list(self, kind: str) -> Iterator[Body]:
        """Every object of a kind, over all pages, each id once. Raises when the list cannot be read to its end.

        A page is empty after `more: true`, or a cursor is unknown, when the cursor's object was deleted meanwhile: that
        is not the end. Reading goes on from the object before it, at worst from the beginning.
        """
        spec = self._provider.kinds[kind]
        return self._pages(spec.path, spec.list, {})

    def within(self, kind: str, id: str, field: str) -> RestCollection:
        """The collection that is a field of an object."""
        style, path = self._provider.kinds[kind].members[field], self._path(kind, id)
        return RestCollection(self._send, self._pages, path, style, self._limits.attaches_per_minute)

    def _pages(self, path: str, style: ListStyle, query: Mapping[str, str]) -> Iterator[Body]:
        seen: set[str] = set()
        tried: set[str | None] = set()
        trail: list[str] = []
        while (cursor := trail[-1] if trail else None) not in tried:
            tried.add(cursor)
            page, more = self._page(path, style, query, cursor)
            fresh = {_id_of(body): body for body in page if _id_of(body) not in seen}
            yield from fresh.values()
            seen.update(fresh)
            if not more:
                return
            if page:
                trail.extend(_id_of(body) for body in page)
            elif trail:
                trail.pop()
        raise IncompleteList(
            f"the list of {path} says there is more, but does not move on",
            hint="the remote's paging is broken, or everything was deleted meanwhile: nothing was concluded from it",
        )

    def read(self, kind: str, id: str) -> Body:
        """One object. Raises NotFound when it is absent."""
        answer = self._send("GET", self._path(kind, id), headers=self._provider.reads.headers)
        self._refuse_cached(answer)
        return _object(answer)

    def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
        """Make an object. Sent once; raises Ambiguous when the answer is lost."""
        spec = self._provider.kinds[kind]
        sent: dict[str, Any] = {"body": body}
        if spec.upload:
            sent = {"upload": self._upload(spec.upload, body), "bucket": (spec.path, self._limits.uploads_per_minute)}
        try:
            return _object(self._send("POST", spec.path, repeatable=False, sending=sending, **sent))
        except (ServerFailed, BadResponse, RouteChanged) as error:
            raise Ambiguous(str(error), detail=error.diagnostic.detail, status=error.status) from error
        except Unreachable as error:
            if error.reached:
                raise Ambiguous(str(error), hint=error.diagnostic.hint) from error
            raise

    def update(self, kind: str, id: str, patch: Body) -> Body:
        """Change the fields in `patch`; answers with the whole object."""
        return _object(self._send(self._provider.kinds[kind].update.verb, self._path(kind, id), body=patch))

    def delete(self, kind: str, id: str) -> None:
        """Remove an object; one that is absent already is removed.

        An answer that does not say so (a gateway's page, say) is checked by reading the object. Raises BadResponse when
        it is still there.
        """
        try:
            answer = self._send("DELETE", self._path(kind, id))
            if answer.status == 204 or (isinstance(answer.body, dict) and answer.body.get("deleted") is True):
                return
            self.read(kind, id)
        except NotFound:
            return
        raise BadResponse(f"{id} was to be deleted, and is still there", detail=_shortened(answer.text))

    def take_tally(self) -> Tally:
        """What this thread sent since it last asked."""
        return self._client.take_tally()

    def _upload(self, style: UploadStyle, body: Body) -> Upload:
        """The file that a body names. Raises FileChanged where it is not in the project (any more)."""
        path = os.path.realpath(os.path.join(self._root, body[style.source]))
        if not path.startswith(self._root + os.sep):
            raise FileChanged(f"{body[style.source]} leads outside the project: it was not uploaded")
        ours = (style.source, style.digest, style.name)
        fields = form_fields({name: value for name, value in body.items() if name not in ours})
        return Upload(path, body[style.name], body[style.digest], style.part, fields, self._sent)

    def _page(
        self, path: str, style: ListStyle, more: Mapping[str, str], after: str | None
    ) -> tuple[Sequence[Body], bool]:
        query = {**style.query, **more, "limit": str(style.limit)} | ({style.cursor: after} if after else {})
        try:
            answer = self._send("GET", path, query=query, headers=self._provider.reads.headers)
        except NotFound as error:
            if after is not None:
                return [], True  # the cursor's object is gone; step back
            raise NoSuchApi(
                f"the target does not serve {path} (404): {error}",
                hint="check the url; an API that was retired answers like this",
                status=404,
            ) from None
        self._refuse_cached(answer)
        page = answer.body.get(style.items) if isinstance(answer.body, dict) else None
        if not isinstance(page, Sequence) or not all(isinstance(body, dict) for body in page):
            raise BadResponse(f"the list of {path} has no {style.items!r}", detail=_shortened(answer.text))
        return page, bool(answer.body.get(style.more))

    def _send(
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
        answer = self._client.send(
            method,
            path,
            query=query,
            headers=headers,
            body=body,
            repeatable=repeatable,
            sending=sending,
            upload=upload,
            bucket=bucket,
        )
        provider = self._provider
        if provider.retried_header and answer.headers.get(provider.retried_header, "0") != "0":
            self._client.note_repeated()
        if 200 <= answer.status < 300:
            self._check_route(answer)
            self.account = self._client.mask(answer.headers.get(provider.account_header or "", "")) or self.account
            return answer
        raise self._error(answer)

    def _path(self, kind: str, id: str) -> str:
        if not _ID.fullmatch(id):
            raise BadResponse(f"{id!r:.80} is not an id that can be put into a URL")
        return f"{self._provider.kinds[kind].path}/{quote(id, safe='')}"

    def _check_route(self, answer: Answer) -> None:
        header = self._provider.route_header
        if header is None or (route := answer.headers.get(header)) is None:
            return
        with self._route_lock:
            first = self._route = self._route or route
        if route != first:
            said = self._client.mask(f"the gateway answered from {route} after {first}")
            raise RouteChanged(said, hint=_ROUTE_HINT)

    def _refuse_cached(self, answer: Answer) -> None:
        for header, values in self._provider.reads.refuse.items():
            if (said := answer.headers.get(header)) in values:
                raise BadResponse(f"the gateway answered a read from its cache ({header}: {said})")

    def _error(self, answer: Answer) -> RemoteError:
        said = error_text(answer)
        status = answer.status
        if status in (401, 403):
            hint = "check the credential: is it set, complete, and allowed to manage these objects?"
            return CredentialRefused(f"the target refused the credential ({status}): {said}", hint=hint, status=status)
        if status == 404:
            return _not_found(answer, said, self._provider.unknown_route)
        if status == 429:
            asked = retry_after(answer.headers)
            hint = f"it asks for {asked:.0f} s of patience" if asked else "lower `limits` for this target"
            return RateLimited(f"the target limits requests (429): {said}", hint=hint, status=429)
        if status >= 500 or status == 408:
            return ServerFailed(f"the target failed ({status}): {said}", status=status)
        if 300 <= status < 400:
            hint = "redirects are not followed, because they would carry the credential along: correct the url"
            return BadResponse(f"the target redirects ({status})", hint=hint, status=status)
        return Rejected(f"the target refused the request ({status}): {said}", status=status)


def _not_found(answer: Answer, said: str, unknown_route: str | None) -> RemoteError:
    """A 404 that speaks of one object, or one that says there is no such API here."""
    body = answer.body
    says_route = unknown_route is not None and unknown_route in said
    if isinstance(body, dict) and isinstance(body.get("error"), dict) and not says_route:
        return NotFound(said, status=404)
    hint = "check the url; an API that was retired answers like this"
    return NoSuchApi(f"the target does not know this API (404): {said}", hint=hint, status=404)


def form_fields(value: Json, name: str = "") -> dict[str, str]:
    """A body as the fields of a form, which has no nesting: `expires_after[seconds]` is how one spells it."""
    if not isinstance(value, dict):
        return {name: str(value)}
    parts = (form_fields(each, f"{name}[{key}]" if name else key) for key, each in value.items() if each is not None)
    return {key: text for part in parts for key, text in part.items()}


def error_text(answer: Answer) -> str:
    """What an error answer says, out of any of the shapes remotes use; cut to a readable length."""
    body = answer.body
    if isinstance(body, dict):
        error = body.get("error", body)
        if isinstance(error, dict):
            text = error.get("message") or error.get("detail")
            if isinstance(text, str) and text:
                code = error.get("code")
                return _shortened(text + (f" [{code}]" if isinstance(code, str) else ""))
        if isinstance(error, str) and error:
            return _shortened(error)
    return _shortened(answer.text) or "no text"


def _shortened(text: str, limit: int = 300) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _object(answer: Answer) -> Body:
    body: Json = answer.body
    if not isinstance(body, dict) or not isinstance(body.get("id"), str):
        raise BadResponse("the answer is not an object with an id", detail=_shortened(answer.text))
    return body


def _id_of(body: Body) -> str:
    id = body.get("id")
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise BadResponse(f"the list holds an object whose id cannot be used: {id!r:.80}")
    return id
