"""Applies a plan: independent changes in parallel, dependencies first, deletes last."""

from __future__ import annotations

import secrets
import string
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from reconciler.core.matching.index import Observation, index
from reconciler.core.plan import Plan
from reconciler.core.references import levels, with_ids_filled_in
from reconciler.core.rules.world import World
from reconciler.core.values.model import Action, Address, Change
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.drivers.base import Driver
from reconciler.engine.admission import Admission, Step
from reconciler.engine.create_settlement import CreateSettlement
from reconciler.engine.execute import Executor, Pending, entries_of
from reconciler.engine.members import WaitPolicy, interrupted_diagnostic
from reconciler.engine.snapshot import KindOnTarget
from reconciler.engine.stale_check import KEEPING, bound_objects, check_all
from reconciler.engine.state.journal import Attempts
from reconciler.formats.outcome import Outcome, Result

_THERE = (Result.DONE, Result.ALREADY_APPLIED)
_NONCE_LETTERS = string.ascii_letters + string.digits


def draw_nonce() -> str:
    """Twelve random letters and digits: 71 bits."""
    return "".join(secrets.choice(_NONCE_LETTERS) for _ in range(12))


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How an apply runs. `report` hears of each outcome as it happens, from several threads, and `awaiting` of how many
    members of an address are waited for.

    What is applied against was read at `read_at` on `clock` (None: just now); an object that was read more than
    `fresh_seconds` ago is read again before it is written. Where not everything was read that may use an object
    (`users_known` is False), that is read before each delete. `neighbours` are the owners of other targets.
    """

    concurrency: int = 8
    settle_seconds: float = 30
    fresh_seconds: float = 5
    read_at: float | None = None
    users_known: bool = True
    neighbours: frozenset[str] = frozenset()
    indexing_seconds: float = 600
    stop_on_error: bool = False
    report: Callable[[Outcome], None] = lambda outcome: None
    awaiting: Callable[[Address, int], None] = lambda address, count: None
    draw: Callable[[], str] = draw_nonce
    clock: Callable[[], float] = time.monotonic
    stop: threading.Event = field(default_factory=threading.Event)
    pause: Callable[[float], bool] | None = None


class Settling(Protocol):
    """What becomes of creates after they were sent (see `create_settlement`)."""

    def resolve(self, pending: list[Pending], again: Callable[[list[Step]], list[Outcome | Pending]]) -> list[Outcome]:
        """The outcome of each create whose answer was lost; `again` sends steps once more."""
        ...

    def remove_duplicates(self, created: list[Outcome], repeated: bool) -> list[Outcome]:
        """The outcomes, once it is seen to that each address has one object."""
        ...


def apply_plan(
    plan: Plan,
    driver: Driver,
    kinds: Sequence[KindOnTarget],
    observed: Sequence[Observation],
    journal: Attempts,
    options: ApplyOptions,
    settling: Callable[[Admission], Settling] | None = None,
) -> list[Outcome]:
    """Carry out a plan's unblocked changes against what was just observed; one outcome each, in the plan's order.

    Creates are settled within the run, by looking at whole lists, unless another way of `settling` is given. Raises
    StalePlan, before anything is sent, where a change no longer fits.
    """
    found = {o.kind.name: index(o.kind, o.objects, plan.owner) for o in observed}
    world = World(
        found,
        bound=bound_objects(plan),
        neighbours=options.neighbours,
        settle_seconds=options.settle_seconds,
        made_here=journal.nonces,
        kept={c.address: c.id for c in plan.changes if c.id is not None and c.action in KEEPING},
    )
    steps, already = check_all(plan, world)
    for outcome in already:
        options.report(outcome)
    run = _Run(driver, kinds, plan, journal, options, already, settling, world)
    try:
        outcomes = [*already, *run.all(steps)]
    finally:
        journal.close()
    return sorted(outcomes, key=lambda outcome: outcome.number)


class _Run:
    """One apply under way."""

    def __init__(
        self,
        driver: Driver,
        kinds: Sequence[KindOnTarget],
        plan: Plan,
        journal: Attempts,
        options: ApplyOptions,
        already: Sequence[Outcome],
        settling: Callable[[Admission], Settling] | None,
        world: World,
    ) -> None:
        self._done: set[int] = set()
        self._addresses = {change.number: change.address for change in plan.changes}
        self._ids: dict[Address, str] = {}
        self._options = options
        self._driver = driver
        self._halt = threading.Event()
        self._with_entries: dict[int, Step] = {}
        read_at = options.clock() if options.read_at is None else options.read_at
        self._admission = Admission(
            driver, kinds, world, read_at, options.fresh_seconds, options.clock, options.users_known
        )
        self._remember(already)
        self._plan, self._journal = plan, journal
        self._pause = options.pause or options.stop.wait
        styles = {on_target.kind.name: on_target.members for on_target in kinds}
        waiting = WaitPolicy(options.indexing_seconds, self._pause, options.clock, options.awaiting)
        self._executor = Executor(driver, journal, options.draw, styles, waiting, self._admission)
        self._create_settlement: Settling = (settling or self._within_the_run)(self._admission)

    def _within_the_run(self, admission: Admission) -> Settling:
        """Creates are settled before the run ends."""
        options, plan = self._options, self._plan
        return CreateSettlement(
            self._driver,
            admission.kinds,
            plan.owner,
            self._journal,
            options.settle_seconds,
            self._pause,
            self._report,
            options.clock,
            frozenset(id for change in plan.changes for id in change.replaces),
            admission,
        )

    def all(self, steps: list[Step]) -> list[Outcome]:
        """Carry out every step: kinds in the plan's order, deletes last."""
        outcomes: list[Outcome] = []
        self._with_entries = {s.change.number: s for s in steps if s.change.action is Action.CREATE and entries_of(s)}
        for stage in _stages(steps):
            results = self._in_parallel(stage)
            pending = [result for result in results if isinstance(result, Pending)]
            done = [result for result in results if isinstance(result, Outcome)]
            done += self._create_settlement.resolve(pending, self._in_parallel) if pending else []
            created = [o for o in done if o.action is Action.CREATE and o.result is Result.DONE]
            rest = [o for o in done if not (o.action is Action.CREATE and o.result is Result.DONE)]
            made = self._create_settlement.remove_duplicates(created, self._executor.repeated)
            results_now = rest + self._attached(made)
            self._remember(results_now)
            outcomes += results_now
        return outcomes

    def _attached(self, made: list[Outcome]) -> list[Outcome]:
        """The outcomes of new objects, with the entries of their maps written; only then are they reported."""
        due = [outcome for outcome in made if outcome.number in self._with_entries]
        if not due:
            return made
        with ThreadPoolExecutor(min(self._options.concurrency, len(due)), thread_name_prefix="attach") as pool:
            attached = list(pool.map(self._attach, due))
        return [outcome for outcome in made if outcome.number not in self._with_entries] + attached

    def _attach(self, made: Outcome) -> Outcome:
        if self._options.stop.is_set() or self._halt.is_set():
            outcome = replace(made, result=Result.FAILED, error=interrupted_diagnostic())
        else:
            outcome = self._executor.attach(_with_ids(self._with_entries[made.number], self._ids), made)
        self._report_now(outcome)
        return outcome

    def _report(self, outcome: Outcome) -> None:
        """Tell of an outcome, unless entries of a new object are still to be written."""
        made = outcome.action is Action.CREATE and outcome.result is Result.DONE
        if not (made and outcome.number in self._with_entries):
            self._report_now(outcome)

    def _report_now(self, outcome: Outcome) -> None:
        """Tell of an outcome; begin nothing more where that is asked for, or would not help."""
        if outcome.result is Result.FAILED and (self._options.stop_on_error or _is_refused(outcome)):
            self._halt.set()
        self._options.report(outcome)

    def _remember(self, outcomes: Sequence[Outcome]) -> None:
        """Keep what later changes need: that these are done, and the ids of what is there now."""
        done = [outcome for outcome in outcomes if outcome.result in _THERE]
        self._done |= {outcome.number for outcome in done}
        for outcome in done:
            kind, id = outcome.address.kind, outcome.id or ""
            if outcome.action is Action.DELETE:
                self._admission.note_deleted(kind, id)
            else:
                self._admission.note_written(kind, id, outcome.after or {})
        there = [*done, *(outcome for outcome in outcomes if outcome.action is Action.CREATE)]
        self._ids |= {o.address: o.id for o in there if o.id is not None and o.action is not Action.DELETE}

    def _missing(self, change: Change) -> Diagnostic | None:
        """Why a change cannot be sent: what it needs is not there."""
        unknown = [address for _, address in change.refs if address not in self._ids]
        undone = [self._addresses[number] for number in change.needs if number not in self._done]
        if not (unknown or undone):
            return None
        summary = f"not sent: it needs {(unknown + undone)[0]}, which was not done"
        hint = "check what happened to that, then apply again"
        return Diagnostic(Severity.ERROR, Code.DEPENDENCY_MISSING, summary, hint=hint)

    def _in_parallel(self, steps: list[Step]) -> list[Outcome | Pending]:
        workers = max(1, min(self._options.concurrency, len(steps)))
        with ThreadPoolExecutor(workers, thread_name_prefix="apply") as pool:
            return list(pool.map(self._one, steps))

    def _one(self, step: Step) -> Outcome | Pending:
        change = step.change
        missing = self._missing(change)
        if self._options.stop.is_set() or self._halt.is_set() or missing:
            result: Outcome | Pending = Outcome(
                change.address, change.action, Result.SKIPPED, change.id, error=missing, number=change.number
            )
        else:
            result = self._executor.run(_with_ids(step, self._ids))
        if isinstance(result, Outcome):
            self._report(result)
        return result


def _with_ids(step: Step, ids: Mapping[Address, str]) -> Step:
    """The step with the ids of what was made meanwhile."""
    if not step.change.refs:
        return step
    change = with_ids_filled_in(replace(step.change, patch=step.patch), ids)
    return replace(
        step, change=replace(step.change, patch=with_ids_filled_in(step.change, ids).patch, refs=()), patch=change.patch
    )


def _is_refused(outcome: Outcome) -> bool:
    """Whether the remote does not accept the credential: it will not for the rest either."""
    return outcome.error is not None and outcome.error.code is Code.REFUSED_CREDENTIAL


def _stages(steps: list[Step]) -> Iterator[list[Step]]:
    """Runs of steps that may go in parallel: one kind after the other, what is needed first, removals last."""
    level = levels([step.change for step in steps])

    def stage(step: Step) -> tuple[bool, str, int]:
        change = step.change
        return change.action in (Action.DELETE, Action.RELEASE), change.address.kind, level.get(change.number, 0)

    for _, group in groupby(steps, stage):
        yield list(group)
