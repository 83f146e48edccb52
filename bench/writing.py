"""Sending changes in parallel, beside the least time that can take: `python -m bench.writing`.

The least is one request after the other on each of the threads, with nothing but the server's latency in between.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.reading import server
from reconciler.config.schema.schemas import shipped
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--assistants", type=int, default=500)
    arguments.add_argument("--latency", type=float, default=50, help="milliseconds a request")
    arguments.add_argument("--parallel", type=int, default=16)
    arguments.add_argument("--runs", type=int, default=7)
    arguments.add_argument("--json", type=Path, help="write the figures here as well")
    asked = arguments.parse_args()
    figures = measure(asked.assistants, asked.latency, asked.parallel, asked.runs)
    print(f"{asked.assistants} assistants, {asked.latency:g} ms a request, {asked.parallel} in flight")
    for name, figure in figures.items():
        print(
            f"{name:28} {figure['seconds']:7.3f} s  least {figure['least']:7.3f} s  of ideal {figure['of_ideal']:.2f}"
        )
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(count: int, latency: float, parallel: int, runs: int) -> dict[str, dict[str, float]]:
    """The list and a tenth changed, and every one changed; each with new connections, as a run of the tool has them."""
    with server(count, latency) as url:
        tenth, all_ = count // 10, count
        return {
            f"list, then {changed} changed": figure(url, changed, latency / 1000, parallel, runs)
            for changed in (tenth, all_)
        }


def figure(url: str, changed: int, latency: float, parallel: int, runs: int) -> dict[str, float]:
    """Median seconds, the least, and what share of the ideal speed that is."""
    times = []
    pages = 0
    for _ in range(runs):
        driver = RestDriver(
            shipped().provider("openai-assistants"),
            HttpClient(ConnectionSettings(url, reads_per_minute=1_000_000, writes_per_minute=1_000_000)),
            reads_at_once=8,
        )
        begin = time.perf_counter()
        ids = [body["id"] for body in driver.list("assistant")]
        pages = driver.take_request_count().requests
        with ThreadPoolExecutor(parallel) as pool:
            list(pool.map(lambda id, to=driver: to.update("assistant", id, {"temperature": 0.5}), ids[:changed]))
        times.append(time.perf_counter() - begin)
    least = (pages + -(-changed // parallel)) * latency
    took = statistics.median(times)
    return {"seconds": round(took, 3), "least": round(least, 3), "of_ideal": round(least / took, 2)}


if __name__ == "__main__":
    main()
