"""What differs because somebody changed a live object, apart from edits of the files that were not applied yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.core.plan import Plan
from reconciler.core.values.model import Action, Change, FieldChange, Reason
from reconciler.diagnostics import Diagnostic
from reconciler.operations.planning.git_base import DriftChoices
from reconciler.operations.planning.live_plan import plan_live
from reconciler.operations.project.session import Session


@dataclass(frozen=True, slots=True)
class Drift:
    """The plan with only the differences that arose on the remote, and how many changes have others."""

    plan: Plan
    waiting: int
    diagnostics: Sequence[Diagnostic]


def find_drift(session: Session, addresses: Sequence[str], base: str = "auto") -> Drift:
    """Compare the target with the files. Raises ConfigError, InvalidArgument and RemoteError."""
    planned = plan_live(session, addresses, None, DriftChoices(base=base, applied=True))
    differs, waiting = _separate(planned.plan)
    return Drift(differs, waiting, (*planned.loaded.diagnostics, *planned.plan.diagnostics))


def _separate(plan: Plan) -> tuple[Plan, int]:
    """The plan with only the differences that arose on the remote, and how many changes have others."""
    kept: list[Change] = []
    waiting = 0
    for change in plan.changes:
        strayed = _strayed(change)
        if change.action is Action.NOOP or strayed or Reason.GONE in change.reasons:
            kept.append(replace(change, fields=strayed, blocked=None) if strayed else change)
        if change.action is not Action.NOOP and not (change.fields == strayed or Reason.GONE in change.reasons):
            waiting += 1
    return replace(plan, changes=tuple(kept)), waiting


def _strayed(change: Change) -> tuple[FieldChange, ...]:
    """The fields of a managed object that differ for another reason than an edit of the files."""
    if change.action not in (Action.UPDATE, Action.MOVE):
        return ()
    # What differs without anybody having touched the live object.
    waiting = (Reason.EDITED, Reason.REMOVED, Reason.COUPLED, Reason.MARK)
    return tuple(field for field in change.fields if field.reason not in waiting)
