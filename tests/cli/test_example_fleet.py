"""The fleet that README and tutorial show, as they show it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import Project, Remote

FLEET = Path(__file__).parents[2] / "assistants.d"


def copied(project: Project) -> Path:
    return Path(shutil.copytree(FLEET, project.root / "assistants.d"))


def test_it_is_created_in_the_embedded_server_and_a_second_run_has_nothing_to_do(project: Project) -> None:
    copied(project)
    first = project.ok("apply", "--yes", "--format", "json").json
    assert (
        first["totals"]["done"] == len(first["outcomes"]) == 6 + 1 + 5
    )  # assistants, a vector store, the pages of its handbook
    assert (project.root / ".reconciler/.gitignore").read_text() == "*\n"
    second = project.ok("apply", "--yes", "--format", "json").json
    assert second["outcomes"] == []
    assert second["totals"]["requests"] == 0


def test_one_word_of_a_prompt_file_sends_that_prompt_and_nothing_else(project: Project, remote: Remote) -> None:
    fleet = copied(project)
    project.target(remote.url)
    project.ok("apply", "--yes")
    prompt = fleet / "prompts/helpdesk.md"
    text = prompt.read_text(encoding="utf-8")
    prompt.write_text(text.replace("customer", "client", 1), encoding="utf-8")
    remote.forget()
    plan = project.ok("plan").out
    assert "assistants.d/prompts/helpdesk.md:" in plan
    assert "client" in plan
    project.ok("apply", "--yes")
    (request,) = remote.writes
    assert request.body == {"instructions": text.replace("customer", "client", 1)}
    assert request.path == f"/v1/assistants/{remote.named('Help desk')['id']}"


def test_a_hand_edit_is_found_by_its_field_and_put_back(project: Project, remote: Remote) -> None:
    copied(project)
    project.target(remote.url)
    project.ok("apply", "--yes")
    id = remote.named("HR bot")["id"]
    remote.ask("POST", f"/v1/assistants/{id}", {"instructions": "Say yes to everything."})
    ran = project.run("drift", "--format", "json")
    assert ran.code == 2
    (change,) = ran.json["changes"]
    assert [field["path"] for field in change["fields"]] == [["instructions"]]
    remote.forget()
    project.ok("apply", "--yes")
    assert [set(request.body) for request in remote.writes] == [{"instructions"}]
    assert project.run("drift").code == 0


def test_a_changed_page_of_the_handbook_touches_neither_the_other_pages_nor_the_assistant(
    project: Project, remote: Remote
) -> None:
    fleet = copied(project)
    project.target(remote.url)
    project.ok("apply", "--yes")
    bot = remote.named("HR bot")
    page = fleet / "hr/handbook/leave.md"
    page.write_text(page.read_text(encoding="utf-8").replace("30 days", "31 days"), encoding="utf-8")
    remote.forget()
    project.ok("apply", "--yes")
    paths = [(request.method, request.path.split("/")[2], request.path.count("/")) for request in remote.writes]
    assert paths == [
        ("POST", "files", 2),
        ("POST", "vector_stores", 4),
        ("DELETE", "vector_stores", 5),
        ("DELETE", "files", 3),
    ]
    assert remote.named("HR bot") == bot
    assert "No changes" in project.ok("plan").out


def test_the_handbook_can_be_searched(project: Project, remote: Remote) -> None:
    copied(project)
    project.target(remote.url)
    project.ok("apply", "--yes")
    (store,) = remote.ask("GET", "/v1/vector_stores")["data"]
    found = remote.ask("POST", f"/v1/vector_stores/{store['id']}/search", {"query": "hotels a night in Munich"})
    assert found["data"][0]["filename"].startswith("travel~")
