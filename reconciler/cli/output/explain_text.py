"""What `explain` knows, as lines of text for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.cli.output.destinations import width
from reconciler.config.schema.descriptions import inline_value
from reconciler.config.syntax.yaml_emitter import entry_lines
from reconciler.render.escape import visible

_LABELS: Final = 14
_LONGEST_NAME: Final = 24


def description_text(told: Mapping[str, Any]) -> str:
    """The kinds of a target, or one kind or field, as text."""
    lines = _kind_lines(told) if "kinds" in told else _field_lines(told)
    return "".join(f"{line}\n" for line in lines)


def _kind_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The kinds of a target."""
    yield f"{visible(told['target'])} ({visible(told['provider'])}) has these kinds:"
    yield ""
    yield from _table((kind["name"], kind["description"]) for kind in told["kinds"])
    yield ""
    yield f"`reconciler explain {told['kinds'][0]['name']}` lists its fields."


def _field_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """One kind, or one field of it, and the fields below."""
    yield visible(".".join(told["path"]))
    yield from textwrap.wrap(visible(told["description"]), width() - 2, initial_indent="  ", subsequent_indent="  ")
    yield ""
    rows = [("type", told.get("type", "")), ("limits", "; ".join(told.get("limits", ())))]
    if "default" in told:
        about = ": returned if not set, never sent" if "compared" in told else ""
        rows.append(("default", inline_value(told["default"]) + about))
    rows += [("compared", told.get("compared", "")), ("when removed", told.get("on_remove", ""))]
    rows.append(("also", "; ".join(told.get("notes", ()))))
    yield from _table(((label, text) for label, text in rows if text), _LABELS)
    if "example" in told:
        first, *rest = entry_lines(told["path"][-1], told["example"])
        yield f"  {'example':<{_LABELS}}{visible(first)}"
        yield from (" " * (_LABELS + 2) + visible(line) for line in rest)
    if told["fields"]:
        yield from ("", "fields:") if len(told["path"]) > 1 else ("fields:",)
        yield from _table((each["name"], _of_field(each)) for each in told["fields"])


def _of_field(field: Mapping[str, Any]) -> str:
    notes = f" ({'; '.join(note.partition(':')[0] for note in field['notes'])})" if field["notes"] else ""
    return f"{field['type']}{notes}. {field['description']}".removesuffix(". ")


def _table(rows: Iterator[tuple[str, str]], column: int = 0) -> Iterator[str]:
    found = list(rows)
    column = column or min(max((len(name) for name, _ in found), default=0) + 2, _LONGEST_NAME)
    for name, text in found:
        first, *rest = textwrap.wrap(visible(text), max(width() - column - 2, 20)) or [""]
        yield f"  {visible(name):<{column}}{first}".rstrip()
        yield from (" " * (column + 2) + line for line in rest)
