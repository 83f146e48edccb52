"""Lines that a pull request adds to the lock file: none is believed before it is asked for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote

KEY = "k" * 32


def git(project: Project, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=project.root, check=True, capture_output=True)


def commit(project: Project) -> None:
    git(project, "add", "assistants.d", "assistants.lock.json")
    git(project, "commit", "-qm", "x")


def lines(project: Project, change: Callable[[dict[str, str]], object]) -> None:
    """Change the lines of the lock file as a pull request does."""
    path = project.root / "assistants.lock.json"
    document = json.loads(path.read_text())
    change(document["targets"]["test"]["marks"]["assistant"])
    path.write_text(json.dumps(document))


@pytest.fixture
def merged(project: Project, remote: Remote) -> Project:
    """A project whose lock file is committed, in a job that applies what was merged, on a machine of its own."""
    project.target(remote.url, more="    marks: lock-file\n")
    for name in "abcdef":
        project.write(f"assistants.d/{name}.yaml", f"name: {name}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    git(project, "init", "-q")
    commit(project)
    project.environment["CI"] = "true"
    elsewhere(project)
    remote.forget()
    return project


def elsewhere(project: Project) -> None:
    """What this machine remembers is not there on the next one."""
    journal = project.root / ".reconciler"
    journal.rename(project.root.parent / f"{project.root.name}-state-{id(object())}")


def foreign(remote: Remote, count: int) -> list[str]:
    ids = [remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "name": f"f{n}"})["id"] for n in range(count)]
    remote.forget()
    return ids


@pytest.mark.parametrize(
    "mark", ["1 acme gone{0} n{0} - -", "1 acme gone{0} n{0} d -", "2 acme gone{0} n - - " + "A" * 14]
)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_lines_of_a_pull_request_delete_no_foreign_object_whatever_number_is_allowed(
    count: int, mark: str, merged: Project, remote: Remote
) -> None:
    ids = foreign(remote, count)
    lines(merged, lambda marks: marks.update({id: mark.format(n) for n, id in enumerate(ids)}))
    commit(merged)
    ran = merged.run("apply", "--yes", "--allow-deletes", str(count))
    assert remote.writes == []
    assert {*ids} <= {each["id"] for each in remote.objects()}
    assert all(f"{id} has the mark of assistant/gone" in ran.err for id in ids)


def test_a_line_for_a_manifest_is_shown_as_an_adoption_and_blocked_until_it_is_asked_for(
    merged: Project, remote: Remote
) -> None:
    (id,) = foreign(remote, 1)
    merged.write("assistants.d/g.yaml", "name: g\nmodel: gpt-4o\n")
    lines(merged, lambda marks: marks.update({id: "1 acme g n1 - -"}))
    commit(merged)
    ran = merged.run("plan", "--format", "json")
    assert ran.code == 4
    (change,) = ran.json["changes"]
    assert (change["action"], change["id"], change["blocked"]["by"]) == ("adopt", id, "unproven")
    assert f"reconciler adopt assistant/g {id}" in change["blocked"]["hint"]
    assert merged.run("apply", "--yes").code == 4
    assert merged.run("apply", "--yes", "--base", "git:HEAD^").code == 4
    assert remote.writes == []
    merged.ok("adopt", "assistant/g", id)
    merged.ok("apply", "--yes")
    assert [request.body for request in remote.writes] == [{"name": "g"}]
    assert merged.ok("plan", "--detailed-exitcode").code == 0


def test_a_manifest_that_names_the_object_asks_for_it_too(merged: Project, remote: Remote) -> None:
    (id,) = foreign(remote, 1)
    merged.write("assistants.d/g.yaml", f"reconciler: {{id: {id}}}\nname: g\nmodel: gpt-4o\n")
    lines(merged, lambda marks: marks.update({id: "1 acme g n1 - -"}))
    commit(merged)
    merged.ok("apply", "--yes")
    assert merged.ok("plan", "--detailed-exitcode").code == 0


def test_an_object_of_ours_that_a_line_gives_to_another_nonce_or_owner_is_a_claim(
    merged: Project, remote: Remote
) -> None:
    a = remote.named("a")["id"]
    lines(merged, lambda marks: marks.update({a: "1 acme a other - -"}))
    commit(merged)
    ran = merged.run("apply", "--yes")
    assert ran.code == 4
    assert "is only claimed" in ran.err + ran.out
    assert remote.writes == []


def test_what_is_at_the_base_is_believed_but_no_delete_goes_without_its_number(merged: Project, remote: Remote) -> None:
    ids = foreign(remote, 1)
    lines(merged, lambda marks: marks.update(dict.fromkeys(ids, "1 acme gone n1 - -")))
    commit(merged)
    merged.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\ntemperature: 0.3\n")
    commit(merged)
    ran = merged.run("apply", "--yes")
    assert ran.code == 4
    assert "1 of 7 would be deleted: if that is intended, add --allow-deletes 1" in ran.out
    assert [request.body for request in remote.writes] == [{"temperature": 0.3}]
    assert merged.run("apply", "--yes", "--allow-deletes", "2").code == 4
    assert {*ids} <= {each["id"] for each in remote.objects()}
    merged.ok("apply", "--yes", "--allow-deletes", "1")
    assert not {*ids} & {each["id"] for each in remote.objects()}


@pytest.mark.parametrize("base", [["--base", "none"], []], ids=["none", "of no job"])
def test_without_a_base_a_line_updates_and_deletes_only_by_number(
    base: list[str], merged: Project, remote: Remote
) -> None:
    del merged.environment["CI"]
    one, other = foreign(remote, 2)
    merged.write("assistants.d/g.yaml", "name: g\nmodel: gpt-4o\n")
    lines(merged, lambda marks: marks.update({one: "1 acme g n1 - -", other: "1 acme gone n2 - -"}))
    ran = merged.run("apply", "--yes", *base)
    assert ran.code == 4
    assert [(request.method, request.body) for request in remote.writes] == [("POST", {"name": "g"})]
    assert other in {each["id"] for each in remote.objects()}


def test_what_this_machine_made_is_no_claim(merged: Project, remote: Remote) -> None:
    merged.write("assistants.d/g.yaml", "name: g\nmodel: gpt-4o\n")
    merged.ok("apply", "--yes")
    remote.forget()
    assert merged.ok("plan", "--detailed-exitcode", "--base", "git:HEAD").code == 0
    merged.remove("assistants.d/g.yaml")
    merged.ok("apply", "--yes", "--allow-deletes", "1", "--base", "git:HEAD")
    assert [request.method for request in remote.writes] == ["DELETE"]


def test_a_line_with_the_nonce_of_what_this_machine_made_claims_no_other_object(
    merged: Project, remote: Remote
) -> None:
    merged.write("assistants.d/g.yaml", "name: g\nmodel: gpt-4o\n")
    merged.ok("apply", "--yes")
    (id,) = foreign(remote, 1)
    ours = remote.named("g")["id"]
    lines(merged, lambda marks: marks.update({id: marks[ours].replace(" g ", " gone ")}))
    ran = merged.run("apply", "--yes", "--allow-deletes", "1", "--base", "git:HEAD")
    assert f"{id} has the mark of assistant/gone" in ran.err
    assert remote.writes == []


def test_a_line_takes_no_protection_off(merged: Project, remote: Remote) -> None:
    merged.write("assistants.d/a.yaml", "reconciler: {protect: true}\nname: a\nmodel: gpt-4o\n")
    merged.ok("apply", "--yes")
    commit(merged)
    elsewhere(merged)
    a = remote.named("a")["id"]
    lines(merged, lambda marks: marks.update({a: marks[a].replace(" p ", " - ")}))
    merged.remove("assistants.d/a.yaml")
    commit(merged)
    ran = merged.run("apply", "--yes", "--allow-deletes", "1")
    assert ran.code == 4
    assert "protect" in ran.out
    assert a in {each["id"] for each in remote.objects()}


def test_a_saved_plan_is_not_applied_on_the_word_of_a_new_line(merged: Project, remote: Remote) -> None:
    ids = foreign(remote, 1)
    lines(merged, lambda marks: marks.update(dict.fromkeys(ids, "1 acme gone n1 - -")))
    commit(merged)
    merged.run("plan", "--base", "none", "--out", "plan.json", "--allow-deletes", "1")
    assert merged.run("apply", "plan.json", "--yes", "--allow-deletes", "1").code == 3
    assert remote.writes == []


def test_with_a_key_lines_are_signed_and_unsigned_ones_claim_nothing_even_at_the_base(
    merged: Project, remote: Remote
) -> None:
    merged.environment["RECONCILER_MARK_KEY"] = KEY
    assert merged.run("plan").code == 4
    merged.ok("takeover", "--from", "acme", "--yes")
    commit(merged)
    elsewhere(merged)
    (id,) = foreign(remote, 1)
    lines(merged, lambda marks: marks.update({id: "1 acme gone n1 - -"}))
    commit(merged)
    commit_again(merged)
    ran = merged.ok("apply", "--yes", "--allow-deletes", "1")
    assert f"{id} has the mark of assistant/gone, and the mark is not signed" in ran.err
    merged.remove("assistants.d/a.yaml")
    merged.ok("apply", "--yes")  # a line that is signed is not the word of the lock file alone
    assert [request.method for request in remote.writes] == ["DELETE"]


def commit_again(project: Project) -> None:
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n\n")
    commit(project)


def test_a_line_that_is_no_mark_and_a_base_that_is_none_are_said(merged: Project, remote: Remote) -> None:
    (id,) = foreign(remote, 1)
    odd: dict[str, Any] = {id: "whatever"}
    lines(merged, lambda marks: marks.update(odd))
    commit(merged)
    ran = merged.ok("plan")
    assert f"{id} has a mark that cannot be read" in ran.err


def test_lines_that_change_places_are_claims(merged: Project, remote: Remote) -> None:
    a, b = remote.named("a")["id"], remote.named("b")["id"]
    lines(merged, lambda marks: marks.update({a: marks[b], b: marks[a]}))
    commit(merged)
    ran = merged.run("apply", "--yes")
    assert ran.code == 4
    assert "is only claimed" in ran.err + ran.out
    assert remote.writes == []


def test_a_file_of_very_many_values_is_refused(merged: Project) -> None:
    path = merged.root / "assistants.lock.json"
    path.write_text(path.read_text()[:-2] + ', "x": [' + "[]," * 2_000_001 + "1]}")
    ran = merged.run("plan")
    assert ran.code == 1
    assert "more than 2,000,000 values" in ran.err


class Confused:
    """A gateway whose answers to creates name an object that is there already."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.id = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        made = environ["REQUEST_METHOD"] == "POST" and self.id
        said: list[Any] = []
        body = b"".join(self._app(environ, lambda *status: said.append(status)))
        if made:
            body = json.dumps(json.loads(body) | {"id": self.id}).encode()
        status, headers, *rest = said[0]
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, [*kept, ("content-length", str(len(body)))], *rest)
        return [body]


def test_an_answer_that_names_what_was_there_before_gives_no_line(project: Project) -> None:
    app = create_app()
    with serve(confused := Confused(app)) as server:
        remote = Remote(app, server)
        project.target(server.url, more="    marks: lock-file\n")
        confused.id = remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "name": "theirs"})["id"]
        project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
        assert project.run("apply", "--yes").code == 5
    assert confused.id not in (project.root / "assistants.lock.json").read_text()
