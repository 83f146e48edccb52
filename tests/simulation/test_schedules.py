"""Some hundred schedules on every test run; `python -m tests.simulation` plays ten thousand, and prints its figures."""

from __future__ import annotations

import os

import pytest

from tests.simulation.play import play, replay
from tests.simulation.schedule import FLEETS, PLAYED, Parts

SOME = 200


@pytest.mark.parametrize("first", range(0, SOME, 100))
def test_the_laws_hold_under_faults_kills_and_two_applies_at_once(first: int) -> None:
    seed = os.environ.get("RECONCILER_SEED")
    tally = play([int(seed)] if seed else range(first, first + 100))
    assert tally.violations == (), tally.said(first, 100, 0)
    assert seed or (tally.faults > 50 and tally.kills > 10 and tally.at_once > 20 and tally.fleets == 20)


@pytest.mark.parametrize("parts", [*PLAYED, *FLEETS], ids=str)
def test_each_part_is_played(parts: Parts) -> None:
    tally = play(range(20), parts)
    assert tally.violations == (), tally.said(0, 20, 0)
    assert (tally.edits > 20) is parts.hands
    assert tally.fleets == 20 * parts.fleet


def test_nothing_is_overwritten_or_deleted_that_others_changed_after_it_was_read() -> None:
    tally = play(range(100), Parts(hands=True, fresh=True), until_first=True)
    assert tally.violations == (), tally.said(0, 100, 0)


def test_a_seed_plays_the_same_schedule_again() -> None:
    assert replay(3) == replay(3)
    assert replay(3) != replay(4)
    assert replay(9) == replay(9)  # a fleet
