"""The whole scenario of a fleet: `python -m bench.fleet`. PostgreSQL and workers are real, the vendor is a stand-in.

10,000 assistants over 4 keys of 100 requests a second, 4 workers; one is killed and never comes back, one stands still
for a minute, and PostgreSQL crashes. With `--rows 100000`, one target is submitted instead, and the memory of its
worker is measured while it works.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from tests.fleet.postgres import Postgres
from tests.fleet.scenario import Faults, FleetProject, children, play, stats, vendor_process

KEYS = 4


def main() -> None:
    """Measure, print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--assistants", type=int, default=10_000)
    arguments.add_argument("--rate", type=int, default=100, help="requests a second for each key")
    arguments.add_argument("--workers", type=int, default=4)
    arguments.add_argument("--stop-seconds", type=float, default=60)
    arguments.add_argument("--no-faults", action="store_true")
    arguments.add_argument("--rows", type=int, help="submit so many rows of one CSV file instead")
    asked = arguments.parse_args()
    postgres = Postgres()
    postgres.start()
    try:
        with tempfile.TemporaryDirectory() as scratch, vendor_process(0.02) as vendor:
            project = FleetProject(Path(scratch), vendor, postgres.url)
            print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            if asked.rows:
                large(project, asked.rows)
            else:
                part = asked.assistants // 10
                faults = Faults() if asked.no_faults else Faults(2 * part, 3 * part, asked.stop_seconds, 5 * part)
                scenario(project, postgres, asked, faults)
    finally:
        postgres.stop()


def scenario(project: FleetProject, postgres: Postgres, asked: argparse.Namespace, faults: Faults) -> None:
    """The scenario with its faults, against the ideal."""
    total = asked.assistants
    project.write(total // KEYS, KEYS, asked.rate)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seen = play(project, postgres, asked.workers, total, faults)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    ideal = total / (KEYS * asked.rate)
    limit = asked.rate
    print(f"made {seen['addresses']} of {total}, doubled {seen['doubled']}, lost {total - seen['addresses']}")
    took, back = seen["complete_seconds"], seen["requests"].get("DELETE", 0)
    print(f"last address made after {took:.1f} s, ideal {ideal:.1f} s: {took / ideal:.2f}x; taken back {back}")
    print(f"worst second of a key {seen['worst_second']} of {limit}: {seen['worst_second'] / limit:.2f}x")
    print(f"worst minute of a key {seen['worst_minute']} of {60 * limit}: {seen['worst_minute'] / (60 * limit):.2f}x")
    print(f"requests {seen['requests']}: {sum(seen['requests'].values()) / total:.3f} for each assistant")
    print(f"requests in each second: {' '.join(map(str, seen['by_second']))}")
    workers = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"seconds of a core: workers {workers:.1f}, vendor {seen['cpu']:.1f}, PostgreSQL {postgres.cpu():.1f}")
    print(f"load of the machine after: {os.getloadavg()[0]:.1f}")


def large(project: FleetProject, rows: int) -> None:
    """Submission time of a large CSV fleet, and the memory of a worker while the status is read."""
    project.write(rows, 1, 1000)
    project.ok("fleet", "init")
    begin = time.monotonic()
    said = project.ok("fleet", "submit").strip()
    print(f"{said}: submitted in {time.monotonic() - begin:.1f} s")
    with project.workers(1) as machines:
        project.wait_until(lambda found: sum(found[0].results.values()) > 0)
        for _ in range(6):
            done = sum(project.progress()[0].results.values())
            memory = [_resident(pid) for pid in children(machines[0].pid)]
            print(f"{done} done, worker {memory[0]:.0f} MB, vendor {stats(project.vendor)['objects']} objects")
            time.sleep(10)


def _resident(pid: int) -> float:
    """The memory of a process in MB."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
