"""Reads a list in one direction, page by page, each page from the last object of the page before.

What a walk claims: it has seen every object that was there all the time and was made between the first thing it saw and
its frontier. That holds as long as each page follows the one before, so the cursor is what needs care. When its object
is deleted meanwhile, remotes answer as if nothing had happened (that is fine), or with a 404, an empty page or the
list's first page. Then the walk steps back to an object before it, twice as far each time that does not help.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.drivers.paging.page import ListedObject, Order, Page

PASSES: Final = 3
"""How often a walk from an end of the list may begin again when it has nothing left to step back to."""


class Traversal:
    """A walk from one end of the list, or from the first of several remembered places that turns out to be alive.

    `first` is the creation time of the first object on its first page, `frontier` of the last on its last page.
    `exhausted`: it came to the end of the list. `broken`: it cannot go on. `boundaries` are the last objects of pages,
    `met` those of the `landmarks` that it came across.
    """

    __slots__ = (
        "_kept",
        "_landmarks",
        "_longest",
        "_passed",
        "_passes",
        "_places",
        "_step",
        "_trail",
        "asked",
        "boundaries",
        "broken",
        "exhausted",
        "first",
        "frontier",
        "met",
        "order",
        "ordered",
        "started",
    )

    def __init__(
        self, order: Order, places: Sequence[ListedObject] = (), landmarks: frozenset[str] = frozenset()
    ) -> None:
        self.order = order
        self.ordered = True  # whether creation times say where in the list an object is
        self.asked = False  # whether a page is on its way
        self.started = self.exhausted = self.broken = False
        self.first: float | None = None
        self.frontier: float | None = None
        self.met: set[str] = set()
        self.boundaries: list[ListedObject] = []
        self._places = list(places)
        self._landmarks = landmarks
        self._trail: list[ListedObject] = []  # of pages before the last one, only where they ended
        self._kept = 0
        self._passed: set[str] = set()
        self._step = 1
        self._longest = 0
        self._passes = 1

    @property
    def start(self) -> ListedObject | None:
        """The place it starts from; None where that is an end of the list."""
        return self._places[0] if self._places else None

    @property
    def cursor(self) -> ListedObject | None:
        """The object after which the next page begins; None for the list's end."""
        return self._trail[-1] if self._trail else self.start

    @property
    def live(self) -> bool:
        """Whether it has a first page and can go on from there."""
        return self.started and not self.broken

    @property
    def moves(self) -> bool:
        """Whether it has gone its way in time, which shows that the remote keeps to the order asked for."""
        return self.live and self.first != self.frontier

    @property
    def began_again(self) -> bool:
        """Whether it had to begin again from the end of the list."""
        return self._passes > 1

    def take(self, page: Page | None) -> None:
        """Go on with the page that was asked for; None where the remote does not know the cursor."""
        cursor = self.cursor
        if page is not None and self._follows(page, cursor):
            self._advance(page)
        elif self.started or self.order is Order.NEWEST_FIRST:
            self._step_back()
        else:
            self._next_place()

    def _follows(self, page: Page, cursor: ListedObject | None) -> bool:
        """Whether the page is the one after the cursor, as far as it can tell."""
        if not page.entries:
            # After `more` it says that the cursor's object is gone, and never that the list ends.
            return cursor is None and not page.more
        if page.entries[-1].id in self._passed:
            return False
        first, before = page.entries[0].created, cursor and cursor.created
        if not self.ordered or first is None or before is None:
            return True
        return first <= before if self.order is Order.NEWEST_FIRST else first >= before

    def _advance(self, page: Page) -> None:
        self.exhausted = not page.more
        if not page.entries:
            return
        last = page.entries[-1]
        if not self.started:
            self.started, self.first = True, page.entries[0].created
        if self.frontier is None or last.created is None:
            self.frontier = last.created
        else:
            further = min if self.order is Order.NEWEST_FIRST else max
            self.frontier = further(self.frontier, last.created)
        ids = [entry.id for entry in page.entries]
        del self._trail[self._kept : -1]
        self._kept = len(self._trail)
        self._trail += page.entries
        self._passed.update(ids)
        self.met.update(self._landmarks.intersection(ids))
        self.boundaries.append(last)
        if len(self._passed) > self._longest:
            self._longest, self._step = len(self._passed), 1

    def _step_back(self) -> None:
        if not self._trail and self._places:
            self.broken = True
            return
        self._passed.difference_update(entry.id for entry in self._trail[-self._step :])
        del self._trail[-self._step :]
        self._kept = min(self._kept, len(self._trail))
        self._step *= 2
        if self.cursor is None:
            self._passes += 1
            self._passed.clear()
            self._step, self._longest = 1, 0
            self.broken = self.order is Order.OLDEST_FIRST or self._passes > PASSES

    def _next_place(self) -> None:
        """Try the neighbour of a place that is dead."""
        if len(self._places) > 1:
            del self._places[0]
        else:
            self.broken = True
