"""Which exit code a plan, or an apply, ends with."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.exits import Exit
from reconciler.core.plan import Plan
from reconciler.diagnostics import Code
from reconciler.formats.outcome import Outcome, Result
from reconciler.formats.plan_document import summarise

_HALF = (Code.NOT_INDEXED, Code.STILL_INDEXING)
"""What says of an outcome that part of it was done."""
_OVERTAKEN = {Code.STALE_PLAN, Code.VERSION_CONFLICT}


def plan_exit(plan: Plan, detailed: bool) -> Exit:
    """The exit code of a command that only shows a plan; with `detailed`, one of its own where there are changes."""
    if any(change.blocked for change in plan.changes):
        return Exit.BLOCKED
    summary = summarise(plan)
    changes = sum(summary[action] for action in ("create", "update", "delete", "adopt", "move", "release"))
    return Exit.CHANGES if detailed and changes else Exit.DONE


def apply_exit(plan: Plan, outcomes: Sequence[Outcome], interrupted: bool) -> Exit:
    """The exit code of an apply: the worst that happened."""
    if interrupted:
        return Exit.INTERRUPTED
    results = {outcome.result for outcome in outcomes}
    if any(outcome.error and outcome.error.code in _HALF for outcome in outcomes):
        return Exit.PARTLY
    if results & {Result.FAILED, Result.UNKNOWN, Result.SKIPPED}:
        failures = {outcome.error.code for outcome in outcomes if outcome.error and outcome.result is Result.FAILED}
        if failures and failures <= _OVERTAKEN and not results - {Result.FAILED, Result.SKIPPED}:
            return Exit.STALE
        return Exit.PARTLY if results - {Result.FAILED, Result.SKIPPED} else Exit.ERROR
    if any(finding.code is Code.NOT_KEPT for outcome in outcomes for finding in outcome.findings):
        return Exit.PARTLY
    return Exit.BLOCKED if any(change.blocked for change in plan.changes) else Exit.DONE
