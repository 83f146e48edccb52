"""What a plan keeps in memory does not grow with prompts that it needs nothing of."""

from __future__ import annotations

import pytest

from bench.heavy import planned

A_PAGE = 25.6
"""MB: at most a page more or less is in memory at the peak."""


@pytest.mark.parametrize(("managed", "few", "many"), [(False, 300, 900), (True, 200, 500)], ids=["foreign", "managed"])
def test_objects_that_need_nothing_are_not_kept_with_their_prompts(managed: bool, few: int, many: int) -> None:
    peaks = [planned(count, managed=managed, at_once=1).peak for count in (few, many)]
    assert peaks[1] - peaks[0] < 1.5 * A_PAGE
