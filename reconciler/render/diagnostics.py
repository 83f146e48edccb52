"""Diagnostics as every command prints them on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.core.model import Diagnostic
from reconciler.render.paint import Paint, painter
from reconciler.render.place import ELSEWHERE, Checkout, Place, place_of
from reconciler.render.visible import visible


@dataclass(frozen=True, slots=True)
class DiagnosticView:
    """One problem as safe texts; `where` is `file:line:column`, or the address, or empty."""

    severity: str
    code: str
    summary: str
    detail: str
    hint: str
    where: str
    place: Place | None
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
        place=place_of(d.source, checkout),
        address=visible(d.address or ""),
    )


def diagnostics(found: Iterable[Diagnostic], color: bool = False) -> str:
    """One block for each, in the order given; empty where there is none.

    assistants.d/hr.yaml:4:3: error: unknown field `temprature` [RC0201]
        expected: one of model, name, temperature
        hint: did you mean `temperature`?
    """
    paint = painter(color)
    return "".join(line + "\n" for one in found for line in diagnostic_lines(diagnostic_view(one), paint))


def diagnostic_lines(view: DiagnosticView, paint: Paint) -> Iterator[str]:
    """The lines of one diagnostic."""
    place = paint(view.where + ": ", "bold") if view.where else ""
    yield f"{place}{paint(view.severity + ':', view.severity)} {view.summary} {paint(f'[{view.code}]', 'dim')}"
    if view.detail:
        yield f"    expected: {view.detail}"
    if view.hint:
        yield f"    hint: {view.hint}"
