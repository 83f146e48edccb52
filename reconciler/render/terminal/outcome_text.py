"""Renders the outcome of an apply as text: a line for each resource, and a total."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from reconciler.core.values.model import Action
from reconciler.diagnostics import Diagnostic
from reconciler.formats.outcome import Outcome, Result
from reconciler.render.escape import visible
from reconciler.render.terminal.color import Paint, painter
from reconciler.render.terminal.diagnostic_lines import diagnostic_lines
from reconciler.render.view.diagnostic_view import diagnostic_view
from reconciler.render.view.labels import MARKERS

_STYLES: Final = {Result.DONE: "+", Result.ALREADY_APPLIED: "dim", Result.FAILED: "!", Result.UNKNOWN: "!"}
_WIDEST: Final = max(len(result) for result in Result)


def render(outcomes: Sequence[Outcome], color: bool = False) -> str:
    """The outcomes in the order given, errors and findings under their resource, ending with a line break."""
    paint = painter(color)
    lines = [line for outcome in outcomes if outcome.action is not Action.NOOP for line in _outcome(outcome, paint)]
    return "\n".join([*lines, paint(total(outcomes), "bold")]) + "\n"


def _outcome(outcome: Outcome, paint: Paint) -> Iterator[str]:
    style = _STYLES.get(outcome.result, "~")
    result = paint(outcome.result.value.ljust(_WIDEST), style)
    id = f"  {visible(outcome.id)}" if outcome.id else ""
    yield f"{result}  {MARKERS.get(outcome.action, ' ')} {visible(str(outcome.address))}{id}"
    if outcome.error is not None:
        yield from _diagnostic_line(outcome.error, paint)
        if outcome.request_id:
            yield f"    request: {visible(outcome.request_id)}"
    for finding in outcome.findings:
        yield from _diagnostic_line(finding, paint)


def _diagnostic_line(diagnostic: Diagnostic, paint: Paint) -> Iterator[str]:
    """A diagnostic below its resource: without the address, which stands above it."""
    view = diagnostic_view(replace(diagnostic, source=None, address=None))
    yield from ("    " + line for line in diagnostic_lines(view, paint))


def total(outcomes: Sequence[Outcome]) -> str:
    """How many outcomes of each sort, and requests."""
    results = [outcome.result for outcome in outcomes if outcome.action is not Action.NOOP]
    requests = sum(outcome.requests for outcome in outcomes)
    counted = [(results.count(result), result.value) for result in Result]
    counts = [f"{count} {name}" for count, name in counted if count or name == Result.DONE]
    return f"{', '.join(counts)}. {requests} {'request' if requests == 1 else 'requests'}."
