"""Files that others upload under the names that ours would have: what is in them is not taken from their names."""

from __future__ import annotations

import hashlib
import json
import shutil
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.drivers.filename_marks import with_mark
from tests.conftest import Project, Remote

KEY = "k" * 32
PAGE = "Staff may take 30 days.\n"
STORE = "reconciler: {kind: vector_store}\nname: Handbook\nfiles: [{source: leave.md}, {source: travel.md}]\n"
FILES = "/v1/files"
NO_STORE = {"rules": [{"on": "create", "kind": "vector_store", "nth": 1, "status": 400}]}
"""Files are uploaded, and then nothing takes them."""


@pytest.fixture
def library(project: Project, remote: Remote) -> Project:
    project.target(remote.url)
    project.write("assistants.d/handbook.yaml", STORE)
    project.write("assistants.d/leave.md", PAGE)
    project.write("assistants.d/travel.md", "Trains, please.\n")
    return project


def upload(remote: Remote, name: str, content: str = "Staff may take no days.\n") -> str:
    """A file that somebody with an account uploads, under any name they like."""
    edge = "edge"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n',
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n',
        f"{content}\r\n--{edge}--\r\n",
    ]
    headers = {"Content-Type": f"multipart/form-data; boundary={edge}", "Authorization": "Bearer x"}
    request = urllib.request.Request(remote.url + FILES, "".join(parts).encode(), headers, method="POST")
    with urllib.request.urlopen(request) as response:
        made = json.loads(response.read())
    remote.forget()
    return str(made["id"])


def name_of(key: str, content: str, nonce: str = "stranger", mark: str = "1 acme {} {} - -") -> str:
    """The name that a file of ours would have: its parts are no secret."""
    return with_mark(f"{key}", mark.format(key, nonce), hashlib.sha256(content.encode()).hexdigest())


def inside(remote: Remote) -> set[str]:
    stores = remote.ask("GET", "/v1/vector_stores")["data"]
    found: set[str] = set()
    for store in stores:
        found |= {each["id"] for each in remote.ask("GET", f"/v1/vector_stores/{store['id']}/files")["data"]}
    return found


def files(remote: Remote) -> dict[str, str]:
    return {each["id"]: each["filename"] for each in remote.ask("GET", FILES)["data"]}


def elsewhere(project: Project) -> None:
    """What this machine remembers is not there on the next one."""
    shutil.rmtree(project.root / ".reconciler")


def test_a_strangers_file_is_not_put_into_our_store_by_its_name(library: Project, remote: Remote) -> None:
    theirs = upload(remote, name_of("leave.md", PAGE))
    ran = library.run("apply", "--yes")
    assert ran.code == 4
    assert theirs not in inside(remote)
    assert f"{theirs} has the name of file/leave.md, and only its name identifies its content" in ran.out
    assert theirs in files(remote)


def test_nor_into_one_that_is_there_already(library: Project, remote: Remote) -> None:
    library.ok("apply", "--yes")
    elsewhere(library)
    changed = "Staff may take 31 days.\n"
    upload(remote, name_of("leave.md", changed))
    library.write("assistants.d/leave.md", changed)
    before = inside(remote)
    assert library.run("apply", "--yes").code == 4
    assert inside(remote) == before


def test_nor_where_it_came_after_the_plan_was_made(library: Project, remote: Remote) -> None:
    library.ok("plan", "--out", "plan.json")
    theirs = upload(remote, name_of("leave.md", PAGE))
    assert library.run("apply", "plan.json", "--yes").code == 3
    assert remote.writes == []
    assert theirs not in inside(remote)


def test_nor_on_the_word_of_a_store_that_a_stranger_made(library: Project, remote: Remote) -> None:
    theirs = upload(remote, name_of("leave.md", PAGE))
    for mark in ("1 acme other s1 - -", "1 acme handbook s2 - -"):
        body: dict[str, Any] = {
            "name": "x",
            "file_ids": [theirs],
            "metadata": {"reconciler": mark.replace("handbook", "none")},
        }
        remote.ask("POST", "/v1/vector_stores", body)
    ran = library.run("apply", "--yes")
    assert ran.code == 4
    assert "only its name identifies its content" in ran.out


def test_what_this_machine_uploaded_is_put_in_by_the_next_run(library: Project, start: Callable[..., Remote]) -> None:
    remote = start(chaos=NO_STORE)
    library.target(remote.url)
    assert library.run("apply", "--yes").code != 0
    assert len(files(remote)) == 2
    library.ok("apply", "--yes")
    assert inside(remote) == set(files(remote))
    assert len(files(remote)) == 2


def test_what_a_store_of_ours_uses_already_is_put_into_another_on_any_machine(library: Project, remote: Remote) -> None:
    library.ok("apply", "--yes")
    elsewhere(library)
    assert library.ok("plan", "--detailed-exitcode").code == 0
    library.write("assistants.d/second.yaml", STORE.replace("Handbook", "Second"))
    library.ok("apply", "--yes")
    assert len(files(remote)) == 2
    assert library.ok("plan", "--detailed-exitcode").code == 0


def test_a_copy_of_the_name_of_what_this_machine_uploaded_makes_it_doubtful(
    library: Project, start: Callable[..., Remote]
) -> None:
    remote = start(chaos=NO_STORE)
    library.target(remote.url)
    assert library.run("apply", "--yes").code != 0
    (ours,) = [id for id, name in files(remote).items() if name.startswith("leave")]
    theirs = upload(remote, files(remote)[ours])
    ran = library.run("apply", "--yes")
    assert ran.code == 4
    assert "is a copy of its name" in ran.out
    assert theirs not in inside(remote)


def test_with_a_key_names_are_signed_and_what_is_signed_is_known_on_any_machine(
    library: Project, start: Callable[..., Remote]
) -> None:
    remote = start(chaos=NO_STORE)
    library.target(remote.url)
    library.environment["RECONCILER_MARK_KEY"] = KEY
    assert library.run("apply", "--yes").code != 0
    assert all("~2" in name for name in files(remote).values())
    elsewhere(library)
    library.ok("apply", "--yes")
    assert inside(remote) == set(files(remote))
    assert len(files(remote)) == 2
    elsewhere(library)
    assert library.ok("plan", "--detailed-exitcode").code == 0
    library.write("assistants.d/leave.md", "Staff may take 31 days.\n")
    library.ok("apply", "--yes")
    assert len(files(remote)) == 2
    assert inside(remote) == set(files(remote))


def test_a_replaced_file_whose_name_is_not_signed_stays_and_the_message_says_how_to_delete_it(
    library: Project, remote: Remote
) -> None:
    library.ok("apply", "--yes")
    before = set(files(remote))
    library.environment["RECONCILER_MARK_KEY"] = KEY
    library.ok("takeover", "--from", "acme", "--yes")
    library.write("assistants.d/leave.md", "Staff may take 31 days.\n")
    ran = library.ok("apply", "--yes")
    assert before <= set(files(remote))
    [line] = [line for line in ran.err.splitlines() if "stays for now" in line]
    [old] = [id for id in before if id in line]
    assert line.count(old) == 1
    assert "the mark is not signed. If it is yours, delete it in the provider's console or with its API" in line


@pytest.mark.parametrize("page", [PAGE, "Staff may take 31 days.\n"], ids=["of its content", "of another"])
@pytest.mark.parametrize("signature", ["", "~AAAAAAAAAAAAAA", "the one of another file"])
def test_with_a_key_a_name_that_is_not_signed_for_its_content_is_not_believed(
    signature: str, page: str, library: Project, remote: Remote
) -> None:
    library.environment["RECONCILER_MARK_KEY"] = KEY
    library.write("assistants.d/handbook.yaml", STORE.replace("{source: leave.md}, ", ""))
    library.ok("apply", "--yes")
    if signature.startswith("the"):
        (name,) = files(remote).values()
        signature = "~" + name.split("~")[1]
    plain = name_of("leave.md", page)
    theirs = upload(remote, plain.replace("~1", f"{signature}~2") if signature else plain)
    library.write("assistants.d/handbook.yaml", STORE)
    library.write("assistants.d/leave.md", page)
    assert library.run("apply", "--yes").code == 4
    assert theirs not in inside(remote)
    library.remove("assistants.d/handbook.yaml")
    library.run("apply", "--yes", "--allow-deletes", "3")
    assert theirs in files(remote)
