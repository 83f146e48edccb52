"""How a plan grows: `python -m bench.growth` measures it at several sizes, beside the first of them.

100,000 assistants take 500 MB on the disk and about four minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.large import account, forget, settings, tool
from bench.manifests import write_manifests
from bench.measure import Cost
from bench.page import machine, put

HEAD = "| assistants | cold, s | times | warm, s | times | peak, MB | KB for each more |\n|---|---|---|---|---|---|---|"


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--sizes", type=int, nargs="*", default=[10_000, 20_000, 100_000])
    arguments.add_argument("--runs", type=int, default=2)
    arguments.add_argument("--json", type=Path, help="write the figures here as well")
    arguments.add_argument("--page", action="store_true", help="put the table into docs/performance.md")
    asked = arguments.parse_args()
    found: dict[int, dict[str, float]] = {}
    lines = [HEAD]
    print(HEAD)
    for count in asked.sizes:
        with tempfile.TemporaryDirectory() as scratch:
            found[count] = planned(Path(scratch), count, asked.runs)
        lines.append(_row(count, found[count], *next(iter(found.items()))))
        print(lines[-1], flush=True)
    if asked.page:
        put("Growth", "\n".join([machine(asked.runs), "", *lines]))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def planned(scratch: Path, count: int, runs: int) -> dict[str, float]:
    """Seconds of processor time of a plan in which nothing has changed, cold and warm, and the highest peak."""
    root = scratch / "project"
    write_manifests(root / "assistants.d", count)
    cold: list[Cost] = []
    warm: list[Cost] = []
    with account(count) as url:
        settings(root, url)
        for _ in range(runs):
            forget(root)
            cold.append(tool(root, scratch, "plan"))
            warm.append(tool(root, scratch, "plan"))
    shutil.rmtree(root)
    return {
        "cold": round(_middle(cold), 2),
        "warm": round(_middle(warm), 2),
        "peak_mb": round(max(each.peak for each in (*cold, *warm)), 1),
    }


def _middle(costs: Sequence[Cost]) -> float:
    return statistics.median(each.cpu for each in costs)


def _row(count: int, found: dict[str, float], first_count: int, first: dict[str, float]) -> str:
    times = [round(found[state] / first[state], 2) for state in ("cold", "warm")]
    more = (found["peak_mb"] - first["peak_mb"]) / (count - first_count) * 1024 if count > first_count else ""
    each = round(more, 2) if more != "" else ""
    return f"| {count:,} | {found['cold']} | {times[0]} | {found['warm']} | {times[1]} | {found['peak_mb']} | {each} |"


if __name__ == "__main__":
    main()
