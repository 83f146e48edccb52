"""Reads a list to its end, as the provider says: every object once, or an error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple, Protocol

from reconciler.core.values.model import Body, Json
from reconciler.drivers.base import (
    BadResponse,
    IncompleteList,
    NoSuchApi,
    NotFound,
    Rejected,
    ServerFailed,
    TooLarge,
)
from reconciler.drivers.lists.list_limits import ListExtent
from reconciler.drivers.lists.page_boundaries import Boundaries
from reconciler.drivers.lists.page_fetcher import FetchedPage, read_each, read_list
from reconciler.drivers.lists.sequential_pages import by_last, by_offset, by_time, by_token
from reconciler.drivers.paging import parallel_read
from reconciler.drivers.paging.page import ListedObject, Order, Page
from reconciler.drivers.provider import ListStyle, Provider, ProviderKind, Query
from reconciler.drivers.response_fields import created, has_value_at, is_live, object_in, page_in, value_at
from reconciler.drivers.transport.request_counter import RequestCounter
from reconciler.drivers.transport.response import Response

_NO_PLACE: Final = (BadResponse, NoSuchApi, Rejected, ServerFailed)
"""What else a remote may answer where a list cannot be read from the place or in the order asked for."""
_SILENT_HINT: Final = "the server does not paginate as the provider data describes: the list was not used"
_GONE_HINT: Final = "run it again: it was deleted meanwhile, or this credential may list but not read it"


class FullPage(NamedTuple):
    """A list that was one page, exactly full: its last two objects."""

    spec: ProviderKind
    before: str
    last: str


class Requester(Protocol):
    """Asks the remote something; raises RemoteError for an answer that is no success, or not a fresh one."""

    def __call__(
        self, method: str, path: str, spec: ProviderKind, *, query: Query | None = ..., body: Body | None = ...
    ) -> Response:
        """The answer."""
        ...


class ListReader:
    """Reads the lists of one remote. Safe from several threads.

    `ask` sends a request, `path` gives the path of one object of a kind. `at_once` is the limit of concurrent requests,
    `account` is the account that the remote last reported, and `boundaries` stores for it where pages ended.
    """

    def __init__(
        self,
        provider: Provider,
        ask: Requester,
        path: Callable[[str, str], str],
        tallies: RequestCounter,
        *,
        at_once: int,
        account: Callable[[], str | None],
        boundaries: Boundaries | None,
    ) -> None:
        self._provider = provider
        self._ask = ask
        self._path = path
        self._tallies = tallies
        self._reads_at_once = at_once
        self._account = account
        self._boundaries = boundaries
        self._page_limits: dict[str, int] = {}  # by path, where pages of the usual length were too large
        self._full: dict[str, FullPage] = {}  # by path
        self._proving = threading.Lock()

    def list(self, kind: str) -> Iterator[Body]:
        """Every object of a kind, over all pages, each id once. Raises when the list cannot be read to its end."""
        spec = self._provider.kinds[kind]
        extent = ListExtent(spec.list.path or spec.path)
        found: Iterable[Body] = extent.counted(self._shown(kind, spec, extent))
        if spec.list.summaries:
            listed = (body for body in found if is_live(spec, body))
            found = read_each(listed, partial(self._whole, kind, extent), self._reads_at_once, self._tallies)
        return (body for body in found if is_live(spec, body))

    def members(self, path: str, style: ListStyle, query: Mapping[str, str]) -> Iterator[Body]:
        """Every member of a collection of an object. Raises IncompleteList where the object is not there: not empty."""
        spec = ProviderKind("", path, list=replace(style, query={**style.query, **query}))
        extent = ListExtent(path)
        fetch = partial(self._fetch, spec, extent)
        try:
            yield from extent.counted(read_list(parallel_read.ParallelRead(1), fetch, tuple, self._tallies))
        except NotFound as error:
            raise IncompleteList(f"{path} cannot be listed: {error}", hint=_GONE_HINT) from None

    def _whole(self, kind: str, extent: ListExtent, summary: Body) -> Body:
        """The object behind a summary. A 404 for one that the list shows proves nothing: raises IncompleteList."""
        id, spec = str(summary["id"]), self._provider.kinds[kind]
        try:
            response = self._ask("GET", self._path(kind, id), spec)
            extent.add(response.raw, pages=0)
            return {**summary, **object_in(spec, response)}
        except NotFound as error:
            raise IncompleteList(f"the list shows {id}, which cannot be read: {error}", hint=_GONE_HINT) from None

    def _shown(self, kind: str, spec: ProviderKind, extent: ListExtent) -> Iterator[Body]:
        fetch = partial(self._page, spec, extent)
        match spec.list.style:
            case "page":
                return by_token(spec.list, fetch)
            case "offset":
                return by_offset(spec.list, fetch)
            case "last":
                return by_last(spec.list, fetch)
            case "time":
                return by_time(spec.list, fetch, spec.created_field or "")
            case _:
                return self._after(kind, spec, extent)

    def _after(self, kind: str, spec: ProviderKind, extent: ListExtent) -> Iterator[Body]:
        """A list whose cursor is the id of the last object seen.

        A long one whose order the provider vouches for is read from several places at once.
        """
        both_ways = bool(spec.list.oldest_first) and spec.created_field is not None
        progress = parallel_read.ParallelRead(self._reads_at_once if both_ways else 1)
        fetch = partial(self._fetch_noting, spec, extent)
        yield from read_list(progress, fetch, partial(self._places, kind), self._tallies)
        if self._boundaries and (places := progress.boundaries()):
            self._boundaries.save(self._account(), kind, places)

    def prove_whole(self) -> None:
        """See that no list goes on that was one page, exactly full: for what is done because something is not there.

        Servers are known that call every page the last one. Where an answer has spoken of more, its sign is believed.
        Raises IncompleteList.
        """
        with self._proving:
            for path, full in list(self._full.items()):
                if not self._ends(full):
                    summary = f"the list of {path} was marked as complete after one full page, but continues"
                    raise IncompleteList(summary, hint=_SILENT_HINT)
                self._full.pop(path, None)

    def _ends(self, full: FullPage) -> bool:
        """Whether the last object is the only one after the one before it."""
        try:
            response = self._asked(full.spec, {full.spec.list.cursor: full.before})
        except NotFound:
            return False
        return [body["id"] for body in page_in(full.spec, response)] == [full.last] and not _more(full.spec, response)

    def _fetch_noting(
        self, spec: ProviderKind, extent: ListExtent, ask: parallel_read.PageRequest
    ) -> Callable[[], FetchedPage]:
        """Fetch a page. Remembers a first page that is full although the response reports no more."""
        read = self._fetch(spec, extent, ask)
        if ask.after is not None or ask.order is Order.OLDEST_FIRST:
            return read
        path = spec.list.path or spec.path

        def noted() -> FetchedPage:
            fetched = read()
            limit = self._page_limits.get(path, spec.list.limit)
            if fetched.page and not fetched.page.more and len(fetched.bodies) == limit > 1:
                self._full[path] = FullPage(spec, *list(fetched.bodies)[-2:])
            else:
                self._full.pop(path, None)
            return fetched

        return noted

    def _places(self, kind: str) -> tuple[ListedObject, ...]:
        return self._boundaries.load(self._account(), kind) if self._boundaries else ()

    def _fetch(
        self, spec: ProviderKind, extent: ListExtent, ask: parallel_read.PageRequest
    ) -> Callable[[], FetchedPage]:
        start: dict[str, Json] = dict(spec.list.oldest_first) if ask.order is Order.OLDEST_FIRST else {}
        if ask.after:
            start[spec.list.cursor] = ask.after
        try:
            response = self._asked(spec, start)
        except (NotFound, *_NO_PLACE) as error:
            if ask.probe or (ask.after is not None and isinstance(error, NotFound)):
                return lambda: FetchedPage({}, None)
            raise
        extent.add(response.raw)
        return lambda: _fetched(spec, ask, response)

    def _page(self, spec: ProviderKind, extent: ListExtent, start: Mapping[str, Json]) -> tuple[Sequence[Body], Json]:
        """One page of a list, from where the request says; with the token of the next one where that is the style."""
        response = self._asked(spec, start)
        extent.add(response.raw)
        page = page_in(spec, response)
        return page, _more(spec, response) if spec.list.style == "page" else None

    def _asked(self, spec: ProviderKind, start: Mapping[str, Json]) -> Response:
        """The answer with one page of a list."""
        path = spec.list.path or spec.path
        try:
            return self._page_of(spec, path, start)
        except NotFound as error:
            if start or not spec.schema:  # it may speak of the cursor's object, or of the one that has the members
                raise
            raise NoSuchApi(
                f"the target does not serve {path} (404): {error}",
                hint="check the url: is a part such as /v1 missing? A retired API responds like this as well",
                status=404,
            ) from None

    def _page_of(self, spec: ProviderKind, path: str, start: Mapping[str, Json]) -> Response:
        """One page; of fewer objects from now on where so many are too large: a prompt may have 256 KB."""
        style = spec.list
        limit = self._page_limits.get(path, style.limit)
        while True:
            asked: dict[str, Json] = {**style.query, style.size: limit, **start}
            try:
                if style.verb == "POST":
                    return self._ask("POST", path, spec, body=asked)
                return self._ask(
                    "GET", path, spec, query={n: v if isinstance(v, list) else str(v) for n, v in asked.items()}
                )
            except TooLarge:
                if limit == 1 or style.style != "after":  # others tell the end by a page that is not full
                    raise
                self._page_limits[path] = limit = max(1, limit // 4)


def _fetched(spec: ProviderKind, ask: parallel_read.PageRequest, response: Response) -> FetchedPage:
    try:
        bodies = {body["id"]: body for body in page_in(spec, response)}
    except BadResponse:
        if ask.probe:
            return FetchedPage({}, None)
        raise
    entries = (ListedObject(id, created(body, spec.created_field)) for id, body in bodies.items())
    return FetchedPage(bodies, Page(tuple(entries), _more(spec, response) is True))


def _more(spec: ProviderKind, response: Response) -> Json:
    """Whether there are more pages: true or false, or a token or null, depending on the style.

    A response without this field does not end a list: raises IncompleteList.
    """
    style = spec.list
    more = value_at(response.body, style.more)
    if has_value_at(response.body, style.more) if style.style == "page" else isinstance(more, bool):
        return more
    where = f"{style.path or spec.path} does not report whether there is more"
    raise IncompleteList(f"the list of {where}: it has no {style.more!r}", hint=_SILENT_HINT)
