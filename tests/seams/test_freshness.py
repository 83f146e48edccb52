"""What was read is read again before it is written: edits, protection and new uses that come late are respected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import Project, Ran, Remote
from tests.seams.conftest import (
    Door,
    assistants,
    by_hand,
    read_again_always,
    sent,
    setting,
    units_sent,
    with_mark,
)


@pytest.fixture
def many(project: Project, behind: Callable[..., tuple[Remote, Door]]) -> tuple[Project, Remote, Door]:
    """Forty assistants and a store, of which the files change the model of each; every write reads again."""
    remote, door = behind()
    project.target(remote.url)
    assistants(project, 40, first=10)
    project.write("assistants.d/gone.yaml", "name: gone\nmodel: gpt-4o\n")
    project.write("assistants.d/store.yaml", "reconciler: {kind: vector_store}\nname: Store\n")
    project.ok("apply", "--yes")
    for number in range(10, 50):
        project.write(f"assistants.d/n{number}.yaml", f"name: n{number}\nmodel: gpt-4-turbo\n")
    read_again_always(project)
    remote.forget()
    return project, remote, door


def applied(many: tuple[Project, Remote, Door], meanwhile: Callable[[], object]) -> Ran:
    """Apply, one request at a time; others act before the first update, when all is read and nothing is written."""
    project, _, door = many
    door.before("POST", "/v1/assistants/", meanwhile)
    ran = project.run("apply", "--yes", "--parallelism", "1")
    assert not door.waiting, ran.err
    return ran


def test_an_object_edited_while_others_were_updated_is_not_overwritten(many: tuple[Project, Remote, Door]) -> None:
    """row 2"""
    _, remote, _ = many
    ran = applied(many, lambda: by_hand(remote, "n49", model="gpt-3.5-turbo"))
    assert remote.named("n49")["model"] == "gpt-3.5-turbo"
    assert len(sent(remote)) == 39
    assert ran.code == 5
    assert "has changed in model since" in " ".join((ran.out + ran.err).split())


def test_an_object_protected_while_others_were_updated_is_not_deleted(many: tuple[Project, Remote, Door]) -> None:
    """row 2"""
    project, remote, _ = many
    project.remove("assistants.d/gone.yaml")
    gone = remote.named("gone")
    ran = applied(many, lambda: by_hand(remote, "gone", metadata=with_mark(gone, flags="p")))
    assert remote.named("gone")["id"] == gone["id"]
    assert ("DELETE", set()) not in units_sent(remote)
    assert ran.code == 5
    assert "protect" in ran.out + ran.err


def test_a_store_that_got_a_user_while_others_were_updated_is_not_deleted(many: tuple[Project, Remote, Door]) -> None:
    """row 2: what can refer to it is listed again before it goes"""
    project, remote, _ = many
    project.remove("assistants.d/store.yaml")
    (store,) = remote.ask("GET", "/v1/vector_stores")["data"]
    uses = {"tools": [{"type": "file_search"}], "tool_resources": {"file_search": {"vector_store_ids": [store["id"]]}}}
    ran = applied(many, lambda: remote.ask("POST", "/v1/assistants", {"name": "theirs", "model": "gpt-4o", **uses}))
    assert [each["id"] for each in remote.ask("GET", "/v1/vector_stores")["data"]] == [store["id"]]
    assert "DELETE" not in {method for method, _, _ in sent(remote)}
    assert ran.code == 5
    assert "vector_store/store" in ran.out + ran.err


def test_an_object_that_another_owner_took_over_meanwhile_is_left_alone(many: tuple[Project, Remote, Door]) -> None:
    """row 2: ownership is judged again"""
    _, remote, _ = many
    theirs = remote.named("n49")
    ran = applied(many, lambda: by_hand(remote, "n49", metadata=with_mark(theirs, owner="others")))
    assert remote.named("n49")["model"] == "gpt-4o"
    assert len(sent(remote)) == 39
    assert ran.code == 5


def test_an_object_edited_before_its_delete_is_kept(many: tuple[Project, Remote, Door]) -> None:
    """row 2: somebody still works with it"""
    project, remote, _ = many
    project.remove("assistants.d/gone.yaml")
    ran = applied(many, lambda: by_hand(remote, "gone", model="gpt-3.5-turbo"))
    assert remote.named("gone")["model"] == "gpt-3.5-turbo"
    assert ran.code == 5


def test_a_field_that_somebody_set_to_what_the_file_says_is_not_sent(many: tuple[Project, Remote, Door]) -> None:
    """row 2: what is wanted is there already"""
    _, remote, _ = many
    ran = applied(many, lambda: by_hand(remote, "n49", model="gpt-4-turbo"))
    assert (ran.code, len(sent(remote))) == (0, 39)


def test_each_object_is_read_once_right_before_its_request(many: tuple[Project, Remote, Door]) -> None:
    """row 2: and nothing else is read for it"""
    _, remote, _ = many
    assert applied(many, lambda: None).code == 0
    updates = [n for n, each in enumerate(remote.app.requests) if each.method == "POST"]
    for place in updates:
        before, request = remote.app.requests[place - 1], remote.app.requests[place]
        assert (before.method, before.path) == ("GET", request.path)


def test_what_this_run_has_written_is_not_read_again_before_a_delete(many: tuple[Project, Remote, Door]) -> None:
    """row 2: a list tells what uses a store, and forty updates that do not are no reason to read forty objects"""
    project, remote, _ = many
    project.remove("assistants.d/store.yaml")
    assert applied(many, lambda: None).code == 0
    assert "DELETE" in {method for method, _, _ in sent(remote)}
    assert len([each for each in remote.app.requests if each.method == "GET" and "/asst_" in each.path]) == 40


def test_what_was_read_a_moment_ago_is_not_read_again(many: tuple[Project, Remote, Door]) -> None:
    """row 2: forty updates, and no request but theirs and the lists"""
    project, remote, _ = many
    setting(project, "fresh_seconds: 0", "fresh_seconds: 600")
    assert applied(many, lambda: None).code == 0
    assert [each.path for each in remote.app.requests if each.method == "GET" and "/asst_" in each.path] == []


@pytest.fixture
def filed(project: Project, behind: Callable[..., tuple[Remote, Door]]) -> tuple[Project, Remote, Door]:
    """A store with two files, one of which has an attribute; every write reads again."""
    remote, door = behind()
    project.target(remote.url)
    assistants(project, 20, first=10)
    for name in ("one", "two"):
        project.write(f"assistants.d/handbook/{name}.md", f"# {name}\n")
    files = "files: [handbook/*.md, {source: handbook/one.md, attributes: {year: 2025}}]\n"
    project.write("assistants.d/store.yaml", f"reconciler: {{kind: vector_store}}\nname: Store\n{files}")
    project.ok("apply", "--yes")
    read_again_always(project)
    remote.forget()
    return project, remote, door


def store_path(remote: Remote) -> str:
    (store,) = remote.ask("GET", "/v1/vector_stores")["data"]
    return f"/v1/vector_stores/{store['id']}"


def labelled(remote: Remote) -> dict[str, Any]:
    """The member with an attribute."""
    return next(each for each in remote.ask("GET", f"{store_path(remote)}/files")["data"] if each["attributes"])


def test_a_member_changed_after_the_plan_is_not_overwritten(filed: tuple[Project, Remote, Door]) -> None:
    """row 2, of an entry of a map: the members are listed again before one is written"""
    project, remote, door = filed
    setting_of_store(project, "2025", "2026")
    member = f"{store_path(remote)}/files/{labelled(remote)['id']}"
    by_others = {"attributes": {"year": 1999}}
    door.before("GET", store_path(remote), lambda: remote.ask("POST", member, by_others), exactly=True)
    ran = project.run("apply", "--yes")
    assert not door.waiting
    assert labelled(remote)["attributes"] == {"year": 1999}
    assert ran.code == 3
    assert "has changed in files.handbook/one.md since" in " ".join((ran.out + ran.err).split())


def test_a_member_changed_as_the_file_wants_it_is_done_already(filed: tuple[Project, Remote, Door]) -> None:
    project, remote, door = filed
    setting_of_store(project, "2025", "2026")
    member = f"{store_path(remote)}/files/{labelled(remote)['id']}"
    wanted = {"attributes": {"year": 2026}}
    door.before("GET", store_path(remote), lambda: remote.ask("POST", member, wanted), exactly=True)
    project.ok("apply", "--yes")
    assert sent(remote) == []
    assert not door.waiting


def test_what_others_put_in_does_not_stop_a_change_of_a_member(filed: tuple[Project, Remote, Door]) -> None:
    project, remote, door = filed
    setting_of_store(project, "2025", "2026")
    stranger = upload(remote)
    path = store_path(remote)
    door.before("GET", path, lambda: remote.ask("POST", f"{path}/files", {"file_id": stranger}), exactly=True)
    project.ok("apply", "--yes")
    assert labelled(remote)["attributes"] == {"year": 2026}
    assert len(remote.ask("GET", f"{path}/files")["data"]) == 3


@pytest.mark.parametrize("put_in", [True, False])
def test_a_store_whose_members_changed_after_the_plan_is_not_deleted(
    filed: tuple[Project, Remote, Door], put_in: bool
) -> None:
    project, remote, door = filed
    project.remove("assistants.d/store.yaml")
    path, member, stranger = store_path(remote), labelled(remote)["id"], upload(remote)

    def meanwhile() -> None:
        if put_in:
            remote.ask("POST", f"{path}/files", {"file_id": stranger})
        else:
            remote.ask("DELETE", f"{path}/files/{member}")

    door.before("GET", path, meanwhile, exactly=True)
    ran = project.run("apply", "--yes", "--allow-deletes", "3")
    assert not door.waiting
    assert store_path(remote) == path
    assert ran.code == 3
    why = "1 files were added to" if put_in else "has changed since the plan was made"
    assert why in " ".join((ran.out + ran.err).split())


def upload(remote: Remote) -> str:
    """The id of a file of somebody else's."""
    content = {"file": ("theirs.md", b"# theirs\n")}
    answer = httpx.post(f"{remote.url}/v1/files", data={"purpose": "assistants"}, files=content)
    remote.forget()
    return str(answer.json()["id"])


def setting_of_store(project: Project, text: str, new: str) -> None:
    """Replace a text in the manifest of the store."""
    file = project.root / "assistants.d/store.yaml"
    assert text in file.read_text()
    file.write_text(file.read_text().replace(text, new))
