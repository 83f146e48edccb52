"""Plan and apply against the embedded Agents API, with provider data alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project

AGENT = """\
reconciler: {kind: agent}
name: Helpdesk
model: gpt-6
instructions: Help.
reasoning: {effort: high}
experimental: {time_awareness: true}
metadata: {team: people}
"""


@pytest.fixture
def app(project: Project) -> Iterator[App]:
    """The server that the project's target is."""
    app = create_app(profile="agents-v1")
    with serve(app) as server:
        project.target(server.url, provider="openai-agents")
        project.write("assistants.d/helpdesk.yaml", AGENT)
        yield app


def writes(app: App) -> list[tuple[str, object]]:
    """What changed anything since this was last asked."""
    found = [(request.method, request.body) for request in app.requests if request.method != "GET"]
    app.requests.clear()
    return found


def test_an_agent_is_made_changed_and_removed_with_only_what_differs(project: Project, app: App) -> None:
    project.ok("apply", "--yes")
    ((method, made),) = writes(app)
    assert method == "POST"
    assert isinstance(made, dict)
    assert made["metadata"]["team"] == "people"
    assert project.run("plan").code == 0
    project.write("assistants.d/helpdesk.yaml", AGENT.replace("Help.", "Do help."))
    project.ok("apply", "--yes")
    assert writes(app) == [("POST", {"instructions": "Do help."})]
    given_up = AGENT.replace("experimental: {time_awareness: true}\n", "").replace("{effort: high}", "{}")
    project.write("assistants.d/helpdesk.yaml", given_up)
    project.ok("apply", "--yes")
    ((_, patch),) = writes(app)
    assert isinstance(patch, dict)
    assert patch["experimental"] == {"time_awareness": False}
    assert patch["reasoning"] == {}
    assert patch["metadata"]["team"] == "people"
    assert project.run("plan").code == 0
    project.remove("assistants.d/helpdesk.yaml")
    project.ok("apply", "--yes", "--allow-deletes", "1")
    assert [method for method, _ in writes(app)] == ["DELETE"]


def test_a_part_that_leaves_a_merged_object_is_cleared_by_name(project: Project, app: App) -> None:
    project.ok("apply", "--yes")
    project.write("assistants.d/helpdesk.yaml", AGENT.replace("{time_awareness: true}", "{}"))
    writes(app)
    project.ok("apply", "--yes")
    assert writes(app) == [("POST", {"experimental": {"time_awareness": False}})]
    assert project.run("plan").code == 0
