"""The one generic driver: speaks to any remote whose ways are written down in provider data."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from reconciler.core.model import Body, Json
from reconciler.drivers.base import (
    Ambiguous,
    BadResponse,
    CredentialRefused,
    NoSuchApi,
    NotFound,
    RateLimited,
    Rejected,
    RemoteError,
    RouteChanged,
    ServerFailed,
    Tally,
    TooLarge,
    Unreachable,
    VersionConflict,
    is_usable_id,
)
from reconciler.drivers.boundaries import Boundaries
from reconciler.drivers.collection import RestCollection
from reconciler.drivers.cursors import by_offset, by_time, by_token
from reconciler.drivers.http import Answer, HttpClient, retry_after
from reconciler.drivers.listing import Fetched, read_list
from reconciler.drivers.paging.page import Entry, Order, Page
from reconciler.drivers.paging.reading import Ask, Reading
from reconciler.drivers.provider import Limits, ListStyle, Provider, ProviderKind
from reconciler.drivers.shapes import created, error_text, inside, is_live, shortened, the_object, the_page
from reconciler.drivers.uploads import Upload, upload_of

_ROUTE_HINT: Final = "a gateway that balances or falls back between accounts cannot be reconciled: pin one upstream"
_NO_PLACE: Final = (BadResponse, NoSuchApi, Rejected, ServerFailed)
"""What else a remote may answer where a list cannot be read from the place or in the order asked for."""


class RestDriver:
    """Follows a provider's data over an `HttpClient`. Safe from several threads.

    `reads_at_once`: how many pages of a list may be on their way; `boundaries` remembers where they ended. Files to
    upload are below `root` or one of the `directories` beside it; `sent` hears of their bytes as they go out.
    """

    def __init__(
        self,
        provider: Provider,
        client: HttpClient,
        *,
        reads_at_once: int = 1,
        boundaries: Boundaries | None = None,
        root: str = ".",
        directories: Sequence[str] = (),
        limits: Limits | None = None,
        sent: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._provider = provider
        self._client = client
        self._reads_at_once = reads_at_once
        self._boundaries = boundaries
        self._roots = (root, *directories)
        self._limits = limits or provider.limits
        self._sent = sent
        self._route: str | None = None
        self.account: str | None = None  # what the remote last said of itself
        self._route_lock = threading.Lock()
        self._page_limits: dict[str, int] = {}  # by path, where pages of the usual length were too large

    def list(self, kind: str) -> Iterator[Body]:
        """Every object of a kind, over all pages, each id once. Raises when the list cannot be read to its end."""
        spec = self._provider.kinds[kind]
        match spec.list.style:
            case "page":
                found = by_token(spec.list, lambda said: self._page(spec, said))
            case "offset":
                found = by_offset(spec.list, lambda said: self._page(spec, said))
            case "time":
                found = by_time(spec.list, lambda said: self._page(spec, said), spec.created_field or "")
            case _:
                found = self._after(kind, spec)
        return (body for body in found if is_live(spec, body))

    def within(self, kind: str, id: str, field: str) -> RestCollection:
        """The collection that is a field of an object."""
        style, path = self._provider.kinds[kind].members[field], self._path(kind, id)
        return RestCollection(self._send, self._members, path, style, self._limits.attaches_per_minute)

    def _members(self, path: str, style: ListStyle, query: Mapping[str, str]) -> Iterator[Body]:
        spec = ProviderKind("", path, list=replace(style, query={**style.query, **query}))
        return read_list(Reading(1), partial(self._fetch, spec), tuple, self._client)

    def _after(self, kind: str, spec: ProviderKind) -> Iterator[Body]:
        """A list whose cursor is the id of the last object seen.

        A long one whose order the provider vouches for is read from several places at once.
        """
        both_ways = bool(spec.list.oldest_first) and spec.created_field is not None
        reading = Reading(self._reads_at_once if both_ways else 1)
        yield from read_list(reading, partial(self._fetch, spec), partial(self._places, kind), self._client)
        if self._boundaries and (places := reading.boundaries()):
            self._boundaries.save(self.account, kind, places)

    def read(self, kind: str, id: str) -> Body:
        """One object. Raises NotFound when it is absent."""
        spec = self._provider.kinds[kind]
        answer = self._send("GET", self._path(kind, id), headers={**spec.headers, **self._provider.reads.headers})
        self._refuse_cached(answer)
        body = the_object(spec, answer)
        if not is_live(spec, body):
            raise NotFound(f"{id} is archived", status=404)
        return body

    def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
        """Make an object; raises Ambiguous when the answer is lost.

        Sent once, unless the object's id is of our choosing: then a repeated create finds what the first one made.
        """
        spec = self._provider.kinds[kind]
        style = spec.create
        chosen = {style.id_field: str(uuid.uuid4())} if style.id_field else {}
        path, sent = style.path or spec.path, {**body, **style.fields, **chosen}
        content: dict[str, Any] = {"body": sent}
        if spec.upload:
            upload = upload_of(spec.upload, sent, self._roots, self._sent)
            content = {"upload": upload, "bucket": (path, self._limits.uploads_per_minute)}
        try:
            answer = self._send("POST", path, headers=spec.headers, repeatable=bool(chosen), sending=sending, **content)
            return the_object(spec, answer)
        except (ServerFailed, BadResponse, RouteChanged) as error:
            raise Ambiguous(str(error), detail=error.diagnostic.detail, status=error.status) from error
        except Unreachable as error:
            if error.reached:
                raise Ambiguous(str(error), hint=error.diagnostic.hint) from error
            raise

    def update(self, kind: str, id: str, patch: Body, seen: Body | None = None) -> Body:
        """Change the fields in `patch` of an object that looked as `seen`; answers with the whole object.

        Where the remote compares versions, a repeated request would be refused for what the first one did. So it is
        sent once, and raises VersionConflict where the version is another, or the answer is lost.
        """
        spec = self._provider.kinds[kind]
        style = spec.update
        path = self._path(kind, id)
        if style.lock is None or seen is None or style.lock not in seen:
            return the_object(spec, self._send(style.verb, path, headers=spec.headers, body=patch))
        locked = {**patch, style.lock: seen[style.lock]}
        try:
            answer = self._send(style.verb, path, headers=spec.headers, body=locked, repeatable=False)
            return the_object(spec, answer)
        except (Rejected, ServerFailed, BadResponse, Unreachable) as error:
            if isinstance(error, Rejected) and error.status not in (409, 412):
                raise
            raise VersionConflict(str(error), detail=error.diagnostic.detail, status=error.status) from error

    def delete(self, kind: str, id: str) -> None:
        """Remove an object; one that is absent already is removed.

        An answer that does not say so (a gateway's page, say) is checked by reading the object. Raises BadResponse when
        it is still there.
        """
        spec = self._provider.kinds[kind]
        try:
            if spec.delete.archive:
                answer = self._send("POST", f"{self._path(kind, id)}/{spec.delete.archive}", headers=spec.headers)
                if not is_live(spec, the_object(spec, answer)):
                    return
            else:
                answer = self._send("DELETE", self._path(kind, id), headers=spec.headers)
                if answer.status == 204 or (isinstance(answer.body, dict) and answer.body.get("deleted") is True):
                    return
            self.read(kind, id)
        except NotFound:
            return
        raise BadResponse(f"{id} was to be deleted, and is still there", detail=shortened(answer.text))

    def take_tally(self) -> Tally:
        """What this thread sent since it last asked."""
        return self._client.take_tally()

    def _places(self, kind: str) -> tuple[Entry, ...]:
        return self._boundaries.load(self.account, kind) if self._boundaries else ()

    def _fetch(self, spec: ProviderKind, ask: Ask) -> Fetched:
        said: dict[str, Json] = dict(spec.list.oldest_first) if ask.order is Order.OLDEST_FIRST else {}
        if ask.after:
            said[spec.list.cursor] = ask.after
        try:
            page, more = self._page(spec, said)
        except (NotFound, *_NO_PLACE) as error:
            if ask.probe or (ask.after is not None and isinstance(error, NotFound)):
                return Fetched({}, None)
            raise
        bodies = {body["id"]: body for body in page}
        entries = (Entry(id, created(body, spec.created_field)) for id, body in bodies.items())
        return Fetched(bodies, Page(tuple(entries), bool(more)))

    def _page(self, spec: ProviderKind, said: Mapping[str, Json]) -> tuple[Sequence[Body], Json]:
        """One page of a list, from where the request says; with what the answer says of more."""
        style, path = spec.list, spec.list.path or spec.path
        try:
            answer = self._page_of(spec, path, said)
        except NotFound as error:
            if said:  # it may speak of the cursor's object
                raise
            raise NoSuchApi(
                f"the target does not serve {path} (404): {error}",
                hint="check the url; an API that was retired answers like this",
                status=404,
            ) from None
        self._refuse_cached(answer)
        return the_page(spec, answer), inside(answer.body, style.more)

    def _page_of(self, spec: ProviderKind, path: str, said: Mapping[str, Json]) -> Answer:
        """One page; of fewer objects from now on where so many are too large: a prompt may have 256 KB."""
        style, headers = spec.list, {**spec.headers, **self._provider.reads.headers}
        limit = self._page_limits.get(path, style.limit)
        while True:
            asked: dict[str, Json] = {**style.query, style.size: limit, **said}
            try:
                if style.verb == "POST":
                    return self._send("POST", path, headers=headers, body=asked)
                query = {name: str(value) for name, value in asked.items()}
                return self._send("GET", path, query=query, headers=headers)
            except TooLarge:
                if limit == 1 or style.style != "after":  # others tell the end by a page that is not full
                    raise
                self._page_limits[path] = limit = max(1, limit // 4)

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
        query = {**self._provider.query, **(query or {})} or None
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
        if not is_usable_id(id):
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
            return _not_found(answer, said, self._provider)
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


def _not_found(answer: Answer, said: str, provider: Provider) -> RemoteError:
    """A 404 that speaks of one object, or one that says there is no such API here."""
    says_route = provider.unknown_route is not None and provider.unknown_route in said
    if provider.not_found_field:
        says_object = bool(inside(answer.body, provider.not_found_field))
    else:
        says_object = isinstance(inside(answer.body, "error"), dict)
    if says_object and not says_route:
        return NotFound(said, status=404)
    hint = "check the url; an API that was retired answers like this"
    return NoSuchApi(f"the target does not know this API (404): {said}", hint=hint, status=404)
