"""Never more than the limit in any minute, never slower than it has to be; fewer in flight once some were refused."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.gate import WINDOW_SECONDS, Lane, Lanes, RateGate


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


def in_flight(lanes: Lanes, count: int) -> tuple[ExitStack, list[Lane]]:
    """So many requests on their way."""
    stack = ExitStack()
    return stack, [stack.enter_context(lanes.lane()) for _ in range(count)]


def has_to_wait(lanes: Lanes, leave: ExitStack) -> bool:
    """Whether another request waits for a lane; it gets one when `leave` is closed."""
    entered = threading.Event()

    def enter() -> None:
        with lanes.lane():
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    while not entered.is_set() and not is_waiting(thread):
        pass
    waits = not entered.is_set()
    leave.close()
    thread.join()
    return waits


def is_waiting(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    return frame is not None and frame.f_code.co_name == "wait" and frame.f_code.co_filename == threading.__file__


def test_any_number_may_be_in_flight_until_one_is_refused() -> None:
    lanes = Lanes()
    stack, _ = in_flight(lanes, 16)
    assert not has_to_wait(lanes, stack)


def test_after_a_refusal_half_of_them_may_be_in_flight() -> None:
    lanes = Lanes()
    stack, (*_, last) = in_flight(lanes, 8)
    last.limited = True
    stack.close()
    stack, _ = in_flight(lanes, 3)
    assert not has_to_wait(lanes, stack)
    stack, _ = in_flight(lanes, 4)
    assert has_to_wait(lanes, stack)


def test_refusals_of_one_group_count_once() -> None:
    lanes = Lanes()
    stack, group = in_flight(lanes, 8)
    for lane in group:
        lane.limited = True
    stack.close()
    assert [lane.counts for lane in group].count(True) == 1
    stack, _ = in_flight(lanes, 4)
    assert has_to_wait(lanes, stack)


def test_one_is_always_let_through_and_answers_without_complaint_let_more() -> None:
    lanes = Lanes()
    for _ in range(5):
        stack, (lane,) = in_flight(lanes, 1)
        lane.limited = True
        stack.close()
    for _ in range(3):
        in_flight(lanes, 1)[0].close()
    stack, _ = in_flight(lanes, 2)
    assert has_to_wait(lanes, stack)
