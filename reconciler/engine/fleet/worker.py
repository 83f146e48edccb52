"""Runs the jobs of the fleet: survey a target, or reconcile a chunk of it, and record the outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, TypeVar

from reconciler.core.matching.index import Observation
from reconciler.core.plan import make_plan
from reconciler.core.values.model import Action, Address
from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity
from reconciler.drivers.base import NoSuchApi, RemoteError
from reconciler.engine.chunk import ChunkTarget, RequestBudget, reconcile_chunk
from reconciler.engine.fleet.database import Database
from reconciler.engine.fleet.database_registry import DatabaseRegistry
from reconciler.engine.fleet.job_queue import CHUNK, Job, JobDone, JobFailed, JobLater, JobResult
from reconciler.engine.fleet.ledger import Ledger
from reconciler.engine.snapshot import KindOnTarget, live_object
from reconciler.formats.outcome import Outcome, Result

MAX_TRIES: Final = 8
"""Runs of a chunk that may leave something over, and failures in a row of a target, before what is left is given up."""
BUDGET: Final = RequestBudget(requests=4 * CHUNK)
_SOON_SECONDS: Final = 0.5
_T = TypeVar("_T")


class UnusableTarget(ReconcilerError):
    """A target that cannot even be set up: its files or its credentials are wrong; `diagnostic` says how."""


@dataclass(frozen=True, slots=True)
class FleetTarget:
    """A target as the fleet works on it; `memory` is the one its chunks use."""

    chunks: ChunkTarget
    memory: DatabaseRegistry
    default_kind: str


class JobExecutor:
    """Carries out jobs. `targets` gives a target by name, ready to be worked on, or raises Unusable."""

    def __init__(self, database: Database, targets: Callable[[str], FleetTarget], max_tries: int = MAX_TRIES) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._targets = targets
        self._max_tries = max_tries

    def carry_out(self, job: Job) -> JobResult:
        """Do a job as far as it goes now. Raises StoreError."""
        state = self._ledger.state(job.target)
        if job.is_survey:  # any will do for the newest submission
            job = replace(job, submission=state.submission)
        if job.submission != state.submission or (job.is_survey and state.surveyed):
            return JobDone()  # a newer submission is about the same addresses
        if state.failures >= self._max_tries or job.tries >= self._max_tries:
            return self._give_up(job, state.trouble)
        if not (job.is_survey or state.surveyed):  # it must not take the survey's place as the one who looks
            return JobLater(max(_SOON_SECONDS, state.rests_seconds), job)
        left = self._left(job)
        if not (job.is_survey or left):
            return JobDone()
        rest = self._ledger.rest(job.target)
        if rest > 0:
            return JobLater(rest, job)
        try:
            target = self._targets(job.target)
        except UnusableTarget as problem:
            return JobLater(self._ledger.failed(job.target, problem.diagnostic, probing=rest < 0), job)
        return self._survey(job, target, rest < 0) if job.is_survey else self._reconcile(job, target, left, rest < 0)

    def _left(self, job: Job) -> list[Address]:
        """What a chunk still has to do."""
        wanted = [Address.parse(text) for text in job.addresses]
        return self._ledger.without_result(job.target, job.submission, wanted) if wanted else []

    def _reconcile(self, job: Job, target: FleetTarget, left: Sequence[Address], probing: bool) -> JobResult:
        recorded: set[Address] = set()

        def note(outcomes: Sequence[Outcome]) -> None:
            self._ledger.record(job.target, job.submission, outcomes)
            recorded.update(outcome.address for outcome in outcomes)

        report = reconcile_chunk(target.chunks, left, BUDGET, note)
        rest = [outcome for outcome in report.outcomes if outcome.address not in recorded or outcome.error]
        self._ledger.record(job.target, job.submission, rest)
        if report.trouble:
            return JobLater(self._ledger.failed(job.target, report.trouble, probing=probing), job)
        self._ledger.worked(job.target)
        if not report.again:
            return JobDone()
        unfinished = replace(job, addresses=tuple(sorted(map(str, report.again))), tries=job.tries + 1)
        return JobLater(max(report.again.values()), unfinished)

    def _give_up(self, job: Job, trouble: str) -> JobFailed:
        """Leave what a job still has to do to people."""
        why = trouble or f"not finished after {self._max_tries} runs"
        hint = "`reconciler fleet submit` tries again"
        error = Diagnostic(Severity.ERROR, Code.RETRIES_EXHAUSTED, f"given up: {why}", hint=hint)
        outcomes = [Outcome(address, Action.NOOP, Result.FAILED, error=error) for address in self._left(job)]
        self._ledger.record(job.target, job.submission, outcomes)
        return JobFailed(why)

    def _survey(self, job: Job, target: FleetTarget, probing: bool) -> JobResult:
        """Read the whole target once, page by page: who has which object, and what needs nothing."""
        row = self._database.one("SELECT extract(epoch FROM clock_timestamp())::float8")
        assert row is not None
        objects = orphans = 0
        read: list[str] = []
        try:
            for on_target in target.chunks.kinds:
                try:
                    seen, without = self._survey_kind(job, target, on_target)
                except NoSuchApi:
                    if on_target.kind.name == target.default_kind:
                        raise
                    continue
                read.append(on_target.kind.name)
                objects, orphans = objects + seen, orphans + without
            target.chunks.driver.prove_whole()
        except RemoteError as error:
            return JobLater(self._ledger.failed(job.target, error.diagnostic, probing=probing), job)
        target.memory.saw_all(job.submission, float(row[0]), read)
        for name in read:
            self._ledger.forget_doubled(job.target, job.submission, name)
        self._ledger.worked(job.target)
        self._ledger.surveyed(job.target, job.submission, objects, orphans)
        return JobDone()

    def _survey_kind(self, job: Job, target: FleetTarget, on_target: KindOnTarget) -> tuple[int, int]:
        """How many objects there are, and how many are ours and have no manifest."""
        objects = orphans = 0
        kind = on_target.kind
        for page in _pages(live_object(on_target, body) for body in target.chunks.driver.list(kind.name)):
            ours = target.memory.saw(job.submission, on_target, page)
            manifests = target.chunks.manifests([Address(kind.name, key) for key in ours])
            orphans += len(ours) - len(manifests)
            lost = {id for key in ours.keys() - {m.address.key for m in manifests} for id in ours[key]}
            target.memory.saw_orphans(kind, (live for live in page if live.id in lost))
            objects += len(page)
            observed = [Observation(kind, tuple(page), 0)]
            here = [m for m in manifests if m.moved_from is None and m.id is None and not m.refs]
            only = frozenset(manifest.address for manifest in here)
            scope = replace(target.chunks.scope, only=only, prune=False, bound=target.chunks.bound())
            plan = make_plan(target.chunks.identity, scope, "", here, observed)
            same = [c for c in plan.changes if c.action is Action.NOOP]
            self._ledger.record(
                job.target, job.submission, [Outcome(c.address, c.action, Result.DONE, c.id) for c in same]
            )
        return objects, orphans


def jobs_of(target: str, submission: int, addresses: Sequence[Address]) -> Iterator[Job]:
    """The jobs of a submission: the survey, then chunks in the order of the addresses."""
    yield Job(target, submission)
    listed = iter(addresses)
    place = 0
    while chunk := tuple(str(address) for address in islice(listed, CHUNK)):
        place += 1
        yield Job(target, submission, chunk, place)


def _pages(entries: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(entries)
    while page := list(islice(left, CHUNK)):
        yield page
