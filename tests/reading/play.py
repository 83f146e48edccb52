"""Reading a list that changes meanwhile, many times, each in an order of events of its own.

A schedule is a function of its seed: the remote's habits, what was remembered of an earlier read, which answer arrives
next, and what is made and deleted in between. Afterwards every object that was listed all the time must have been
found, no object twice, and none that was not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from reconciler.drivers.paging.page import ListedObject
from reconciler.drivers.paging.parallel_read import PageRequest, ParallelRead
from tests.reading.remote import Ordered, PagedRemote

PATIENCE = 400
"""Requests after which a read of some twenty objects does not end any more."""


class Wrong(Exception):
    """A read that is not what it has to be."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What many schedules were made of; `failures` are seeds and what went wrong."""

    schedules: int = 0
    requests: int = 0
    deletes: int = 0
    inserts: int = 0
    objects: int = 0
    several: int = 0
    failures: tuple[tuple[int, str], ...] = ()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.schedules + other.schedules,
            self.requests + other.requests,
            self.deletes + other.deletes,
            self.inserts + other.inserts,
            self.objects + other.objects,
            self.several + other.several,
            self.failures + other.failures,
        )

    def said(self, first: int, seconds: float) -> str:
        """The figures, and how to play a failure again."""
        lines = [
            f"reading: {self.schedules:,} schedules (seeds {first} to {first + self.schedules - 1}) in "
            f"{seconds:.0f} s: {self.requests:,} requests, {self.several:,} reads with several walks, "
            f"{self.deletes:,} deletes and {self.inserts:,} inserts meanwhile, {self.objects:,} objects to find; "
            f"{len(self.failures)} wrong"
        ]
        return "\n".join(lines + [f"  seed {seed}: {what}" for seed, what in self.failures[:20]])


def play(seeds: Iterable[int], reading: type[ParallelRead] = ParallelRead, *, until_first: bool = False) -> Tally:
    """Play these; with `until_first` only until one goes wrong."""
    tally = Tally()
    for seed in seeds:
        tally += Schedule(seed, reading).run()
        if until_first and tally.failures:
            break
    return tally


class Schedule:
    """One read."""

    def __init__(self, seed: int, reading: type[ParallelRead] = ParallelRead) -> None:
        self.seed = seed
        self.chance = chance = Random(seed)
        self.remote = PagedRemote(chance, chance.randint(0, 30))
        self.reading = reading(chance.choice((1, 2, 3, 4, 6)), few_pages=chance.choice((1, 2, 2, 3)))
        self.remembered = self._remembered()
        # How often something is made or deleted before the next answer.
        self.deletes = chance.choice((0.0, 0.1, 0.5))
        self.inserts = chance.choice((0.0, 0.1, 0.5, 3.0))
        if self.remote.ordered is not Ordered.AS_ASKED or self.remote.short_pages:
            # New objects at the end of what is read serially, a page for each request: nothing could come to its end.
            self.inserts = min(self.inserts, 0.5)
        self.several = False
        self.asked = self.deleted = self.inserted = 0

    def run(self) -> Tally:
        """Read, and judge."""
        begin = self.remote.shown()
        try:
            found = self._read()
            self._judge(begin & self.remote.shown(), found)
        except Wrong as wrong:
            return self._tally(0, ((self.seed, str(wrong)),))
        return self._tally(len(begin))

    def _tally(self, objects: int, failures: tuple[tuple[int, str], ...] = ()) -> Tally:
        remote = self.remote
        return Tally(1, remote.requests, self.deleted, self.inserted, objects, int(self.several), failures)

    def _read(self) -> list[str]:
        """What is found, in the order of the answers. An answer may be on its way for a while after it was made."""
        found: list[str] = []
        waiting: list[tuple[PageRequest, list[object]]] = []
        reading, remote, chance = self.reading, self.remote, self.chance
        while not reading.complete and not reading.stuck:
            waiting += (asks := [(ask, []) for ask in reading.asks()])
            self.asked += len(asks)
            if not waiting:
                raise Wrong("it waits for nothing")
            self.several = self.several or len(waiting) > 1
            ask, answer = waiting.pop(chance.randrange(len(waiting)))
            if not answer:
                self._meanwhile()
                answer.append(remote.page(ask.order, ask.after))
                if remote.requests > PATIENCE:
                    raise Wrong("it does not end")
                if waiting and chance.random() < 0.5:
                    waiting.append((ask, answer))
                    continue
            if ask.after is None:
                reading.remember(self.remembered)
            found += reading.take(ask, answer[0])  # type: ignore[arg-type]
        return found

    def _judge(self, stayed: set[str], found: list[str]) -> None:
        if len(set(found)) < len(found):
            raise Wrong("an object twice")
        if ghosts := set(found) - {f"o{number}" for number in range(self.remote.made)}:
            raise Wrong(f"a ghost: {sorted(ghosts)}")
        if not self.reading.complete:
            raise Wrong("refused as incomplete")
        if missed := stayed - set(found):
            raise Wrong(f"missed {sorted(missed)}")
        self._count(found)

    def _count(self, found: Sequence[str]) -> None:
        """In quiet times, in as few requests as promised: inserts alone cost nothing."""
        remote = self.remote
        if self.deleted or self.fresh_deaths or remote.per_second > 1 or remote.short_pages:
            return
        if remote.ordered is not Ordered.AS_ASKED:
            return
        pages = -(-len(found) // remote.limit) or 1
        serial = self.reading.walks == 1 or max(pages, len(self.remembered)) <= self.reading.few_pages
        # A place whose first page is long on its way is read past by its neighbours.
        extra = 0 if serial else 2 * self.reading.walks if self.remembered else 2
        if self.asked > pages + extra:
            raise Wrong(f"{self.asked} requests for {pages} pages")

    def _meanwhile(self) -> None:
        chance, remote = self.chance, self.remote
        if remote.objects and chance.random() < self.deletes:
            self.deleted += 1
            remote.delete(chance.randrange(len(remote.objects)))
        count = self.inserts
        while count > 0 and chance.random() < count:
            self.inserted += 1
            remote.make()
            count -= 1

    def _remembered(self) -> tuple[ListedObject, ...]:
        """Boundaries of an earlier read, and what has happened since; some are wrong, or another account's."""
        chance, remote = self.chance, self.remote
        self.fresh_deaths = 0
        kind = chance.random()
        if kind < 0.3:
            return ()
        stored = sorted(remote.objects)
        places = [each.entry for each in stored[remote.limit - 1 :: remote.limit]]
        if kind < 0.4:
            places = [ListedObject(f"x{number}", float(number)) for number in range(6)]
        elif kind < 0.5:
            places = [ListedObject(each.id, float(chance.randint(-5, 40))) for each in places]
        elif kind < 0.55:
            chance.shuffle(places)
        if chance.random() < 0.5:
            for _ in range(chance.randint(0, len(remote.objects) // 3)):
                self.fresh_deaths += 1
                remote.delete(chance.randrange(len(remote.objects)))
        if kind < 0.55:
            self.fresh_deaths += 1
        return tuple(places)
