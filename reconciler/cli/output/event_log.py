"""The events of a continuous run, as JSON lines."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime


def log(event: str, **fields: object) -> None:
    """One line of JSON on stderr."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = json.dumps({"at": at, "event": event, **fields})
    print(f"{line}\n", end="", file=sys.stderr, flush=True)  # in one piece: other threads have lines as well
