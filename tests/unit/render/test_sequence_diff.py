"""The blocks that differ are the blocks that differ, whatever the sequences, in bounded work."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.render.difference.sequence_diff import ChangedRange, differences
from tests.unit.core.plans import unhurried

items = st.lists(st.sampled_from("abcdef"), max_size=30)


@unhurried
@given(items, items)
def test_all_between_the_blocks_is_equal(old: list[str], new: list[str]) -> None:
    a = b = 0
    for block in [*differences(old, new), ChangedRange(len(old), len(old), len(new), len(new))]:
        assert old[a : block.old_start] == new[b : block.new_start]
        a, b = block.old_end, block.new_end
    assert (a, b) == (len(old), len(new))


@unhurried
@given(items, items)
def test_no_block_is_empty_or_touches_the_next(old: list[str], new: list[str]) -> None:
    blocks = differences(old, new)
    assert all(block.old_start < block.old_end or block.new_start < block.new_end for block in blocks)
    assert all(x.old_end < y.old_start and x.new_end < y.new_start for x, y in pairwise(blocks))


@unhurried
@given(items)
def test_equal_sequences_have_no_blocks(same: list[str]) -> None:
    assert differences(same, list(same)) == []


class Counted(str):
    """A text that counts how often it is compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def work(old: Sequence[str], new: Sequence[str]) -> int:
    Counted.compared = 0
    differences([Counted(item) for item in old], [Counted(item) for item in new])
    return Counted.compared


def edited(lines: list[str], every: int) -> list[str]:
    return [f"new {at}" if at % every == 0 else line for at, line in enumerate(lines)]


@pytest.mark.parametrize(
    "lines",
    [
        [f"line {at}" for at in range(5000)],
        [f"line {at}" if at % 2 else "" for at in range(5000)],  # every second line is blank
        ["the same line"] * 5000,
        ["ab"[at % 2] for at in range(5000)],
    ],
    ids=["unique", "blank", "same", "alternating"],
)
def test_fifty_edits_cost_a_few_comparisons_a_line(lines: list[str]) -> None:
    assert work(lines, edited(lines, 100)) < 40 * len(lines)


def test_texts_with_nothing_in_common_cost_no_square() -> None:
    old, new = ["ab"[at % 2] for at in range(5000)], ["abb"[at % 3] for at in range(5000)]
    assert work(old, new) < 40 * len(old)
