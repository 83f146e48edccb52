"""What a page shows and what was printed, made comparable: the one rule of what may differ.

An id, a digest and a nonce are drawn anew by every run: the first of a page stands as one fixed text of the same
length, the second as another. A port is 8080, the scratch directory `~/project`, and the version `0.1.0`. Blanks at the
end of a line, which no page can show, do not count. A line `…` on a page stands for any lines.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

ANY: Final = "…"
# Ids of each kind, whole or with the middle left out, and digests.
_DRAWN: Final = re.compile(
    r"\b((?:asst|vs|file|agent|agt|vsfb|batch|req)[_-]|sha256:|nonce )(?:([A-Za-z0-9]{12,})|([A-Za-z0-9]{3})…([A-Za-z0-9]{3}))"
)
_PORT: Final = re.compile(r"\b(127\.0\.0\.1|localhost):\d{2,5}\b")
_TIME: Final = re.compile(r"\b20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.\d+)?(Z|\+00:00)?")


class Normal:
    """Makes the texts of one page comparable; remembers which id is the first."""

    def __init__(self, scratch: Path) -> None:
        self._project = re.compile(re.escape(str(scratch)) + r"/project\d+")
        self._drawn: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        text = self._project.sub("~/project", text)
        text = _PORT.sub(r"\1:8080", text)
        text = _TIME.sub(r"2026-01-01\g<1>00:00:00\g<2>", text)
        text = _DRAWN.sub(self._fixed, text)
        lines = [line.rstrip() for line in text.splitlines()]
        return "".join(f"{line}\n" for line in lines)

    def _fixed(self, found: re.Match[str]) -> str:
        prefix, whole = found[1], found[2]
        begin, end = (whole[:3], whole[-3:]) if whole else (found[3], found[4])
        key = prefix + begin + end
        if key not in self._drawn:
            self._drawn[key] = hashlib.sha256(f"{prefix}{len(self._drawn)}".encode()).hexdigest()
        fixed = self._drawn[key]
        return prefix + (fixed[: len(whole) - 3] + fixed[-3:] if whole else f"{fixed[:3]}…{fixed[-3:]}")


def agrees(shown: str, printed: str) -> bool:
    """Whether a page's text stands for what was printed."""
    lines = ("(?:.*\n)*?" if line == ANY else re.escape(line) + "\n" for line in shown.splitlines())
    return re.fullmatch("".join(lines), printed) is not None


def renewed(shown: str, printed: str) -> str:
    """What a page shows from now on: as much before and after a `…` as before."""
    if agrees(shown, printed):
        return shown
    before, some, after = f"\n{shown}".partition(f"\n{ANY}\n")
    lines = printed.splitlines(keepends=True)
    first, last = before.count("\n"), len(lines) - after.count("\n")
    if not some or first >= last:
        return printed
    return "".join([*lines[:first], f"{ANY}\n", *lines[last:]])
