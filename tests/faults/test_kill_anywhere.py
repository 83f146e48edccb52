"""A hundred times `kill -9` at random points of the real process; one apply afterwards makes it good.

Ten chains of ten kills: before a request is carried out, after it and before its answer, or some milliseconds later,
which may be in the middle of a write to the journal. Nothing is ever doubled on the way, not even for a moment.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.forks import Fork, Forks, forking

KILLS = 10
FLEET = 8


class Killing:
    """The embedded server, which kills its client at a request that it is told."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.victim: Fork | None = None
        self.started = threading.Event()
        self._lock = threading.Lock()
        self._left = 0
        self._how = ""
        self._later = 0.0

    def aim(self, nth: int, how: str, later: float) -> None:
        """Kill at the nth request from now: `before` it, `after` it, or so many seconds `later`."""
        self._left, self._how, self._later = nth, how, later

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert self.started.wait(300)
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


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    with forking(tmp_path_factory.mktemp("forks")) as found:
        yield found


@pytest.mark.parametrize("chain", range(10))
def test_ten_kills_in_a_row_and_one_apply_converge(chain: int, project: Project, forks: Forks) -> None:
    chance, app = random.Random(chain), create_app()
    killing = Killing(app)
    command = ["-C", str(project.root), "apply", "--yes", "--allow-deletes", "1"]
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
            killing.aim(chance.randint(1, 6), chance.choice(("before", "after", "later")), chance.uniform(0, 0.02))
            killing.started.clear()
            killing.victim = forks.start(command, project.environment)
            killing.started.set()
            code = killing.victim.wait()
            killing.aim(0, "", 0)
            killed, killing.victim = killing.victim, None
            remote.quiet()
            assert code in (0, -9), killed.said.read_text()
            kills += code == -9
            assert number < 5 * KILLS
            doubled = Counter(each["name"] for each in remote.objects())
            assert doubled.total() == len(doubled)
        project.ok("apply", "--yes", "--allow-deletes", "1")
        assert Counter(each["name"] for each in remote.objects()) == dict.fromkeys(names, 1)
        remote.forget()
        assert "No changes" in project.ok("apply", "--yes").out
        assert remote.writes == []
