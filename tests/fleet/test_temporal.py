"""The protocol of an engine, proved by Temporal. Runs where requirements/temporal.txt is installed."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("temporalio", reason="requirements/temporal.txt is not installed")

from reconciler.engine.fleet.database import Database
from reconciler.engine.fleet.job_queue import Job, JobFailed, JobQueue, JobResult
from reconciler.engine.fleet.ledger import Ledger
from reconciler.engine.fleet.worker import JobExecutor, jobs_of
from tests.conftest import Remote
from tests.fleet.scene import ADDRESSES, ROWS, fleet_of
from tests.fleet.temporal import TemporalRunner, temporal_server


def test_temporal_makes_each_object_once_although_jobs_are_cut_off_after_their_work(
    tmp_path: Path, database_url: str, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with Database(database_url) as database, temporal_server() as address:
        database.prepare()
        work = JobExecutor(database, fleet_of(tmp_path, remote.url, database).target)
        ledger = Ledger(database)
        runs: Counter[int] = Counter()

        def cut_off_once(job: Job) -> JobResult:
            """The worker dies after the work and before it can say so, the first time."""
            verdict = work.carry_out(job)
            runs[job.place] += 1
            if runs[job.place] == 1:
                raise ConnectionError("the worker died")
            return verdict

        engine = TemporalRunner(address)
        runner: JobQueue = engine
        submission = ledger.submit("t", ROWS)
        jobs = list(jobs_of("t", submission, ADDRESSES))
        assert runner.submit(jobs) == len(jobs)
        assert runner.submit(jobs[:1]) == 1  # waits already
        worker = threading.Thread(target=runner.work, args=(cut_off_once,))
        worker.start()
        try:
            assert engine.outcomes() == []
        finally:
            engine.stop()
            worker.join()
        assert Counter(each["name"] for each in remote.objects()) == {f"c{number}": 1 for number in range(ROWS)}
        (progress,) = ledger.progress()
        assert progress.finished
        assert all(times >= 2 for times in runs.values())


def test_a_job_that_is_given_up_is_told_by_temporal() -> None:
    with temporal_server() as address:
        engine = TemporalRunner(address)
        engine.submit([Job("t", 1, ("assistant/a",), 1)])
        worker = threading.Thread(target=engine.work, args=(lambda job: JobFailed(f"{job.addresses[0]} is no good"),))
        worker.start()
        try:
            (why,) = engine.outcomes()
        finally:
            engine.stop()
            worker.join()
    assert "assistant/a is no good" in why
