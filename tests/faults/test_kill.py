"""`kill -9` in the middle of creating twenty, then apply again: twenty objects, each address once."""

from __future__ import annotations

import os
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

CREATES = 20


class Killing:
    """The embedded server, which kills its client at the n-th create: before it commits, or after."""

    def __init__(self, app: App, nth: int, after: bool) -> None:
        self.app = app
        self.nth = nth
        self.after = after
        self.seen = 0
        self.victim: subprocess.Popen[bytes] | None = None
        self.started = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.started.wait(300)
        with self._lock:
            self.seen += environ["REQUEST_METHOD"] == "POST"
            due = self.seen == self.nth and environ["REQUEST_METHOD"] == "POST"
        if due and not self.after:
            self.kill()
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        answer = self.app(environ, start_response)
        if due and self.after:
            self.kill()
        return answer

    def kill(self) -> None:
        assert self.victim is not None
        self.victim.kill()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("nth", [1, 9, CREATES])
def test_killed_while_creating_then_applied_again(nth: int, after: bool, project: Project) -> None:
    app = create_app()
    killing = Killing(app, nth, after)
    with serve(killing) as server:
        remote = Remote(app, server)
        project.target(server.url)
        for number in range(CREATES):
            project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
        command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "apply", "--yes"]
        environment = project.environment | {
            name: value for name, value in os.environ.items() if name.startswith("PYTHON")
        }
        killing.victim = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        killing.started.set()
        assert killing.victim.wait(300) == -9
        killing.nth = 0
        remote.quiet()
        before = len(remote.objects())
        assert before < CREATES or after
        project.ok("apply", "--yes")
        assert Counter(each["name"] for each in remote.objects()) == {f"a{n}": 1 for n in range(CREATES)}
        remote.forget()
        assert "No changes" in project.ok("apply", "--yes").out
        assert remote.writes == []
