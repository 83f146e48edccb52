"""Shortens a diff to a number of lines."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from reconciler.render.difference.prose_diff import Hunk, Line, ProseDiff


def truncated_diff(shown: ProseDiff, room: int) -> ProseDiff:
    """The first `room` lines, both sides of a replaced block getting their share; what is left out is counted."""
    hunks: list[Hunk] = []
    for hunk in shown.hunks:
        lines = _first(hunk.lines, room)
        room -= len(lines)
        if lines:
            hunks.append(Hunk(hunk.line, tuple(lines)))
    hidden = _changed(shown.hunks) - _changed(hunks)
    return replace(shown, hunks=tuple(hunks), hidden=shown.hidden + hidden)


def _first(lines: tuple[Line, ...], room: int) -> list[Line]:
    kept: list[Line] = []
    for is_changed, run in groupby(lines, key=lambda line: line.tag != " "):
        free = max(room - len(kept), 0)
        block = list(run)
        if not is_changed:
            kept += block[:free]
            continue
        gone = [line for line in block if line.tag == "-"]
        come = [line for line in block if line.tag == "+"]
        of_gone = max(free - len(come), (free + 1) // 2)
        kept += gone[:of_gone]
        kept += come[: free - len(gone[:of_gone])]
    return kept


def _changed(hunks: tuple[Hunk, ...] | list[Hunk]) -> int:
    return sum(line.tag != " " for hunk in hunks for line in hunk.lines)
