"""Play many schedules on all cores, and say how many, which and how long: `python -m tests.simulation [COUNT [FIRST]]`.

With RECONCILER_SEED=N in the environment, plays that one and prints what happened in it, request by request.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.fleet.postgres import Postgres
from tests.simulation.play import Tally, play, replay
from tests.simulation.store import URL

CHUNK = 100
DEFAULTS = ("10000", "0")


def main(arguments: Sequence[str]) -> int:
    """Play; 0 when every law held."""
    server = Postgres(durable=False)
    server.start()
    os.environ[URL] = server.url
    try:
        return _play(arguments)
    finally:
        server.stop()


def _play(arguments: Sequence[str]) -> int:
    if seed := os.environ.get("RECONCILER_SEED"):
        events, violation = replay(int(seed))
        print("\n".join(events))
        print(violation or "every law held")
        return 1 if violation else 0
    total, first = (int(text) for text in (*arguments, *DEFAULTS[len(arguments) :]))
    begin = time.monotonic()
    chunks = [(start, min(start + CHUNK, first + total)) for start in range(first, first + total, CHUNK)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        tally = sum(pool.map(_played, chunks), Tally())
    print(tally.said(first, total, time.monotonic() - begin))
    return 1 if tally.violations else 0


def _played(chunk: tuple[int, int]) -> Tally:
    return play(range(*chunk))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
