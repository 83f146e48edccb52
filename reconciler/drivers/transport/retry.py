"""Decides whether and when a request is sent again, without clock, chance or network.

A read, update or delete may be repeated. A create may not, unless the remote certainly did nothing: no vendor has an
idempotency key, so a second try after a lost answer makes a second object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_TRIES: Final = 5
BASE_SECONDS: Final = 0.5
CAP_SECONDS: Final = 20.0
LONGEST_WAIT_SECONDS: Final = 120.0
"""If a remote asks for a longer wait, the request fails and the user decides."""

_TRANSIENT: Final = frozenset({408, 409, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """One failed try. `status` is None where no answer came; `reached` is False where the request was never sent.

    `retry_after` is in seconds; `advice` is the remote's own `x-should-retry`.
    """

    tries: int
    repeatable: bool
    status: int | None = None
    reached: bool = True
    retry_after: float | None = None
    advice: bool | None = None


def wait_before_retry(failure: FailedAttempt, chance: float) -> float | None:
    """Seconds to wait before the next try, or None to give up. `chance` in [0, 1) spreads the waits (full jitter)."""
    if failure.tries >= MAX_TRIES or not _may_repeat(failure):
        return None
    if failure.retry_after is not None and failure.retry_after > 0:
        if failure.retry_after > LONGEST_WAIT_SECONDS:
            return None
        return failure.retry_after * (1 + 0.1 * chance)
    return float(min(CAP_SECONDS, BASE_SECONDS * 2 ** (failure.tries - 1)) * chance)


def _may_repeat(failure: FailedAttempt) -> bool:
    if not failure.reached or failure.status == 429:
        return failure.advice is not False
    if not failure.repeatable:
        return False
    if failure.advice is not None:
        return failure.advice
    return failure.status is None or failure.status in _TRANSIENT


@dataclass(slots=True)
class RetryBudget:
    """Tokens that retries cost and successes earn back, so that a failing remote is not stormed.

    The figures are those of botocore's standard retry quota.
    """

    tokens: int = 500
    capacity: int = 500
    cost: int = 10

    def spend(self) -> bool:
        """Take the cost of one retry; False when there is not enough left."""
        if self.tokens < self.cost:
            return False
        self.tokens -= self.cost
        return True

    def earn(self) -> None:
        """Give one token back for a success."""
        self.tokens = min(self.capacity, self.tokens + 1)
