"""Marks the words that changed between two versions of some lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from reconciler.render.difference.sequence_diff import ChangedRange, differences

_MAX_TOKENS: Final = 4000
_TOKEN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+|\s+|[^\w\s]")
MarkedLines = list[list[tuple[str, bool]]]
"""For each line its parts, and whether they changed."""


def mark_words(old: Sequence[str], new: Sequence[str]) -> tuple[MarkedLines, MarkedLines]:
    """For each line its parts and whether they changed; nothing when the block is too large for that to help."""
    one, other = _TOKEN.findall("\n".join(old)), _TOKEN.findall("\n".join(new))
    if max(len(one), len(other)) > _MAX_TOKENS:
        return [], []
    changed_one, changed_other = [False] * len(one), [False] * len(other)
    for block in _without_crumbs(differences(one, other), one):
        changed_one[block.old_start : block.old_end] = [True] * (block.old_end - block.old_start)
        changed_other[block.new_start : block.new_end] = [True] * (block.new_end - block.new_start)
    return _lines(one, changed_one), _lines(other, changed_other)


def _without_crumbs(blocks: Sequence[ChangedRange], tokens: Sequence[str]) -> list[ChangedRange]:
    """Changes with no more than a short word between them joined: a reader sees one change there."""
    joined: list[ChangedRange] = []
    for block in blocks:
        if joined:
            last = joined[-1]
            between = "".join(tokens[last.old_end : block.old_start])
            if len(between.strip()) < 4 and "\n" not in between:
                joined[-1] = ChangedRange(last.old_start, block.old_end, last.new_start, block.new_end)
                continue
        joined.append(block)
    return joined


def _lines(tokens: Sequence[str], changed: Sequence[bool]) -> MarkedLines:
    """Tokens back in lines, neighbours of one sort joined."""
    lines: MarkedLines = [[]]
    for is_changed, group in groupby(zip(tokens, changed, strict=True), key=lambda pair: pair[1]):
        for index, part in enumerate("".join(token for token, _ in group).split("\n")):
            if index:
                lines.append([])
            if part:
                lines[-1].append((part, is_changed))
    return lines
