"""Side by side: the tool, and the least code that does the work. `python -m bench.run` prints a table of ratios.

The floor of loading parses every file; that of a plan also lists every page; that of an apply then sends the changed
bodies from as many threads. Both sides run here and now, in turn. `cold` remembers nothing of an earlier run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench import large, small
from bench.page import goal_of, machine, put

BASELINE = Path(__file__).parent / "baseline.json"
WORSE = 1.25
Figures = dict[str, dict[str, float]]


def main() -> None:
    """Measure, print, and whatever else is asked for."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000], help="manifests to load and plan")
    arguments.add_argument("--rows", type=int, nargs="*", default=[10_000], help="rows of a table")
    arguments.add_argument("--assistants", type=int, default=500, help="on the embedded server; 0 for none")
    arguments.add_argument("--latency", type=int, default=50, help="milliseconds a request there")
    arguments.add_argument("--far", type=int, default=10_000, help="assistants of a remote that is far; 0 for none")
    arguments.add_argument("--far-latency", type=int, default=80, help="milliseconds a request there")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--json", type=Path, help="write the figures here as well")
    arguments.add_argument("--baseline", action="store_true", help="make them the ones to compare with")
    arguments.add_argument("--check", action="store_true", help="fail where one is a quarter worse than those")
    arguments.add_argument("--page", action="store_true", help="put the table into docs/performance.md")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = measured(Path(scratch), asked)
    print(table(found, asked.runs))
    text = json.dumps(found, indent=2) + "\n"
    for file in [*([asked.json] if asked.json else []), *([BASELINE] if asked.baseline else [])]:
        file.write_text(text, encoding="utf-8")
    if asked.page:
        put("Table", table(found, asked.runs))
    if asked.check and (worse := regressions(found, json.loads(BASELINE.read_text(encoding="utf-8")))):
        sys.exit("\n".join(worse))


def measured(scratch: Path, asked: argparse.Namespace) -> Figures:
    """Every figure that is asked for."""
    found: Figures = small.start_up(asked.runs * 5)
    for count in asked.sizes:
        found |= large.figures(scratch, count, asked.runs)
    if asked.far:
        found |= large.far_away(scratch, asked.far, asked.far_latency, asked.runs)
    for count in asked.rows:
        found |= large.fleet(scratch, count, asked.runs)
    if asked.assistants:
        found |= small.figures(scratch / "small", asked.assistants, asked.latency, asked.runs)
    return found


def table(found: Figures, runs: int) -> str:
    """The figures in Markdown, and the machine they are from."""
    lines = [machine(runs), "", "| what | s | floor, s | ratio | of CPU time | goal | peak, MB | requests |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for name, figure in found.items():
        told = [str(figure.get(each, "")) for each in ("ours", "floor", "ratio", "cpu_ratio", "peak_mb", "requests")]
        lines.append("| " + " | ".join((name, *told[:4], goal_of(name, figure.get("ratio")), *told[4:])) + " |")
    return "\n".join(lines)


def regressions(found: Figures, baseline: Figures) -> list[str]:
    """Every ratio that is a quarter worse than it was; CPU time, because neighbours disturb it less."""
    return [
        f"{name}: {found[name]['cpu_ratio']} times the floor's CPU time, {figure['cpu_ratio']} before"
        for name, figure in baseline.items()
        if name in found and "cpu_ratio" in figure and found[name]["cpu_ratio"] > WORSE * figure["cpu_ratio"]
    ]


if __name__ == "__main__":
    main()
