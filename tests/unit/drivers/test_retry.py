"""When a request is sent again, and after how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.transport.retry import MAX_TRIES, FailedAttempt, RetryBudget, wait_before_retry
from tests.strategies import law

FAILURES = st.builds(
    FailedAttempt,
    tries=st.integers(1, 8),
    repeatable=st.booleans(),
    status=st.none() | st.sampled_from([400, 401, 404, 408, 409, 422, 429, 500, 503, 529]),
    reached=st.booleans(),
    retry_after=st.none() | st.floats(-1, 500),
    advice=st.none() | st.booleans(),
)
CHANCES = st.floats(0, 1, exclude_max=True)


def retried(**told: object) -> bool:
    return wait_before_retry(FailedAttempt(**{"tries": 1, "repeatable": True, **told}), 0.5) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [None, 408, 409, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529])
def test_what_passes_is_tried_again(status: int | None) -> None:
    assert retried(status=status)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 501, 505])
def test_what_stays_wrong_is_not(status: int) -> None:
    assert not retried(status=status)


@pytest.mark.parametrize("status", [None, 408, 409, 500, 503])
def test_a_create_whose_answer_is_lost_or_ambiguous_is_never_repeated(status: int | None) -> None:
    assert not retried(repeatable=False, status=status)
    assert not retried(repeatable=False, status=status, advice=True)


def test_a_create_is_repeated_where_the_remote_certainly_did_nothing() -> None:
    assert retried(repeatable=False, status=429)
    assert retried(repeatable=False, reached=False)


def test_the_remotes_own_advice_is_obeyed() -> None:
    assert not retried(status=503, advice=False)
    assert not retried(status=429, advice=False)
    assert not retried(reached=False, advice=False)
    assert retried(status=400, advice=True)


@pytest.mark.parametrize(
    ("tries", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0)], ids=["first", "second", "third", "fourth"]
)
def test_waits_double_and_are_spread_from_nothing_up(tries: int, longest: float) -> None:
    failure = FailedAttempt(tries, True, 500)
    assert wait_before_retry(failure, 0.0) == 0
    assert wait_before_retry(failure, 0.5) == longest / 2


def test_after_five_tries_it_gives_up() -> None:
    assert wait_before_retry(FailedAttempt(MAX_TRIES, True, 500), 0.5) is None
    assert MAX_TRIES == 5


def test_the_wait_a_remote_asks_for_is_kept_and_a_little_spread() -> None:
    assert wait_before_retry(FailedAttempt(1, True, 429, retry_after=10), 0.0) == 10
    assert wait_before_retry(FailedAttempt(1, True, 429, retry_after=10), 0.5) == 10.5
    assert wait_before_retry(FailedAttempt(1, True, 429, retry_after=120), 0.0) == 120


def test_a_remote_that_asks_for_too_long_a_wait_is_given_up() -> None:
    assert wait_before_retry(FailedAttempt(1, True, 429, retry_after=121), 0.0) is None


@pytest.mark.parametrize("asked", [0, -5.0])
def test_a_wait_that_is_none_is_ours_to_choose(asked: float) -> None:
    assert wait_before_retry(FailedAttempt(1, True, 503, retry_after=asked), 0.5) == 0.25


@law
@given(FAILURES, CHANCES)
def test_no_wait_is_negative_or_longer_than_allowed(failure: FailedAttempt, chance: float) -> None:
    wait = wait_before_retry(failure, chance)
    assert wait is None or 0 <= wait <= 120 * 1.1


@law
@given(FAILURES, CHANCES)
def test_chance_spreads_waits_and_never_decides(failure: FailedAttempt, chance: float) -> None:
    assert (wait_before_retry(failure, chance) is None) == (wait_before_retry(failure, 0.0) is None)


def test_a_budget_pays_for_fifty_retries() -> None:
    budget = RetryBudget()
    assert [budget.spend() for _ in range(51)] == [True] * 50 + [False]
    assert budget.tokens == 0


def test_ten_successes_earn_a_retry_back_and_never_above_the_capacity() -> None:
    budget = RetryBudget(tokens=0, capacity=12)
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    for _ in range(20):
        budget.earn()
    assert budget.tokens == 12
    assert budget.spend()
    assert budget.tokens == 2
