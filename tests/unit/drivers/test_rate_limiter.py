"""Never more than the limit in any minute, never slower than it has to be; fewer in flight once some were refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.transport.rate_limiter import WINDOW_SECONDS, ConcurrencyLimit, LocalRateLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_short_runs_are_not_slowed_down() -> None:
    gate = LocalRateLimiter(300, Clock())
    assert [gate.reserve() for _ in range(300)] == [0.0] * 300
    assert gate.reserve() == WINDOW_SECONDS


@given(st.integers(1, 20), st.lists(st.floats(0, 40), max_size=120))
def test_no_minute_holds_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    clock = Clock()
    gate = LocalRateLimiter(limit, clock)
    sent = []
    for gap in gaps:
        clock.now += gap
        clock.now += gate.reserve()
        sent.append(clock.now)
    for place, moment in enumerate(sent[limit:]):
        assert moment - sent[place] >= WINDOW_SECONDS * 0.999999


def test_closing_the_gate_holds_everybody_back_until_it_opens() -> None:
    clock = Clock()
    gate = LocalRateLimiter(300, clock)
    gate.close(7)
    assert gate.reserve() == 7
    clock.now = 3
    gate.close(1)
    assert gate.reserve() == 4
    clock.now = 8
    assert gate.reserve() == 0


def enter(lanes: ConcurrencyLimit, count: int) -> list[int]:
    """So many requests on their way, if they may be."""
    entered = [lanes.enter() for _ in range(count)]
    assert None not in entered
    return [each for each in entered if each is not None]


def test_any_number_may_be_in_flight_until_one_is_refused() -> None:
    enter(ConcurrencyLimit(), 64)


def test_after_a_refusal_half_of_them_may_be_in_flight() -> None:
    lanes = ConcurrencyLimit()
    first, *rest = enter(lanes, 8)
    assert lanes.leave(first, limited=True)
    for each in rest:
        lanes.leave(each, limited=False)
    enter(lanes, 4)
    assert lanes.enter() is None


def test_refusals_of_those_on_their_way_together_count_once() -> None:
    lanes = ConcurrencyLimit()
    assert [lanes.leave(each, limited=True) for each in enter(lanes, 8)] == [True] + [False] * 7
    enter(lanes, 4)
    assert lanes.enter() is None


def test_one_is_always_let_through_and_answers_without_complaint_let_more() -> None:
    lanes = ConcurrencyLimit()
    for limited in (True, True, True, False, False):
        (entered,) = enter(lanes, 1)
        lanes.leave(entered, limited=limited)
    enter(lanes, 2)
    assert lanes.enter() is None


def test_a_closed_gate_says_when_it_opens() -> None:
    clock = Clock()
    gate = LocalRateLimiter(300, clock)
    assert gate.opens_in() == 0
    gate.close(3)
    clock.now += 1
    assert gate.opens_in() == 2
    clock.now += 5
    assert gate.opens_in() == 0
