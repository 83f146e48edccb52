"""Renders a plan as GitHub workflow annotations beside the lines of the files.

Only for standard output of a step, and outside of `stop-commands`. Errors come first: GitHub shows ten of each sort.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.render.view.field_view import FieldView
from reconciler.render.view.findings import Finding, findings
from reconciler.render.view.headline import INCOMPLETE
from reconciler.render.view.location import Location
from reconciler.render.view.plan_view import ChangeView, PlanView

_COMMANDS: Final = {"error": "error", "warning": "warning"}
_ORDER: Final = ("::error", "::warning", "::notice")


def render(view: PlanView) -> str:
    """The annotations, each on one line; empty where there is nothing to say."""
    return _text(_lines(view))


def render_findings(found: Iterable[Finding]) -> str:
    """The annotations of findings alone."""
    return _text(map(_finding, found))


def _text(annotations: Iterable[str]) -> str:
    lines = sorted(annotations, key=lambda line: _ORDER.index(line.partition(" ")[0]))
    return "".join(line + "\n" for line in lines)


def _lines(view: PlanView) -> Iterator[str]:
    if not view.complete:
        yield _annotation("error", view.target, INCOMPLETE, None)
    yield from map(_finding, findings(view))
    for change in view.changes:
        if change.blocked is None:
            title = f"{change.action} {change.address}"
            yield _annotation(
                "warning" if change.is_drift else "notice", title, _change_annotation(change), change.place
            )


def _finding(found: Finding) -> str:
    title = f"{found.rule} {found.address}".rstrip()
    return _annotation(_COMMANDS.get(found.severity, "notice"), title, found.message, found.place)


def _change_annotation(change: ChangeView) -> str:
    return "; ".join([change.note] * bool(change.note) + [_field(field) for field in change.fields]) or change.action


def _field(field: FieldView) -> str:
    return f"{field.path}: {field.summary}" + (f" ({field.note})" if field.note else "")


def _annotation(command: str, title: str, message: str, place: Location | None) -> str:
    where = {"file": place.path, "line": str(place.line), "col": str(place.column)} if place else {}
    properties = ",".join(f"{name}={_property(value)}" for name, value in (where | {"title": title}).items())
    return f"::{command} {properties}::{_message(message)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
