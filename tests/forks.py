"""The command line in processes that are forked from one which has imported it: killed for real, started in no time.

`python -m tests.forks` is that one. It has no threads, and does what it reads, line by line: start a process, or wait
for one to end.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]
LEFT_OUT = ("reconciler.__main__", "reconciler.engine.fleet", "reconciler.engine.locks", "reconciler.cli.tracing")


@dataclass
class Fork:
    """One process of the command line; `said` is where its stderr goes."""

    forks: Forks
    pid: int
    said: Path
    is_over: bool = False

    def kill(self) -> None:
        """Kill -9. Its number is its own until somebody has waited for it."""
        if not self.is_over:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code, negative where a signal ended it."""
        code = int(self.forks.ask({"wait": self.pid}))
        self.is_over = True
        return code


class Forks:
    """Starts processes of the command line."""

    def __init__(self, process: subprocess.Popen[str], scratch: Path) -> None:
        self._process, self._scratch = process, scratch

    def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Fork:
        """`reconciler` with these arguments; nobody sees its stdout."""
        said = self._scratch / "stderr"
        pid = self.ask({"arguments": [*arguments], "environment": {**environment}, "said": str(said)})
        return Fork(self, int(pid), said)

    def ask(self, request: Mapping[str, Any]) -> Any:
        """One line there, and one back."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def forking(scratch: Path) -> Iterator[Forks]:
    """The process that forks, until the end."""
    command = [sys.executable, "-m", "tests.forks"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield Forks(process, scratch)


def _serve() -> None:
    import reconciler

    for module in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
        if not module.name.startswith(LEFT_OUT):
            importlib.import_module(module.name)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
        elif not (answer := os.fork()):
            _be(**request)
        print(answer, flush=True)


def _be(arguments: list[str], environment: dict[str, str], said: str) -> NoReturn:
    """In the fork: the command line, as in an interpreter of its own."""
    code: Any = 70
    try:
        for descriptor, path in enumerate((os.devnull, os.devnull, said)):
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            os.dup2(opened, descriptor)
            os.close(opened)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv[1:] = arguments
        from reconciler.cli.main import main

        main(arguments)
        code = 0
    except SystemExit as left:
        code = left.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    _serve()
