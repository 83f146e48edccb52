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
# Ids, and what a plan shows of one: its first eight characters, and the last three. Digests; nonces, also in marks.
_SHOWN: Final = 8
_ID: Final = (
    r"\b((?:asst|vs|file|agent|agt|vsfb|batch|req)[_-])(?:([A-Za-z0-9]{12,})|([A-Za-z0-9]{2,5})…([A-Za-z0-9]{3}))"
)
_DRAWN: Final = re.compile(rf'{_ID}|(sha256:|nonce |"1 \S+ \S+ )([A-Za-z0-9]{{12,}})')
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
        if found[5]:
            return found[5] + self._digest(found[0])[: len(found[6])]
        prefix, whole = found[1], found[2]
        begin = _SHOWN - len(prefix)
        first, last = (whole[:begin], whole[-3:]) if whole else (found[3], found[4])
        fixed = self._digest(prefix + first + last)
        return prefix + (fixed[: len(whole) - 3] if whole else f"{fixed[:begin]}…") + fixed[-3:]

    def _digest(self, drawn: str) -> str:
        if drawn not in self._drawn:
            self._drawn[drawn] = hashlib.sha256(str(len(self._drawn)).encode()).hexdigest()
        return self._drawn[drawn]


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
