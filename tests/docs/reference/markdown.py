"""The few forms of Markdown that generated pages use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any


def code(value: Any) -> str:
    """A value as code; text as it is, everything else as JSON."""
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def cell(text: str) -> str:
    """A text in one cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty where there are no rows."""
    lines = [f"| {' | '.join(map(cell, row))} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", "|" + "---|" * len(head), *lines]) + "\n"


def page(title: str, *parts: str) -> str:
    """A page; an invisible comment names the generator."""
    body = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    return f"<!-- generated: python -m tests.docs.reference -->\n# {title}\n\n{body}\n"
