"""Errors, warnings and blocked changes of a plan, as code scanners, test reports and annotations need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reconciler.diagnostics import Code
from reconciler.render.view.diagnostic_view import DiagnosticView
from reconciler.render.view.location import Location
from reconciler.render.view.plan_view import ChangeView, PlanView

_TITLES: Final = {code.value: code.name.lower().replace("_", " ") for code in Code}


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint: `rule` is stable, `title` says what the rule is about, `place` is where, if anywhere."""

    severity: str
    rule: str
    title: str
    message: str
    address: str
    place: Location | None


def findings(view: PlanView) -> list[Finding]:
    """Diagnostics in their order, then blocked changes in theirs."""
    blocked = [found for change in view.changes if (found := _blocked(change))]
    return [*map(diagnosed, view.diagnostics), *blocked]


def diagnosed(view: DiagnosticView) -> Finding:
    """A diagnostic as a finding: all it says in one message."""
    expected = f"expected: {view.detail}" if view.detail else ""
    hint = f"hint: {view.hint}" if view.hint else ""
    message = "; ".join(part for part in (view.summary, expected, hint) if part) or view.code
    return Finding(view.severity, view.code, _TITLES.get(view.code, view.code), message, view.address, view.place)


def _blocked(change: ChangeView) -> Finding | None:
    block = change.blocked
    if block is None:
        return None
    text = f"{change.address}: {change.action} blocked: {block.words}"
    message = f"{text}; {block.hint}" if block.hint else text
    return Finding("error", f"blocked/{block.by}", f"blocked: {block.words}", message, change.address, change.place)
