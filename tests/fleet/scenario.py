"""A fleet as it runs for real: workers with supervisors, PostgreSQL, a vendor, and what goes wrong with them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.engine.fleet.database import Database, DatabaseError
from reconciler.engine.fleet.ledger import Ledger, TargetProgress
from tests.fleet.postgres import Postgres

LONGEST = 600.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Faults:
    """What goes wrong once so many assistants exist; 0 for never. `stop_seconds` is how long a worker stands still."""

    kill_at: int = 0
    stop_at: int = 0
    stop_seconds: float = 0
    crash_at: int = 0


class FleetProject:
    """A project with one CSV fleet and several targets, each with a key of its own."""

    def __init__(self, root: Path, vendor: str, database: str) -> None:
        self.root = root
        self.vendor = vendor
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"RECONCILER_FLEET_DATABASE": database, "RECONCILER_ALLOWED_ENV": "KEY_T*"}
        self.environment = kept | own | {"PYTHONPATH": str(ROOT)}
        self.targets: list[str] = []
        self.stderr: Any = subprocess.DEVNULL

    def write(self, rows: int, targets: int, rate: int, *, timeout: float = 4, settle: float = 1) -> None:
        self.targets = [f"t{number}" for number in range(targets)]
        self.environment |= {f"KEY_{name.upper()}": f"key-{name}" for name in self.targets}
        files = self.root / "assistants.d"
        files.mkdir(parents=True, exist_ok=True)
        lines = "".join(f"c{number:06},0.{number % 9}\n" for number in range(rows))
        (files / "tenants.csv").write_text(f"tenant,heat\n{lines}")
        (files / "support.yaml").write_text(
            'reconciler:\n  for_each: !csv tenants.csv\n  key: "support/{{ tenant }}"\n'
            'name: "Support of {{ tenant }}"\nmodel: gpt-4o\ntemperature: "{{ heat | float }}"\n'
            'instructions: "You help the customers of {{ tenant }}."\n'
        )
        limits = f"requests_per_minute: {rate * 60}, settle_seconds: {settle}"
        settings = "owner: acme\ntargets:\n" + "".join(
            f"  {name}:\n    provider: openai-assistants\n    url: {self.vendor}/v1\n"
            f"    credentials: {{api_key: !env KEY_{name.upper()}}}\n"
            f"    limits: {{{limits}, timeout_seconds: {timeout}, concurrency: 8}}\n"
            for name in self.targets
        )
        (files / "reconciler.yaml").write_text(settings)

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "reconciler", "-C", str(self.root), *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), env=self.environment, capture_output=True, text=True, check=False, timeout=LONGEST
        )

    def ok(self, *words: str) -> str:
        ran = self.run(*words)
        assert ran.returncode == 0, f"{words}: exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def progress(self) -> list[TargetProgress]:
        with Database(self.environment["RECONCILER_FLEET_DATABASE"], 1) as database:
            return Ledger(database).progress()

    def wait_until(self, there: Callable[[list[TargetProgress]], bool]) -> list[TargetProgress]:
        """Look at the status until it is as wanted, however long that takes within reason."""
        end = time.monotonic() + LONGEST
        with Database(self.environment["RECONCILER_FLEET_DATABASE"], 1) as database:
            while time.monotonic() < end:
                with contextlib.suppress(DatabaseError):  # it may be down at the moment
                    if there(found := Ledger(database).progress()):
                        return found
                time.sleep(0.1)
        raise AssertionError(f"it never came to that: {self.progress()}")

    def wait_until_finished(self) -> list[TargetProgress]:
        return self.wait_until(lambda found: all(each.finished for each in found))

    @contextlib.contextmanager
    def workers(self, count: int, *more: str) -> Iterator[list[subprocess.Popen[bytes]]]:
        """So many machines, each a supervisor with one worker."""
        command = self.command("fleet", "worker", "--processes", "1", *more)
        running = [subprocess.Popen(command, env=self.environment, stderr=self.stderr) for _ in range(count)]
        try:
            yield running
        finally:
            for each in running:
                each.terminate()
            for each in running:
                each.wait(LONGEST)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def worker_of(supervisor: int) -> int:
    """The process id of its one worker; waits for it where the last one has just ended."""
    end = time.monotonic() + LONGEST
    while not (found := children(supervisor)):
        assert time.monotonic() < end
        time.sleep(0.05)
    (worker,) = found
    return worker


def stats(vendor: str) -> Any:
    with urllib.request.urlopen(f"{vendor}/stats") as response:
        return json.loads(response.read())


def addresses(vendor: str) -> int:
    """How many addresses have had an object: asked often, it costs the vendor nothing."""
    with urllib.request.urlopen(f"{vendor}/addresses") as response:
        return int(response.read())


@contextlib.contextmanager
def vendor_process(latency: float = 0.02) -> Iterator[str]:
    """The stand-in in a process of its own; its address."""
    command = [sys.executable, "-m", "tests.fleet.vendor", str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait(LONGEST)


def play(project: FleetProject, postgres: Postgres, workers: int, total: int, faults: Faults) -> Mapping[str, Any]:
    """Submit, work, break things on the way; what the vendor saw, and how long it took."""
    project.ok("fleet", "init")
    project.ok("fleet", "submit")
    with project.workers(workers, "--heartbeat", "1", "--silence", "3") as machines:
        due = sorted(
            (at, act)
            for at, act in ((faults.kill_at, "kill"), (faults.stop_at, "stop"), (faults.crash_at, "crash"))
            if at
        )
        wake: tuple[float, int] | None = None
        end = time.monotonic() + LONGEST
        seen = 0
        while (seen < total or due or wake) and time.monotonic() < end:
            time.sleep(0.1)
            seen = addresses(project.vendor)
            if due and seen >= due[0][0]:
                wake = _act(due.pop(0)[1], machines, postgres, faults, wake)
            if wake and time.monotonic() >= wake[0]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(wake[1], signal.SIGCONT)
                wake = None
        project.wait_until_finished()
    return stats(project.vendor)  # once the workers have ended: one that stood still may have something to take back


def _act(
    act: str,
    machines: list[subprocess.Popen[bytes]],
    postgres: Postgres,
    faults: Faults,
    wake: tuple[float, int] | None,
) -> tuple[float, int] | None:
    if act == "kill":  # the whole machine, never seen again
        worker = worker_of(machines[0].pid)
        machines[0].kill()
        os.kill(worker, signal.SIGKILL)
    elif act == "stop":
        worker = worker_of(machines[1].pid)
        os.kill(worker, signal.SIGSTOP)
        return time.monotonic() + faults.stop_seconds, worker
    else:
        postgres.crash()
    return wake
