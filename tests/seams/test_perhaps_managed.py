"""Before a create: is there an object that is perhaps this one already? Never a second one in silence."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from tests.conftest import Project, Ran, Remote
from tests.seams.conftest import mark_of, sent, setting, with_mark

UNNAMED = "model: gpt-4o\ninstructions: You answer questions about holidays.\n"
NAMED = f"name: Helpdesk\n{UNNAMED}"


@pytest.fixture(params=[UNNAMED, NAMED], ids=["unnamed", "named"])
def managed(request: pytest.FixtureRequest, project: Project, remote: Remote) -> Project:
    """An assistant of ours, with a name or without one."""
    return made(project, remote, request.param)


def made(project: Project, remote: Remote, text: str) -> Project:
    project.target(remote.url)
    project.write("assistants.d/desk.yaml", text)
    project.ok("apply", "--yes")
    remote.forget()
    return project


def only(remote: Remote) -> dict[str, Any]:
    """The one object there is."""
    (found,) = remote.objects()
    return found


def blocked(ran: Ran) -> dict[str, dict[str, str]]:
    """What is blocked, by address; the run has to say so with its exit code."""
    assert ran.code == 4, ran.err
    return {each["address"]: each for each in ran.json["blocked"]}


def refused(project: Project, remote: Remote, verb: str = "plan") -> dict[str, str]:
    """What blocks the create of `assistant/desk`; apply is refused alike, and sends nothing."""
    block = blocked(project.run("plan", "--format", "json"))["assistant/desk"]
    assert blocked(project.run("apply", "--yes", "--format", "json"))["assistant/desk"]["by"] == block["by"]
    assert sent(remote) == []
    only(remote)
    return block


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(UNNAMED),
        pytest.param(NAMED),
    ],
    ids=["unnamed", "named"],
)
def test_another_owner_in_the_settings_does_not_double_what_the_old_one_made(
    project: Project, remote: Remote, text: str
) -> None:
    """rows 7 and 8"""
    made(project, remote, text)
    setting(project, "owner: acme", "owner: newco")
    block = refused(project, remote)
    assert block["by"] == "foreign-owner"
    assert "takeover --from acme" in block["hint"]
    assert "adopt" not in block["hint"]


def test_the_line_to_run_for_another_owner_works(project: Project, remote: Remote) -> None:
    """row 7"""
    made(project, remote, UNNAMED)
    setting(project, "owner: acme", "owner: newco")
    assert "takeover --from acme" in refused(project, remote)["hint"]
    project.ok("takeover", "--from", "acme")
    assert mark_of(only(remote))["owner"] == "newco"
    assert project.ok("plan", "--detailed-exitcode").code == 0


def lost(remote: Remote, metadata: dict[str, str]) -> str:
    """Somebody's script writes the metadata of the one object; its id."""
    id: str = only(remote)["id"]
    remote.ask("POST", f"/v1/assistants/{id}", {"metadata": metadata})
    remote.forget()
    return id


def is_said_to_have_equal_content(block: dict[str, str], id: str) -> None:
    assert block["by"] == "same-content"
    assert f"adopt assistant/desk {id}" in block["hint"]
    assert "same_name: allow" in block["hint"]


@pytest.mark.parametrize("metadata", [{}, {"team": "people"}], ids=["wiped", "replaced"])
def test_an_object_whose_mark_a_script_took_away_is_not_doubled(
    managed: Project, remote: Remote, metadata: dict[str, str]
) -> None:
    """row 7"""
    id = lost(remote, metadata)
    is_said_to_have_equal_content(refused(managed, remote), id)


@pytest.mark.parametrize("words", [{"version": "x"}, {"nonce": "!!", "units": "?"}], ids=["no version", "no nonce"])
def test_an_object_whose_mark_is_damaged_is_not_doubled(
    managed: Project, remote: Remote, words: dict[str, str]
) -> None:
    """row 7"""
    id = lost(remote, with_mark(only(remote), **words))
    is_said_to_have_equal_content(refused(managed, remote), id)


def test_an_object_that_was_released_is_not_doubled_by_the_manifest_that_stayed(
    managed: Project, remote: Remote
) -> None:
    """row 7"""
    managed.ok("release", "assistant/desk")
    remote.forget()
    is_said_to_have_equal_content(refused(managed, remote), only(remote)["id"])


def to_a_lock_file(project: Project) -> None:
    setting(project, "targets:\n  test:\n", "targets:\n  test:\n    marks: lock-file\n")


def test_marks_in_metadata_are_seen_where_new_ones_go_to_the_lock_file(project: Project, remote: Remote) -> None:
    """row 7"""
    made(project, remote, UNNAMED)
    to_a_lock_file(project)
    ran = project.run("apply", "--yes")
    assert ran.code in (0, 4)
    assert "/assistants" not in {path for _, path, _ in sent(remote)}
    only(remote)


def test_named_objects_are_not_doubled_where_new_marks_go_to_the_lock_file(project: Project, remote: Remote) -> None:
    """row 7"""
    made(project, remote, NAMED)
    to_a_lock_file(project)
    assert project.run("apply", "--yes").code in (0, 4)
    only(remote)


def test_the_line_to_run_for_equal_content_works(project: Project, remote: Remote) -> None:
    """row 7"""
    made(project, remote, UNNAMED)
    id = lost(remote, {})
    hint = refused(project, remote)["hint"]
    assert f"adopt assistant/desk {id}" in hint
    project.ok("adopt", "assistant/desk", id)
    assert project.ok("plan", "--detailed-exitcode").code == 0
    only(remote)


def test_another_one_of_equal_content_is_made_where_the_manifest_says_so(project: Project, remote: Remote) -> None:
    """row 7"""
    made(project, remote, UNNAMED)
    lost(remote, {})
    project.write("assistants.d/desk.yaml", f"reconciler: {{same_name: allow}}\n{UNNAMED}")
    project.ok("apply", "--yes")
    assert len(remote.objects()) == 2
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_an_object_of_other_content_and_name_is_not_in_the_way(project: Project, remote: Remote) -> None:
    """row 7: what is not equal is somebody else's business"""
    remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "instructions": "Something else.", "name": "Else"})
    made(project, remote, NAMED)
    assert len(remote.objects()) == 2


def test_manifests_of_equal_content_each_get_an_object(project: Project, remote: Remote) -> None:
    """row 7: what is managed here is nobody else's"""
    made(project, remote, UNNAMED)
    project.write("assistants.d/second.yaml", UNNAMED)
    project.write("assistants.d/third.yaml", UNNAMED)
    project.ok("apply", "--yes")
    assert sorted(mark_of(each)["key"] for each in remote.objects()) == ["desk", "second", "third"]


def test_an_unmanaged_object_with_defaults_filled_in_is_of_equal_content(project: Project, remote: Remote) -> None:
    """row 7: compared as a plan compares, made by a person"""
    project.target(remote.url)
    body = {"model": "gpt-4o", "instructions": "You answer questions about holidays.", "temperature": 1.0}
    id = remote.ask("POST", "/v1/assistants", {**body, "metadata": {"made_by": "console"}})["id"]
    remote.forget()
    project.write("assistants.d/desk.yaml", UNNAMED)
    is_said_to_have_equal_content(refused(project, remote), id)


def test_an_object_of_the_same_name_and_another_owner_is_taken_over_and_not_adopted(
    project: Project, remote: Remote
) -> None:
    """row 8: its key is another one"""
    project.target(remote.url)
    mark = {"reconciler": "1 globex front-desk abcdefabcdef - -"}
    remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "name": "Helpdesk", "metadata": mark})
    remote.forget()
    project.write("assistants.d/desk.yaml", NAMED)
    hint = refused(project, remote)["hint"]
    assert "takeover --from globex" in hint
    assert "reconciler adopt" not in hint


@pytest.mark.parametrize(
    ("live", "wanted"),
    [
        pytest.param("Helpdesk", "Helpdesk", id="equal"),
        pytest.param(
            unicodedata.normalize("NFD", "Café"),
            "Café",
            id="composed",
        ),
        pytest.param(
            "HELPDESK",
            "Helpdesk",
            id="case",
        ),
        pytest.param(
            "STRASSE",
            "Straße",
            id="folded",
        ),
    ],
)
def test_names_that_people_cannot_tell_apart_are_the_same_name(
    project: Project, remote: Remote, live: str, wanted: str
) -> None:
    """row 7"""
    project.target(remote.url)
    id = remote.ask("POST", "/v1/assistants", {"model": "gpt-4-turbo", "name": live})["id"]
    remote.forget()
    project.write("assistants.d/desk.yaml", f"name: {wanted}\nmodel: gpt-4o\n")
    block = refused(project, remote)
    assert block["by"] == "same-name"
    assert f"adopt assistant/desk {id}" in block["hint"]


def test_two_owners_may_have_one_key_where_the_manifest_says_so(project: Project, remote: Remote) -> None:
    """row 8: two teams, one account"""
    project.target(remote.url)
    mark = {"reconciler": "1 globex desk abcdefabcdef - -"}
    remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "name": "Desk", "metadata": mark})
    project.write("assistants.d/desk.yaml", f"reconciler: {{same_name: allow}}\n{NAMED}")
    project.ok("apply", "--yes")
    assert sorted(mark_of(each)["owner"] for each in remote.objects()) == ["acme", "globex"]
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_an_object_of_equal_content_made_since_the_plan_stops_its_create(project: Project, remote: Remote) -> None:
    """row 7: the rule runs when a saved plan is taken up, too"""
    project.target(remote.url)
    project.write("assistants.d/desk.yaml", UNNAMED)
    project.ok("plan", "--out", "plan.json")
    body = {"model": "gpt-4o", "instructions": "You answer questions about holidays."}
    remote.ask("POST", "/v1/assistants", body)
    remote.forget()
    assert project.run("apply", "plan.json", "--yes").code in (3, 4)
    assert sent(remote) == []


def test_a_vector_store_without_a_name_is_not_doubled(project: Project, remote: Remote) -> None:
    """row 7: other kinds"""
    project.target(remote.url)
    project.write("assistants.d/store.yaml", "reconciler: {kind: vector_store}\nmetadata: {team: people}\n")
    project.ok("apply", "--yes")
    (store,) = remote.ask("GET", "/v1/vector_stores")["data"]
    remote.ask("POST", f"/v1/vector_stores/{store['id']}", {"metadata": {"team": "people"}})
    remote.forget()
    ran = project.run("apply", "--yes", "--format", "json")
    hint = blocked(ran)["vector_store/store"]["hint"]
    assert f"adopt vector_store/store {store['id']}" in hint
    assert sent(remote) == []
