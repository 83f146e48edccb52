"""Settles the creates of a chunk: results are recorded early, uncertain ones wait for another run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from reconciler.core.matching.index import mark_of
from reconciler.core.values.model import Address
from reconciler.engine.admission import Admission, Step
from reconciler.engine.create_settlement import CreateSettlement, check_unwanted, delete_duplicate
from reconciler.engine.execute import Pending
from reconciler.engine.registry import RegisteredAttempts
from reconciler.engine.snapshot import live_object
from reconciler.formats.outcome import Outcome, Result

TOLD_AT_ONCE: Final = 10
TOLD_WITHIN_SECONDS: Final = 1.0


class BatchedOutcomes:
    """Reports outcomes during a run, in batches and at least once a second: after a kill, they are not repeated.

    It does not report what the end of the run may undo: addresses in `several`, and creates that were overtaken.
    """

    def __init__(
        self,
        attempts: RegisteredAttempts,
        several: Collection[Address],
        tell: Callable[[Sequence[Outcome]], None],
        clock: Callable[[], float],
    ) -> None:
        self._attempts = attempts
        self._several = several
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        self._held: list[Outcome] = []
        self._since = 0.0

    def take(self, outcome: Outcome) -> None:
        """Tell of this one with others. Raises what a lost memory raises."""
        if outcome.result is not Result.DONE or outcome.address in self._several:
            return
        with self._lock:
            self._since = self._since if self._held else self._clock()
            self._held.append(outcome)
            if len(self._held) < TOLD_AT_ONCE and self._clock() - self._since < TOLD_WITHIN_SECONDS:
                return
            held, self._held = self._held, []
        self._attempts.settle()
        late = self._attempts.overtaken.values()
        self._tell([each for each in held if each.id not in late])


class DeferredSettlement:
    """Settles creates between runs instead of within one: what is not known waits for the next."""

    def __init__(
        self,
        owner: str,
        attempts: RegisteredAttempts,
        settle_seconds: float,
        pause: Callable[[float], bool],
        clock: Callable[[], float],
        admission: Admission,
    ) -> None:
        self._owner = owner
        self._attempts = attempts
        self._settle_seconds = settle_seconds
        self._pause = pause
        self._clock = clock
        self._admission = admission

    def resolve(self, pending: list[Pending], again: Callable[[list[Step]], list[Outcome | Pending]]) -> list[Outcome]:
        """Creates whose answer was lost are not sent again here: the memory has them down as under way."""
        return [_unknown(one) for one in pending]

    def remove_duplicates(self, created: list[Outcome], repeated: bool) -> list[Outcome]:
        """Take back what was made after another run had made it; look at the list where a gateway repeated creates."""
        self._attempts.settle()
        if repeated:
            settlement = CreateSettlement(
                self._admission.driver,
                self._admission.kinds,
                self._owner,
                self._attempts,
                self._settle_seconds,
                self._pause,
                lambda outcome: None,
                self._clock,
                admission=self._admission,
            )
            return settlement.remove_duplicates(created, repeated)
        late = set(self._attempts.overtaken.values())
        return [self._taken_back(outcome) if outcome.id in late else outcome for outcome in created]

    def _taken_back(self, outcome: Outcome) -> Outcome:
        """Delete what was made too much, unless somebody uses or protects it by now."""
        kind, id = outcome.address.kind, outcome.id or ""
        on_target = self._admission.on_target(kind)
        mark = mark_of(on_target.kind, live_object(on_target, outcome.after or {}))
        unwanted = partial(check_unwanted, self._admission, on_target, id, mark, again=True)
        finding = delete_duplicate(self._admission.driver, outcome.address, id, "another run's stays", unwanted)
        return replace(outcome, result=Result.UNKNOWN, id=None, error=finding, after=None)


def _unknown(one: Pending) -> Outcome:
    change = one.step.change
    return Outcome(
        change.address, change.action, Result.UNKNOWN, None, one.requests, error=one.error, number=change.number
    )
