"""Renders a plan as one HTML page that loads nothing else.

Everything is in the page when it opens; the script only searches, folds and moves. The policy in its head allows
exactly this style and this script by their digests, so even markup that got in could not run or load anything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby

from reconciler.render.difference.prose_diff import Hunk, Line, ProseDiff
from reconciler.render.markup import Markup, element, joined
from reconciler.render.view.diagnostic_view import DiagnosticView
from reconciler.render.view.field_view import FieldView
from reconciler.render.view.headline import INCOMPLETE, headline, kinds_of_change, total
from reconciler.render.view.location import Location
from reconciler.render.view.plan_view import ChangeView, PlanView

_OPEN = 20
"""With more changes than this, all begin folded."""
_KEYS = (
    ("/", "search"),
    ("j", "next"),
    ("k", "previous"),
    ("o", "open"),
    ("e", "expand all"),
    ("c", "collapse all"),
    ("s", "side by side"),
)
_WORDS = {"-": "del", "+": "ins"}
_LINES = {"-": "line gone", "+": "line come"}


def render(view: PlanView) -> str:
    """The page, from `<!doctype html>` to its last line break."""
    style, script = (files("reconciler.render").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"Plan for {view.target}"),
        element("style", Markup(style)),
    )
    changes = [_change(change, is_open=len(view.changes) <= _OPEN) for change in view.changes]
    main = element("main", *(Markup(f"\n{change}") for change in changes), Markup("\n"))
    body = element("body", _header(view), _tools(len(changes)), main, element("script", Markup(script)))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _header(view: PlanView) -> Markup:
    parts = [
        element("h1", "Plan for ", _code(view.target)),
        element("p", headline(view), class_="faint"),
        element("p", element("strong", total(view)), f" {kinds_of_change(view)}"),
    ]
    if not view.complete:
        parts.append(element("p", INCOMPLETE, class_="error"))
    if view.diagnostics:
        parts.append(element("ul", *(element("li", _diagnostic(found)) for found in view.diagnostics), class_="found"))
    return element("header", *parts)


def _tools(changes: int) -> Markup:
    keys: list[str] = []
    for key, action in _KEYS:
        keys += [element("kbd", key), f" {action}  "]
    return joined(
        element(
            "div",
            element("input", type="search", id="search", placeholder="Search changes", aria_label="Search changes"),
            element("span", f"{changes} of {changes}", id="count", role="status"),
            element("label", element("input", type="checkbox", id="side"), " side by side"),
            element("button", "Expand all", type="button", id="expand"),
            element("button", "Collapse all", type="button", id="collapse"),
            class_="tools",
        ),
        element("p", "Keys: ", *keys, class_="keys"),
    )


def _diagnostic(found: DiagnosticView) -> Markup:
    severity = element("span", found.severity, class_="error" if found.severity == "error" else "")
    where = _link(found.place) if found.place else _code(found.address)
    parts = [severity, " ", _code(found.code), " ", where, " ", found.summary]
    more = [("expected", found.detail), ("hint", found.hint)]
    parts += [element("p", f"{name}: {text}", class_="faint") for name, text in more if text]
    return joined(*parts)


def _change(change: ChangeView, *, is_open: bool) -> Markup:
    block = change.blocked
    action = f"{change.action} blocked: {block.words}" if block else change.action
    summary: list[str] = [
        element("span", change.marker, class_="marker"),
        _code(change.address),
        " ",
        element("span", action, class_="action"),
    ]
    if change.action == "update":
        summary += [_spaced(element("span", kind, class_=f"badge {kind}")) for kind in change.kinds_of_change]
    summary += [f" · {change.note}"] if change.note else []
    summary += [_spaced(_link(change.place))] if change.place else []
    body: list[str] = [element("p", block.hint)] if block else []
    body += [element("p", "id ", _code(change.id), class_="faint")] if change.id else []
    body += [_fields(change.fields)] if change.fields else []
    name = "change blocked" if block else "change"
    folded = element("div", *body, class_="body") if body else ""
    return element("details", element("summary", *summary), folded, class_=name, open=is_open)


def _fields(fields: tuple[FieldView, ...]) -> Markup:
    head = element("tr", *(element("th", name) for name in ("field", "change", "kind", "note", "place")))
    rows = [
        element(
            "tr",
            element("td", _code(field.path)),
            element("td", _code(field.summary)),
            element("td", field.kind_of_change),
            element("td", field.note),
            element("td", _link(field.place) if field.place else ""),
        )
        for field in fields
    ]
    shown = [(field.path, detail) for field in fields if (detail := field.prose or field.content)]
    return joined(element("table", head, *rows), *(_diff(path, detail) for path, detail in shown))


def _diff(path: str, shown: ProseDiff) -> Markup:
    parts = [_hunk(path, hunk) for hunk in shown.hunks]
    if shown.hidden:
        parts.append(element("div", f"… {shown.hidden} more changed lines", class_="hunk"))
    return element("div", *parts, class_="diff")


def _hunk(path: str, hunk: Hunk) -> Markup:
    return joined(element("div", f"{path} · line {hunk.line}", class_="hunk"), *_runs(hunk))


def _runs(hunk: Hunk) -> Iterator[Markup]:
    """Context as it is; neighbouring changed lines as a pair, whose sides the style puts below or beside each other."""
    for changed, lines in groupby(hunk.lines, key=lambda line: line.tag != " "):
        drawn = [_line(line) for line in lines]
        yield element("div", *drawn, class_="pair") if changed else joined(*drawn)


def _line(line: Line) -> Markup:
    text = [element(_WORDS[s.mark], s.text) if s.mark else s.text for s in line.segments]
    return element("div", *text, class_=_LINES.get(line.tag, "line"), data_tag=line.tag)


def _code(text: str) -> Markup:
    return element("code", text)


def _link(place: Location) -> Markup:
    text = _code(str(place))
    return element("a", text, href=place.url, rel="noreferrer") if place.url else text


def _spaced(part: Markup) -> Markup:
    return joined(" ", part)
