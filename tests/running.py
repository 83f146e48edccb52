"""`run` as a process of its own, its events as they come, and its pages."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.conftest import Project

COMMAND = (sys.executable, "-m", "reconciler")


def under(preparation: str) -> list[str]:
    """The command, in a process that runs this Python first; `resource` and `signal` are there."""
    replaced = "os.execv(sys.executable, [sys.executable, '-m', 'reconciler', *sys.argv[1:]])"
    return [sys.executable, "-c", f"import os, resource, signal, sys; {preparation}; {replaced}"]


def limited(descriptors: int) -> list[str]:
    """The command, in a process that may have only so many descriptors."""
    return under(f"resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors}))")


@contextmanager
def running(
    project: Project, *arguments: str, through: Sequence[str] = COMMAND
) -> Iterator[tuple[subprocess.Popen[str], queue.Queue[dict[str, Any]]]]:
    """The real process, and its events as they come."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    command = [*through, "-C", str(project.root), "run", *arguments]
    process = subprocess.Popen(command, env=project.environment | kept, stderr=subprocess.PIPE, text=True)
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    assert process.stderr
    reader = threading.Thread(target=lambda: [told.put(json.loads(line)) for line in process.stderr or ()])
    reader.start()
    try:
        yield process, told
    finally:
        process.kill()
        process.wait(300)
        reader.join(300)


def fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def until(told: queue.Queue[dict[str, Any]], *names: str) -> dict[str, Any]:
    """The next event of these names."""
    while (event := told.get(timeout=300))["event"] not in names:
        pass
    return event
