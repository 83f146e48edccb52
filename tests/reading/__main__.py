"""Play many schedules on one core, and say how many, which and how long: `python -m tests.reading [COUNT [FIRST]]`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from tests.reading.play import play

DEFAULTS = ("50000", "0")


def main(arguments: Sequence[str]) -> int:
    """Play; 0 when nothing went wrong."""
    total, first = (int(text) for text in (*arguments, *DEFAULTS[len(arguments) :]))
    begin = time.monotonic()
    tally = play(range(first, first + total))
    print(tally.said(first, time.monotonic() - begin))
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
