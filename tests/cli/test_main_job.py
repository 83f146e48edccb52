"""The main job as a user runs it: create, nothing to do, one word, a hand edit, prune."""

from __future__ import annotations

import json

from tests.conftest import Project, Remote

HELPDESK = """\
name: Helpdesk
model: gpt-4o
temperature: 0.2
instructions: |
  You help customers.
  Always be polite.
tools:
  - type: file_search
metadata:
  team: support
"""


def sent(remote: Remote) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in remote.app.requests]


def test_apply_creates_then_nothing_is_to_do_and_nothing_is_written(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    assert [request.method for request in remote.writes] == ["POST"]
    remote.forget()
    assert "No changes" in project.ok("apply", "--yes").out
    assert "No changes" in project.ok("plan", "--detailed-exitcode").out
    assert remote.writes == []


def test_one_word_of_one_prompt_sends_one_request_with_that_field_alone(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    remote.forget()
    project.write("assistants.d/helpdesk.yaml", HELPDESK.replace("polite", "kind"))
    assert project.run("plan", "--detailed-exitcode").code == 2
    project.ok("apply", "--yes")
    (request,) = remote.writes
    assert (request.method, request.path) == ("POST", f"/v1/assistants/{remote.named('Helpdesk')['id']}")
    assert request.body == {"instructions": "You help customers.\nAlways be kind.\n"}


def test_a_hand_edit_is_found_by_drift_and_put_back_alone(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    assert project.run("drift").code == 0
    id = remote.named("Helpdesk")["id"]
    remote.ask("POST", f"/v1/assistants/{id}", {"temperature": 0.9})
    remote.forget()
    drifted = project.run("drift")
    assert drifted.code == 2
    assert "temperature" in drifted.out
    assert remote.writes == []
    project.ok("apply", "--yes")
    assert [request.body for request in remote.writes] == [{"temperature": 0.2}]
    assert project.run("drift").code == 0


def test_what_others_set_on_the_object_is_left_alone(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    live = remote.named("Helpdesk")
    theirs = {**live["metadata"], "cost_center": "4711"}
    remote.ask("POST", f"/v1/assistants/{live['id']}", {"metadata": theirs, "description": "theirs", "top_p": 0.5})
    assert "No changes" in project.ok("plan").out
    project.write("assistants.d/helpdesk.yaml", HELPDESK.replace("team: support", "team: sales"))
    project.ok("apply", "--yes")
    after = remote.named("Helpdesk")
    assert (after["description"], after["top_p"]) == ("theirs", 0.5)
    assert after["metadata"] == {**theirs, "team": "sales"}


def test_a_field_that_leaves_the_file_is_reset_once_and_then_forgotten(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    project.write("assistants.d/helpdesk.yaml", HELPDESK.replace("temperature: 0.2\n", ""))
    remote.forget()
    project.ok("apply", "--yes")
    (request,) = remote.writes
    assert request.body["temperature"] is None
    assert set(request.body) == {"temperature", "metadata"}
    live = remote.named("Helpdesk")
    assert live["temperature"] == 1
    remote.ask("POST", f"/v1/assistants/{live['id']}", {"temperature": 0.7})
    assert "No changes" in project.ok("plan").out


def test_prune_deletes_what_left_the_files_and_the_guard_wants_the_number(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    for number in range(6):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/a0.yaml")
    project.ok("apply", "--yes")
    assert len(remote.objects()) == 5
    project.remove("assistants.d/a1.yaml")
    project.remove("assistants.d/a2.yaml")
    blocked = project.run("apply", "--yes")
    assert blocked.code == 4
    assert "--allow-deletes 2" in blocked.out
    assert len(remote.objects()) == 5
    assert project.run("apply", "--yes", "--allow-deletes", "3").code == 4
    project.ok("apply", "--yes", "--allow-deletes", "2")
    assert sorted(each["name"] for each in remote.objects()) == ["a3", "a4", "a5"]


def test_without_prune_nothing_is_deleted(project: Project, remote: Remote) -> None:
    project.target(remote.url, prune="none")
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.write("assistants.d/other.yaml", "name: other\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/other.yaml")
    ran = project.ok("apply", "--yes")
    assert "have no manifest and stay" in ran.err
    assert len(remote.objects()) == 2


def test_a_same_name_is_neither_adopted_nor_duplicated_in_silence(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    id = remote.ask("POST", "/v1/assistants", {"name": "Helpdesk", "model": "gpt-4o"})["id"]
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    blocked = project.run("plan")
    assert blocked.code == 4
    assert f"reconciler adopt assistant/helpdesk {id}" in blocked.out
    assert project.run("apply", "--yes").code == 4
    project.ok("adopt", "assistant/helpdesk", id)
    remote.forget()
    project.ok("apply", "--yes")
    (request,) = remote.writes
    assert request.path == f"/v1/assistants/{id}"
    assert set(request.body) == {"instructions", "tools", "temperature", "metadata"}
    assert len(remote.objects()) == 1


def test_release_keeps_the_object_and_takes_the_mark_off(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    project.ok("release", "assistant/helpdesk")
    assert remote.named("Helpdesk")["metadata"] == {"team": "support"}
    project.remove("assistants.d/helpdesk.yaml")
    project.write("assistants.d/other.yaml", "name: other\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    assert len(remote.objects()) == 2


def test_protect_is_remembered_on_the_object(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/keep.yaml", "reconciler: {protect: true}\nname: keep\nmodel: gpt-4o\n")
    for number in range(5):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    project.remove("assistants.d/keep.yaml")
    blocked = project.run("apply", "--yes")
    assert blocked.code == 4
    assert "protect" in blocked.out
    assert len(remote.objects()) == 6


def test_moved_from_keeps_the_object_and_without_it_the_rename_is_blocked(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    id = remote.named("Helpdesk")["id"]
    project.remove("assistants.d/helpdesk.yaml")
    project.write("assistants.d/support/desk.yaml", HELPDESK)
    blocked = project.run("apply", "--yes", "--allow-deletes", "1")
    assert blocked.code == 4
    assert "moved_from: helpdesk" in blocked.out
    project.write("assistants.d/support/desk.yaml", "reconciler: {moved_from: helpdesk}\n" + HELPDESK)
    project.ok("apply", "--yes")
    assert [each["id"] for each in remote.objects()] == [id]
    assert "No changes" in project.ok("plan").out


def test_two_owners_in_one_account_do_not_meet(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    project.ok("apply", "--yes")
    settings = project.root / "assistants.d/reconciler.yaml"
    settings.write_text(settings.read_text().replace("owner: acme", "owner: other"))
    project.write("assistants.d/helpdesk.yaml", HELPDESK.replace("name: Helpdesk", "name: Other desk"))
    project.ok("apply", "--yes")
    assert sorted(each["name"] for each in remote.objects()) == ["Helpdesk", "Other desk"]


def test_json_output_is_the_whole_story_and_stdout_holds_nothing_else(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", HELPDESK)
    plan = project.ok("plan", "--format", "json").json
    assert plan["summary"]["create"] == 1
    assert plan["changes"][0]["address"] == "assistant/helpdesk"
    applied = project.ok("apply", "--yes", "--format", "json").json
    (outcome,) = applied["outcomes"]
    assert (outcome["outcome"], outcome["id"]) == ("done", remote.named("Helpdesk")["id"])
    assert json.dumps(applied)


def test_only_the_addresses_named_are_planned(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    project.write("assistants.d/b.yaml", "name: b\nmodel: gpt-4o\n")
    project.ok("apply", "--yes", "assistant/a")
    assert [each["name"] for each in remote.objects()] == ["a"]
    assert project.run("plan", "assistant/c").code == 1
