"""SIGINT once: what is in flight is finished, the rest is skipped, exit 130; the next apply does the rest."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote


class Interrupting:
    """Sends the client a signal at its third create, and answers once the client has said that it will stop."""

    def __init__(self, app: App, number: signal.Signals) -> None:
        self.app = app
        self.number = number
        self.seen = 0
        self.client: subprocess.Popen[str] | None = None
        self.started = threading.Event()
        self.will_stop = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.started.wait(300)
        self.seen += environ["REQUEST_METHOD"] == "POST"
        if self.seen == 3 and self.client and not self.will_stop.is_set():
            self.client.send_signal(self.number)
            self.will_stop.wait(50)  # the client waits for a minute
        return self.app(environ, start_response)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_an_apply_after_what_is_in_flight(number: signal.Signals, project: Project) -> None:
    app = create_app()
    interrupting = Interrupting(app, number)
    with serve(interrupting) as server:
        project.target(server.url)
        for count in range(10):
            project.write(f"assistants.d/a{count}.yaml", f"name: a{count}\nmodel: gpt-4o\n")
        command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "apply", "--yes", "--parallelism", "1"]
        interrupting.client = subprocess.Popen(
            command, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        interrupting.started.set()
        assert interrupting.client.stderr is not None
        for line in interrupting.client.stderr:
            if "stopping" in line:
                interrupting.will_stop.set()
                break
        out, _ = interrupting.client.communicate(timeout=300)
        assert interrupting.client.returncode == 130
        assert "3 done" in out
        assert "7 skipped" in out
        remote = Remote(app, server)
        assert len(remote.objects()) == 3
        project.ok("apply", "--yes")
        assert len(remote.objects()) == 10


class Holding:
    """Carries out the third create, and does not answer it before it is let go."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.seen = 0
        self.reached = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.seen += environ["REQUEST_METHOD"] == "POST"
        answer = self.app(environ, start_response)
        if self.seen == 3 and not self.reached.is_set():
            self.reached.set()
            self.let_go.wait(600)
        return answer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_wait_for_what_is_in_flight(number: signal.Signals, project: Project) -> None:
    app = create_app()
    holding = Holding(app)
    with serve(holding) as server:
        project.target(server.url)
        for count in range(6):
            project.write(f"assistants.d/a{count}.yaml", f"name: a{count}\nmodel: gpt-4o\n")
        command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "apply", "--yes", "--parallelism", "1"]
        running = subprocess.Popen(command, env=project.environment, stderr=subprocess.PIPE, text=True)
        assert running.stderr is not None
        try:
            assert holding.reached.wait(300)
            running.send_signal(number)
            assert any("stopping" in line for line in running.stderr)
            running.send_signal(number)
            assert running.wait(50) in (130, -number)  # the request is held for longer
        finally:
            holding.let_go.set()
            running.kill()
            running.communicate()
        remote = Remote(app, server)
        assert len(remote.objects()) == 3
        project.ok("apply", "--yes")
        assert len(remote.objects()) == 6
