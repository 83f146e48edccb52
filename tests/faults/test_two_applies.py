"""Two applies at once, each having read an empty account: one object for each address."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote

FLEET = 5


class Racing:
    """Answers the first list of each of two clients only when both have asked, so that both see the same."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.barrier = threading.Barrier(2)
        self.lists = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self.app(environ, start_response)
        if environ["REQUEST_METHOD"] == "GET":
            with self._lock:
                self.lists += 1
                first = self.lists <= 2
            if first:
                self.barrier.wait(50)  # the clients wait for a minute
        return answer


def test_two_applies_at_once_leave_one_object_for_each_address(project: Project) -> None:
    app = create_app()
    with serve(Racing(app)) as server:
        project.target(server.url, prune="none")
        for number in range(FLEET):
            project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
        command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "apply", "--yes"]
        both = [
            subprocess.Popen(command, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        for process in both:
            out, err = process.communicate(timeout=300)
            assert process.returncode == 0, (out, err)
        remote = Remote(app, server)
        assert len([r for r in remote.writes if r.method == "POST"]) == 2 * FLEET
        project.ok("apply", "--yes")
        assert Counter(each["name"] for each in remote.objects()) == {f"a{n}": 1 for n in range(FLEET)}
        remote.forget()
        assert "No changes" in project.ok("apply", "--yes").out
        assert remote.writes == []
