"""Marks beside the manifests: nothing of ours on the objects, and a committed file that is small to review."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.engine.state.lockfile import LockFile, LockFileError
from reconciler.operations.project.state_directory import GUARD
from reconciler.server.http import serve
from reconciler.tree import Tree
from tests.conftest import Project, Remote

A = "name: a\nmodel: gpt-4o\ntemperature: 0.2\nmetadata: {team: x}\n"


@pytest.fixture
def beside(project: Project, remote: Remote) -> Project:
    project.target(remote.url, more="    marks: lock-file\n")
    project.write("assistants.d/a.yaml", A)
    project.write("assistants.d/b.yaml", "name: b\nmodel: gpt-4o\n")
    return project


def lines(project: Project) -> list[str]:
    return (project.root / "assistants.lock.json").read_text().splitlines()


def document(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.root / "assistants.lock.json").read_text())
    return found


def test_nothing_of_ours_is_on_the_objects(beside: Project, remote: Remote) -> None:
    beside.ok("apply", "--yes")
    assert [request.body for request in remote.writes if "reconciler" in str(request.body)] == []
    assert remote.named("a")["metadata"] == {"team": "x"}
    marks = document(beside)["targets"]["test"]["marks"]["assistant"]
    assert set(marks) == {remote.named("a")["id"], remote.named("b")["id"]}
    assert beside.ok("plan", "--detailed-exitcode").code == 0
    remote.forget()
    beside.ok("apply", "--yes")
    assert remote.writes == []


def test_one_changed_object_changes_one_line(beside: Project, remote: Remote) -> None:
    beside.ok("apply", "--yes")
    before = lines(beside)
    beside.write("assistants.d/a.yaml", A.replace("0.2", "0.3"))
    remote.forget()
    beside.ok("apply", "--yes")
    assert [request.body for request in remote.writes] == [{"temperature": 0.3}]
    after = lines(beside)
    assert len(after) == len(before)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
    entries = [line for line in after if '"asst_' in line]
    assert entries == sorted(entries)


def test_an_edit_by_hand_is_told_from_one_of_the_files(beside: Project, remote: Remote) -> None:
    beside.ok("apply", "--yes")
    remote.ask("POST", f"/v1/assistants/{remote.named('a')['id']}", {"temperature": 0.9})
    beside.write("assistants.d/a.yaml", A.replace("0.2", "0.3"))
    assert beside.run("apply", "--yes").code == 4
    beside.ok("apply", "--yes", "--resolve", "ours")
    assert remote.named("a")["temperature"] == 0.3


def test_adopting_and_letting_go_send_nothing(beside: Project, remote: Remote) -> None:
    id = remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "name": "b"})["id"]
    remote.forget()
    beside.ok("adopt", "assistant/b", id)
    assert id in document(beside)["targets"]["test"]["marks"]["assistant"]
    beside.ok("release", "assistant/b")
    assert document(beside)["targets"]["test"]["marks"]["assistant"] == {}
    assert remote.writes == []


def test_pruning_and_moving_work_as_ever(beside: Project, remote: Remote) -> None:
    for number in range(6):
        beside.write(f"assistants.d/c{number}.yaml", f"name: c{number}\nmodel: gpt-4o\n")
    beside.ok("apply", "--yes")
    beside.remove("assistants.d/c0.yaml")
    beside.remove("assistants.d/b.yaml")
    beside.write("assistants.d/moved.yaml", "reconciler: {moved_from: b}\nname: b\nmodel: gpt-4o\n")
    remote.forget()
    beside.ok("apply", "--yes", "--allow-deletes", "1")
    assert [request.method for request in remote.writes] == ["DELETE"]
    assert len(document(beside)["targets"]["test"]["marks"]["assistant"]) == 7
    assert beside.ok("plan", "--detailed-exitcode").code == 0


def test_an_object_made_again_takes_the_place_of_the_one_that_is_gone(beside: Project, remote: Remote) -> None:
    beside.ok("apply", "--yes")
    gone = remote.named("a")["id"]
    remote.ask("DELETE", f"/v1/assistants/{gone}")
    beside.ok("apply", "--yes")
    marks = document(beside)["targets"]["test"]["marks"]["assistant"]
    assert gone not in marks
    assert remote.named("a")["id"] in marks


def test_a_create_whose_answer_is_lost_is_never_sent_again(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(chaos={"rules": [{"on": "create", "nth": 1, "drop": "after_commit"}]})
    project.target(remote.url, more="    marks: lock-file\n")
    project.write("assistants.d/a.yaml", A)
    ran = project.run("apply", "--yes")
    assert ran.code == 5
    assert "check whether it exists" in ran.out
    assert len(remote.objects()) == 1
    ran = project.run("apply", "--yes")
    assert ran.code == 4
    assert f"reconciler adopt assistant/a {remote.objects()[0]['id']}" in ran.out
    project.ok("adopt", "assistant/a", remote.objects()[0]["id"])
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_a_run_while_another_one_writes_is_refused(beside: Project, remote: Remote) -> None:
    (beside.root / ".reconciler").mkdir()
    holding = (
        "import sys; from reconciler.engine.state.lockfile import LockFile; from reconciler.tree import Tree\n"
        "file = LockFile(Tree(sys.argv[1]), '.reconciler/lock-file.run', 'test')\n"
        "with file.held():\n    print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", holding, str(beside.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        ran = beside.run("apply", "--yes")
        assert ran.code == 1
        assert f"another run is writing assistants.lock.json (process {other.pid})" in ran.err
        assert remote.writes == []
        other.communicate()
    beside.ok("apply", "--yes")


def test_a_file_that_changed_since_it_was_read_is_not_written(beside: Project, remote: Remote) -> None:
    beside.ok("apply", "--yes")
    path = beside.root / "assistants.lock.json"
    late = LockFile(Tree(beside.root), GUARD, "test")
    beside.remove("assistants.d/b.yaml")
    beside.ok("release", "assistant/b")
    before = path.read_bytes()
    with pytest.raises(LockFileError, match="changed since it was read"), late.held():
        raise AssertionError("not reached")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ('<<<<<<< HEAD\n{"format_version": "1"}\n', "merge conflicts"),
        ('{"format_version": "3", "targets": {}}', "format 2"),
        ('{"format_version": "1", "targets": {"test": {"assistant": {}}}}', "is of format 1"),
        ('{"format_version": "2", "targets": {"test": {"url": "x", "marks": {"assistant": {"x": 3}}}}}', "format 2"),
        ('{"format_version": "2", "targets": {"test": {"marks": {}}}}', "format 2"),
        ('{"format_version": "2", "targets": {"test": {"url": "x", "marks": {}, "unresolved": []}}}', "format 2"),
        ("\xff", "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused_before_anything_is_written(
    beside: Project, remote: Remote, text: str, said: str
) -> None:
    (beside.root / "assistants.lock.json").write_bytes(text.encode("latin-1"))
    ran = beside.run("apply", "--yes")
    assert ran.code == 1
    assert said in ran.err
    assert remote.writes == []


def test_a_disk_that_is_full_leaves_no_second_object_behind(beside: Project, remote: Remote) -> None:
    beside.remove("assistants.d/b.yaml")
    (beside.root / "assistants.lock.json").mkdir()  # cannot be replaced by a file
    ran = beside.run("apply", "--yes")
    assert ran.code == 1
    assert remote.objects() == []


LOST = {"rules": [{"on": "create", "nth": 1, "drop": "after_commit"}]}
NAMELESS = "model: gpt-4o\n"


@pytest.fixture
def lost(project: Project, start: Callable[..., Remote]) -> tuple[Project, Remote]:
    """An object without a name that was made, and whose answer was lost."""
    remote = start(chaos=LOST)
    project.target(remote.url, more="    marks: lock-file\n")
    project.write("assistants.d/a.yaml", NAMELESS)
    ran = project.run("apply", "--yes")
    assert ran.code == 5
    assert "reconciler release assistant/a --lost-create" in ran.out
    edited(remote)
    remote.forget()
    return project, remote


def edited(remote: Remote) -> None:
    """Somebody changes the object: its content does not show any more what it is."""
    (made,) = remote.objects()
    remote.ask("POST", f"/v1/assistants/{made['id']}", {"temperature": 0.9})


def test_an_object_without_a_name_is_not_made_again_before_the_lost_create_is_resolved(
    lost: tuple[Project, Remote],
) -> None:
    project, remote = lost
    for command in (["plan"], ["apply", "--yes"], ["apply", "assistant/a", "--yes"]):
        ran = project.run(*command)
        assert ran.code == 4
        assert "reconciler adopt assistant/a ID" in ran.out
        assert "reconciler release assistant/a --lost-create" in ran.out
    assert remote.writes == []
    (made,) = remote.objects()
    project.ok("adopt", "assistant/a", made["id"])
    assert project.ok("plan", "--detailed-exitcode").code == 0
    assert "unresolved" not in document(project)["targets"]["test"]


def test_a_lost_create_is_forgotten_by_name_and_by_no_other(lost: tuple[Project, Remote]) -> None:
    project, remote = lost
    assert project.run("release", "assistant/b", "--lost-create").code == 1
    assert project.run("release", "assistant/a").code == 1
    project.ok("release", "assistant/a", "--lost-create")
    assert remote.writes == []
    project.ok("apply", "--yes")
    assert len(remote.objects()) == 2
    assert project.run("release", "assistant/a", "--lost-create").code == 1


def test_an_id_in_the_manifest_resolves_a_lost_create(lost: tuple[Project, Remote]) -> None:
    project, remote = lost
    (made,) = remote.objects()
    project.write("assistants.d/a.yaml", f"reconciler: {{id: {made['id']}}}\n{NAMELESS}")
    project.ok("apply", "--yes")
    project.write("assistants.d/a.yaml", NAMELESS)
    assert project.ok("plan", "--detailed-exitcode").code == 0
    assert len(remote.objects()) == 1


def test_a_lost_create_holds_off_what_the_manifest_is_renamed_to(lost: tuple[Project, Remote]) -> None:
    project, remote = lost
    project.remove("assistants.d/a.yaml")
    project.write("assistants.d/b.yaml", f"reconciler: {{moved_from: a}}\n{NAMELESS}")
    assert project.run("apply", "--yes").code == 4
    assert remote.writes == []
    project.write("assistants.d/b.yaml", "name: other\nmodel: gpt-4o\n")
    assert "a create of assistant/a was lost, and it no longer has a manifest" in project.ok("plan").err


def test_a_saved_plan_does_not_send_a_lost_create_again(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(chaos=LOST)
    project.target(remote.url, more="    marks: lock-file\n")
    project.write("assistants.d/a.yaml", NAMELESS)
    project.ok("plan", "--out", "plan.json")
    assert project.run("apply", "plan.json", "--yes").code == 5
    edited(remote)
    ran = project.run("apply", "plan.json", "--yes")
    assert ran.code == 3
    assert "release assistant/a --lost-create" in ran.err
    assert len(remote.objects()) == 1


def test_a_create_that_is_killed_on_its_way_is_unresolved(project: Project, remote: Remote) -> None:
    project.target(remote.url, more="    marks: lock-file\n")
    project.write("assistants.d/a.yaml", NAMELESS)
    project.write("assistants.d/b.yaml", "name: b\nmodel: gpt-4o\n")
    project.ok("apply", "assistant/b", "--yes")
    file = LockFile(Tree(project.root), "guard", "test", f"{remote.url}/v1")
    file.attempt("assistant", "1 acme a killed123456 - -")  # and the process is gone
    remote.forget()
    assert project.run("apply", "--yes").code == 4
    assert remote.writes == []


def test_a_create_that_is_refused_is_not_unresolved(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(chaos={"rules": [{"on": "create", "nth": 1, "status": 400}]})
    project.target(remote.url, more="    marks: lock-file\n")
    project.write("assistants.d/a.yaml", NAMELESS)
    assert project.run("apply", "--yes").code == 1
    project.ok("apply", "--yes")
    assert len(remote.objects()) == 1


def at(project: Project, remote: Remote, more: str = "") -> None:
    project.target(remote.url, more=f"    marks: lock-file\n{more}")


def test_another_url_is_refused_and_the_marks_are_kept(
    beside: Project, remote: Remote, start: Callable[..., Remote]
) -> None:
    beside.ok("apply", "--yes")
    before, wrong = lines(beside), start()
    at(beside, wrong)
    for command in (["plan"], ["apply", "--yes"], ["adopt", "assistant/a", "asst_1"]):
        ran = beside.run(*command)
        assert ran.code == 1
        assert f"at {remote.url}/v1 (account embedded), and this is {wrong.url}/v1" in ran.err
    assert wrong.writes == []
    assert lines(beside) == before
    at(beside, remote)
    assert beside.ok("plan", "--detailed-exitcode").code == 0


def test_another_account_at_the_same_url_is_refused_and_the_marks_are_kept(project: Project, remote: Remote) -> None:
    told = ["org-1"]

    def telling(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        def answer(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            kept = [each for each in headers if each[0].lower() != "openai-organization"]
            return start_response(status, [*kept, *(("openai-organization", each) for each in told)])

        return remote.app(environ, answer)

    with serve(telling) as server:
        project.target(server.url, more="    marks: lock-file\n")
        project.write("assistants.d/a.yaml", A)
        project.ok("apply", "--yes")
        assert document(project)["targets"]["test"]["account"] == "org-1"
        before = lines(project)
        for other in (["org-2"], []):
            told[:] = other
            remote.forget()
            assert project.run("plan").code == 1
            assert project.run("apply", "--yes").code == 1
            assert remote.writes == []
        told[:] = ["org-1"]
        assert project.ok("plan", "--detailed-exitcode").code == 0
        assert lines(project) == before


def test_two_targets_of_one_account_see_each_others_marks(project: Project, remote: Remote) -> None:
    one = f"    marks: lock-file\n  two:\n    provider: openai-assistants\n    url: {remote.url}/v1\n    owner: two\n"
    project.target(remote.url, more=f"{one}    marks: lock-file\n")
    project.write("assistants.d/a.yaml", A)
    project.ok("apply", "--yes")
    project.ok("--target", "two", "apply", "--yes")
    marks = {name: block["marks"]["assistant"] for name, block in document(project)["targets"].items()}
    assert [len(marks[name]) for name in ("test", "two")] == [1, 1]
    assert len(remote.objects()) == 2
    (project.root / "assistants.d/a.yaml").unlink()
    project.write("assistants.d/b.yaml", f"reconciler: {{id: {next(iter(marks['test']))}}}\n{A}")
    remote.forget()
    ran = project.run("--target", "two", "apply", "--yes")
    assert ran.code == 4
    assert "takeover --from acme" in ran.out
    assert remote.writes == []


def test_a_target_that_gets_another_name_keeps_its_marks(beside: Project, remote: Remote) -> None:
    beside.ok("apply", "--yes")
    settings = beside.root / "assistants.d/reconciler.yaml"
    settings.write_text(settings.read_text().replace("test", "prod"))
    assert beside.ok("plan", "--detailed-exitcode").code == 0
