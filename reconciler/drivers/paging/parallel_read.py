"""Decides how a long list is read from several places at once, and proves that nothing was missed.

The walk from the newest object is always there: when it comes to the list's end, everything was seen. That alone is the
serial read. Beside it, other walks go from the oldest object, and from places remembered from an earlier read,
towards the newest. Then everything was seen when a chain of walks leads from the oldest object to the newest, where

- a walk hands over to a later one when it has seen the object which that one started after, or something made strictly
  later than the first thing that one saw: whatever lies between was seen by the one or the other;
- a walk hands over to the one from the newest when their frontiers have strictly crossed. A common object proves
  nothing: objects of one second may be ordered differently in both directions.

Remembered places only say where to begin: both rules are about what the remote answered in this read. Whatever does not
fit (creation times out of order, a list that ignores the order asked for) leaves the serial read, which needs none of
this. New objects cannot be chased for ever: the walk from the newest began before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from reconciler.drivers.paging.page import ListedObject, Order, Page
from reconciler.drivers.paging.traversal import Traversal

FEW_PAGES: Final = 5
"""Lists of so many pages are read one page after the other, in the fewest requests: there is little to be won."""


class PageRequest(NamedTuple):
    """A page to fetch: the one after this id, in this order; None for the first.

    `probe`: nothing depends on the answer yet, so an error only says that this is no place to start from.
    """

    walk: Traversal
    order: Order
    after: str | None
    probe: bool


class ParallelRead:
    """One read of one list. Ask for what `asks` says, give each answer to `take`, until `complete` or `stuck`.

    `walks`: how many pages may be on their way at once; with 1 the read is serial, and so it is for a few pages.
    """

    def __init__(self, walks: int, few_pages: int = FEW_PAGES) -> None:
        self.walks = walks
        self.few_pages = few_pages
        self._newest = Traversal(Order.NEWEST_FIRST)
        self._others: list[Traversal] = []
        self._remembered: Sequence[ListedObject] = ()
        self._seen: set[str] = set()
        self._open: int | None = 0

    @property
    def complete(self) -> bool:
        """Whether everything was seen that was there all the time."""
        return self._newest.exhausted or (bool(self._others) and self._open is None)

    @property
    def stuck(self) -> bool:
        """Whether the list does not move on, so that nothing may be concluded from it."""
        return self._newest.broken and not self.complete

    def remember(self, boundaries: Sequence[ListedObject]) -> None:
        """Places from an earlier read of the same list, oldest first. They may be stale, or wrong."""
        self._remembered = boundaries

    def boundaries(self) -> tuple[ListedObject, ...]:
        """Where pages ended in this read, oldest first, to start from the next time; empty where that cannot work."""
        if not self._others or not self.complete:
            return ()
        places = {entry for walk in (self._newest, *self._others) for entry in walk.boundaries}
        return tuple(sorted(places, key=lambda entry: (entry.created, entry.id)))

    def asks(self) -> list[PageRequest]:
        """What to fetch now; each page is asked for once."""
        if self.complete or self.stuck:
            return []
        walks = [walk for walk in self._wanted() if not walk.asked]
        for walk in walks:
            walk.asked = True
        return [
            PageRequest(walk, walk.order, cursor.id if (cursor := walk.cursor) else None, _is_probe(walk))
            for walk in walks
        ]

    def take(self, ask: PageRequest, page: Page | None) -> list[str]:
        """An answer: the ids in it that were not seen before. None where the remote does not know the cursor."""
        walk = ask.walk
        walk.asked = False
        if page is not None and self._newest.ordered and not _in_order(page, walk.order):
            self._read_serially()
        walk.take(page)
        self._judge()
        fresh = [entry.id for entry in page.entries if entry.id not in self._seen] if page else []
        if len(set(fresh)) < len(fresh):
            fresh = list(dict.fromkeys(fresh))
        self._seen.update(fresh)
        return fresh

    def _judge(self) -> None:
        """See whether the walks still fit together, whether others should join, and which one has to go on."""
        if self._newest.exhausted or not self._newest.ordered:
            return
        if self._newest.began_again or self._contradicted():
            self._read_serially()
        elif not self._others and self.walks > 1 and self._worth_it():
            places = spread(self._remembered, self.walks - 2)
            landmarks = frozenset(entry.id for each in places for entry in each)
            self._others = [Traversal(Order.OLDEST_FIRST, each, landmarks) for each in ((), *places)]
        self._open = self._first_open() if self._others else 0

    def _worth_it(self) -> bool:
        pages = len(self._newest.boundaries)
        return pages >= self.few_pages or (pages > 0 and len(self._remembered) > self.few_pages)

    def _contradicted(self) -> bool:
        """The walk from the oldest object is broken, or did not begin with the oldest: older ones were seen since."""
        if not self._others:
            return False
        oldest, low = self._others[0], self._newest.frontier
        return oldest.broken or (oldest.first is not None and low is not None and low < oldest.first)

    def _read_serially(self) -> None:
        self._others = []
        self._newest.ordered = False

    def _first_open(self) -> int | None:
        """The walk at which the chain from the oldest object ends; None where it reaches the newest."""
        number = 0
        while (heir := self._heir(number)) is not None:
            if heir < 0:
                return None
            number = heir
        return number

    def _heir(self, number: int) -> int | None:
        """The walk that has seen what comes after this one, -1 where nothing is left to see, None if there is none."""
        walk = self._others[number]
        if walk.exhausted or self._crossed(walk):
            return -1
        for later in range(len(self._others) - 1, number, -1):
            if _met(walk, self._others[later]):
                return later
        return None

    def _crossed(self, walk: Traversal) -> bool:
        """Whether this walk and the one from the newest have passed each other."""
        low, high = self._newest.frontier, walk.frontier
        return walk.live and self._newest.moves and low is not None and high is not None and low < high

    def _wanted(self) -> list[Traversal]:
        """The walks that have something left to see."""
        if not self._others or self._open is None:
            return [self._newest]
        met = any(map(self._crossed, self._others))
        wanted = [] if met else [self._newest]
        for number in range(self._open, len(self._others)):
            walk = self._others[number]
            # Both frontiers in the same second: what is left may all be of it, and one walk is enough for that.
            waits = not met and walk.started and walk.frontier == self._newest.frontier
            if not walk.broken and not waits and self._heir(number) is None:
                wanted.append(walk)
        return wanted


def spread(boundaries: Sequence[ListedObject], count: int) -> list[tuple[ListedObject, ...]]:
    """At most `count` places to start from, each with its neighbours in case it is gone.

    They leave a double share after the last, where two walks meet: one from there and one from the newest object.
    """
    size = len(boundaries)
    count = min(count, size // 2)
    places = [size * number // (count + 2) for number in range(1, count + 1)]
    return [(boundaries[place], *boundaries[place + 1 : place + 2], *boundaries[place - 1 : place]) for place in places]


def _met(walk: Traversal, later: Traversal) -> bool:
    """Whether `walk` has seen everything up to where `later`, which is alive, began."""
    if not walk.live or not later.live:
        return False
    if later.start is not None and later.start.id in walk.met:
        return True
    return walk.moves and walk.frontier is not None and later.first is not None and walk.frontier > later.first


def _is_probe(walk: Traversal) -> bool:
    return walk.order is Order.OLDEST_FIRST and not walk.started


def _in_order(page: Page, order: Order) -> bool:
    """Whether creation times go one way."""
    times = [entry.created for entry in page.entries]
    if None in times:
        return False
    known = [time for time in times if time is not None]
    return known == sorted(known, reverse=order is Order.NEWEST_FIRST)
