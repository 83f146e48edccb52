"""Matches regular expressions of files with RE2, in time linear in the text.

The only module that imports `re2`. Python's own `re` tries every way to match: `^(a+)+$` takes longer than anybody
waits on forty letters, and a policy is read from pull requests.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from reconciler.config.errors import install_hint

# A text of 256,000 characters is searched in milliseconds; by the worst expression of this size in ten seconds.
MAX_INSTRUCTIONS: Final = 4_000
_SYNTAX: Final = "patterns use RE2 syntax: no look-around, no back-references; combine patterns with `allOf` and `not`"


class BadPattern(ValueError):
    """An expression that cannot be used; `hint` says what to do."""

    def __init__(self, summary: str, hint: str = _SYNTAX) -> None:
        super().__init__(summary)
        self.hint = hint


@cache
def _compiled(pattern: str) -> Any:
    try:
        import re2  # type: ignore[import-untyped]
    except ImportError:
        summary = "the package google-re2 that matches patterns is not installed"
        raise BadPattern(summary, f"run `{install_hint('policies')}`") from None
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as wrong:
        reason = wrong.args[0] if wrong.args else "not valid"
        raise BadPattern(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None
    if compiled.programsize > MAX_INSTRUCTIONS:
        raise BadPattern("it is too large to be searched for in bounded time", "use fewer or smaller repetitions")
    return compiled


def check_pattern(pattern: str) -> bool:
    """True, or raises BadPattern saying why the expression cannot be used."""
    return _compiled(pattern) is not None


def find_match(pattern: str, text: str) -> int | None:
    """Where in the text the pattern matches first; `$` is the end of the text. Raises BadPattern."""
    found = _compiled(pattern).search(text)
    return None if found is None else int(found.start())


def weight(pattern: str, text: str) -> int:
    """How much work it may be to look for a pattern in a text; 0 for what is usual. Raises BadPattern."""
    return int(_compiled(pattern).programsize) * len(text) // 4096
