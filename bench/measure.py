"""What a process costs: seconds of wall time and of processor, and its peak of memory; several in turn."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

SILENT = subprocess.DEVNULL
PYTHON: Final = os.environ.get("BENCH_PYTHON", sys.executable)
"""What both sides run on: at best an environment as users have it. What only tests need makes imports slower."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, and MB at the peak."""

    wall: float
    cpu: float
    peak: float


Work: TypeAlias = Callable[[], Cost]


def python(*arguments: str, environment: Mapping[str, str] | None = None) -> Cost:
    """The interpreter that is measured. Raises RuntimeError where it fails."""
    return process(PYTHON, *arguments, environment=environment)


def process(*arguments: str, environment: Mapping[str, str] | None = None) -> Cost:
    """A command; Python's bytecode is compiled, as users have it. Raises RuntimeError where it fails."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    started = subprocess.Popen(arguments, stdout=SILENT, env={**kept, **(environment or {})})
    _, status, used = os.wait4(started.pid, 0)
    wall = time.perf_counter() - begin
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError(f"{arguments} ended with {started.returncode}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(ours: Work, floor: Work, runs: int, before: Callable[[], None] = lambda: None) -> dict[str, float]:
    """Both in turn, so that a slow moment of the machine meets both; medians, and how many times the floor we take."""
    mine, least = [], []
    for _ in range(runs):
        least.append(floor())
        before()
        mine.append(ours())
    return ratios(mine, least)


def ratios(mine: Sequence[Cost], least: Sequence[Cost]) -> dict[str, float]:
    """Medians of both. `ratio` is of wall time, `cpu_ratio` of processor time, which neighbours disturb less."""
    wall, floor_wall = (statistics.median(each.wall for each in some) for some in (mine, least))
    cpu, floor_cpu = (statistics.median(each.cpu for each in some) for some in (mine, least))
    return {
        "ours": round(wall, 3),
        "floor": round(floor_wall, 3),
        "ratio": round(wall / floor_wall, 2),
        "cpu_ratio": round(cpu / floor_cpu, 2),
        "peak_mb": round(max(each.peak for each in mine), 1),
        "floor_peak_mb": round(max(each.peak for each in least), 1),
    }
