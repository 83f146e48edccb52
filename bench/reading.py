"""Reading a whole account, each way beside the bare serial download of the same pages: `python -m bench.reading`.

Medians of several rounds; in each, every way takes its turn, so that a slow moment of the machine meets all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from reconciler.config.schema.schemas import shipped
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.lists.page_boundaries import Boundaries
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.tree import Tree


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--assistants", type=int, default=10_000)
    arguments.add_argument("--latency", type=float, default=80, help="milliseconds a request")
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--json", type=Path, help="write the figures here as well")
    asked = arguments.parse_args()
    figures = measure(asked.assistants, asked.latency, asked.runs)
    print(f"{asked.assistants} assistants, {asked.latency:g} ms a request, median of {asked.runs}")
    for name, figure in figures.items():
        print(f"{name:34} {figure['seconds']:8.2f} s  {figure['requests']:5} requests  ratio {figure['ratio']:.2f}")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(count: int, latency: float, runs: int) -> dict[str, dict[str, float]]:
    """Seconds, requests and the ratio to the bare download, for each way."""
    with tempfile.TemporaryDirectory() as scratch, server(count, latency) as url:
        kept, used = Path(scratch, "kept"), Path(scratch, "used")
        remember(url, kept)
        ways: dict[str, Callable[[], int]] = {
            "bare serial download": lambda: download(url),
            "serial": lambda: read(url, 1, None),
            "from both ends": lambda: read(url, 8, None),
            "from remembered places, 8 at once": lambda: read(url, 8, used),
            "from remembered places, 16 at once": lambda: read(url, 16, used),
        }
        figures = compared(ways, url, runs, lambda: restore(kept, used))
        httpx.post(f"{url}/churn").raise_for_status()
        ways = {f"{name}, a tenth changed": way for name, way in ways.items() if "places" in name} | {
            "bare serial download": ways["bare serial download"]
        }
        changed = compared(ways, url, runs, lambda: restore(kept, used))
        return figures | {name: figure for name, figure in changed.items() if name not in figures}


def compared(
    ways: dict[str, Callable[[], int]], url: str, runs: int, before: Callable[[], None]
) -> dict[str, dict[str, float]]:
    """Every way in every round; the bare download is what the others are measured by."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    requests = dict.fromkeys(ways, 0)
    found = set()
    for _ in range(runs):
        for name, way in ways.items():
            before()
            httpx.get(f"{url}/requests")
            begin = time.perf_counter()
            found.add(way())
            times[name].append(time.perf_counter() - begin)
            requests[name] = httpx.get(f"{url}/requests").json()
    assert len(found) == 1, f"not all found the same number of objects: {found}"
    floor = statistics.median(times["bare serial download"])
    medians = {name: statistics.median(each) for name, each in times.items()}
    return {
        name: {"seconds": round(took, 3), "requests": requests[name], "ratio": round(took / floor, 3)}
        for name, took in medians.items()
    }


def download(url: str) -> int:
    """The least code: every page, parsed."""
    count, more, after = 0, True, ""
    with httpx.Client(timeout=60) as client:
        while more:
            page = client.get(f"{url}/assistants?order=desc&limit=100{after}").json()
            count += len(page["data"])
            more, after = page["has_more"], f"&after={page['data'][-1]['id']}"
    return count


def read(url: str, at_once: int, directory: Path | None) -> int:
    """As the tool does it."""
    client = HttpClient(ConnectionSettings(url, reads_per_minute=1_000_000))
    boundaries = Boundaries(Tree(directory), url, lambda: None) if directory else None
    driver = RestDriver(shipped().provider("openai-assistants"), client, reads_at_once=at_once, boundaries=boundaries)
    return sum(1 for _ in driver.list("assistant"))


def remember(url: str, directory: Path) -> None:
    """A first read, whose boundaries are those the measured reads start from."""
    directory.mkdir()
    read(url, 8, directory)


def restore(kept: Path, used: Path) -> None:
    """The boundaries as the first read left them: each read writes its own."""
    shutil.rmtree(used, ignore_errors=True)
    shutil.copytree(kept, used)


@contextlib.contextmanager
def server(count: int, latency: float) -> Iterator[str]:
    """The page server in its own process."""
    command = [sys.executable, "-m", "bench.pages", str(count), str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
