"""After a kill nothing is sent before it is certain what became of what was under way; a refused key ends it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.values.model import Action, Address
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.engine.state.journal import Journal
from reconciler.server import Chaos, create_app
from reconciler.server.http import serve
from reconciler.tree import Tree
from tests.conftest import Project, Remote
from tests.faults.matrix import manifest
from tests.world import PROVIDER, Clock, World, due

FILES = [manifest("a")]
CONNECTION = ConnectionSettings("http://embedded/v1", PROVIDER.headers, (), 60, 10**6, 10**6)


class Killed(BaseException):
    """The process is gone."""


def test_a_create_that_waited_long_before_it_was_sent_is_held_off_from_its_sending(tmp_path: Path) -> None:
    world = World(tmp_path, settle_seconds=30)
    posts = 0

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        nonlocal posts
        posts += environ["REQUEST_METHOD"] == "POST"
        if environ["REQUEST_METHOD"] == "POST" and posts == 1:
            start_response("429 x", [("Retry-After", "60")])
            return []
        if environ["REQUEST_METHOD"] == "POST":
            raise Killed  # on its way, and nobody is left to hear what became of it
        return world.app(environ, start_response)

    plan = world.plan(FILES)
    http = HttpClient(CONNECTION, wsgi_app=app, pause=world.clock.pause, clock=world.clock)
    world.driver = RestDriver(PROVIDER, http)
    with pytest.raises(Killed):
        world.apply(plan)
    world.clock.pause(1)
    assert [attempt.address for attempt in world.look().unsettled] == [FILES[0].address]


def test_a_saved_plan_waits_for_the_creates_of_a_killed_run_too(project: Project) -> None:
    clock, settle = Clock(), 6  # of these seconds the machine may need five until the apply looks
    app = create_app(chaos=Chaos.from_rules({"rules": [{"on": "list", "slow_visibility": 45}]}), clock=clock)

    def ticking(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        listing = (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", "/v1/assistants")
        clock.pause(30 if listing else 0)
        return app(environ, start_response)

    with serve(ticking) as server:
        project.target(server.url)
        settings = project.root / "assistants.d/reconciler.yaml"
        settings.write_text(settings.read_text().replace("settle_seconds: 0", f"settle_seconds: {settle}"))
        project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
        project.ok("plan", "--out", "plan.json")
        mark = {"reconciler": "1 acme a killed123456 - -"}
        Remote(app, server).ask("POST", "/v1/assistants", {"name": "a", "model": "gpt-4o", "metadata": mark})
        journal = Journal(
            Tree(project.root, ".reconciler/journal"), f"{server.url}/v1", settle, time.time, owner="acme"
        )
        journal.attempt(Address("assistant", "a"), "killed123456")
        app.requests.clear()
        project.run("apply", "plan.json", "--yes")
        assert [request for request in app.requests if request.method == "POST"] == []


def test_a_credential_that_is_refused_ends_the_apply(tmp_path: Path) -> None:
    world = World(tmp_path, chaos={"rules": [{"on": "create", "status": 401}]})
    plan = world.plan([manifest(key) for key in "abcde"])
    assert [change.action for change in due(plan)] == [Action.CREATE] * 5
    world.apply(plan)
    assert len([request for request in world.app.requests if request.method == "POST"]) == 1
