"""A fleet of workers over one database: targets set up from files and credentials, what is submitted, how far it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.config.errors import ConfigError, error, install_hint
from reconciler.config.manifests.list_addresses import list_addresses
from reconciler.core.plan import Scope
from reconciler.diagnostics import Code, ReconcilerError
from reconciler.drivers.provider import Limits, default_kind
from reconciler.drivers.transport.rate_limiter import RateLimiter
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.project.project_target import ProjectTarget
from reconciler.operations.project.session import Session
from reconciler.operations.project.shared_connections import SharedConnections
from reconciler.operations.reporter import SILENT, Reporter
from reconciler.operations.running.reloaded_manifests import ReloadedManifests

if TYPE_CHECKING:
    from reconciler.engine.fleet.database import Database
    from reconciler.engine.fleet.database_attempts import AttemptBatcher
    from reconciler.engine.fleet.ledger import Problem, TargetProgress
    from reconciler.engine.fleet.worker import FleetTarget

DATABASE_VARIABLE: Final = "RECONCILER_FLEET_DATABASE"


def database_at(url: str | None) -> Database:
    """The fleet's database, to be entered. Raises ConfigError where none is named, or the extra is missing."""
    if not url:
        hint = f"set {DATABASE_VARIABLE}=postgresql://…, or give `fleet --database`"
        raise ConfigError([error(Code.FLEET_DATABASE, "no database is set for the fleet", None, "", hint)])
    try:
        from reconciler.engine.fleet.database import Database
    except ModuleNotFoundError as missing:
        summary = f"the fleet needs {missing.name}, which is not installed"
        raise ConfigError([error(Code.MISSING_EXTRA, summary, None, "", install_hint("fleet"))]) from None
    return Database(url)


def prepare(database: Database) -> None:
    """Create all tables. Raises StoreError."""
    from reconciler.engine.fleet import procrastinate_queue

    database.prepare()
    procrastinate_queue.prepare(database, database.url)


class Fleet:
    """The targets of one project, and the database they are worked on through, which is entered by itself.

    A context manager: leaving it closes what targets were worked on with.
    """

    def __init__(self, options: ProjectOptions, database: Database, reporter: Reporter = SILENT) -> None:
        self.database = database
        self._options = options
        self._reporter = reporter
        self._lock = threading.Lock()
        self._targets: dict[str, FleetTarget] = {}
        self._announced: AttemptBatcher | None = None
        self._sessions = ExitStack()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *problem: object) -> None:
        self._sessions.close()

    @property
    def names(self) -> list[str]:
        """The target that was chosen, or all whose provider is not the embedded server. Raises ConfigError."""
        project = ProjectTarget(self._options)
        if self._options.target:
            return [project.target.name]
        targets = project.settings.targets.values()
        names = [t.name for t in targets if not project.schemas.provider(t.provider, t.source).embedded]
        if not names:
            hint = "the embedded server runs in one process: add a target of another provider to reconciler.yaml"
            raise ConfigError([error(Code.UNSUPPORTED, "no target can be used by a fleet", None, "", hint)])
        return names

    def submit(self, name: str) -> tuple[int, int]:
        """Put a target's addresses into the queue: how many addresses, and how many jobs. Raises ConfigError."""
        from reconciler.engine.fleet.ledger import Ledger
        from reconciler.engine.fleet.procrastinate_queue import ProcrastinateQueue
        from reconciler.engine.fleet.worker import jobs_of

        project = ProjectTarget(replace(self._options, target=name))
        addresses = list_addresses(
            project.root,
            project.options.dirs,
            settings=project.settings,
            target=project.target,
            provider=project.provider,
            schemas=project.schemas,
        )
        submission = Ledger(self.database).submit(name, len(addresses))
        return len(addresses), ProcrastinateQueue(self.database.url, [name]).submit(
            jobs_of(name, submission, addresses)
        )

    def submit_finished(self) -> None:
        """Submit every target whose last submission is over; the others are not piled upon."""
        from reconciler.engine.fleet.ledger import Ledger

        busy = {each.target for each in Ledger(self.database).progress() if not each.finished}
        for name in self.names:
            if name not in busy:
                self.submit(name)

    def target(self, name: str) -> FleetTarget:
        """A target, ready to be worked on. Raises Unusable."""
        from reconciler.engine.fleet.worker import UnusableTarget

        with self._lock:
            if name not in self._targets:
                try:
                    self._targets[name] = self._set_up(name)
                except ConfigError as problem:
                    raise UnusableTarget(problem.diagnostics[:1]) from problem
            return self._targets[name]

    def _set_up(self, name: str) -> FleetTarget:
        from reconciler.engine.chunk import ChunkTarget
        from reconciler.engine.fleet.database_attempts import AttemptBatcher
        from reconciler.engine.fleet.database_registry import DatabaseRegistry
        from reconciler.engine.fleet.worker import FleetTarget

        session = Session(
            replace(self._options, target=name), connections=SharedConnections(self._gates), reporter=self._reporter
        )
        if session.marks_beside:
            hint = "a lock file belongs to one machine: apply this target there"
            raise ConfigError([error(Code.UNSUPPORTED, f"the marks of {name} are in a lock file", None, "", hint)])
        if session.target.lock is not None:
            hint = "workers coordinate themselves, and would wait for each other: remove the lock from this target"
            raise ConfigError([error(Code.UNSUPPORTED, f"{name} has a lock", session.target.source, "", hint)])
        files, limits = ReloadedManifests(session), session.limits
        hold_off = limits.settle_seconds + 2 * limits.timeout_seconds
        self._announced = self._announced or AttemptBatcher(self.database)
        memory = DatabaseRegistry(
            self.database, name, session.driver, session.kinds, session.owner, hold_off, self._announced
        )
        chunks = ChunkTarget(
            identity=session.identity,
            scope=Scope(session.owner, digests=session.digests, neighbours=session.neighbours),
            driver=session.driver,
            kinds=session.kinds,
            manifests=files.manifests,
            elsewhere=files.addresses,
            bound=files.bound,
            memory=memory,
            settle_seconds=limits.settle_seconds,
            fresh_seconds=limits.fresh_seconds,
            concurrency=limits.concurrency,
            judge=files.judged,
            stop=session.stop,
        )
        self._sessions.push(session)  # which a target that cannot be set up has not used
        return FleetTarget(chunks, memory, default_kind(session.provider))

    def _gates(self, credential: str, limits: Limits) -> Mapping[bool, RateLimiter]:
        from reconciler.engine.fleet.shared_rate_limiter import SharedRateLimiter

        def gate(name: str, per_minute: int) -> RateLimiter:
            return SharedRateLimiter(self.database, f"{credential}/{name}", per_minute)

        if limits.requests_per_minute is not None:
            both = gate("all", limits.requests_per_minute)
            return {False: both, True: both}
        return {False: gate("reads", limits.reads_per_minute), True: gate("writes", limits.writes_per_minute)}


@dataclass(frozen=True, slots=True)
class Workers:
    """How workers run. Times are in seconds."""

    jobs: int
    cron: str | None
    heartbeat: float
    silence: float

    def work(self, fleet: Fleet) -> None:
        """Work on jobs until stopped. Raises ConfigError and StoreError."""
        from reconciler.engine.fleet.procrastinate_queue import ProcrastinateQueue, WorkerSettings, exit_process
        from reconciler.engine.fleet.worker import JobExecutor

        fleet.database.one("SELECT FROM reconciler_target LIMIT 1")  # say so now where there are no tables
        fleet.database.on_loss = exit_process
        pace = WorkerSettings(self.jobs, self.heartbeat, self.silence)
        runner = ProcrastinateQueue(fleet.database.url, fleet.names, pace, self.cron, fleet.submit_finished)
        runner.work(JobExecutor(fleet.database, fleet.target).carry_out)

    def supervised(
        self, fleet: Fleet, processes: int, failed: Callable[[ReconcilerError], int], tell: Callable[[str], None]
    ) -> int:
        """Keep so many workers running until stopped: with the files that are read here, once. Raises ConfigError.

        A worker that ends with an expected failure has the exit status that `failed` gives. `tell` takes a line for
        each worker that ends.
        """
        from reconciler.engine.fleet import procrastinate_queue  # noqa: F401 - what workers need is loaded once
        from reconciler.engine.fleet.database import PATIENCE_SECONDS
        from reconciler.engine.fleet.supervise import supervise
        from reconciler.engine.fleet.worker import UnusableTarget

        def work() -> int:
            fleet.database.patience = PATIENCE_SECONDS
            try:
                with fleet, fleet.database:
                    self.work(fleet)
            except ReconcilerError as problem:
                return failed(problem)
            return 0

        for name in fleet.names:
            with suppress(UnusableTarget):  # its jobs will say so
                fleet.target(name)
        return supervise(work, processes, tell)


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """How far each target is, and the addresses that were given up."""

    targets: Sequence[TargetProgress]
    problems: Sequence[Problem]


def status(database: Database) -> FleetStatus:
    """How far the fleet is. Raises StoreError."""
    from reconciler.engine.fleet.ledger import Ledger

    ledger = Ledger(database)
    return FleetStatus(ledger.progress(), ledger.problems())
