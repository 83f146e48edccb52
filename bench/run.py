"""Side by side: the tool, and the least code that does the work. `python -m bench.run`.

Prints a table of ratios. The floor of a plan is one process that lists every page and parses every file; the floor of
an apply does that and then sends the changed bodies from as many threads. Both sides run here and now, in turn.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

FLOOR = Path(__file__).parent / "floor.py"
PROMPT = "\n".join(f"Rule {n}: always answer politely and cite article KB-{n:04}." for n in range(40))
PARALLEL = 16

Work: TypeAlias = Callable[[], None]


def main() -> None:
    """Build a fleet, measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--assistants", type=int, default=500)
    arguments.add_argument("--latency", type=int, default=50, help="milliseconds a request")
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--json", type=Path, help="write the figures here as well")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(Path(scratch), asked.assistants, asked.latency, asked.runs)
    print(f"{asked.assistants} assistants, {asked.latency} ms a request, {PARALLEL} in flight, median of {asked.runs}")
    for name, figure in figures.items():
        print(f"{name:32}" + "".join(f"{key} {value:<10}" for key, value in figure.items()))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(root: Path, count: int, latency: int, runs: int) -> dict[str, dict[str, float]]:
    """The figures of one run of everything."""
    write_fleet(root, count)
    record = root / "requests.jsonl"
    with server(root, record, latency) as url:
        write_settings(root, url)
        tool("apply", "--yes", "--parallelism", str(PARALLEL), root=root)
        figures = {"create all, in parallel": {"requests": requests(record)}}
        figures["plan, nothing changed"] = compare(
            lambda: tool("plan", root=root), lambda: floor("plan", url, root), record, runs
        )
        changed = max(1, count // 10)
        rounds = iter(range(1000))

        def apply_changes() -> None:
            edit_fleet(root, changed, next(rounds))
            clear(record)
            timed.append(clock(lambda: tool("apply", "--yes", "--parallelism", str(PARALLEL), root=root)))

        timed: list[float] = []
        for _ in range(runs):
            apply_changes()
        sent = requests(record)
        least = [clock(lambda: floor("apply", url, root, changed)) for _ in range(runs)]
        figures[f"apply, {changed} changed"] = ratio(timed, least) | {"requests": sent}
    figures["--version"] = compare(lambda: script("--version"), lambda: python("-c", "import click"), record, runs * 5)
    return figures


def compare(ours: Work, least: Work, record: Path, runs: int) -> dict[str, float]:
    """Both sides in turn, so that a slow moment of the machine meets both."""
    mine, floors = [], []
    for _ in range(runs):
        floors.append(clock(least))
        clear(record)
        mine.append(clock(ours))
    return ratio(mine, floors) | {"requests": requests(record)}


def ratio(mine: list[float], least: list[float]) -> dict[str, float]:
    """Medians in seconds, and how many times the floor we take."""
    ours, floor_ = statistics.median(mine), statistics.median(least)
    return {"ours": round(ours, 3), "floor": round(floor_, 3), "ratio": round(ours / floor_, 2)}


def write_fleet(root: Path, count: int) -> None:
    """`count` manifests of about 3 KB."""
    for number in range(count):
        file = root / "assistants.d" / f"team{number % 10}" / f"a{number}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        prompt = "".join(f"  {line}\n" for line in PROMPT.splitlines())
        file.write_text(
            f"name: Assistant {number}\nmodel: gpt-4o\ntemperature: 0.2\ninstructions: |\n{prompt}"
            f"tools:\n  - type: file_search\nmetadata:\n  team: team{number % 10}\n"
        )


def edit_fleet(root: Path, changed: int, turn: int) -> None:
    """Another temperature in the first `changed` manifests."""
    for number in range(changed):
        file = root / "assistants.d" / f"team{number % 10}" / f"a{number}.yaml"
        lines = file.read_text().splitlines(keepends=True)
        lines[2] = f"temperature: {0.3 + turn / 1000}\n"
        file.write_text("".join(lines))


def write_settings(root: Path, url: str) -> None:
    """One target without a limit of its own: the floor has none either."""
    (root / "assistants.d/reconciler.yaml").write_text(
        "owner: bench\ndefault_target: t\ntargets:\n"
        f"  t: {{provider: openai-assistants, url: '{url}',"
        " limits: {settle_seconds: 0, writes_per_minute: 1000000, reads_per_minute: 1000000}}\n"
    )


@contextlib.contextmanager
def server(root: Path, record: Path, latency: int) -> Iterator[str]:
    """The embedded server in its own process, every answer delayed."""
    chaos = root / "chaos.yaml"
    chaos.write_text(f"rules:\n  - {{on: any, latency_ms: {latency}}}\n")
    command = [sys.executable, "-m", "reconciler", "serve", "--db", str(root / "bench.db")]
    command += ["--chaos", str(chaos), "--record", str(record)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait()


def tool(*arguments: str, root: Path) -> None:
    """The command line, as a process."""
    python("-m", "reconciler", "-C", str(root), *arguments)


def script(*arguments: str) -> None:
    """The command line as users start it: the installed script."""
    python(str(Path(sys.executable).with_name("reconciler")), *arguments)


def floor(what: str, url: str, root: Path, changed: int = 0) -> None:
    """The least code, as a process."""
    python(str(FLOOR), what, url, str(root / "assistants.d"), str(changed), str(PARALLEL))


def python(*arguments: str) -> None:
    """Run the interpreter with compiled bytecode, as users have it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment)


def clock(work: Work) -> float:
    """Seconds of wall time."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def requests(record: Path) -> int:
    """How many requests the server has recorded."""
    return len(record.read_text().splitlines()) if record.exists() else 0


def clear(record: Path) -> None:
    """Forget the recorded requests."""
    if record.exists():
        os.truncate(record, 0)


if __name__ == "__main__":
    main()
