"""Runs `validate` on each of the projects given as arguments, on limited memory and time, on a large stack and a small.

Prints one JSON line before each run and one after it, so that who reads it knows what a run that died was about.
"""

from __future__ import annotations

import contextlib
import io
import json
import resource
import sys
import threading
from pathlib import Path

MEMORY = 400 * 1024 * 1024
CPU_SECONDS = 20
SMALL_STACK = 512 * 1024
"""What threads have on macOS and on musl."""


def run(project: str) -> tuple[int, str]:
    """Exit code and output of `validate`."""
    from reconciler.cli.main import main

    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main(["-C", project, "validate"])
    except SystemExit as left:
        return int(str(left.code or 0)), said.getvalue()


def limit() -> None:
    """So much more memory, and so much more time, than what is used by now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, resource.RLIM_INFINITY))
    seconds = int(used.ru_utime + used.ru_stime) + CPU_SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def on_a_small_stack(project: str) -> tuple[int, str]:
    """The same in a thread with little stack."""
    found: list[tuple[int, str]] = []
    before = threading.stack_size(SMALL_STACK)
    thread = threading.Thread(target=lambda: found.append(run(project)))
    threading.stack_size(SMALL_STACK)
    thread.start()
    threading.stack_size(before)
    thread.join()
    return found[0]


def play(projects: list[str]) -> None:
    """Run each twice."""
    for project in projects:
        print(json.dumps({"begins": project}), flush=True)
        limit()
        code, said = run(project)
        again = on_a_small_stack(project)
        line = {"project": project, "code": code, "said": said, "same": again == (code, said)}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    play(sys.argv[1:])
