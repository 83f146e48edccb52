"""The page of a code: what a message with it means, and what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Code

_FOR_TESTS: Final = re.compile(r"^<!--.*?-->\n+", re.MULTILINE | re.DOTALL)  # how the example of a page is run


def code_page(code: str) -> str | None:
    """The page of a code, as Markdown; None for a code that no message has."""
    if code not in set(Code):
        return None
    package = Path(__file__).resolve().parents[2]
    for directory in (package / "codes", package.parent / "docs/codes"):  # installed; in a checkout
        if (page := directory / f"{code}.md").is_file():
            return _FOR_TESTS.sub("", page.read_text(encoding="utf-8")).strip()
    return f"# {code}: {Code(code).name.lower().replace('_', ' ')}"
