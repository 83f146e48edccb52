"""The rate gate: never more than the limit in any minute, never slower than it has to be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.gate import WINDOW_SECONDS, RateGate


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_short_runs_are_not_slowed_down() -> None:
    gate = RateGate(300, Clock())
    assert [gate.reserve() for _ in range(300)] == [0.0] * 300
    assert gate.reserve() == WINDOW_SECONDS


@given(st.integers(1, 20), st.lists(st.floats(0, 40), max_size=120))
def test_no_minute_holds_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    clock = Clock()
    gate = RateGate(limit, clock)
    sent = []
    for gap in gaps:
        clock.now += gap
        clock.now += gate.reserve()
        sent.append(clock.now)
    for place, moment in enumerate(sent[limit:]):
        assert moment - sent[place] >= WINDOW_SECONDS * 0.999999


def test_closing_the_gate_holds_everybody_back_until_it_opens() -> None:
    clock = Clock()
    gate = RateGate(300, clock)
    gate.close(7)
    assert gate.reserve() == 7
    clock.now = 3
    gate.close(1)
    assert gate.reserve() == 4
    clock.now = 8
    assert gate.reserve() == 0
