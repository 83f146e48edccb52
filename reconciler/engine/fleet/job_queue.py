"""What the fleet needs of a job queue: keep jobs, run each at least once, and run some of them later.

A job may run twice, or twice at once, or be cut off: `reconcile_chunk` makes that harmless. So an engine needs neither
exactly-once nor an order, and its count of attempts is never believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

CHUNK: Final = 100
"""Addresses in a job: engines cost under 5 % at that size."""
LANES: Final = 4
"""The most jobs of one target that an engine should run at once, so that no target takes all workers."""


@dataclass(frozen=True, slots=True)
class Job:
    """Some addresses of a target to reconcile, as `KIND/KEY`; without any, the survey that all others wait for.

    `submission` numbers what was submitted for the target, `place` the jobs of one submission: of two targets' jobs,
    the one with the lower place goes first. `tries` counts runs that left something over.
    """

    target: str
    submission: int
    addresses: tuple[str, ...] = ()
    place: int = 0
    tries: int = 0

    @property
    def is_survey(self) -> bool:
        """Whether it reads the whole target."""
        return not self.addresses


@dataclass(frozen=True, slots=True)
class JobDone:
    """The job is over."""


@dataclass(frozen=True, slots=True)
class JobLater:
    """Not before so many seconds have passed, `job` is to be run: the same one, or what is left of it."""

    seconds: float
    job: Job


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The job is over without success, and kept for people to look at."""

    why: str


JobResult: TypeAlias = JobDone | JobLater | JobFailed


class JobQueue(Protocol):
    """An engine."""

    def submit(self, jobs: Iterable[Job]) -> int:
        """Keep jobs until they are run; how many. A survey that waits already is not kept twice."""
        ...

    def work(self, carry_out: Callable[[Job], JobResult]) -> None:
        """Run jobs until asked to stop. Raises where the engine's own store is lost: a supervisor starts it again."""
        ...
