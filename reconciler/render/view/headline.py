"""The two summary lines of a plan: its target, and the number of changes."""

from __future__ import annotations

from typing import Final

from reconciler.diagnostics import Code
from reconciler.render.view.plan_view import PlanView

_KINDS: Final = ("behaviour", "data", "cosmetic")

INCOMPLETE: Final = "Not everything could be read: this plan cannot be applied."


def headline(view: PlanView) -> str:
    """The first line: the target, or what files are compared with; whose; how much there is."""
    parts = [view.target] if view.against is not None else [f"{view.target} ({_where(view)})"]
    if view.rollback:
        parts.insert(0, "rollback")
    if view.against is not None:
        parts.append(f"compared with {view.against} (no target was read)")
    parts.append(f"owner {view.owner}")
    if view.against is None:
        parts.append(f"{view.managed} managed, {view.summary['unmanaged']} unmanaged")
    if view.sealed:
        parts.append("sealed: values are left out")
    return " · ".join(parts)


def total(view: PlanView) -> str:
    """The last line: how many changes of each sort."""
    if not view.changes:
        return _no_changes(view)
    count = view.summary
    parts = [f"{count[action]} to {action}" for action in ("update", "create", "delete")]
    parts += [f"{count[action]} to {action}" for action in ("adopt", "move", "release") if count[action]]
    if count["blocked"]:
        parts.append(f"{count['blocked']} blocked")
    return f"{', '.join(parts)}. {view.unchanged} unchanged."


def _where(view: PlanView) -> str:
    return ", ".join(part for part in (view.provider, view.host) if part)


def _no_changes(view: PlanView) -> str:
    if view.against is not None:
        return f"No changes. {view.unchanged} match {view.against}."
    kept = len({found.address for found in view.diagnostics if found.code == Code.KEPT})
    if kept:
        edits = "a manual change" if kept == 1 else "manual changes"
        return (
            f"No changes. {view.unchanged - kept} match the files, {kept} with {edits} kept, of {view.managed} managed."
        )
    if view.unchanged == view.managed:
        return f"No changes. {view.managed} managed, all match the files."
    return f"No changes. {view.unchanged} match the files, of {view.managed} managed."


def kinds_of_change(view: PlanView) -> str:
    """How many updates change what, for a reviewer who wants to know where to look; empty where nothing is updated."""
    updates = [change for change in view.changes if change.action == "update"]
    counts = [(kind, sum(kind in change.kinds_of_change for change in updates)) for kind in _KINDS]
    listed = ", ".join(f"{kind} in {count}" for kind, count in counts if count)
    return f"Change categories: {listed}." if listed else ""
