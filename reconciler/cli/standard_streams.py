"""Standard streams that last as long as the process: who stops reading its output stops nothing else."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Any


class _Lasting(io.FileIO):
    """Takes what its reader does not take any more: what was begun is finished, and ends with its own exit code."""

    def write(self, content: Any) -> int:
        """Write as much as goes; all of it where nobody reads."""
        try:
            return super().write(content)
        except BrokenPipeError:
            return memoryview(content).nbytes


def keep_streams() -> None:
    """Make the process's streams last. A closed one leads nowhere from now on, before a file gets its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 — for as long as the process
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None or stream is getattr(sys, f"__{name}__"):
            setattr(sys, name, _lasting(number, stream))


def _lasting(number: int, stream: io.TextIOWrapper | None) -> io.TextIOWrapper:
    """The same stream, which a terminal without UTF-8 gets every word of."""
    if stream is not None:
        with suppress(OSError):
            stream.flush()
    written = io.BufferedWriter(_Lasting(number, "wb", closefd=False))
    encoding, by_line = (stream.encoding, stream.line_buffering) if stream else ("utf-8", False)
    return io.TextIOWrapper(written, encoding, "backslashreplace", line_buffering=by_line or number == 2)
