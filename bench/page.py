"""The tables of docs/performance.md, each under its heading, and the goals that stand in them."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"
GOALS: Final[Mapping[str, float]] = {
    "--version": 1.25,
    "--help": 1.25,
    "validate, 10,000, cold": 1.2,
    "validate, 10,000, cold, without the extra": 2.0,
    "validate, 10,000, warm": 0.35,
    "plan, nothing changed, 10,000, cold": 1.2,
    "plan, nothing changed, 10,000, cold, without the extra": 2.0,
    "plan, nothing changed, 10,000, warm": 0.5,
    "plan, nothing changed, 10,000, 80 ms, one page after the other": 1.05,
    "plan, nothing changed, 10,000, 80 ms, from both ends": 0.7,
    "plan, nothing changed, 10,000, 80 ms, from remembered places": 0.25,
    "plan, nothing changed, 500, 50 ms": 1.6,
    "apply 50 changed, 50 ms": 1.5,
}
"""The most that the ratio of a line should be."""


def machine(runs: int) -> str:
    """What the figures are from."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    host = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, load {load} at the end"
    return f"{host}; median of {runs}." if runs > 1 else f"{host}; one run."


def goal_of(name: str, ratio: float | None) -> str:
    """The goal of a line, and whether it was missed."""
    if (goal := GOALS.get(name)) is None:
        return ""
    return f"≤ {goal}" + (", **not reached**" if ratio is not None and ratio > goal else "")


def put(heading: str, table: str) -> None:
    """Put a table where the page has one, or a line of text instead; what comes after it stays."""
    page = PAGE.read_text(encoding="utf-8")
    before, found, rest = page.partition(f"## {heading}\n\n")
    if not found:
        raise ValueError(f"the page has no heading {heading!r}")
    ending = "|\n\n" if "|\n\n" in rest.partition("\n## ")[0] else "\n\n"
    after = rest.partition(ending)[2]
    PAGE.write_text(f"{before}{found}{table}\n\n{after}", encoding="utf-8")
