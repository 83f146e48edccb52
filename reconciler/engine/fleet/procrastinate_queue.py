"""The job queue on Procrastinate (PostgreSQL). The only module that imports it.

One worker is a process with some jobs at once. It holds a lock in PostgreSQL that goes with its connection, and sends
heartbeats: the jobs of a worker without the lock, or silent for long, are run again by any other. When PostgreSQL goes,
the process ends at once and leaves everything to its supervisor: a job that is cut off is one that is run again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, NoReturn, cast

import procrastinate
from procrastinate import connector, exceptions, jobs, manager, schema, utils

from reconciler.engine.fleet.database import PATIENCE_SECONDS, Database, DatabaseError, DedicatedConnection
from reconciler.engine.fleet.job_queue import LANES, Job, JobDone, JobFailed, JobLater, JobResult

TASK: Final = "reconciler.job"
RESUBMIT: Final = "reconciler.resubmit"
LOST: Final = 75  # EX_TEMPFAIL: start me again
_BATCH: Final = 1000
_LOCKS: Final = 0x7265636F
"""The class of our advisory locks, so that no other program's are taken for a worker's."""
_LIVE: Final = "SELECT pg_advisory_lock(%(locks)s, (%(worker)s::bigint %% 2147483648)::integer)"
_LEFT: Final = """
    SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND NOT EXISTS (
        SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %(locks)s AND objsubid = 2
        AND objid = worker_id %% 2147483648
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """How a worker works: jobs at once, and in seconds how often it says that it lives, after what silence another one
    takes over its jobs, and how long it looks no further for a job when there was none."""

    jobs: int = 4
    heartbeat: float = 3.0
    silence: float = 12.0
    poll: float = 1.0


class _Postponed(Exception):
    """The job is to be run again, unchanged."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.1f} s")
        self.seconds = seconds


class _RetriesExhausted(Exception):
    """The job has failed for good."""


class _RetryWhenPostponed(procrastinate.BaseRetryStrategy):
    """Retries a job only if the job itself asked for it."""

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> procrastinate.RetryDecision | None:
        if isinstance(exception, _Postponed):
            return procrastinate.RetryDecision(retry_at=utils.utcnow() + timedelta(seconds=exception.seconds))
        return None


def prepare(database: Database, url: str) -> None:
    """Create the engine's tables, or bring them up to this version. Raises StoreError."""
    rows = database.rows("SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
    applied = {name for (name,) in database.rows("SELECT name FROM reconciler_migration")}
    steps = sorted(Path(schema.SchemaManager.get_migrations_path()).glob("*.sql"))
    with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url)).open() as app:
        if not rows[0][0]:
            app.schema_manager.apply_schema()
        elif applied:
            for step in steps:
                if step.name not in applied:
                    app.connector.execute_query(cast(Any, step.read_text("utf-8").replace("%", "%%")))
    for step in steps:
        database.run("INSERT INTO reconciler_migration VALUES (%(name)s) ON CONFLICT DO NOTHING", {"name": step.name})


class _Jobs(manager.JobManager):
    """The engine's own, which hears of a worker before that is given a job."""

    def __init__(self, connector: connector.BaseConnector, hear: Callable[[int], object]) -> None:
        super().__init__(connector)
        self._hear = hear

    async def register_worker(self) -> int:
        worker = await super().register_worker()
        await asyncio.to_thread(self._hear, worker)
        return worker


class ProcrastinateQueue:
    """Jobs in PostgreSQL. `queues` are the targets a worker is for; `resubmit` is called at the times of `cron`."""

    def __init__(
        self,
        url: str,
        queues: Sequence[str] = (),
        pace: WorkerSettings = WorkerSettings(),
        cron: str | None = None,
        resubmit: Callable[[], None] = lambda: None,
    ) -> None:
        self._url = url
        self._queues = list(queues)
        self._pace = pace
        self._cron = cron
        self._resubmit = resubmit

    def submit(self, jobs: Iterable[Job]) -> int:
        """Keep jobs until they are run; how many. A survey that waits already is not kept twice."""
        left, kept = iter(jobs), 0
        with procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=self._url)).open() as app:
            while batch := list(islice(left, _BATCH)):
                surveys = [_entry(job) for job in batch if job.is_survey]
                for survey in surveys:
                    with suppress(exceptions.AlreadyEnqueued):
                        app.job_manager.defer_job(survey)
                app.job_manager.batch_defer_jobs([_entry(job) for job in batch if not job.is_survey])
                kept += len(batch)
            if kept >= _BATCH // 10:
                app.connector.execute_query("ANALYZE procrastinate_jobs")
        return kept

    def work(self, carry_out: Callable[[Job], JobResult]) -> None:
        """Run jobs until SIGINT or SIGTERM. Does not return when PostgreSQL is lost: the process exits with 75."""
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
        try:
            with DedicatedConnection(self._url) as session:
                asyncio.run(self._work(carry_out, session))
        except (exceptions.ConnectorException, DatabaseError, OSError) as problem:
            exit_process(problem)

    async def _work(self, carry_out: Callable[[Job], JobResult], session: DedicatedConnection) -> None:
        pace = self._pace
        app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=self._url, min_size=1, max_size=pace.jobs + 3, timeout=PATIENCE_SECONDS
            )
        )
        app.job_manager = _Jobs(app.connector, lambda worker: session.rows(_LIVE, {"locks": _LOCKS, "worker": worker}))
        with ThreadPoolExecutor(pace.jobs, thread_name_prefix="job") as pool:
            self._add_tasks(app, pool, carry_out)
            async with app.open_async():
                rescue = asyncio.create_task(self._rescue(app, session))
                try:
                    await app.run_worker_async(
                        queues=self._queues,
                        concurrency=pace.jobs,
                        fetch_job_polling_interval=pace.poll,
                        update_heartbeat_interval=pace.heartbeat,
                        stalled_worker_timeout=pace.silence,
                        delete_jobs="successful",
                    )
                finally:
                    rescue.cancel()

    def _add_tasks(
        self, app: procrastinate.App, pool: ThreadPoolExecutor, carry_out: Callable[[Job], JobResult]
    ) -> None:
        async def run(**fields: Any) -> None:
            job = Job(**{**fields, "addresses": tuple(fields["addresses"])})
            try:
                verdict = await asyncio.get_running_loop().run_in_executor(pool, carry_out, job)
            except DatabaseError as problem:
                exit_process(problem)
            match verdict:
                case JobLater(seconds, left) if left == job:
                    raise _Postponed(seconds)
                case JobLater(seconds, left):
                    await app.job_manager.defer_job_async(_entry(left, seconds))
                case JobFailed(why):
                    raise _RetriesExhausted(why)
                case JobDone():
                    pass

        async def resubmit(timestamp: int) -> None:
            await asyncio.get_running_loop().run_in_executor(pool, self._resubmit)

        app.task(name=TASK, retry=_RetryWhenPostponed())(run)
        if self._cron:
            app.periodic(cron=self._cron)(
                app.task(name=RESUBMIT, queueing_lock=RESUBMIT, queue=self._queues[0])(resubmit)
            )

    async def _rescue(self, app: procrastinate.App, session: DedicatedConnection) -> NoReturn:
        """Hand jobs of workers that are gone, or have fallen silent, to others."""
        while True:
            try:
                left: set[int] = {id for (id,) in await asyncio.to_thread(session.rows, _LEFT, {"locks": _LOCKS})}
                silent = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._pace.silence)
                left |= {job.id for job in silent if job.id is not None}
            except (exceptions.ConnectorException, DatabaseError) as problem:
                exit_process(problem)  # a worker without work would notice late
            for id in left:
                with suppress(exceptions.ConnectorException):  # another one was faster
                    await app.job_manager.retry_job_by_id_async(id, utils.utcnow())
            await asyncio.sleep(self._pace.heartbeat * random.uniform(0.5, 1.5))  # noqa: S311


def _entry(job: Job, seconds: float = 0.0) -> jobs.Job:
    """A job as the engine keeps it. What is left over of a chunk is in nobody's way."""
    fields = asdict(job)
    return jobs.Job(
        queue=job.target,
        priority=1 if job.is_survey else -job.place,
        lock=None if job.is_survey or job.tries else f"{job.target}/{job.place % LANES}",
        queueing_lock=f"survey/{job.target}" if job.is_survey else None,
        task_name=TASK,
        task_kwargs={**fields, "addresses": list(job.addresses)},
        scheduled_at=utils.utcnow() + timedelta(seconds=seconds) if seconds else None,
    )


def exit_process(problem: Exception) -> NoReturn:
    """End the process here and now: threads may be waiting for a database that does not come back."""
    diagnostic = getattr(problem, "diagnostic", None)
    print(
        diagnostic.summary if diagnostic else f"PostgreSQL does not respond: {type(problem).__name__}",
        file=sys.stderr,
        flush=True,
    )
    os._exit(LOST)
