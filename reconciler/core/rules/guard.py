"""Blocks a plan that deletes or releases many objects, unless their number is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.core.matching.index import Index, mark_of
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Action, Block, Blocker, Change

GUARD_COUNT: Final = 1
GUARD_SHARE: Final = 0.2


def guard(changes: Sequence[Change], managed: int, allowed: int | None, found: Mapping[str, Index]) -> list[Change]:
    """Block removals that are many (more than one), or a large share (over a fifth), or all of what we own.

    Any removal counts of what only a line of a lock file says is ours: who proposes files can propose lines. `allowed`
    must name the exact number. What is replaced does not count: its address keeps an object, and it was asked
    for. Duplicates do: nobody asked for them to go.
    """
    count = sum(change.is_removal and change.is_due for change in changes)
    harmless = count <= GUARD_COUNT and count <= managed * GUARD_SHARE  # so never all of what we own
    harmless = harmless and not any(
        change.is_removal and change.is_due and _is_listed(change, found) for change in changes
    )
    if not count or harmless or count == allowed:
        return list(changes)
    released = any(change.is_due and change.is_removal and change.action is Action.RELEASE for change in changes)
    what = "deleted or released" if released else "deleted"
    hint = f"{count} of {managed} would be {what}: if that is intended, add --allow-deletes {count}"
    hint += f", or set RECONCILER_APPLY_ALLOW_DELETES={count} in a job that applies"
    block = Block(Blocker.GUARD, hint)
    return [replace(change, blocked=block) if change.is_removal and change.is_due else change for change in changes]


def _is_listed(change: Change, found: Mapping[str, Index]) -> bool:
    """Whether an object is known to be ours from a line of a lock file alone."""
    of_kind = found.get(change.address.kind)
    live = of_kind.by_id.get(change.id or "") if of_kind and of_kind.kind.marked_beside else None
    mark = mark_of(of_kind.kind, live) if of_kind and live else None
    return isinstance(mark, Mark) and not mark.proof.is_signature


def release_guard(changes: Sequence[Change], allowed: int | None) -> list[Change]:
    """Unblock the removals that the guard holds back, where `allowed` is exactly their number."""
    held = {change.number for change in changes if change.blocked and change.blocked.by is Blocker.GUARD}
    if len(held) != allowed:
        return list(changes)
    return [replace(change, blocked=None) if change.number in held else change for change in changes]
