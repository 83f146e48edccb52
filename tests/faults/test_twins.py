"""Two applies at once, and gateways that send a create twice: one object for each address in the end."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote

MANIFEST = "name: a\nmodel: gpt-4o\n"


class Repeating:
    """A gateway that sends each create to the server twice and answers with the second; it says so, or not."""

    def __init__(self, app: App, header: str | None) -> None:
        self.app = app
        self.header = header

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != "/v1/assistants":
            return self.app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        list(self.app({**environ, "wsgi.input": io.BytesIO(body)}, lambda status, headers, error=None: print))

        def telling(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            return start_response(status, [*headers, ("x-portkey-retry-attempt-count", self.header or "0")])

        return self.app({**environ, "wsgi.input": io.BytesIO(body)}, telling)


def test_a_create_that_a_gateway_sent_twice_leaves_one_object(project: Project) -> None:
    for header in ("1", None):
        app = create_app()
        with serve(Repeating(app, header)) as server:
            remote = Remote(app, server)
            project.target(server.url, provider="portkey")
            project.write("assistants.d/a.yaml", MANIFEST)
            project.write("assistants.d/b.yaml", MANIFEST.replace("name: a", "name: b"))
            ran = project.ok("apply", "--yes")
            assert "created twice" in ran.out + ran.err
            assert len(remote.objects()) == 2
            assert "No changes" in project.ok("plan").out


def test_a_twin_left_by_another_run_is_removed_and_the_older_stays(
    project: Project, start: Callable[..., Remote]
) -> None:
    remote = start(clock=count(1_700_000_000).__next__)
    project.target(remote.url, prune="none")
    project.write("assistants.d/a.yaml", MANIFEST)
    project.ok("apply", "--yes")
    first = remote.named("a")
    words = first["metadata"]["reconciler"].split(" ")
    twin = {"name": "a", "model": "gpt-4o", "metadata": {"reconciler": " ".join([*words[:3], "other123", *words[4:]])}}
    remote.ask("POST", "/v1/assistants", twin)
    assert project.run("apply", "--yes", "--allow-deletes", "1").code == 4  # perhaps a stranger made it
    settings = project.root / "assistants.d/reconciler.yaml"
    settings.write_text(settings.read_text().replace("settle_seconds: 0", "settle_seconds: 30"))
    ran = project.run("apply", "--yes", "--allow-deletes", "1")
    assert ran.code == 4
    assert "`prune: none` deletes nothing" in ran.out
    settings.write_text(settings.read_text().replace("prune: none", "prune: owned"))
    project.ok("apply", "--yes", "--allow-deletes", "1")
    assert [each["id"] for each in remote.objects()] == [first["id"]]


def test_a_copy_made_in_a_console_is_reported_and_kept(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(clock=count(1_700_000_000).__next__)
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    project.ok("apply", "--yes")
    first = remote.named("a")
    copy = remote.ask("POST", "/v1/assistants", {"name": "b", "model": "m", "metadata": first["metadata"]})
    remote.forget()
    ran = project.ok("apply", "--yes")
    assert copy["id"] in ran.err
    assert "RC0403" in ran.err
    assert remote.writes == []


def test_a_gateway_that_overrides_a_field_is_found_out(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(chaos={"rules": [{"on": "modify", "override": {"temperature": 0.1}}]})
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST + "temperature: 0.9\n")
    project.ok("apply", "--yes")
    project.write("assistants.d/a.yaml", MANIFEST + "temperature: 0.8\n")
    ran = project.run("apply", "--yes")
    assert ran.code == 5
    assert "RC0601" in ran.out
    project.write("assistants.d/a.yaml", "name: a2\nmodel: gpt-4o\ntemperature: 0.1\n")
    remote.ask("POST", f"/v1/assistants/{remote.named('a')['id']}", {"temperature": 0.1})
    assert "RC0602" not in project.ok("apply", "--yes").out
