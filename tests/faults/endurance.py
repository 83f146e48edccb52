"""`run`, for many passes or minutes, against remotes that fail: what the process holds must not grow.

    python -m tests.faults.endurance --minutes 20

Samples are taken whenever a pass has ended. What one holds between passes is the least of a window of samples: other
targets are in the middle of theirs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.server import Chaos, create_app
from reconciler.server.http import Server, serve

SOON = {"Retry-After-Ms": "5"}
FAULTS: dict[str, list[dict[str, Any]]] = {
    "failing": [
        {"on": "list", "every": 3, "status": 500, "headers": SOON},
        {"on": "list", "every": 7, "status": 403},
        {"on": "modify", "every": 4, "status": 503, "headers": SOON},
    ],
    "cut-off": [
        {"on": "list", "every": 5, "truncate": 40},
        {"on": "modify", "every": 3, "drop": "after_commit"},
    ],
    "confused": [
        {"on": "list", "every": 4, "garbage": "<html>"},
        {"on": "retrieve", "every": 3, "truncate": 10},
    ],
    "dropping": [
        {"on": "any", "every": 6, "drop": "before_commit"},
        {"on": "create", "nth": 2, "drop": "after_commit"},
    ],
}
AT_REST = 3 + 3 + len(FAULTS) + 1 + 3
"""Descriptors: the streams, the embedded database, a connection for each other target, and the files of one pass."""
NOISE_MB = 4.0
OBJECTS = 6
SAID = ("pass", "pass failed", "pass cut short")


@dataclass(frozen=True)
class Sample:
    """What the process held when so many passes had ended."""

    passes: int
    failures: int
    descriptors: int
    threads: int
    resident: float
    """MB."""

    @classmethod
    def of(cls, process: int, passes: int, failures: int) -> Sample:
        about = Path(f"/proc/{process}")
        pages = int((about / "statm").read_text().split()[1])
        resident = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        return cls(passes, failures, len(os.listdir(about / "fd")), len(os.listdir(about / "task")), resident)


def least(samples: Sequence[Sample]) -> Sample:
    """The least of each figure."""
    last = samples[-1]
    return Sample(
        last.passes,
        last.failures,
        min(each.descriptors for each in samples),
        min(each.threads for each in samples),
        min(each.resident for each in samples),
    )


def grown(early: Sample, late: Sample) -> list[str]:
    """What the process holds too much of, between passes early and late."""
    found = {
        "descriptors": max(early.descriptors, late.descriptors) > AT_REST,
        "threads": late.threads > early.threads,
        "memory": late.resident > early.resident + NOISE_MB,
    }
    return [name for name, is_more in found.items() if is_more]


class Flapping:
    """A remote that is there for one connection, and refuses the next ones until `rise`."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as place:
            self.port = place.getsockname()[1]
        self._app = create_app()
        self._server: Server | None = None

    def rise(self) -> None:
        with contextlib.suppress(OSError):  # somebody else's for a moment
            self._server = self._server or serve(self._app, port=self.port).start()

    def fall(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None


@contextlib.contextmanager
def playing(root: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], Iterator[dict[str, Any]]]]:
    """The process over a remote of each sort of fault, one that comes and goes and the embedded one; and its events."""
    with contextlib.ExitStack() as stack:
        urls = {
            name: stack.enter_context(serve(create_app(chaos=Chaos.from_rules({"seed": 1, "rules": rules})))).url
            for name, rules in FAULTS.items()
        }
        flapping = Flapping()
        stack.callback(flapping.fall)
        urls["flapping"] = f"http://127.0.0.1:{flapping.port}"
        write_project(root, urls)
        command = [sys.executable, "-m", "reconciler", "-C", str(root), "run", "--interval", "0.1", *arguments]
        environment = os.environ | {"XDG_STATE_HOME": f"{root}/state"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        stack.callback(process.wait, 300)
        stack.callback(process.kill)

        def events() -> Iterator[dict[str, Any]]:
            assert process.stderr
            for line in process.stderr:
                event = json.loads(line)
                if event.get("target") == "flapping" and event["event"] in SAID:
                    (flapping.rise if event["event"] == "pass failed" else flapping.fall)()
                yield event

        yield process, events()


def write_project(root: Path, urls: dict[str, str]) -> None:
    limits = "{settle_seconds: 0, writes_per_minute: 100000, reads_per_minute: 100000}"
    lines = ["owner: acme", "prune: owned", "targets:", "  embedded: {provider: local}"]
    for name, url in urls.items():
        lines.append(f"  {name}: {{provider: openai-assistants, url: '{url}/v1', limits: {limits}}}")
    (root / "assistants.d").mkdir()
    (root / "assistants.d/reconciler.yaml").write_text("\n".join(lines) + "\n")
    write_manifests(root, 0)


def write_manifests(root: Path, turn: int) -> None:
    """Something to change in each pass."""
    for number in range(OBJECTS):
        text = f"name: a{number}\nmodel: gpt-4o\ntemperature: {turn % 10 / 10}\n"
        beside = root / f"a{number}.tmp"
        beside.write_text(text)
        beside.replace(root / f"assistants.d/a{number}.yaml")


def samples(root: Path, over: Callable[[int], bool]) -> list[Sample]:
    """One for each pass, until it is over after so many of them."""
    found: list[Sample] = []
    failures = 0
    with playing(root) as (process, events):
        for event in events:
            if event["event"] not in SAID:
                continue
            failures += event["event"] == "pass failed" or bool(event.get("problems"))
            found.append(Sample.of(process.pid, len(found) + 1, failures))
            if over(len(found)):
                break
            write_manifests(root, len(found))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    end = time.monotonic() + parser.parse_args().minutes * 60
    with tempfile.TemporaryDirectory() as root:
        found = samples(Path(root), lambda passes: time.monotonic() > end)
    tenth = len(found) // 10
    windows = [least(found[begin : begin + tenth]) for begin in range(0, tenth * 10, tenth)]
    for each in windows:
        print(each)
    more = grown(windows[1], windows[-1])
    print("grown: " + (", ".join(more) or "nothing"))
    return int(bool(more))


if __name__ == "__main__":
    sys.exit(main())
