"""How many requests are sent, and that they overlap."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote


def test_500_assistants_are_planned_in_5_requests_and_50_changes_applied_in_55(
    project: Project, remote: Remote
) -> None:
    project.target(remote.url, prune="none")
    for number in range(500):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes", "--parallelism", "16")
    remote.forget()
    project.ok("plan")
    assert len(remote.app.requests) == 5
    for number in range(50):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4-turbo\n")
    remote.forget()
    project.ok("apply", "--yes")
    assert len(remote.app.requests) == 55
    assert all(request.body == {"model": "gpt-4-turbo"} for request in remote.writes)


def test_to_find_orphans_one_more_request_looks_at_a_kind_without_manifests(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    project.ok("plan")
    read = sorted(request.path.partition("?")[0] for request in remote.app.requests)
    assert read == ["/v1/assistants", "/v1/files", "/v1/vector_stores"]
    remote.forget()
    project.ok("plan", "assistant/a")
    assert [request.path.partition("?")[0] for request in remote.app.requests] == ["/v1/assistants"]


class Together:
    """Answers no create before `width` of them are there at once."""

    def __init__(self, app: App, width: int) -> None:
        self.app = app
        self.barrier = threading.Barrier(width)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            self.barrier.wait(50)  # the client waits for a minute
        return self.app(environ, start_response)


def test_creates_run_in_parallel(project: Project) -> None:
    app = create_app()
    with serve(Together(app, 8)) as server:
        project.target(server.url)
        for number in range(16):
            project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
        project.ok("apply", "--yes", "--parallelism", "8")
        assert len(Remote(app, server).objects()) == 16


def test_connections_outlive_the_threads_that_opened_them(project: Project) -> None:
    app, ports = create_app(), set()

    def noted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        ports.add(environ["REMOTE_PORT"])
        return app(environ, start_response)

    with serve(noted) as server:
        project.target(server.url)
        for number in range(5):
            project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
        project.ok("apply", "--yes", "--parallelism", "1")
        assert len(app.requests) > 5
        assert len(ports) == 1
