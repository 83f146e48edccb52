"""Limits the CPU time that reading the files of a project may take, and names the file that exceeds it.

Each kind of file has limits of its own. This one is for the cases that they miss: if a file of a pull request keeps a
job busy, the job ends with an error that names the file. The limit grows with the size of the input: a project of
10,000 manifests gets ten times what it needs.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from reconciler.config.errors import ConfigError, error
from reconciler.diagnostics import Code, ReconcilerError, Source

VARIABLE: Final = "RECONCILER_CPU_SECONDS"
SECONDS: Final = 60.0
SECONDS_EACH: Final = 0.005
"""For each file and each row."""
SECONDS_PER_BYTE: Final = 10 / 1024**2
_AGAIN: Final = 1.0


class CpuLimitExceeded(ReconcilerError):
    """Reading the files took more time than they may take."""


class _Effort:
    """What was read so far; `used` says how much CPU time this process has had."""

    def __init__(self, seconds: float) -> None:
        self._end = time.process_time() + seconds
        self._file = ""

    def read(self, file: str, size: int) -> None:
        self._file = file
        self._end += SECONDS_EACH + size * SECONDS_PER_BYTE

    def look(self, *_: object) -> None:
        """The timer rang: wait on, or raise TooMuchWork. It rings again for whoever takes that for something else."""
        left = self._end - time.process_time()
        signal.setitimer(signal.ITIMER_PROF, left if left > 0 else _AGAIN)
        if left > 0:
            return
        place = Source(self._file, 1, 1) if self._file else None
        hint = f"check the file that was read last; {VARIABLE} raises the limit for a slow machine, 0 removes it"
        raise CpuLimitExceeded(
            [error(Code.TOO_MUCH_WORK, "reading the files takes too much CPU time", place, hint=hint)]
        )


_now: ContextVar[_Effort | None] = ContextVar("_now", default=None)


def count_file(file: str, size: int = 0) -> None:
    """A file of so many bytes, or one more row of it, is being read."""
    if (effort := _now.get()) is not None:
        effort.read(file, size)


def seconds_of(environment: Mapping[str, str]) -> float:
    """What the environment allows besides the files. Raises ConfigError for what is no number."""
    text = environment.get(VARIABLE) or str(SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if 0 <= seconds < math.inf:
        return seconds
    hint = f"write seconds, such as {VARIABLE}=300, or 0 for no limit"
    raise ConfigError([error(Code.MISSING_ENVIRONMENT, f"{VARIABLE} is not a number", None, hint=hint)])


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Let what is read in this block take so many seconds of CPU time, and more for each file. Raises TooMuchWork.

    Without a limit where there are no seconds, no such timer (Windows), or this is not the main thread of a program.
    """
    if not seconds or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    effort = _Effort(seconds)
    before, token = signal.signal(signal.SIGPROF, effort.look), _now.set(effort)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        _now.reset(token)
