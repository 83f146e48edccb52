"""Several runs of `apply` in one process, of which exactly one moves at a time, on a clock that jumps over every wait.

A run gives up its turn at each boundary of a request and at each wait; who goes next is drawn from the seed. Nothing
depends on real time or on the scheduler of the system, so a seed gives the same schedule again.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable, Sequence
from itertools import count


class Killed(BaseException):
    """The process of a run is gone: no `except Exception` holds it up."""


class Process:
    """One run of `apply`. `kill_at` is the boundary at which it dies; None lets it live."""

    def __init__(self, scheduler: Scheduler, name: str, kill_at: int | None = None) -> None:
        self.name = name
        self.wake = 0.0
        self.ended = False
        self.failure: BaseException | None = None
        self._scheduler = scheduler
        self._kill_at = kill_at
        self._boundaries = 0
        self._dead = False
        self.turn = threading.Semaphore(0)

    def clock(self) -> float:
        """The time, as a living process asks for it."""
        if self._dead:
            raise Killed
        return self._scheduler.now

    def pause(self, seconds: float) -> bool:
        """Wait; nobody ever interrupts."""
        self.boundary(seconds)
        return False

    def boundary(self, seconds: float = 0.0) -> None:
        """Let so much time pass, and perhaps others go on; here a process may die."""
        if self._dead:
            raise Killed
        self._boundaries += 1
        if self._boundaries == self._kill_at:
            self._dead = True
            raise Killed
        self.wake = self._scheduler.now + seconds
        self._scheduler.yield_turn(self)


class Scheduler:
    """Whose turn it is, what time it is, and what happens later by itself."""

    def __init__(self, chance: random.Random, now: float) -> None:
        self.now = now
        self._chance = chance
        self._processes: Sequence[Process] = ()
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._over = threading.Semaphore(0)

    def at(self, when: float, event: Callable[[], None]) -> None:
        """Let something happen at a time."""
        heapq.heappush(self._later, (when, next(self._numbers), event))

    def advance(self, to: float) -> None:
        """Let time pass, and happen what is due."""
        while self._later and self._later[0][0] <= to:
            when, _, event = heapq.heappop(self._later)
            self.now = max(self.now, when)
            event()
        self.now = max(self.now, to)

    def run(self, work: dict[Process, Callable[[], None]]) -> None:
        """Run all of these to their ends, or deaths. Raises what any of them raised that is not a death."""
        self._processes = tuple(work)
        threads = [threading.Thread(target=self._body, args=pair) for pair in work.items()]
        for thread in threads:
            thread.start()
        self._next().turn.release()
        self._over.acquire()
        for thread in threads:
            thread.join()
        if failure := next((process.failure for process in work if process.failure), None):
            raise failure

    def yield_turn(self, process: Process) -> None:
        """Go on when it is this process's turn again."""
        chosen = self._next()
        if chosen is not process:
            chosen.turn.release()
            process.turn.acquire()

    def _body(self, process: Process, work: Callable[[], None]) -> None:
        process.turn.acquire()
        try:
            work()
        except Killed:
            pass
        except BaseException as failure:
            process.failure = failure
        process.ended = True
        if any(not each.ended for each in self._processes):
            self._next().turn.release()
        else:
            self._over.release()

    def _next(self) -> Process:
        alive = [process for process in self._processes if not process.ended]
        ready = [process for process in alive if process.wake <= self.now]
        if not ready:
            first = min(process.wake for process in alive)
            self.advance(first)
            ready = [process for process in alive if process.wake <= self.now]
        return ready[0] if len(ready) == 1 else self._chance.choice(ready)
