"""The outcome of each change of an apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.core.values.model import Action, Address, Body
from reconciler.diagnostics import Diagnostic


class Result(StrEnum):
    """What happened to one change."""

    DONE = "done"
    ALREADY_APPLIED = "already-applied"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one change: how many requests it took, the remote's id for the last one, and what was found.

    `number` is that of the change.
    `after` is the object as the remote answered, where it did; it stays in the process.
    """

    address: Address
    action: Action
    result: Result
    id: str | None = None
    requests: int = 0
    request_id: str | None = None
    error: Diagnostic | None = None
    findings: tuple[Diagnostic, ...] = ()
    after: Body | None = field(default=None, repr=False, compare=False)
    number: int = 0
