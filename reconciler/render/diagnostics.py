"""Diagnostics as every command prints them on standard error."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.model import Diagnostic
from reconciler.render.paint import painter
from reconciler.render.visible import visible


def diagnostics(found: Iterable[Diagnostic], color: bool = False) -> str:
    """One block for each, in the order given; empty where there is none.

    assistants.d/hr.yaml:4:3: error: unknown field `temprature` [RC0201]
        expected: one of model, name, temperature
        hint: did you mean `temperature`?
    """
    return "".join(_block(diagnostic, color) for diagnostic in found)


def _block(diagnostic: Diagnostic, color: bool) -> str:
    d, paint = diagnostic, painter(color)
    place = f"{d.source.file}:{d.source.line}:{d.source.column}" if d.source else d.address
    where = paint(visible(place) + ": ", "bold") if place else ""
    severity = visible(d.severity)
    code = paint(f"[{visible(d.code)}]", "dim")
    lines = [f"{where}{paint(severity + ':', severity)} {visible(d.summary)} {code}"]
    lines += [f"    {name}: {visible(text)}" for name, text in (("expected", d.detail), ("hint", d.hint)) if text]
    return "\n".join(lines) + "\n"
