"""Playing schedules one after the other, and counting what they were made of."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.fleet_schedule import FleetSchedule
from tests.simulation.schedule import Parts, Schedule, parts_of
from tests.simulation.witness import Violation

MEMORY = Path("/dev/shm")
"""Journals are flushed to the disk at every create: where there is a disk of memory, the simulation uses that."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What many schedules were made of; `violations` are seeds and what went wrong."""

    schedules: int = 0
    faults: int = 0
    kills: int = 0
    at_once: int = 0
    fleets: int = 0
    requests: int = 0
    edits: int = 0
    hours: float = 0.0
    violations: tuple[tuple[int, str], ...] = ()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.schedules + other.schedules,
            self.faults + other.faults,
            self.kills + other.kills,
            self.at_once + other.at_once,
            self.fleets + other.fleets,
            self.requests + other.requests,
            self.edits + other.edits,
            self.hours + other.hours,
            self.violations + other.violations,
        )

    def said(self, first: int, total: int, seconds: float) -> str:
        """The figures, and how to play a failure again."""
        lines = [
            f"simulation: {self.schedules:,} schedules (seeds {first} to {first + total - 1}) in {seconds:.0f} s: "
            f"{self.requests:,} requests, {self.faults:,} faults, {self.kills:,} kills, {self.at_once:,} with two "
            f"applies at once, {self.fleets:,} of fleets, {self.edits:,} edits by others, "
            f"{self.hours:,.0f} virtual hours; {len(self.violations)} broke a law"
        ]
        lines += [f"  RECONCILER_SEED={seed} python -m tests.simulation: {what}" for seed, what in self.violations[:20]]
        return "\n".join(lines)


def play(seeds: Iterable[int], parts: Parts | None = None, *, until_first: bool = False) -> Tally:
    """Play these; with `until_first` only until a law is broken."""
    tally = Tally()
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as scratch:
        for seed in seeds:
            tally += _one(_schedule(seed, Path(scratch), parts))
            if tally.violations and until_first:
                break
    return tally


def replay(seed: int, parts: Parts | None = None) -> tuple[list[str], str | None]:
    """What happened in one schedule, line by line, and the law it broke."""
    with tempfile.TemporaryDirectory() as scratch:
        schedule = _schedule(seed, Path(scratch), parts)
        tally = _one(schedule)
        return schedule.remote.events, tally.violations[0][1] if tally.violations else None


def _schedule(seed: int, directory: Path, parts: Parts | None) -> Schedule:
    chosen = parts or parts_of(seed)
    return (FleetSchedule if chosen.fleet else Schedule)(seed, directory, chosen)


def _one(schedule: Schedule) -> Tally:
    violations: tuple[tuple[int, str], ...] = ()
    try:
        schedule.run()
    except Violation as violation:
        violations = ((schedule.seed, str(violation)),)
    hours = (schedule.scheduler.now - schedule.begin) / 3600
    remote, edits = schedule.remote, schedule.hands.edits
    kinds = (schedule.kills, schedule.at_once, schedule.fleets)
    return Tally(1, remote.faults, *kinds, remote.requests, edits, hours, violations)
