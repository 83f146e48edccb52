"""Sealed plans: no content in the file, and the same requests as an open one."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Project, Remote

SECRET = "The password of the vault is Nightingale."


def prepared(project: Project, remote: Remote, marks: str = "names") -> None:
    project.target(remote.url, more=f"    marks: {marks}\n")
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\ndescription: first\nmetadata: {team: x}\n")
    project.write("assistants.d/gone.yaml", "name: gone\nmodel: gpt-4o\n")
    for number in range(6):
        project.write(f"assistants.d/other{number}.yaml", f"name: other {number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.write("assistants.d/a.yaml", f"name: a\nmodel: gpt-4o\ninstructions: {SECRET}\nmetadata: {{unit: y}}\n")
    project.write("assistants.d/new.yaml", f"name: new one\nmodel: gpt-4o\ninstructions: new {SECRET}\n")
    project.remove("assistants.d/gone.yaml")
    remote.forget()


@pytest.mark.parametrize("marks", ["names", "digests"])
def test_a_sealed_plan_holds_no_content_and_does_the_same(project: Project, remote: Remote, marks: str) -> None:
    prepared(project, remote, marks)
    shown = project.ok("plan", "--out", "plan.json", "--sealed")
    assert SECRET in shown.out.replace("\n", " ")  # whoever plans still sees what it is about
    text = (project.root / "plan.json").read_text()
    assert "Nightingale" not in text
    document = json.loads(text)
    assert document["sealed"] is True
    assert not [c for c in document["changes"] if "patch" in c]
    assert not [f for c in document["changes"] for f in c["fields"] if "before" in f or "after" in f]
    assert "Nightingale" not in project.ok("show", "plan.json").out
    project.ok("apply", "plan.json", "--yes")
    writes = sorted((request.method, sorted(request.body or {})) for request in remote.writes)
    assert writes == [
        ("DELETE", []),
        ("POST", ["description", "instructions", "metadata"]),
        ("POST", ["instructions", "metadata", "model", "name"]),
    ]
    live = remote.named("a")
    assert (live["instructions"], live["description"]) == (SECRET, None)
    assert set(live["metadata"]) == {"unit", "reconciler"}
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_it_is_gone_on_with_after_a_failure(project: Project, remote: Remote) -> None:
    prepared(project, remote)
    project.ok("plan", "--out", "plan.json", "--sealed")
    project.ok("apply", "plan.json", "--yes")
    remote.forget()
    again = project.ok("apply", "plan.json", "--yes", "--format", "json").json
    assert again["totals"]["already-applied"] == 3
    assert remote.writes == []


def test_it_is_refused_where_the_files_say_something_else(project: Project, remote: Remote) -> None:
    prepared(project, remote)
    project.ok("plan", "--out", "plan.json", "--sealed")
    project.write("assistants.d/new.yaml", "name: new one\nmodel: gpt-4o\ninstructions: other\n")
    ran = project.run("apply", "plan.json", "--yes")
    assert (ran.code, remote.writes) == (3, [])


def test_it_is_refused_where_its_contents_were_tampered_with(project: Project, remote: Remote) -> None:
    prepared(project, remote)
    project.ok("plan", "--out", "plan.json", "--sealed")
    document = json.loads((project.root / "plan.json").read_text())
    document["changes"][0]["seals"][0]["digest"] = "sha256:" + "0" * 64
    from reconciler.formats.plan_document import digest_of

    (project.root / "plan.json").write_text(json.dumps(document | {"digest": digest_of(document)}))
    ran = project.run("apply", "plan.json", "--yes")
    assert (ran.code, remote.writes) == (3, [])
    assert "sealed plan" in ran.err


def test_sealing_is_about_the_saved_plan(project: Project, remote: Remote) -> None:
    prepared(project, remote)
    assert project.run("plan", "--sealed").code == 1
