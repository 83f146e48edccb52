"""A machine that runs `apply`: what the command does, step by step, with waits that only move a clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconciler.cli.exit_codes import apply_exit
from reconciler.cli.exits import Exit
from reconciler.cli.expected_errors import error_exit
from reconciler.core.plan import Plan, Scope, make_plan
from reconciler.core.values.model import Action, Blocker, Change, Manifest
from reconciler.drivers.base import Driver
from reconciler.engine.apply import ApplyOptions, apply_plan, draw_nonce
from reconciler.engine.snapshot import KindOnTarget, Snapshot, observe, with_members
from reconciler.engine.state.journal import Journal
from reconciler.formats.outcome import Outcome
from reconciler.operations.invalid_argument import diagnostics_of
from reconciler.tree import Tree
from tests.world import IDENTITY, ON_TARGET


@dataclass
class Machine:
    """One place where `apply` runs: a journal of its own, a driver, and a clock (seconds since the epoch).

    One that `agrees` says `--allow-deletes` with the number that the guard asks for. `ask` is the question at the
    terminal, between the plan and the first request.
    """

    directory: Path
    driver: Driver
    clock: Callable[[], float]
    pause: Callable[[float], bool]
    settle_seconds: float
    owner: str = "acme"
    draw: Callable[[], str] = draw_nonce
    agrees: bool = False
    kinds: Sequence[KindOnTarget] = (ON_TARGET,)
    ask: Callable[[Plan], object] = lambda plan: None
    plans: list[Plan] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    files: Sequence[Manifest] = ()
    made: set[str] = field(default_factory=set)

    def journal(self) -> Journal:
        """What this machine remembers, read anew as each process does."""
        return Journal(Tree(self.directory.parent, self.directory.name), IDENTITY.url, self.settle_seconds, self.clock)

    def refresh(self, journal: Journal) -> Snapshot:
        """Read the account."""
        snapshot = observe(self.driver, self.kinds, journal)
        self.made = journal.nonces
        if not any(kind.members for kind in self.kinds):
            return snapshot
        seen = snapshot.observed
        every = with_members(self.driver, self.kinds, seen, self.owner, lambda kind, name, live: True, self.files)
        return replace(snapshot, observed=every)

    def plan(self, files: Sequence[Manifest], snapshot: Snapshot, allow_deletes: int | None = None) -> Plan:
        """The plan against what was read."""
        scope = Scope(self.owner, True, allow_deletes, settle_seconds=self.settle_seconds, made_here=self.made)
        plan = make_plan(IDENTITY, scope, "sha256:0", files, snapshot.observed)
        held = sum(1 for change in plan.changes if change.blocked and change.blocked.by is Blocker.GUARD)
        return self.plan(files, snapshot, held) if held and self.agrees and allow_deletes is None else plan

    def apply(self, files: Sequence[Manifest], allow_deletes: int | None = None) -> Exit:
        """`apply --yes`: what it would exit with. A bug is raised as it is."""
        try:
            return self._apply(files, allow_deletes)
        except Exception as problem:
            if diagnostics_of(problem) is None:
                raise
            return error_exit(problem)

    def due(self, files: Sequence[Manifest]) -> list[Change]:
        """What `plan` shows as still to do, blocked or not."""
        self.files = files
        plan = self.plan(files, self.refresh(self.journal()))
        return [change for change in plan.changes if change.action is not Action.NOOP]

    def _apply(self, files: Sequence[Manifest], allow_deletes: int | None) -> Exit:
        self.files = files
        journal, read_at = self.journal(), self.clock()
        snapshot = self.refresh(journal)
        plan = self.plan(files, snapshot, allow_deletes)
        creates = {change.address for change in plan.changes if change.action is Action.CREATE}
        seconds = journal.seconds_to_settle([attempt for attempt in snapshot.unsettled if attempt.address in creates])
        if seconds > 0:
            self.pause(seconds)
            read_at = self.clock()
            snapshot = self.refresh(journal)
            plan = self.plan(files, snapshot, allow_deletes)
        self.plans.append(plan)
        self.ask(plan)
        options = ApplyOptions(
            concurrency=1,
            settle_seconds=self.settle_seconds,
            draw=self.draw,
            clock=self.clock,
            read_at=read_at,
            stop=threading.Event(),
            pause=self.pause,
        )
        self.outcomes = apply_plan(plan, self.driver, self.kinds, snapshot.observed, journal, options)
        return apply_exit(plan, self.outcomes, interrupted=False)
