"""Files and vector stores from end to end: uploaded once, put in, replaced in the right order, and taken out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.formats.plan_document import digest_of
from tests.conftest import Project, Remote

STORE = "reconciler: {kind: vector_store}\nname: Handbook\nfiles: [handbook/*.md]\n"
BOT = (
    "name: HR bot\nmodel: gpt-4o\ntools:\n  - type: file_search\n"
    "tool_resources:\n  file_search:\n    vector_store_ids: [!ref vector_store/hr]\n"
)
PAGES = ("leave", "rooms", "travel", "trains", "tools", "shifts")


def page(project: Project, name: str, text: str = "") -> None:
    project.write(f"assistants.d/handbook/{name}.md", text or f"All about {name}.\n")


@pytest.fixture
def fleet(project: Project, remote: Remote) -> Project:
    return filled(project, remote)


def filled(project: Project, remote: Remote, more: str = "", prune: str = "owned") -> Project:
    project.target(remote.url, more=more, prune=prune)
    project.write("assistants.d/hr.yaml", STORE)
    project.write("assistants.d/bot.yaml", BOT)
    for name in PAGES:
        page(project, name)
    return project


def files(remote: Remote) -> dict[str, str]:
    """Every uploaded file: the name people see up to the mark, by id."""
    found = remote.ask("GET", "/v1/files?limit=10000")["data"]
    return {each["id"]: each["filename"].partition("~")[0] for each in found}


def store(remote: Remote) -> str:
    (found,) = remote.ask("GET", "/v1/vector_stores?limit=100")["data"]
    return str(found["id"])


def attached(remote: Remote) -> dict[str, Any]:
    found = remote.ask("GET", f"/v1/vector_stores/{store(remote)}/files?limit=100")["data"]
    return {each["id"]: each for each in found}


def steps(remote: Remote) -> list[str]:
    """What was written, in its order, with words in the place of ids."""
    words = {"vs_": "STORE", "file-": "FILE", "asst_": "BOT"}
    return [
        f"{request.method} "
        + "/".join(
            next((word for start, word in words.items() if part.startswith(start)), part)
            for part in request.path.removeprefix("/v1/").split("/")
        )
        for request in remote.writes
    ]


def test_one_apply_makes_all_in_order_and_a_second_writes_nothing(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    assert steps(remote) == [
        *["POST files"] * len(PAGES),
        "POST vector_stores",
        "POST vector_stores/STORE/file_batches",
        "POST assistants",
    ]
    assert sorted(files(remote).values()) == sorted(PAGES)
    assert {each["status"] for each in attached(remote).values()} == {"completed"}
    assert attached(remote).keys() == files(remote).keys()
    remote.forget()
    assert "No changes" in fleet.ok("apply", "--yes").out
    assert remote.writes == []


def test_a_changed_page_is_uploaded_put_in_and_only_then_the_old_one_taken_out(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    before = files(remote)
    page(fleet, "leave", "Thirty-one days.\n")
    shown = fleet.ok("plan").out
    (line,) = [line for line in shown.splitlines() if line.startswith("+")]
    assert "file/handbook/leave.md" in line
    assert "takes the place of file-" in line
    assert '17 bytes" → ' in shown.replace("All about", "") or "→" in shown
    assert "1 to update, 1 to create, 1 to delete" in shown
    remote.forget()
    fleet.ok("apply", "--yes")
    assert steps(remote) == [
        "POST files",
        "POST vector_stores/STORE/file_batches",
        "DELETE vector_stores/STORE/files/FILE",
        "DELETE files/FILE",
    ]
    assert len(before.keys() & files(remote).keys()) == len(PAGES) - 1
    assert attached(remote).keys() == files(remote).keys()
    assert fleet.ok("plan", "--detailed-exitcode").code == 0


def test_every_format_counts_the_delete_of_what_is_replaced(fleet: Project) -> None:
    fleet.ok("apply", "--yes")
    page(fleet, "leave", "Thirty-one days.\n")
    summary = fleet.ok("plan", "--format", "json").json["summary"]
    assert [summary[action] for action in ("update", "create", "delete")] == [1, 1, 1]
    for form in ("text", "markdown", "summary", "html"):
        assert "1 to update, 1 to create, 1 to delete" in fleet.ok("plan", "--format", form).out, form
    assert fleet.ok("plan", "--format", "gitlab-plan").json == {"create": 1, "update": 1, "delete": 1}
    saved = str(fleet.root / "plan.json")
    fleet.ok("plan", "--out", saved)
    assert "1 to update, 1 to create, 1 to delete" in fleet.ok("show", saved).out
    assert "1 to update, 1 to create, 1 to delete" in fleet.ok("apply", saved, "--yes").out


def test_a_page_that_leaves_the_pattern_is_taken_out_and_deleted_and_no_other(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    fleet.remove("assistants.d/handbook/leave.md")
    remote.forget()
    fleet.ok("apply", "--yes")
    assert steps(remote) == ["DELETE vector_stores/STORE/files/FILE", "DELETE files/FILE"]
    assert sorted(files(remote).values()) == sorted(set(PAGES) - {"leave"})


def test_a_page_that_moves_to_another_directory_is_not_uploaded_again(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    fleet.write("assistants.d/hr.yaml", STORE.replace("handbook/*.md", "handbook/**/*.md"))
    fleet.remove("assistants.d/handbook/leave.md")
    page(fleet, "people/leave", "All about leave.\n")
    remote.forget()
    assert "No changes" in fleet.ok("apply", "--yes").out
    assert remote.writes == []


def test_the_old_version_stays_while_somebody_else_uses_it(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    old = next(id for id, name in files(remote).items() if name == "leave")
    remote.ask("POST", "/v1/vector_stores", {"name": "of others", "file_ids": [old]})
    page(fleet, "leave", "Thirty-one days.\n")
    ran = fleet.ok("apply", "--yes")
    assert "RC0417" in ran.err
    assert old in files(remote)
    assert list(files(remote).values()).count("leave") == 2
    assert fleet.ok("plan", "--detailed-exitcode").code == 0


def test_what_others_attached_stays(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    project_file = upload(remote, "theirs.txt", b"by hand")
    remote.ask("POST", f"/v1/vector_stores/{store(remote)}/files", {"file_id": project_file})
    assert fleet.ok("plan", "--detailed-exitcode").code == 0
    fleet.remove("assistants.d/handbook/leave.md")
    fleet.ok("apply", "--yes")
    assert project_file in attached(remote)


def upload(remote: Remote, name: str, content: bytes) -> str:
    import httpx

    answer = httpx.post(f"{remote.url}/v1/files", data={"purpose": "assistants"}, files={"file": (name, content)})
    return str(answer.json()["id"])


def test_attributes_alone_change_without_indexing_anew(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    more = "files:\n  - handbook/*.md\n  - {source: handbook/leave.md, attributes: {year: 2026}}\n"
    fleet.write("assistants.d/hr.yaml", STORE.replace("files: [handbook/*.md]\n", more))
    assert "attributes" in fleet.ok("plan").out
    remote.forget()
    fleet.ok("apply", "--yes")
    (request,) = remote.writes
    assert request.body == {"attributes": {"year": 2026}}
    assert fleet.ok("plan", "--detailed-exitcode").code == 0
    fleet.write("assistants.d/hr.yaml", STORE)
    fleet.ok("apply", "--yes")
    assert {str(each["attributes"]) for each in attached(remote).values()} == {"{}"}


def test_another_chunking_indexes_anew(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    auto = STORE + "chunking_strategy: {type: auto}\n"
    fleet.write("assistants.d/hr.yaml", auto)
    remote.forget()
    fleet.ok("apply", "--yes")
    assert "POST vector_stores/STORE/file_batches" not in steps(remote)
    assert fleet.ok("plan", "--detailed-exitcode").code == 0
    static = {"type": "static", "static": {"max_chunk_size_tokens": 400, "chunk_overlap_tokens": 100}}
    fleet.write("assistants.d/hr.yaml", STORE + f"chunking_strategy: {static}\n")
    remote.forget()
    fleet.ok("apply", "--yes")
    assert steps(remote) == ["POST vector_stores/STORE/file_batches"]
    assert [each["chunking_strategy"] for each in attached(remote).values()] == [static] * len(PAGES)
    assert fleet.ok("plan", "--detailed-exitcode").code == 0


def test_a_file_that_fails_is_told_with_the_servers_reason_and_goes_on_from_there(
    project: Project, start: Callable[..., Remote]
) -> None:
    rule = {"on": "create", "kind": "file_batch", "nth": 1, "index_fails": "too many emoji", "name": "leave*"}
    remote = start(chaos={"rules": [rule]})
    filled(project, remote)
    ran = project.run("apply", "--yes", "--format", "json")
    assert ran.code == 5
    (failed,) = [each for each in ran.json["outcomes"] if each["outcome"] == "failed"]
    (finding,) = failed["findings"]
    assert finding["code"] == "RC0607"
    assert "handbook/leave.md" in finding["summary"]
    assert "too many emoji" in finding["summary"]
    assert len(remote.objects()) == 1
    remote.forget()
    project.ok("apply", "--yes")
    assert steps(remote) == ["POST vector_stores/STORE/file_batches"]
    assert {each["status"] for each in attached(remote).values()} == {"completed"}
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_the_old_version_of_a_page_stays_until_the_new_one_is_indexed(
    project: Project, start: Callable[..., Remote]
) -> None:
    remote = start(chaos={"rules": [{"on": "create", "kind": "file_batch", "nth": 2, "index_fails": "bad"}]})
    filled(project, remote).ok("apply", "--yes")
    old = next(id for id, name in files(remote).items() if name == "leave")
    page(project, "leave", "Thirty-one days.\n")
    page(project, "rooms", "Rooms have numbers.\n")
    assert project.run("apply", "--yes").code == 5
    assert attached(remote)[old]["status"] == "completed"
    project.ok("apply", "--yes")
    assert old not in files(remote)
    assert sorted(files(remote).values()) == sorted(PAGES)


def test_indexing_that_never_ends_is_told_for_each_file_and_waited_for_by_the_next_apply(
    project: Project, start: Callable[..., Remote]
) -> None:
    remote = start(chaos={"rules": [{"index_reads": 4, "name": "leave*"}]})
    filled(project, remote, more="")
    settings = (project.root / "assistants.d/reconciler.yaml").read_text(encoding="utf-8")
    patient = settings.replace("settle_seconds: 0", "settle_seconds: 0, indexing_seconds: 20")
    project.write(
        "assistants.d/reconciler.yaml", settings.replace("settle_seconds: 0", "settle_seconds: 0, indexing_seconds: 0")
    )
    ran = project.run("apply", "--yes")
    assert ran.code == 5
    assert "RC0608" in ran.out
    assert "handbook/leave.md" in ran.out
    project.write("assistants.d/reconciler.yaml", patient)
    assert "in_progress" in project.ok("plan").out
    remote.forget()
    project.ok("apply", "--yes")
    assert remote.writes == []
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_a_file_that_changes_after_the_plan_is_not_uploaded(fleet: Project, remote: Remote) -> None:
    fleet.ok("plan", "--out", "plan.json")
    page(fleet, "leave", "Meanwhile.\n")
    assert fleet.run("apply", "plan.json", "--yes").code == 3
    assert remote.writes == []
    page(fleet, "leave")
    fleet.ok("apply", "plan.json", "--yes")
    assert "No changes" in fleet.ok("plan").out


def test_a_saved_plan_of_a_changed_page_goes_on_where_it_was_left(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    page(fleet, "leave", "Thirty-one days.\n")
    fleet.ok("plan", "--out", "plan.json")
    fleet.ok("plan", "--sealed", "--out", "sealed.json")
    assert "Thirty" not in (fleet.root / "sealed.json").read_text()
    remote.app.requests.clear()
    fleet.ok("apply", "sealed.json", "--yes")
    assert len(remote.writes) == 4
    remote.forget()
    fleet.ok("apply", "plan.json", "--yes")
    assert remote.writes == []
    assert "No changes" in fleet.ok("plan").out


def test_an_expired_store_is_told_and_made_anew_where_its_file_says_so(
    project: Project, start: Callable[..., Remote]
) -> None:
    now = [1_700_000_000.0]
    remote = start(clock=lambda: now[0])
    project.target(remote.url)
    text = STORE + "expires_after: {anchor: last_active_at, days: 1}\n"
    project.write("assistants.d/hr.yaml", text)
    project.write("assistants.d/bot.yaml", BOT)
    page(project, "leave")
    project.ok("apply", "--yes")
    (before,) = remote.ask("GET", "/v1/vector_stores")["data"]
    now[0] += 3 * 86400
    ran = project.ok("plan", "--detailed-exitcode")
    assert "RC0418" in ran.err
    project.write("assistants.d/hr.yaml", text.replace("vector_store}", "vector_store, on_expired: renew}"))
    remote.forget()
    project.ok("apply", "--yes")
    (after,) = remote.ask("GET", "/v1/vector_stores")["data"]
    assert after["id"] != before["id"]
    assert remote.objects()[0]["tool_resources"]["file_search"]["vector_store_ids"] == [after["id"]]
    assert "POST files" not in steps(remote)
    assert attached(remote).keys() == files(remote).keys()
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_a_rollback_says_that_earlier_contents_are_gone(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    page(fleet, "leave", "Thirty-one days.\n")
    fleet.ok("apply", "--yes", "--rollback-out", "back.json")
    ran = fleet.ok("apply", "back.json", "--yes")
    assert "RC0605" in ran.err
    assert sorted(files(remote).values()) == sorted(PAGES)


def test_leaving_files_out_of_the_manifest_takes_them_out(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    fleet.write("assistants.d/hr.yaml", STORE.replace("files: [handbook/*.md]\n", ""))
    fleet.ok("apply", "--yes", "--allow-deletes", str(len(PAGES)))
    assert attached(remote) == files(remote) == {}
    assert fleet.ok("plan", "--detailed-exitcode").code == 0


def test_without_prune_a_page_that_leaves_is_taken_out_and_its_upload_stays(project: Project, remote: Remote) -> None:
    filled(project, remote, prune="none").ok("apply", "--yes")
    project.remove("assistants.d/handbook/leave.md")
    project.ok("apply", "--yes")
    assert len(attached(remote)) == len(PAGES) - 1
    assert len(files(remote)) == len(PAGES)
    page(project, "rooms", "Rooms have numbers.\n")
    project.ok("apply", "--yes")
    assert list(files(remote).values()).count("rooms") == 1


@pytest.mark.parametrize(
    "command", [("adopt", "file/handbook/leave.md", "file-x"), ("release", "file/handbook/leave.md")]
)
def test_ownership_of_a_file_cannot_be_changed(command: tuple[str, ...], fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    remote.forget()
    ran = fleet.run(*command)
    assert ran.code == 1
    assert "cannot be changed" in ran.err
    assert remote.writes == []


def test_pull_leaves_files_alone(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    upload(remote, "theirs.txt", b"by hand")
    project.run("pull", "--yes")
    assert [each for each in (project.root / "assistants.d").rglob("*") if "theirs" in each.name] == []


def test_members_that_cannot_be_listed_are_no_proof_that_a_file_is_not_used(
    project: Project, start: Callable[..., Remote]
) -> None:
    remote = start(chaos={"rules": [{"on": "list", "kind": "vector_store_file", "nth": 2, "sunset": True}]})
    filled(project, remote).ok("apply", "--yes")
    old = next(id for id, name in files(remote).items() if name == "leave")
    remote.ask("POST", "/v1/vector_stores", {"name": "of others", "file_ids": [old]})
    page(project, "leave", "Thirty-one days.\n")
    ran = project.run("apply", "--yes")
    assert old in files(remote)
    assert ran.code == 1
    assert "does not know this API" in ran.err


@pytest.mark.parametrize("prune", ["none", "owned"])
def test_a_store_of_others_keeps_the_old_version_though_no_manifest_is_of_its_kind(
    prune: str, project: Project, remote: Remote
) -> None:
    project.target(remote.url, prune=prune)
    project.write("assistants.d/leave.yaml", "reconciler: {kind: file}\nsource: handbook/leave.md\n")
    page(project, "leave")
    project.ok("apply", "--yes")
    (old,) = files(remote)
    remote.ask("POST", "/v1/vector_stores", {"name": "of others", "file_ids": [old]})
    page(project, "leave", "Thirty-one days.\n")
    assert "RC0417" in project.ok("apply", "--yes").err
    assert old in files(remote)
    assert len(files(remote)) == 2


def test_files_beside_manifests_that_are_elsewhere(project: Project, remote: Remote) -> None:
    elsewhere = Project(project.root / "elsewhere", project.environment)
    elsewhere.root.mkdir()
    filled(project, remote)
    elsewhere.ok("--dir", "../assistants.d", "apply", "--yes")
    assert sorted(files(remote).values()) == sorted(PAGES)


def leaving(project: Project) -> None:
    """Plan to delete the vector store, and nothing else of ours but what is in it."""
    project.remove("assistants.d/hr.yaml")
    project.remove("assistants.d/bot.yaml")


def put_in(remote: Remote, name: str) -> str:
    file = upload(remote, name, b"by hand")
    remote.ask("POST", f"/v1/vector_stores/{store(remote)}/files", {"file_id": file})
    return file


@pytest.mark.parametrize("sealed", [(), ("--sealed",)])
@pytest.mark.parametrize("text", [STORE, STORE.replace("files: [handbook/*.md]\n", "")])
def test_a_saved_plan_does_not_delete_a_store_that_got_files_since(
    text: str, sealed: tuple[str, ...], project: Project, remote: Remote
) -> None:
    filled(project, remote)
    project.write("assistants.d/hr.yaml", text)
    project.ok("apply", "--yes")
    put_in(remote, "before.txt")
    leaving(project)
    count = str(2 + len(files(remote)) - 1)
    project.ok("plan", *sealed, "--allow-deletes", count, "--out", "plan.json")
    put_in(remote, "since.txt")
    remote.forget()
    ran = project.run("apply", "plan.json", "--yes", "--allow-deletes", count)
    assert (ran.code, remote.writes) == (3, [])
    assert "vs_" in ran.err
    project.ok("plan", *sealed, "--allow-deletes", count, "--out", "plan.json")
    project.ok("apply", "plan.json", "--yes", "--allow-deletes", count)
    assert remote.ask("GET", "/v1/vector_stores")["data"] == []


def test_a_saved_plan_does_not_delete_a_store_out_of_which_something_was_taken(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    theirs = put_in(remote, "before.txt")
    leaving(fleet)
    count = str(2 + len(files(remote)) - 1)
    fleet.ok("plan", "--allow-deletes", count, "--out", "plan.json")
    remote.ask("DELETE", f"/v1/vector_stores/{store(remote)}/files/{theirs}")
    remote.forget()
    assert fleet.run("apply", "plan.json", "--yes", "--allow-deletes", count).code == 3
    assert remote.writes == []


def test_a_saved_plan_goes_on_with_the_pages_that_are_not_in_yet(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    page(fleet, "leave", "Thirty-one days.\n")
    page(fleet, "visits", "Visits are announced.\n")
    fleet.ok("plan", "--out", "plan.json")
    fleet.ok("apply", "--yes")
    visits = next(id for id, name in files(remote).items() if name == "visits")
    remote.ask("DELETE", f"/v1/vector_stores/{store(remote)}/files/{visits}")
    remote.forget()
    fleet.ok("apply", "plan.json", "--yes")
    assert steps(remote) == ["POST vector_stores/STORE/file_batches"]
    assert "No changes" in fleet.ok("plan").out


def test_a_page_that_gets_its_earlier_content_back_is_not_taken_out(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    old = next(id for id, name in files(remote).items() if name == "leave")
    remote.ask("POST", "/v1/vector_stores", {"name": "of others", "file_ids": [old]})
    page(fleet, "leave", "Thirty-one days.\n")
    fleet.ok("apply", "--yes")
    (ours,) = [each["id"] for each in remote.ask("GET", "/v1/vector_stores")["data"] if each["name"] == "Handbook"]
    remote.ask("POST", f"/v1/vector_stores/{ours}/files", {"file_id": old})
    page(fleet, "leave")
    fleet.ok("apply", "--yes")
    inside = {each["id"] for each in remote.ask("GET", f"/v1/vector_stores/{ours}/files?limit=100")["data"]}
    assert inside == files(remote).keys()
    assert fleet.ok("plan", "--detailed-exitcode").code == 0


def test_a_live_edit_is_written_back_without_a_word_about_the_pages(fleet: Project, remote: Remote) -> None:
    fleet.ok("apply", "--yes")
    remote.ask("POST", f"/v1/vector_stores/{store(remote)}", {"name": "Pages"})
    fleet.ok("pull", "--theirs", "vector_store/hr")
    assert (fleet.root / "assistants.d/hr.yaml").read_text() == STORE.replace("name: Handbook", "name: Pages")
    assert fleet.ok("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("forged", [[], {"handbook/leave.md": "x"}, {"handbook/leave.md": {}}, {"a": {"file_id": 3}}])
def test_entries_that_no_plan_has_are_refused(forged: Any, fleet: Project, remote: Remote) -> None:
    fleet.ok("plan", "--out", "plan.json")
    document = json.loads((fleet.root / "plan.json").read_text(encoding="utf-8"))
    (change,) = [each for each in document["changes"] if each["address"] == "vector_store/hr"]
    change["patch"]["files"], change["refs"] = forged, []
    fleet.write("plan.json", json.dumps(document | {"digest": digest_of(document)}))
    ran = fleet.run("apply", "plan.json", "--yes")
    assert (ran.code, remote.writes) == (1, [])
    assert "has entries that are not valid" in ran.err
