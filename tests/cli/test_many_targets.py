"""`run` keeps as many targets as there are, whatever few descriptors it may have."""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from reconciler.operations.running.passes import PassLimits
from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project
from tests.running import limited, running, until


class Accounts:
    """A server with an account below each first part of a path, made when it is first asked for."""

    def __init__(self) -> None:
        self.apps: dict[str, App] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _, name, rest = environ["PATH_INFO"].split("/", 2)
        with self._lock:
            app = self.apps.setdefault(name, create_app())
        return app(environ | {"PATH_INFO": f"/{rest}"}, start_response)


def write_targets(project: Project, lines: Iterable[str]) -> None:
    project.write("assistants.d/reconciler.yaml", "\n".join(["owner: acme", "targets:", *lines]) + "\n")
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")


def play(project: Project, targets: int, descriptors: int, passes: int) -> tuple[int, int, float]:
    """The most descriptors and threads, and the memory in MB, of a run of several passes over each. None may fail."""
    opened, threads, resident = 0, 0, 0.0
    arguments = ("--passes", str(passes), "--interval", "1")
    with running(project, *arguments, through=limited(descriptors)) as (process, told):
        for number in range(targets * passes):
            event = until(told, "pass", "pass failed")
            assert event["event"] == "pass", event
            if number < targets * passes - 1:
                about = Path(f"/proc/{process.pid}")
                opened = max(opened, len(os.listdir(about / "fd")))
                threads = max(threads, len(os.listdir(about / "task")))
                resident = int((about / "statm").read_text().split()[1]) * resource.getpagesize() / 1e6
        assert process.wait(300) == 0
    return opened, threads, resident


def test_what_runs_at_once_and_what_is_kept_fits_into_the_descriptors() -> None:
    assert PassLimits.within(1024, 1000, 8) == (30, False)
    assert PassLimits.within(1024, 60, 8) == (22, True)
    assert PassLimits.within(1024, 3, 8) == (3, True)
    assert PassLimits.within(1024, 1000, 64) == (6, False)
    assert PassLimits.within(64, 1000, 8) == (1, False)
    assert PassLimits.within(1 << 20, 1000, 8) == (32, True)


def test_more_targets_than_descriptors(project: Project) -> None:
    targets, descriptors = 120, 80
    accounts = Accounts()
    with serve(accounts) as server:
        host = server.url.partition("://")[2].partition(":")[0]
        project.environment["RECONCILER_ALLOWED_HOSTS"] = ",".join(f"{host}/t{n}/v1" for n in range(targets))
        write_targets(
            project,
            (f"  t{n}: {{provider: openai-assistants, url: '{server.url}/t{n}/v1'}}" for n in range(targets)),
        )
        opened, threads, _ = play(project, targets, descriptors, 2)
    assert opened < descriptors
    assert threads < 40
    assert len(accounts.apps) == targets


def test_more_embedded_databases_than_descriptors(project: Project) -> None:
    write_targets(project, (f"  t{n}: {{provider: local}}" for n in range(40)))
    assert play(project, 40, 64, 1)[0] < 64  # three a database


def main() -> None:
    """Figures for many: `python -m tests.cli.test_many_targets --targets 1000 --descriptors 1024`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--descriptors", type=int, default=1024)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--embedded", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as root, serve(Accounts()) as server:
        project = Project(Path(root), {"PATH": os.environ["PATH"], "XDG_STATE_HOME": f"{root}/state"})
        remote = "openai-assistants, url: '" + server.url + "/t{}/v1'"
        provider = "local" if chosen.embedded else remote
        write_targets(project, (f"  t{n}: {{provider: {provider.format(n)}}}" for n in range(chosen.targets)))
        begin = time.monotonic()
        opened, threads, resident = play(project, chosen.targets, chosen.descriptors, chosen.passes)
        took = time.monotonic() - begin
        print(f"{opened} descriptors, {threads} threads, {resident:.0f} MB, {took:.0f} s")


if __name__ == "__main__":
    main()
