"""Fetches the pages of a list, several at once where that is faster. `paging` decides which."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from reconciler.core.values.model import Body
from reconciler.drivers.base import IncompleteList, RequestCount
from reconciler.drivers.paging.page import ListedObject, Page
from reconciler.drivers.paging.parallel_read import PageRequest, ParallelRead
from reconciler.drivers.transport.request_counter import RequestCounter

_STUCK_HINT: Final = "the remote's pagination is broken, or everything was deleted meanwhile: the list was not used"


class FetchedPage(NamedTuple):
    """One page: its objects by id, and as paging sees it; None where the remote does not know the cursor."""

    bodies: Mapping[str, Body]
    page: Page | None


Fetch: TypeAlias = Callable[[PageRequest], Callable[[], FetchedPage]]
"""Asks for a page; what it gives reads the answer. Pages wait as the bytes they came as, a fifth of what is in them."""
Asked = TypeVar("Asked")
Found = TypeVar("Found")


def read_list(
    reading: ParallelRead, fetch: Fetch, places: Callable[[], Sequence[ListedObject]], tallies: RequestCounter
) -> Iterator[Body]:
    """Every object of a list, each once, as the pages come in.

    `places` gives those of an earlier read; it is asked once the first page is here and says that there is more.
    Whatever a fetch raises, on whichever thread, ends the whole read. Raises IncompleteList when the list cannot be
    read to its end.
    """
    crew = _FetchThreads(fetch, tallies)
    try:
        asks = reading.asks()
        while not reading.complete:
            if reading.stuck:
                raise IncompleteList("the list reports more, but does not continue", hint=_STUCK_HINT)
            if len(asks) == 1 and not crew.busy:
                ask, fetched = asks[0], fetch(asks[0])()
            else:
                crew.give(asks)
                ask, read = crew.next()
                fetched = read()
                del read  # or the page would be held until the next one is here
            if ask.after is None and fetched.page is not None and fetched.page.more:
                reading.remember(places())
            fresh = reading.take(ask, fetched.page)
            asks = reading.asks()
            if crew.busy:  # the next pages are on their way while this one is looked at
                crew.give(asks)
                asks = []
            for id in fresh:
                yield fetched.bodies[id]
    finally:
        # What is still on its way is not waited for: nobody needs it, and after an interrupt nobody wants to wait.
        tallies.add_request_count(RequestCount(requests=crew.busy))
        crew.leave()


def read_each(
    summaries: Iterable[Body], read: Callable[[Body], Body], at_once: int, tallies: RequestCounter
) -> Iterator[Body]:
    """The whole objects behind summaries, several read at once. Whatever a read raises ends all of it."""
    if at_once == 1:
        yield from map(read, summaries)
        return
    crew, waiting = _FetchThreads(read, tallies), iter(summaries)
    try:
        while True:
            while crew.busy < at_once and (summary := next(waiting, None)) is not None:
                crew.give([summary])
            if not crew.busy:
                return
            _, body = crew.next()
            yield body
    finally:
        tallies.add_request_count(RequestCount(requests=crew.busy))
        crew.leave()


class _FetchThreads(Generic[Asked, Found]):
    """Threads that fetch, started as they are needed.

    They are daemons: one that still waits for an answer does not keep the process alive.
    """

    def __init__(self, fetch: Callable[[Asked], Found], tallies: RequestCounter) -> None:
        self._fetch = fetch
        self._tallies = tallies
        self._asks: queue.SimpleQueue[Asked | None] = queue.SimpleQueue()
        self._outcomes: queue.SimpleQueue[tuple[Asked, Found | BaseException, RequestCount]] = queue.SimpleQueue()
        self._size = 0
        self.busy = 0

    def give(self, asks: Sequence[Asked]) -> None:
        """Have these fetched."""
        self.busy += len(asks)
        while self._size < self.busy:
            self._size += 1
            threading.Thread(target=self._work, name=f"list-{self._size}", daemon=True).start()
        for ask in asks:
            self._asks.put(ask)

    def next(self) -> tuple[Asked, Found]:
        """Wait for the next of them; what fetching it raised is raised here."""
        ask, outcome, tally = self._outcomes.get()
        self.busy -= 1
        self._tallies.add_request_count(tally)
        if isinstance(outcome, BaseException):
            raise outcome
        return ask, outcome

    def leave(self) -> None:
        """Let the threads go, each after what it is at."""
        for _ in range(self._size):
            self._asks.put(None)

    def _work(self) -> None:
        while (ask := self._asks.get()) is not None:
            try:
                outcome: Found | BaseException = self._fetch(ask)
            except BaseException as error:  # raised again where it is waited for
                outcome = error
            self._outcomes.put((ask, outcome, self._tallies.take_request_count()))
            del outcome  # or it would be held until this thread has the next one
