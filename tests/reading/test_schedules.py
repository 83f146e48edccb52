"""Some schedules on every test run; `python -m tests.reading` plays fifty thousand, and prints its figures."""

from __future__ import annotations

from tests.reading.play import play

SOME = 2000


def test_a_read_finds_everything_that_is_there_all_the_time_and_nothing_twice() -> None:
    tally = play(range(SOME))
    assert tally.failures == (), tally.said(0, 0)
    assert tally.several > SOME / 3
    assert tally.deletes > SOME
    assert tally.inserts > SOME


def test_a_seed_plays_the_same_schedule_again() -> None:
    assert play([3]) == play([3])
    assert play([3]) != play([4])
