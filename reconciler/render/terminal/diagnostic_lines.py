"""Renders diagnostics as every command prints them on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Final

from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.render.terminal.color import Paint, painter
from reconciler.render.terminal.excerpt import Lines, excerpt
from reconciler.render.view.diagnostic_view import DiagnosticView, diagnostic_view

_MOST_EXCERPTS: Final = 20
_ROOM: Final = 100
_LEAST_ROOM: Final = 40


def diagnostics(
    found: Iterable[Diagnostic], color: bool = False, lines: Lines | None = None, width: int = _ROOM
) -> str:
    """One block for each, in the order given; empty where there is none. With `lines`, their places are shown.

    assistants.d/hr.yaml:4:1: error: unknown field temprature [RC0201]
       |
     4 | temprature: 0.2
       | ^^^^^^^^^^
        expected: one of model, name, temperature
        hint: did you mean temperature?
    """
    paint = painter(color)
    output: list[str] = []
    shown: set[Source] = set()
    for one in found:
        quotable = one.severity is not Severity.INFO and one.code is not Code.KEY_LIKE
        place = one.source if quotable and len(shown) < _MOST_EXCERPTS else None
        text = lines(place.file) if lines and place and place not in shown else None
        view = diagnostic_view(one)
        if place and text:
            shown.add(place)
            output += diagnostic_lines(view, paint, excerpt(place, text, width, paint, view.severity), width)
        else:
            output += diagnostic_lines(view, paint, width=width)
    return "".join(line + "\n" for line in output)


def _wrapped(label: str, text: str, width: int) -> list[str]:
    room = max(width - len(label), _LEAST_ROOM)
    lines = wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return [f"{' ' * len(label) if at else label}{line}" for at, line in enumerate(lines)]


def more_about(found: Iterable[Diagnostic]) -> str:
    """Where the codes of errors are explained at length; empty where there is no error."""
    codes = list(dict.fromkeys(one.code.value for one in found if one.severity is Severity.ERROR))
    if not codes:
        return ""
    rest = f" (also {', '.join(codes[1:])})" if len(codes) > 1 else ""
    return f"For more about this: reconciler explain {codes[0]}{rest}\n"


def diagnostic_lines(
    view: DiagnosticView, paint: Paint, place: Iterable[str] = (), width: int = _ROOM
) -> Iterator[str]:
    """The lines of one diagnostic, with those of its `place` in the file.

    What was expected may be a long list, and is wrapped; a hint may be a command to copy, and is not.
    """
    where = paint(view.where + ": ", "bold") if view.where else ""
    yield f"{where}{paint(view.severity + ':', view.severity)} {view.summary} {paint(f'[{view.code}]', 'dim')}"
    yield from place
    if view.detail:
        yield from _wrapped("    expected: ", view.detail, width)
    if view.hint:
        yield f"    hint: {view.hint}"
