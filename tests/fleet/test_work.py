"""What a worker does with a job: PostgreSQL and the embedded server are real."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.values.model import Action
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.engine.fleet.database import Database
from reconciler.engine.fleet.job_queue import JobDone, JobLater
from reconciler.engine.fleet.ledger import Ledger
from reconciler.engine.fleet.worker import JobExecutor, jobs_of
from reconciler.formats.outcome import Outcome, Result
from tests.conftest import Remote
from tests.fleet.scene import ADDRESSES, fleet_of

TROUBLE = Diagnostic(Severity.ERROR, Code.UNREACHABLE, "it does not answer")


@pytest.fixture
def work(tmp_path: Path, database: Database, remote: Remote, monkeypatch: pytest.MonkeyPatch) -> JobExecutor:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    return JobExecutor(database, fleet_of(tmp_path, remote.url, database).target)


def rested(database: Database) -> None:
    database.run("UPDATE reconciler_target SET paused_until = now()")


def test_the_first_look_at_a_target_that_rested_is_the_survey_s(work: JobExecutor, database: Database) -> None:
    """A chunk that waits for the survey must not take its place: the next one is a minute later, and so for ever."""
    ledger = Ledger(database)
    survey, chunk, *_ = jobs_of("t", ledger.submit("t", len(ADDRESSES)), ADDRESSES)
    rests = ledger.failed("t", TROUBLE, probing=False)
    waits = work.carry_out(chunk)
    assert isinstance(waits, JobLater)
    assert rests / 2 < waits.seconds <= rests
    rested(database)
    assert isinstance(work.carry_out(chunk), JobLater)
    assert work.carry_out(survey) == JobDone()
    assert work.carry_out(chunk) == JobDone()


def test_a_chunk_that_is_done_does_not_take_the_first_look_from_others(work: JobExecutor, database: Database) -> None:
    ledger = Ledger(database)
    survey, first, second, *_ = jobs_of("t", ledger.submit("t", len(ADDRESSES)), ADDRESSES)
    assert [work.carry_out(job) for job in (survey, first)] == [JobDone(), JobDone()]
    ledger.failed("t", TROUBLE, probing=False)
    rested(database)
    assert [work.carry_out(job) for job in (first, second)] == [JobDone(), JobDone()]


def test_a_target_is_not_finished_while_its_survey_may_take_a_result_back(database: Database) -> None:
    ledger = Ledger(database)
    submission = ledger.submit("t", 1)
    ledger.record("t", submission, [Outcome(ADDRESSES[0], Action.NOOP, Result.DONE)])
    assert not ledger.progress()[0].finished
    ledger.surveyed("t", submission, 1, 0)
    assert ledger.progress()[0].finished


def test_a_target_whose_survey_was_given_up_is_finished(database: Database) -> None:
    ledger = Ledger(database)
    submission = ledger.submit("t", 1)
    ledger.failed("t", TROUBLE, probing=False)
    ledger.record("t", submission, [Outcome(ADDRESSES[0], Action.NOOP, Result.FAILED)])
    assert ledger.progress()[0].finished
