"""The table of providers and their kinds, as text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from reconciler.operations.reference.provider_traits import COLUMNS


def _text(found: Sequence[Mapping[str, str]]) -> str:
    widths = {name: max(len(name), *(len(row[name]) for row in found)) for name in COLUMNS}
    lines = ["  ".join(row[name].ljust(widths[name]) for name in COLUMNS).rstrip() for row in (_head(), *found)]
    return "\n".join(lines) + "\n"


def _markdown(found: Sequence[Mapping[str, str]]) -> str:
    lines = [" | ".join(row[name] for name in COLUMNS) for row in (_head(), *found)]
    lines.insert(1, "|".join("---" for _ in COLUMNS))
    return "".join(f"| {line} |\n" if "---|" not in line else f"|{line}|\n" for line in lines)


def _json(found: Sequence[Mapping[str, str]]) -> str:
    return json.dumps(found, indent=2) + "\n"


def _head() -> dict[str, str]:
    return {name: name for name in COLUMNS}


FORMATS: Final[Mapping[str, Callable[[Sequence[Mapping[str, str]]], str]]] = {
    "text": _text,
    "markdown": _markdown,
    "json": _json,
}
