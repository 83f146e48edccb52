"""The generic REST driver: speaks to any remote that provider data describes."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from reconciler.core.values.model import Body
from reconciler.drivers.base import (
    Ambiguous,
    BadResponse,
    NotFound,
    Rejected,
    RemoteError,
    RequestCount,
    RouteChanged,
    Sending,
    ServerFailed,
    Unreachable,
    VersionConflict,
    is_usable_id,
)
from reconciler.drivers.collection import RestCollection
from reconciler.drivers.error_response import error_of
from reconciler.drivers.gateway_routes import Routes
from reconciler.drivers.lists.list_reader import ListReader
from reconciler.drivers.lists.page_boundaries import Boundaries
from reconciler.drivers.provider import Limits, Provider, ProviderKind, Query
from reconciler.drivers.response_fields import is_live, object_in, one_line, value_at
from reconciler.drivers.transport.http import HttpClient
from reconciler.drivers.transport.response import Response
from reconciler.drivers.upload_stream import Upload, upload_of


class RestDriver:
    """Follows a provider's data over an `HttpClient`, which is closed with it. Safe from several threads.

    `reads_at_once`: how many pages of a list may be on their way; `boundaries` remembers where they ended. Files to
    upload are below `root` or one of the `directories` beside it; `sent` hears of their bytes as they go out. Where
    a gateway has several upstreams, `route` is the one that is meant.
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
        route: str | None = None,
    ) -> None:
        self._provider = provider
        self._client = client
        self._roots = (root, *directories)
        self._limits = limits or provider.limits
        self._sent = sent
        self._route = route
        self._routes = Routes(provider, route)
        self._account: str | None = None  # the account that the remote last reported
        self._lists = ListReader(
            provider,
            self._ask,
            self._path,
            client,
            at_once=reads_at_once,
            account=lambda: self.account,
            boundaries=boundaries,
        )

    def close(self) -> None:
        """Send nothing any more."""
        self._client.close()

    @property
    def account(self) -> str | None:
        """The account, if the remote reported it, and the route to it, if the target names one."""
        return ", ".join(filter(None, (self._account, self._route))) or None

    def list(self, kind: str) -> Iterator[Body]:
        """Every object of a kind, over all pages, each id once. Raises when the list cannot be read to its end."""
        return self._lists.list(kind)

    def within(self, kind: str, id: str, field: str) -> RestCollection:
        """The collection that is a field of an object."""
        style, path = self._provider.kinds[kind].members[field], self._path(kind, id)
        client = self._client
        return RestCollection(
            self._send, self._lists.members, client.take_places, path, style, self._limits, client.mask
        )

    def read(self, kind: str, id: str) -> Body:
        """One object. Raises NotFound when it is absent."""
        body = self._object(kind, id)
        if not is_live(self._provider.kinds[kind], body):
            raise NotFound(f"{id} is archived", status=404)
        return body

    def _object(self, kind: str, id: str) -> Body:
        """One object, archived or not. Raises NotFound when it is absent."""
        spec = self._provider.kinds[kind]
        return object_in(spec, self._ask("GET", self._path(kind, id), spec))

    def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
        """Make an object; raises Ambiguous when the answer is lost, and IncompleteList where it may be there already.

        Sent once, unless the object's id is of our choosing: then a repeated create finds what the first one made.
        """
        self._lists.prove_whole()
        spec = self._provider.kinds[kind]
        style = spec.create
        chosen = {style.id_field: str(uuid.uuid4())} if style.id_field else {}
        path, sent = style.path or spec.path, {**body, **style.fields, **chosen}
        content: dict[str, Any] = {"body": sent}
        if spec.upload:
            upload = upload_of(spec.upload, sent, self._roots, self._sent)
            content = {"upload": upload, "bucket": (path, self._limits.uploads_per_minute)}
        try:
            response = self._send(
                "POST", path, headers=spec.headers, repeatable=bool(chosen), sending=sending, **content
            )
            made = object_in(spec, response)
        except RouteChanged as error:
            if not error.sent:
                raise
            summary = f"{error}; it created {value_at(error.body, spec.id_field)} there: delete it by hand"
            raise Ambiguous(summary, hint=error.diagnostic.hint) from error
        except (ServerFailed, BadResponse) as error:
            raise Ambiguous(str(error), detail=error.diagnostic.detail, status=error.status) from error
        except Unreachable as error:
            if error.reached:
                raise Ambiguous(str(error), hint=error.diagnostic.hint) from error
            raise
        return self._read_back(kind, sent, made) if style.read_back else made

    def _read_back(self, kind: str, sent: Body, made: Body) -> Body:
        """The object that an answer only names; as it was sent where it cannot be read: its id must not be lost."""
        try:
            return self.read(kind, str(made["id"]))
        except RemoteError:
            return {**sent, **made}

    def update(self, kind: str, id: str, patch: Body, seen: Body | None = None, sending: Sending | None = None) -> Body:
        """Change the fields in `patch` of an object that looked as `seen`; answers with the whole object.

        Where the remote compares versions, a repeated request would be refused for what the first one did. So it is
        sent once, and raises VersionConflict where the version is another, or the answer is lost.
        """
        spec = self._provider.kinds[kind]
        style = spec.update
        path = self._path(kind, id)

        def locked(patch: Body, seen: Body) -> Body:
            return {**patch, style.lock: seen[style.lock]} if style.lock is not None and style.lock in seen else patch

        def newest(ask: Sending) -> Body | None:
            return locked(*now) if (now := ask()) else None

        fresh = partial(newest, sending) if sending else None  # one that nobody asks for may take its time to go out
        body = locked(patch, seen or {})
        free = body is patch
        how: dict[str, Any] = {"headers": spec.headers, "body": body, "repeatable": free}
        try:
            return object_in(spec, self._send(style.verb, path, **how, sending=fresh, renewing=True))
        except (Rejected, ServerFailed, BadResponse, Unreachable) as error:
            if free or (isinstance(error, Rejected) and error.status not in (409, 412)):
                raise
            raise VersionConflict(str(error), detail=error.diagnostic.detail, status=error.status) from error

    def delete(self, kind: str, id: str, sending: Callable[[], None] | None = None) -> None:
        """Remove an object; one that is absent already is removed.

        Before it, as before a create, a list that may have been cut short is looked at once more. An answer that does
        not say so (a gateway's page, say) is checked by reading the object. Raises BadResponse when it is still there.
        """
        self._lists.prove_whole()
        spec = self._provider.kinds[kind]
        try:
            if spec.delete.archive:
                path = f"{self._path(kind, id)}/{spec.delete.archive}"
                response = self._send("POST", path, headers=spec.headers, sending=sending, renewing=True)
                if not is_live(spec, object_in(spec, response)):
                    return
            else:
                response = self._send(
                    "DELETE", self._path(kind, id), headers=spec.headers, sending=sending, renewing=True
                )
                if response.status == 204 or (isinstance(response.body, dict) and response.body.get("deleted") is True):
                    return
            self.read(kind, id)
        except NotFound:
            return
        raise BadResponse(f"{id} was deleted, but still exists", detail=one_line(response.text))

    def prove_whole(self) -> None:
        """Check that nothing follows a full page that a response reported as the last. Raises IncompleteList."""
        self._lists.prove_whole()

    def take_request_count(self) -> RequestCount:
        """What this thread sent since it last asked."""
        return self._client.take_request_count()

    def _ask(
        self, method: str, path: str, spec: ProviderKind, *, query: Query | None = None, body: Body | None = None
    ) -> Response:
        """A request that changes nothing, and whose answer has to be a fresh one."""
        headers = {**spec.headers, **self._provider.reads.headers}
        response = self._send(method, path, query=query, headers=headers, body=body)
        for header, values in self._provider.reads.refuse.items():
            if (value := response.headers.get(header)) in values:
                raise BadResponse(f"the gateway served a read from its cache ({header}: {value})")
        return response

    def _send(
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
        self._routes.refuse()
        query = {**self._provider.query, **(query or {})} or None
        response = self._client.send(
            method,
            path,
            query=query,
            headers=headers,
            body=body,
            repeatable=repeatable,
            sending=sending,
            renewing=renewing,
            upload=upload,
            bucket=bucket,
        )
        provider = self._provider
        if provider.retried_header and response.headers.get(provider.retried_header, "0") != "0":
            self._client.note_repeated()
        route = response.headers.get(provider.route_header or "")
        try:
            self._routes.check(response.status, route and self._client.mask(route))
        except RouteChanged as changed:
            changed.sent, changed.body = True, response.body
            raise
        if 200 <= response.status < 300:
            self._account = self._client.mask(response.headers.get(provider.account_header or "", "")) or self._account
            return response
        credentials = provider.credentials.values()
        raise error_of(response, provider, keyless=not any(self._client.sends(each.header) for each in credentials))

    def _path(self, kind: str, id: str) -> str:
        if not is_usable_id(id):
            raise BadResponse(f"{id!r:.80} is not an id that can be put into a URL")
        return f"{self._provider.kinds[kind].path}/{quote(id, safe='')}"
