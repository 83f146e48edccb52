"""A hundred times `kill -9` at random points of the real process; one apply afterwards makes it good.

Ten chains of ten kills: before a request is carried out, after it and before its answer, or some milliseconds later,
which may be in the middle of a write to the journal. Nothing is ever doubled on the way, not even for a moment.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote

KILLS = 10
FLEET = 8


class Killing:
    """The embedded server, which kills its client at a request that it is told."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.victim: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._left = 0
        self._how = ""
        self._later = 0.0

    def aim(self, nth: int, how: str, later: float) -> None:
        """Kill at the nth request from now: `before` it, `after` it, or so many seconds `later`."""
        self._left, self._how, self._later = nth, how, later

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            self._left -= 1
            how = self._how if self._left == 0 else ""
        if how == "before":
            self.kill()
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        answer = self.app(environ, start_response)
        if how == "after":
            self.kill()
        elif how == "later":
            threading.Timer(self._later, self.kill).start()
        return answer

    def kill(self) -> None:
        """Kill -9."""
        if self.victim:
            self.victim.kill()


@pytest.mark.parametrize("chain", range(10))
def test_ten_kills_in_a_row_and_one_apply_converge(chain: int, project: Project) -> None:
    chance, app = random.Random(chain), create_app()
    killing = Killing(app)
    environment = project.environment | {k: v for k, v in os.environ.items() if k.startswith("PYTHON")}
    command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "apply", "--yes", "--allow-deletes", "1"]
    with serve(killing) as server:
        remote = Remote(app, server)
        project.target(server.url)
        kills = number = 0
        while kills < KILLS:
            number += 1
            names = [f"a{n}" for n in range(1 if number > 3 else 0, FLEET)]  # a0 leaves on the way
            for name in names:
                temperature = chance.choice((0.1, 0.5, 0.9))
                project.write(f"assistants.d/{name}.yaml", f"name: {name}\nmodel: gpt-4o\ntemperature: {temperature}\n")
            if number == 4:
                project.remove("assistants.d/a0.yaml")
            killing.victim = None
            killing.aim(chance.randint(1, 6), chance.choice(("before", "after", "later")), chance.uniform(0, 0.02))
            with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
                killing.victim = run
                _, said = run.communicate(timeout=300)
            killing.aim(0, "", 0)
            remote.quiet()
            assert run.returncode in (0, -9), said
            kills += run.returncode == -9
            assert number < 5 * KILLS
            doubled = Counter(each["name"] for each in remote.objects())
            assert doubled.total() == len(doubled)
        project.ok("apply", "--yes", "--allow-deletes", "1")
        assert Counter(each["name"] for each in remote.objects()) == dict.fromkeys(names, 1)
        remote.forget()
        assert "No changes" in project.ok("apply", "--yes").out
        assert remote.writes == []
