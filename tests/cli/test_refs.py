"""References between resources: made in order, filled in when known, and never pulled from under a user."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Project, Remote

STORE = "reconciler: {kind: vector_store}\nname: Handbook\nmetadata: {team: people}\n"
BOT = (
    "name: HR bot\nmodel: gpt-4o\ntools:\n  - type: file_search\n"
    "tool_resources:\n  file_search:\n    vector_store_ids: [!ref vector_store/hr/handbook]\n"
)


@pytest.fixture
def fleet(project: Project, remote: Remote) -> Project:
    project.target(remote.url)
    project.write("assistants.d/hr/handbook.yaml", STORE)
    project.write("assistants.d/hr-bot.yaml", BOT)
    return project


def stores(remote: Remote) -> dict[str, str]:
    return {each["name"]: each["id"] for each in remote.ask("GET", "/v1/vector_stores?limit=100")["data"]}


def ids_of(remote: Remote) -> list[str]:
    found: list[str] = remote.named("HR bot")["tool_resources"]["file_search"]["vector_store_ids"]
    return found


def test_one_apply_makes_both_in_order_and_a_second_writes_nothing(fleet: Project, remote: Remote) -> None:
    shown = fleet.ok("plan").out
    assert "create: after vector_store/hr/handbook" in shown
    fleet.ok("apply", "--yes")
    assert [request.path for request in remote.writes] == ["/v1/vector_stores", "/v1/assistants"]
    assert ids_of(remote) == [stores(remote)["Handbook"]]
    remote.forget()
    fleet.ok("apply", "--yes")
    assert remote.writes == []
    assert fleet.ok("plan", "--detailed-exitcode").code == 0


def test_only_the_store_is_written_when_only_the_store_changes(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    fleet.write("assistants.d/hr/handbook.yaml", STORE.replace("Handbook", "The handbook"))
    remote.forget()
    fleet.ok("apply", "--yes")
    assert [(r.method, r.path.rsplit("/", 1)[0], r.body) for r in remote.writes] == [
        ("POST", "/v1/vector_stores", {"name": "The handbook"})
    ]


def test_an_assistant_that_exists_is_pointed_at_a_store_that_is_new(fleet: Project, remote: Remote) -> None:
    fleet.write("assistants.d/hr-bot.yaml", BOT.replace("!ref vector_store/hr/handbook", ""))
    fleet.remove("assistants.d/hr/handbook.yaml")
    fleet.ok("apply", "--yes")
    fleet.write("assistants.d/hr/handbook.yaml", STORE)
    fleet.write("assistants.d/hr-bot.yaml", BOT)
    for saved in ([], ["--sealed"]):
        fleet.ok("plan", "--out", "plan.json", *saved)
    fleet.ok("apply", "plan.json", "--yes")
    assert ids_of(remote) == [stores(remote)["Handbook"]]
    again = fleet.ok("apply", "plan.json", "--yes", "--format", "json").json
    assert again["totals"]["already-applied"] == 2


def test_where_the_store_cannot_be_made_the_assistant_is_not_sent(
    project: Project, start: Callable[..., Remote]
) -> None:
    refused = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
    remote = start(
        chaos={"rules": [{"on": "create", "kind": "vector_store", "nth": 1, "status": 400, "body": refused}]}
    )
    project.target(remote.url)
    project.write("assistants.d/hr/handbook.yaml", STORE)
    project.write("assistants.d/hr-bot.yaml", BOT)
    project.write("assistants.d/other.yaml", "name: other\nmodel: gpt-4o\n")
    project.ok("plan", "--out", "plan.json")
    ran = project.run("apply", "plan.json", "--yes")
    assert ran.code == 5
    assert "not sent: it needs vector_store/hr/handbook" in ran.out
    assert [each["name"] for each in remote.objects()] == ["other"]
    project.ok("apply", "plan.json", "--yes")
    assert ids_of(remote) == [stores(remote)["Handbook"]]


def test_deletes_go_the_other_way_round(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    fleet.remove("assistants.d/hr-bot.yaml")
    fleet.remove("assistants.d/hr/handbook.yaml")
    remote.forget()
    fleet.ok("apply", "--yes", "--allow-deletes", "2")
    assert [request.path.split("/")[2] for request in remote.writes] == ["assistants", "vector_stores"]
    assert (remote.objects(), stores(remote)) == ([], {})


def test_a_store_is_let_go_in_the_same_apply_that_ends_its_use(fleet: Project, remote: Remote) -> None:
    for number in range(4):
        fleet.write(f"assistants.d/other{number}.yaml", f"name: other {number}\nmodel: gpt-4o\n")
    fleet.ok("apply", "--yes")
    fleet.remove("assistants.d/hr/handbook.yaml")
    fleet.write("assistants.d/hr-bot.yaml", BOT.replace("!ref vector_store/hr/handbook", ""))
    remote.forget()
    fleet.ok("apply", "--yes")
    assert [request.method for request in remote.writes] == ["POST", "DELETE"]


def test_a_store_that_somebody_elses_assistant_uses_is_not_deleted(fleet: Project, remote: Remote) -> None:
    for number in range(4):
        fleet.write(f"assistants.d/other{number}.yaml", f"name: other {number}\nmodel: gpt-4o\n")
    fleet.ok("apply", "--yes")
    id = stores(remote)["Handbook"]
    body = {"model": "gpt-4o", "tool_resources": {"file_search": {"vector_store_ids": [id]}}}
    user = remote.ask("POST", "/v1/assistants", body)["id"]
    fleet.remove("assistants.d/hr/handbook.yaml")
    fleet.write("assistants.d/hr-bot.yaml", BOT.replace("!ref vector_store/hr/handbook", ""))
    ran = fleet.run("apply", "--yes")
    assert ran.code == 4
    assert f"assistant {user} still uses it" in ran.out
    assert "Handbook" in stores(remote)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("!ref vector_store/hr/handbok", "did you mean vector_store/hr/handbook?"),
        ("!ref file/x", "write a manifest of kind file"),
        ("!ref handbook", "is not an address"),
        ("!ref assistant/hr-bot", "needs the id of a vector_store"),
    ],
)
def test_a_reference_that_leads_nowhere_is_told_with_its_place(
    fleet: Project, remote: Remote, value: str, said: str
) -> None:
    fleet.write("assistants.d/hr-bot.yaml", BOT.replace("!ref vector_store/hr/handbook", value))
    ran = fleet.run("validate")
    assert ran.code == 1
    assert "assistants.d/hr-bot.yaml:7:" in ran.err
    assert said in ran.err


def test_references_in_a_circle_are_refused(fleet: Project) -> None:
    fleet.write("assistants.d/hr/handbook.yaml", STORE.replace("people", "!ref assistant/hr-bot"))
    ran = fleet.run("validate")
    assert ran.code == 1
    assert "assistant/hr-bot → vector_store/hr/handbook → assistant/hr-bot" in ran.err


def test_what_is_out_of_scope_and_not_there_blocks_what_refers_to_it(fleet: Project, remote: Remote) -> None:
    ran = fleet.run("apply", "assistant/hr-bot", "--yes")
    assert ran.code == 4
    assert "vector_store/hr/handbook, which does not exist" in ran.out
    assert remote.writes == []


def test_a_server_without_vector_stores_is_no_trouble_where_nobody_wants_any(project: Project) -> None:
    from reconciler.server import create_app
    from reconciler.server.http import serve

    app = create_app()

    def without(environ: dict[str, object], start_response: Callable[..., object]) -> object:
        if "vector_stores" in str(environ["PATH_INFO"]):
            body = b'{"error": {"message": "Invalid URL (GET /v1/vector_stores)", "type": "invalid_request_error"}}'
            start_response("404 Not Found", [("content-type", "application/json"), ("content-length", str(len(body)))])
            return [body]
        return app(environ, start_response)  # type: ignore[arg-type]

    with serve(without) as server:  # type: ignore[arg-type]
        project.target(server.url)
        project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
        project.ok("apply", "--yes")
        project.write("assistants.d/store.yaml", STORE)
        ran = project.run("plan")
        assert ran.code == 1
        assert "vector_stores" in ran.err


def test_files_are_compared_with_files_references_and_all(fleet: Project) -> None:
    import subprocess

    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=fleet.root, check=True)
    assert fleet.ok("plan", "--against", "git:HEAD", "--detailed-exitcode").code == 0
