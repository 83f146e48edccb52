"""A fleet in a simulation: what is submitted, and workers that carry it out, in turns, until they end or are killed.

The queue is as little of an engine as the protocol allows: it gives some jobs to two workers, and a job again whose
worker was killed. What workers do with a job is the real thing: `JobExecutor`, on a real ledger and a real memory.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.core.plan import Plan, Scope
from reconciler.core.values.model import Address, Manifest
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.drivers.transport.rate_limiter import LocalRateLimiter, RateLimiter
from reconciler.engine.chunk import ChunkTarget
from reconciler.engine.fleet.database_attempts import AttemptBatcher
from reconciler.engine.fleet.database_registry import DatabaseRegistry
from reconciler.engine.fleet.job_queue import Job, JobFailed, JobLater
from reconciler.engine.fleet.ledger import Ledger, Problem, TargetProgress
from reconciler.engine.fleet.shared_rate_limiter import SharedRateLimiter
from reconciler.engine.fleet.worker import FleetTarget, JobExecutor
from reconciler.engine.snapshot import KindOnTarget
from tests.simulation.remote import Remote
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.store import Statements, Store
from tests.simulation.witness import Run, Violation
from tests.world import IDENTITY, PROVIDER

TARGET = "t"
CHUNKS = (1, 2, 5)
"""Addresses in a job: often so few that there are several jobs."""
MOST_RUNS = 3000
"""More runs of jobs than any schedule needs: a fleet that takes more does not come to an end."""


@dataclass
class Waiting:
    """A job in the queue, `due` at a time; `twice` says that it was given out already."""

    due: float
    job: Job
    twice: bool = False


@dataclass(frozen=True)
class Worker:
    """What a worker keeps between its jobs."""

    process: Process
    connection: ConnectionSettings
    gates: Mapping[bool, RateLimiter]
    statements: Statements
    announced: AttemptBatcher


@dataclass
class Fleet:
    """A fleet of one owner. `files` are those that all its workers have, `sent` hears of a run and its plans.

    `settle_seconds` and `hold_off` are the limits of its target.
    """

    remote: Remote
    scheduler: Scheduler
    chance: random.Random
    store: Store
    kinds: Sequence[KindOnTarget]
    owner: str
    draw: Callable[[], str]
    sent: Callable[[Run, list[Plan]], None]
    settle_seconds: float
    hold_off: float
    files: Sequence[Manifest] = ()
    round: int = 0
    runs: int = 0
    queue: list[Waiting] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    began: dict[int, float] = field(default_factory=dict)

    def submit(self, files: Sequence[Manifest], statements: Statements | None = None) -> int:
        """Roll out these files and submit all addresses; the number of the submission."""
        self.files = sorted(files, key=lambda manifest: manifest.address)
        addresses = [str(manifest.address) for manifest in self.files]
        submission = self._ledger(statements).submit(TARGET, len(addresses))
        self.began[submission] = self.scheduler.now
        size = self.chance.choice(CHUNKS)
        chunks = [tuple(addresses[start : start + size]) for start in range(0, len(addresses), size)]
        jobs = [Job(TARGET, submission), *(Job(TARGET, submission, each, at) for at, each in enumerate(chunks, 1))]
        self.queue += [Waiting(self.scheduler.now, job) for job in jobs]
        return submission

    def submitter(self, name: str, files: Sequence[Manifest], seconds: float) -> tuple[Process, Callable[[], None]]:
        """Somebody who submits files while workers run."""
        process = Process(self.scheduler, name)

        def work() -> None:
            process.boundary(seconds)
            self.submit(files, Statements(self.store, process.clock, process.boundary))

        return process, work

    def worker(
        self,
        name: str,
        connection: ConnectionSettings,
        kill_at: int | None = None,
        died: Callable[[], None] = lambda: None,
    ) -> tuple[Process, Callable[[], None]]:
        """A worker that ends when nothing is left to do."""
        process = Process(self.scheduler, name, kill_at)
        statements = Statements(self.store, process.clock, process.boundary)
        limits = (connection.reads_per_minute, connection.writes_per_minute)
        reads, writes = (_gate(statements, place, limit, process.clock) for place, limit in enumerate(limits))
        worker = Worker(process, connection, {False: reads, True: writes}, statements, AttemptBatcher(statements, 0.0))

        def work() -> None:
            while waiting := self._next(process):
                self.runs += 1
                if self.runs > MOST_RUNS:
                    raise Violation(f"the fleet does not come to an end: {self.queue}")
                ended = False
                try:
                    self._carry_out(worker, waiting.job)
                    ended = True
                finally:
                    if not ended:  # its engine finds it silent, and gives the job to another worker
                        self._put_back(self.scheduler.now, waiting.job)
                        died()

        return process, work

    def progress(self) -> TargetProgress:
        """How far it is."""
        (progress,) = self._ledger().progress()
        return progress

    def problems(self) -> list[Problem]:
        """The addresses that were not done."""
        return self._ledger().problems()

    def _ledger(self, statements: Statements | None = None) -> Ledger:
        return Ledger(statements or Statements(self.store, lambda: self.scheduler.now))

    def _next(self, process: Process) -> Waiting | None:
        """A job that is due, once one is; None when there is none at all."""
        while self.queue:
            due = [waiting for waiting in self.queue if waiting.due <= self.scheduler.now]
            if not due:
                process.boundary(min(waiting.due for waiting in self.queue) - self.scheduler.now)
                continue
            waiting = self.chance.choice(due)
            if waiting.twice or self.chance.random() < 0.8:
                self.queue.remove(waiting)
            waiting.twice = True
            return waiting
        return None

    def _put_back(self, due: float, job: Job) -> None:
        """Keep a job for later. One that two workers had is kept once, and not given to two again."""
        if all(waiting.job != job for waiting in self.queue):
            self.queue.append(Waiting(due, job, twice=True))

    def _carry_out(self, worker: Worker, job: Job) -> None:
        keys = frozenset(manifest.address.key for manifest in self.files)
        began = self.began.get(job.submission, self.scheduler.now)
        run = Run(worker.process, f"fleet of {self.owner}", self.owner, keys, began, self.round, shared=True)
        plans: list[Plan] = []
        target = self._target(worker, run, plans)
        try:
            verdict = JobExecutor(worker.statements, lambda name: target).carry_out(job)
        finally:
            self.sent(run, plans)
        if isinstance(verdict, JobLater):
            self._put_back(self.scheduler.now + verdict.seconds, verdict.job)
        elif isinstance(verdict, JobFailed):
            self.dead.append(verdict.why)

    def _target(self, worker: Worker, run: Run, plans: list[Plan]) -> FleetTarget:
        clock, pause = worker.process.clock, worker.process.pause
        app, chance = self.remote.seen_by(run), self.chance.random
        http = HttpClient(worker.connection, wsgi_app=app, pause=pause, clock=clock, chance=chance, gates=worker.gates)
        driver = RestDriver(PROVIDER, http)
        shared = (driver, self.kinds, self.owner, self.hold_off, worker.announced, clock)
        memory = DatabaseRegistry(worker.statements, TARGET, *shared)

        def judge(plan: Plan, manifests: Sequence[Manifest]) -> Plan:
            plans.append(plan)
            run.plans()
            return plan

        chunks = ChunkTarget(
            IDENTITY,
            Scope(self.owner),
            driver,
            self.kinds,
            self._manifests,
            memory,
            settle_seconds=self.settle_seconds,
            concurrency=1,
            draw=self.draw,
            judge=judge,
            elsewhere=lambda: frozenset(manifest.address for manifest in self.files),
            clock=clock,
            pause=pause,
        )
        return FleetTarget(chunks, memory, "assistant")

    def _manifests(self, addresses: Collection[Address]) -> list[Manifest]:
        found = {manifest.address: manifest for manifest in self.files}
        return [replace(found[address]) for address in addresses if address in found]


def _gate(statements: Statements, place: int, per_minute: int, clock: Callable[[], float]) -> RateLimiter:
    """The gate that all workers share, where there is a limit to speak of."""
    return (
        SharedRateLimiter(statements, str(place), per_minute, clock)
        if per_minute < 1000
        else LocalRateLimiter(per_minute, clock)
    )
