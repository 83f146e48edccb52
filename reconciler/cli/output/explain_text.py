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


def description_text(description: Mapping[str, Any]) -> str:
    """The kinds of a target, or one kind or field, as text."""
    lines = _kind_lines(description) if "kinds" in description else _field_lines(description)
    return "".join(f"{line}\n" for line in lines)


def _kind_lines(description: Mapping[str, Any]) -> Iterator[str]:
    """The kinds of a target."""
    yield f"{visible(description['target'])} ({visible(description['provider'])}) has these kinds:"
    yield ""
    yield from _table((kind["name"], kind["description"]) for kind in description["kinds"])
    yield ""
    yield f"`reconciler explain {description['kinds'][0]['name']}` lists its fields."


def _field_lines(description: Mapping[str, Any]) -> Iterator[str]:
    """One kind, or one field of it, and the fields below."""
    yield visible(".".join(description["path"]))
    yield from textwrap.wrap(
        visible(description["description"]), width() - 2, initial_indent="  ", subsequent_indent="  "
    )
    yield ""
    rows = [("type", description.get("type", "")), ("limits", "; ".join(description.get("limits", ())))]
    if "default" in description:
        about = ": returned if not set, never sent" if "compared" in description else ""
        rows.append(("default", inline_value(description["default"]) + about))
    rows += [("compared", description.get("compared", "")), ("when removed", description.get("on_remove", ""))]
    rows.append(("also", "; ".join(description.get("notes", ()))))
    yield from _table(((label, text) for label, text in rows if text), _LABELS)
    if "example" in description:
        first, *rest = entry_lines(description["path"][-1], description["example"])
        yield f"  {'example':<{_LABELS}}{visible(first)}"
        yield from (" " * (_LABELS + 2) + visible(line) for line in rest)
    if description["fields"]:
        yield from ("", "fields:") if len(description["path"]) > 1 else ("fields:",)
        yield from _table((each["name"], _of_field(each)) for each in description["fields"])


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
