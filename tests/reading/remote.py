"""A remote that pages through a list, in as little code as 50,000 schedules need: no bodies, no HTTP, small pages."""

from __future__ import annotations

from enum import Enum
from random import Random
from typing import NamedTuple

from reconciler.drivers.paging.page import ListedObject, Order, Page


class Dead(Enum):
    """What happens to a cursor whose object was deleted."""

    UNKNOWN = "404"
    EMPTY = "an empty page that says there is more"
    END = "an empty page that says there is no more"
    FIRST = "the first page"
    KEPT = "as if nothing had happened"


class Ordered(Enum):
    """What the list is sorted by."""

    AS_ASKED = "by time, either way"
    NEWEST_FIRST = "by time, newest first whatever was asked"
    OLDEST_FIRST = "by time, oldest first whatever was asked"
    OTHERWISE = "by something else"


class Stored(NamedTuple):
    """One object; objects of one second are in the order of `number`. It is listed from tick `visible` on."""

    created: int
    number: int
    entry: ListedObject
    visible: int


class PagedRemote:
    """Objects, a clock of ticks and a way to answer. Every choice is drawn from `chance`."""

    def __init__(self, chance: Random, size: int) -> None:
        self.chance = chance
        self.limit = chance.randint(2, 4)
        self.dead = chance.choice(tuple(Dead))
        self.ordered = Ordered.AS_ASKED if chance.random() < 0.9 else chance.choice(tuple(Ordered)[1:])
        self.ties_backwards = {order: chance.random() < 0.5 for order in Order}
        # What is sorted by something else shows it on a full page, and only there.
        shuffled = self.ordered is Ordered.OTHERWISE
        self.limit = 4 if shuffled else self.limit
        self.short_pages = not shuffled and chance.random() < 0.15
        # How many objects are made in one second: from none to all of them.
        self.per_second = chance.choice((1, 1, 1, 2, 3, 100))
        self.lag = chance.choice((0, 0, 3))
        self.ticks = 0
        self.requests = 0
        self.made = 0
        self.objects: list[Stored] = []
        self.gone: dict[str, Stored] = {}
        self._sorted: dict[Order, list[Stored]] = {}
        for _ in range(size):
            self.make(visible=0)

    @property
    def now(self) -> int:
        """Seconds: time passes as objects are made."""
        return self.made // self.per_second

    def make(self, visible: int | None = None) -> None:
        """Add an object, the newest."""
        at = self.ticks + self.chance.randint(0, self.lag) if visible is None else visible
        entry = ListedObject(f"o{self.made}", float(self.now))
        self.objects.append(Stored(self.now, self.made, entry, at))
        self.made += 1
        self._sorted.clear()

    def delete(self, place: int) -> None:
        """Delete the object at a place of the list."""
        stored = self.objects.pop(place)
        self.gone[stored.entry.id] = stored
        self._sorted.clear()

    def shown(self) -> set[str]:
        """What a list shows right now."""
        return {stored.entry.id for stored in self.objects if stored.visible <= self.ticks}

    def page(self, order: Order, after: str | None) -> Page | None:
        """One request; None is a 404."""
        self.requests += 1
        self.ticks += 1
        listed = [stored for stored in self._list(order) if stored.visible <= self.ticks]
        begin = 0 if after is None else self._place(listed, order, after)
        if begin is None:
            return {Dead.UNKNOWN: None, Dead.EMPTY: Page((), True), Dead.END: Page((), False)}[self.dead]
        limit = self.chance.randint(1, self.limit) if self.short_pages else self.limit
        part = listed[begin : begin + limit]
        return Page(tuple([stored.entry for stored in part]), begin + limit < len(listed))

    def _place(self, listed: list[Stored], order: Order, after: str) -> int | None:
        """Where the page after this cursor begins; None where there is no such place."""
        for place, stored in enumerate(listed):
            if stored.entry.id == after:
                return place + 1
        if self.dead is Dead.FIRST:
            return 0
        if self.dead is not Dead.KEPT or after not in self.gone:
            return None if self.dead is not Dead.KEPT else 0
        key = self._key(order)
        kept = key(self.gone[after])
        return sum(key(stored) < kept for stored in listed)

    def _list(self, order: Order) -> list[Stored]:
        if order not in self._sorted:
            self._sorted[order] = sorted(self.objects, key=self._key(order))
        return self._sorted[order]

    def _key(self, order: Order):  # type: ignore[no-untyped-def]
        way = -1 if order is Order.NEWEST_FIRST else 1
        if self.ordered is Ordered.OTHERWISE:
            return lambda stored: way * (stored.number * 7919 % 1009)
        if self.ordered is not Ordered.AS_ASKED:
            way = -1 if self.ordered is Ordered.NEWEST_FIRST else 1
        ties = -1 if self.ties_backwards[order] else 1
        return lambda stored: (way * stored.created, ties * stored.number)
