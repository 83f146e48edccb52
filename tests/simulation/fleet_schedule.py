"""One random schedule of a fleet: the same world, faults, kills and people as for `apply`, and the same witness.

Files are submitted, also while others are worked on, and carried out by two workers that may be killed. Then it is
quiet: a submission leaves every address with one object as its manifest says, and the next one has nothing to send. The
fleet removes nothing; an `apply` from one machine then has nothing to do but to remove what has no manifest, and the
duplicates that an apply at once has made.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from reconciler.core.values.model import Manifest
from tests.simulation import schedule
from tests.simulation.fleet import Fleet
from tests.simulation.schedule import CONNECTION, LATE_SECONDS, ON_TARGET, OWNERS, Parts, Schedule, Work, check_sent
from tests.simulation.store import cleared
from tests.simulation.witness import Violation

DUPLICATE = re.compile(r"is a duplicate|has this address as well")
READS = (10**6, 60, 20)
"""Reads a minute, where people are at work: a chunk of many addresses takes longer than what it read is fresh."""


class FleetSchedule(Schedule):
    """A schedule whose files are carried out by a fleet."""

    def __init__(self, seed: int, directory: Path, parts: Parts) -> None:
        super().__init__(seed, directory, parts)
        self.fleet = Fleet(
            self.remote,
            self.scheduler,
            self.chance,
            cleared(),
            ON_TARGET if parts.hands else ON_TARGET[1:],
            OWNERS[0],
            self._draw,
            check_sent,
            schedule.SETTLE_SECONDS,
            schedule.SETTLE_SECONDS + 2 * CONNECTION.timeout_seconds,
        )
        self.fleets = 1

    def _storm(self, first: list[Manifest], last: list[Manifest], beta: list[Manifest]) -> None:
        self.scheduler.advance(self.scheduler.now + self.lag + 1)
        self.at_once = self.chance.random() < 0.3
        for number in range(self.chance.choice((1, 2))):
            self.fleet.submit(last if number else self.chance.choice((first, last)))
            work = [self._worker(f"worker {number}.{place}", mortal=True) for place in range(2)]
            if self.chance.random() < 0.3:
                work.append(self.fleet.submitter(f"submitter {number}", last, self.chance.uniform(0, 30)))
            if self.at_once and not number:
                work.append(self._process("two", "apply at once", self.chance.choice((first, last)), True))
            self._together([*work, *self._meanwhile(f" {number}", beta)])
            self.scheduler.advance(self.scheduler.now + self.chance.choice((0.0, 1.0, 20.0, 100.0)))

    def _recover(self, files: list[Manifest], beta: list[Manifest], stranger: str) -> None:
        """The storm is over: a submission is carried out, the next one finds everything done, and so does an apply."""
        self.remote.rate = 0.0
        self.hands.take_back()
        if self.at_once:
            self.scheduler.advance(self.scheduler.now + self.fleet.hold_off)  # what it made, an apply may have removed
        self._finish(files, "soon after", with_duplicates=self.at_once)
        if self.at_once:
            self._without_duplicates(files)
            self._finish(files, "without duplicates")  # while there were two of an address, it was not changed
        self.scheduler.advance(self.scheduler.now + self.lag + 1)
        before = len(self.remote.witness.runs)
        self._finish(files, "once more")
        self._together([self._process("one", "apply", files)])
        for run in self.remote.witness.runs[before:]:
            if any(method != "DELETE" for method, _, _ in run.sent):
                raise Violation(f"{run.name} still had something to send after the fleet: {run.sent}")
        super()._recover(files, beta, stranger)

    def _without_duplicates(self, files: list[Manifest]) -> None:
        """An apply was at once with the fleet: the machine that made duplicates removes them, or else a person does."""
        self.scheduler.advance(self.scheduler.now + self.lag + LATE_SECONDS + 1)
        for machine in ("two", "one"):
            self._together([self._process(machine, f"{machine} after the fleet", files, waits=True)])
        seen: set[tuple[str, str]] = set()
        for id, made in sorted(self.remote.witness.live.items(), key=lambda each: (each[1].at, each[0])):
            if made.owner == OWNERS[0] and (made.owner, made.key) in seen:
                self._plain.delete("assistant" if id.startswith("asst") else "vector_store", id)
                del self.remote.witness.live[id]
            seen.add((made.owner, made.key))

    def _finish(self, files: list[Manifest], name: str, with_duplicates: bool = False) -> None:
        """Submit, and let one worker carry out all there is. Duplicates of an apply are left to an apply."""
        self.fleet.submit(files)
        self.fleet.dead.clear()
        self._together([self._worker(f"worker {name}")])
        done = self.fleet.progress()
        left = {result: count for result, count in done.results.items() if result not in ("done", "unchanged")}
        problems = [f"{problem.address}: {problem.message}" for problem in self.fleet.problems()]
        if with_duplicates and left.keys() == {"skipped"} and all(DUPLICATE.search(each) for each in problems):
            left = {}
        if self.fleet.dead or left or not done.finished:
            raise Violation(f"the fleet met no fault, and ended with {done.results}: {[*self.fleet.dead, *problems]}")

    def _worker(self, name: str, mortal: bool = False) -> Work:
        kill_at = self.chance.randint(1, 150) if mortal and self.chance.random() < 0.5 else None
        connection = self._connection(mortal)
        if mortal and self.parts.hands:
            connection = replace(connection, reads_per_minute=self.chance.choice(READS))
        return self.fleet.worker(name, connection, kill_at, self._died)

    def _together(self, runs: list[Work]) -> None:
        self.fleet.round = self.rounds + 1
        super()._together(runs)
