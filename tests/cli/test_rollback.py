"""Going back: the plan that takes an apply back, and when it refuses to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Project, Remote


def without_mark(body: dict[str, Any]) -> dict[str, Any]:
    metadata = {name: value for name, value in (body["metadata"] or {}).items() if name != "reconciler"}
    return {**body, "metadata": metadata}


def shape(remote: Remote) -> dict[str, Any]:
    """What is live by name, ids and times aside."""
    return {
        body["name"]: {n: v for n, v in without_mark(body).items() if n not in ("id", "created_at")}
        for body in remote.objects()
    }


@pytest.fixture
def changed(project: Project, remote: Remote) -> dict[str, Any]:
    """An apply that created, updated, moved, adopted, released and deleted; answers with what was live before."""
    project.target(remote.url)
    for number in range(8):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\ntemperature: 0.5\n")
    project.write("assistants.d/letgo.yaml", "reconciler: {on_remove: release}\nname: letgo\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    hand = remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "name": "hand", "metadata": {"x": "1"}})
    before = shape(remote)
    project.write("assistants.d/a0.yaml", "name: a0\nmodel: gpt-4-turbo\nmetadata: {team: new}\n")
    project.remove("assistants.d/a1.yaml")
    project.write("assistants.d/moved.yaml", "reconciler: {moved_from: a1}\nname: a1\nmodel: gpt-4o\ntemperature: 1\n")
    project.write("assistants.d/hand.yaml", f"reconciler: {{id: {hand['id']}}}\nname: hand\nmodel: gpt-4-turbo\n")
    project.remove("assistants.d/a2.yaml")
    project.remove("assistants.d/letgo.yaml")
    project.write("assistants.d/new.yaml", "name: brand new\nmodel: gpt-4o\n")
    project.ok("apply", "--yes", "--allow-deletes", "2", "--report", "report.json", "--rollback-out", "back.json")
    return before


def test_it_puts_everything_back(project: Project, remote: Remote, changed: dict[str, Any]) -> None:
    assert shape(remote) != changed
    shown = project.ok("show", "back.json").out
    assert "a0" in shown
    ran = project.ok("apply", "back.json", "--yes")
    assert "another id" in ran.err
    assert shape(remote) == changed
    again = project.run("apply", "back.json", "--yes", "--format", "json")
    assert again.json["totals"]["done"] == 0


def test_the_marks_are_back_as_well(project: Project, remote: Remote, changed: dict[str, Any]) -> None:
    project.ok("apply", "back.json", "--yes")
    keys = {
        body["name"]: (body["metadata"] or {}).get("reconciler", "- - -").split(" ")[2] for body in remote.objects()
    }
    assert keys == {**{f"a{n}": f"a{n}" for n in range(8)}, "letgo": "letgo", "hand": "-"}


def test_it_refuses_where_somebody_changed_things_since(
    project: Project, remote: Remote, changed: dict[str, Any]
) -> None:
    remote.ask("POST", f"/v1/assistants/{remote.named('a0')['id']}", {"model": "gpt-3.5-turbo"})
    remote.forget()
    ran = project.run("apply", "back.json", "--yes")
    assert (ran.code, remote.writes) == (3, [])
    assert "assistant/a0" in ran.err


def test_the_report_says_what_happened(project: Project, remote: Remote, changed: dict[str, Any]) -> None:
    report = json.loads((project.root / "report.json").read_text())
    done = {(o["address"], o["action"]) for o in report["outcomes"] if o["outcome"] == "done"}
    assert ("assistant/new", "create") in done
    assert ("assistant/moved", "move") in done
    assert len(done) == 6
    assert report["totals"]["requests"] >= 6


def test_an_earlier_way_back_is_never_written_over(project: Project, remote: Remote, changed: dict[str, Any]) -> None:
    before = (project.root / "back.json").read_text()
    project.write("assistants.d/new.yaml", "name: brand new\nmodel: gpt-4-turbo\n")
    remote.forget()
    ran = project.run("apply", "--yes", "--rollback-out", "back.json")
    assert (ran.code, remote.writes) == (1, [])
    assert (project.root / "back.json").read_text() == before
    assert project.run("apply", "--yes", "--report", "nowhere/report.json").code == 1
    assert remote.writes == []


def test_many_objects_made_are_not_unmade_without_their_number(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    for number in range(3):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes", "--rollback-out", "back.json")
    assert project.run("apply", "back.json", "--yes").code == 4
    assert len(remote.objects()) == 3
    project.ok("apply", "back.json", "--yes", "--allow-deletes", "3")
    assert remote.objects() == []
