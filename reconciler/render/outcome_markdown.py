"""Renders the outcome of an apply as Markdown for a job's summary, failures first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.core.values.model import Action
from reconciler.diagnostics import Diagnostic
from reconciler.formats.outcome import Outcome, Result
from reconciler.render.escape import visible
from reconciler.render.markdown import code, cut, packed
from reconciler.render.markup import Markup, element
from reconciler.render.terminal.outcome_text import total
from reconciler.render.view.diagnostic_view import diagnostic_view
from reconciler.render.view.labels import MARKERS

_FIRST: Final = (Result.FAILED, Result.UNKNOWN, Result.SKIPPED, Result.DONE, Result.ALREADY_APPLIED)


def render(target: str, outcomes: Sequence[Outcome], limit: int) -> str:
    """The outcomes in at most `limit` bytes (8,000 or more): a row each, or as many rows as there is room for."""
    rows = [outcome for outcome in outcomes if outcome.action is not Action.NOOP]
    rows.sort(key=lambda outcome: _FIRST.index(outcome.result))
    head = "\n".join(
        [
            element("h3", "Applied to ", code(cut(visible(target)))),
            element("p", element("strong", total(outcomes))),
        ]
    )
    if not rows:
        return f"{head}\n"
    names = "".join(element("th", name) for name in ("outcome", "change", "resource", "id", "message"))
    table = ["<table>", element("tr", Markup(names))]
    kept, left_out = packed(map(_row, rows), limit - len(head.encode()) - 500)
    more = [element("tr", element("td", f"… and {left_out} more", colspan="5"))] if left_out else []
    return f"{head}\n\n" + "\n".join([*table, *kept, *more, "</table>"]) + "\n"


def _row(outcome: Outcome) -> Markup:
    details = [_diagnostic_text(found) for found in (outcome.error, *outcome.findings) if found]
    if outcome.error and outcome.request_id:
        details.append(element("p", "request ", code(visible(outcome.request_id))))
    cells = (
        outcome.result.value,
        f"{MARKERS.get(outcome.action, '')} {outcome.action.value}",
        code(visible(str(outcome.address))),
        code(visible(outcome.id)) if outcome.id else "",
        Markup("".join(details)),
    )
    return element("tr", *(element("td", cell) for cell in cells))


def _diagnostic_text(diagnostic: Diagnostic) -> Markup:
    view = diagnostic_view(diagnostic)
    parts: list[str] = [element("strong", code(view.severity)), " ", code(view.code), " ", code(view.summary)]
    parts += [Markup("<br>"), "expected: ", code(view.detail)] if view.detail else []
    parts += [Markup("<br>"), "hint: ", code(view.hint)] if view.hint else []
    return element("p", *parts)
