"""Diffs two sequences in bounded work, whatever they contain.

Common ends are trimmed; items that stand once on each side are anchors (patience diff); what lies between anchors is
compared with Myers' algorithm up to `MAX_EDITS` edits, and beyond that called replaced. `difflib` is not used: on
5,000 lines with many blank ones it takes seconds, or loses the matches it calls junk.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

MAX_EDITS: Final = 100
MAX_DEPTH: Final = 8


class ChangedRange(NamedTuple):
    """`old[old_start:old_end]` became `new[new_start:new_end]`; one of them may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


class _EqualRun(NamedTuple):
    """`old[old:old + length]` and `new[new:new + length]` are equal."""

    old: int
    new: int
    length: int


def differences(old: Sequence[str], new: Sequence[str]) -> list[ChangedRange]:
    """The blocks in which `old` and `new` differ, in order; all between them is equal."""
    matches: list[_EqualRun] = []
    todo = [(ChangedRange(0, len(old), 0, len(new)), 0)]
    while todo:
        whole, depth = todo.pop()
        inner, ends = _trim(old, new, whole)
        matches += ends
        if inner.old_start == inner.old_end or inner.new_start == inner.new_end:
            continue
        anchors = _anchors(old, new, inner) if depth < MAX_DEPTH else []
        if anchors:
            matches += anchors
            todo += [(gap, depth + 1) for gap in _gaps(anchors, inner)]
        else:
            matches += _shortest(old, new, inner)
    return list(_gaps(sorted(matches), ChangedRange(0, len(old), 0, len(new))))


def _trim(old: Sequence[str], new: Sequence[str], block: ChangedRange) -> tuple[ChangedRange, list[_EqualRun]]:
    a, a_end, b, b_end = block
    while a < a_end and b < b_end and old[a] == new[b]:
        a, b = a + 1, b + 1
    while a < a_end and b < b_end and old[a_end - 1] == new[b_end - 1]:
        a_end, b_end = a_end - 1, b_end - 1
    prefix = _EqualRun(block.old_start, block.new_start, a - block.old_start)
    suffix = _EqualRun(a_end, b_end, block.old_end - a_end)
    return ChangedRange(a, a_end, b, b_end), [match for match in (prefix, suffix) if match.length]


def _gaps(matches: Sequence[_EqualRun], block: ChangedRange) -> Iterator[ChangedRange]:
    """What lies before, between and after matches that are in order."""
    a, b = block.old_start, block.new_start
    for match in (*matches, _EqualRun(block.old_end, block.new_end, 0)):
        if a < match.old or b < match.new:
            yield ChangedRange(a, match.old, b, match.new)
        a, b = match.old + match.length, match.new + match.length


def _anchors(old: Sequence[str], new: Sequence[str], block: ChangedRange) -> list[_EqualRun]:
    """The longest run, in order, of items that stand exactly once on each side."""
    there = _once(new, block.new_start, block.new_end)
    here = _once(old, block.old_start, block.old_end)
    pairs = [(place, there[item]) for item, place in here.items() if item in there]
    ends: list[int] = []
    places: list[int] = []
    previous: list[int | None] = []
    for index, (_, place) in enumerate(pairs):
        length = bisect_left(ends, place)
        previous.append(places[length - 1] if length else None)
        ends[length : length + 1] = [place]
        places[length : length + 1] = [index]
    found: list[_EqualRun] = []
    at = places[-1] if places else None
    while at is not None:
        found.append(_EqualRun(*pairs[at], 1))
        at = previous[at]
    return found[::-1]


def _once(items: Sequence[str], start: int, end: int) -> dict[str, int]:
    """The items that stand once in a range, and where; in order."""
    seen: dict[str, int] = {}
    for place in range(start, end):
        seen[items[place]] = -1 if items[place] in seen else place
    return {item: place for item, place in seen.items() if place >= 0}


def _shortest(old: Sequence[str], new: Sequence[str], block: ChangedRange) -> list[_EqualRun]:
    """The matches of a shortest edit script (Myers 1986); none when it has more than `MAX_EDITS` edits."""
    if set(old[block.old_start : block.old_end]).isdisjoint(new[block.new_start : block.new_end]):
        return []  # the usual case of a rewritten text, and the dearest one below
    width, height = block.old_end - block.old_start, block.new_end - block.new_start
    reach = {1: 0}  # for each diagonal, how far along `old` one gets
    trail: list[dict[int, int]] = []
    for edits in range(min(width + height, MAX_EDITS) + 1):
        trail.append(dict(reach))
        for diagonal in range(-edits, edits + 1, 2):
            x = _step(reach, diagonal, edits)
            while (
                x < width
                and 0 <= x - diagonal < height
                and old[block.old_start + x] == new[block.new_start + x - diagonal]
            ):
                x += 1
            reach[diagonal] = x
            if x == width and x - diagonal == height:
                return _walk_back(trail, block)
    return []


def _step(reach: dict[int, int], diagonal: int, edits: int) -> int:
    """Where one more edit starts on a diagonal: from the one above (an insertion) or the one below (a deletion)."""
    if diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1]):
        return reach[diagonal + 1]
    return reach[diagonal - 1] + 1


def _walk_back(trail: list[dict[int, int]], block: ChangedRange) -> list[_EqualRun]:
    found: list[_EqualRun] = []
    x, y = block.old_end - block.old_start, block.new_end - block.new_start
    for edits in range(len(trail) - 1, -1, -1):
        reach, diagonal = trail[edits], x - y
        start = _step(reach, diagonal, edits)
        if x > start:
            found.append(_EqualRun(block.old_start + start, block.new_start + start - diagonal, x - start))
        down = diagonal == -edits or (diagonal != edits and reach[diagonal - 1] < reach[diagonal + 1])
        x = start if down else start - 1
        y = x - (diagonal + 1 if down else diagonal - 1)
    return found
