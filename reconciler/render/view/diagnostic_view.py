"""A diagnostic as every renderer shows it."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.diagnostics import Diagnostic
from reconciler.render.escape import visible
from reconciler.render.view.location import ELSEWHERE, Checkout, Location, location_of


@dataclass(frozen=True, slots=True)
class DiagnosticView:
    """One problem as safe texts; `where` is `file:line:column`, or the address, or empty."""

    severity: str
    code: str
    summary: str
    detail: str
    hint: str
    where: str
    place: Location | None
    address: str


def diagnostic_view(diagnostic: Diagnostic, checkout: Checkout = ELSEWHERE) -> DiagnosticView:
    """A diagnostic as it is shown."""
    d = diagnostic
    where = str(d.source) if d.source else d.address or ""
    return DiagnosticView(
        severity=visible(d.severity),
        code=visible(d.code),
        summary=visible(d.summary),
        detail=visible(d.detail),
        hint=visible(d.hint),
        where=visible(where),
        place=location_of(d.source, checkout),
        address=visible(d.address or ""),
    )
