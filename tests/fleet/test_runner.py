"""The protocol of an engine, proved by another one: threads that run every job twice at once and forget nothing."""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.engine.fleet.database import Database
from reconciler.engine.fleet.job_queue import Job, JobFailed, JobLater, JobQueue, JobResult
from reconciler.engine.fleet.ledger import Ledger
from reconciler.engine.fleet.worker import JobExecutor, jobs_of
from tests.conftest import Remote
from tests.fleet.scene import ADDRESSES, ROWS, fleet_of


class EverythingTwice:
    """An engine that runs each job twice at once, and ends when there is none left. It knows no time: later is next."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[Job] = queue.Queue()
        self.dead: list[str] = []
        self.runs = 0

    def submit(self, jobs: Iterable[Job]) -> int:
        kept = list(jobs)
        for job in kept:
            self._jobs.put(job)
        return len(kept)

    def work(self, carry_out: Callable[[Job], JobResult]) -> None:
        with ThreadPoolExecutor(2) as pool:
            while not self._jobs.empty():
                job = self._jobs.get()
                self.runs += 2
                verdicts = list(pool.map(carry_out, [job, job]))
                for verdict in {verdict.job: verdict for verdict in verdicts if isinstance(verdict, JobLater)}.values():
                    self._jobs.put(verdict.job)
                self.dead += [verdict.why for verdict in verdicts if isinstance(verdict, JobFailed)]


def test_an_engine_that_runs_every_job_twice_at_once_makes_each_object_once(
    tmp_path: Path, database: Database, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    fleet = fleet_of(tmp_path, remote.url, database)
    ledger = Ledger(database)
    submission = ledger.submit("t", ROWS)
    engine = EverythingTwice()
    runner: JobQueue = engine
    assert runner.submit(jobs_of("t", submission, ADDRESSES)) == 1 + -(-ROWS // 100)
    runner.work(JobExecutor(database, fleet.target).carry_out)
    assert Counter(each["name"] for each in remote.objects()) == {f"c{number}": 1 for number in range(ROWS)}
    (progress,) = ledger.progress()
    assert progress.finished
    assert (progress.results.get("failed", 0), engine.dead) == (0, [])
    assert engine.runs >= 8
