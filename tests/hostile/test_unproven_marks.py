"""Marks that others wrote: with a key only what is signed is believed, and the rest is left alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from reconciler.core.values import marks
from reconciler.core.values.marks import Signing
from tests.conftest import Project, Remote

KEY, NEXT = "k" * 32, "n" * 32
A = "name: a\nmodel: gpt-4o\n"
B = "name: b\nmodel: gpt-4o\n"


@pytest.fixture
def signed(project: Project, remote: Remote) -> Project:
    project.environment["RECONCILER_MARK_KEY"] = KEY
    project.target(remote.url)
    for name in "abcdef":
        project.write(f"assistants.d/{name}.yaml", f"name: {name}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    remote.forget()
    return project


def plant(remote: Remote, mark: str, **body: Any) -> str:
    """An object that somebody with an account makes."""
    made = remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "metadata": {"reconciler": mark}, **body})
    remote.forget()
    return str(made["id"])


def mark_of(remote: Remote, name: str) -> str:
    return str(remote.named(name)["metadata"]["reconciler"])


def remark(remote: Remote, name: str, mark: str) -> None:
    live = remote.named(name)
    remote.ask("POST", f"/v1/assistants/{live['id']}", {"metadata": {**live["metadata"], "reconciler": mark}})
    remote.forget()


def test_with_a_key_marks_are_signed_and_a_plan_after_the_apply_is_empty(signed: Project, remote: Remote) -> None:
    assert all(each["metadata"]["reconciler"].startswith("2 acme ") for each in remote.objects())
    assert signed.ok("plan", "--detailed-exitcode").code == 0
    signed.write("assistants.d/a.yaml", A + "temperature: 0.3\n")
    signed.ok("apply", "--yes")
    assert [sorted(request.body) for request in remote.writes] == [["metadata", "temperature"]]  # one more unit
    assert signed.ok("plan", "--detailed-exitcode").code == 0
    signed.remove("assistants.d/f.yaml")
    signed.ok("apply", "--yes")
    assert len(remote.objects()) == 5


@pytest.mark.parametrize("key", ["a", "gone"])
@pytest.mark.parametrize(
    "version", ["1 acme {} strange - -", "2 acme {} strange - - AAAAAAAAAAAAAA", "0 acme {} x - -"]
)
def test_an_object_with_our_mark_and_no_signature_is_reported_and_left_alone(
    key: str, version: str, signed: Project, remote: Remote
) -> None:
    ours = remote.named("a")["id"]
    id = plant(remote, version.format(key), name="theirs")
    ran = signed.ok("apply", "--yes")
    assert f"{id} has the mark of assistant/{key}, and " in ran.err
    assert "RC0422" in ran.err
    assert remote.writes == []
    assert ours in {each["id"] for each in remote.objects()}
    for verb in (["release", f"assistant/{key}", "--id", id], ["release", "assistant/gone"]):
        assert signed.run(*verb).code == 1
    assert remote.writes == []


@pytest.mark.parametrize(
    ("old", "new"),
    [(" a ", " gone "), ("2 acme a ", "1 acme a "), (" a ", " b "), ("acme", "acne")],
    ids=["another key", "its signature taken off", "the key of another", "another owner"],
)
def test_a_signed_mark_that_was_changed_is_not_believed(old: str, new: str, signed: Project, remote: Remote) -> None:
    mark = mark_of(remote, "a").replace(old, new, 1)
    remark(remote, "a", mark if mark.startswith("2") else mark.rpartition(" ")[0])
    ran = signed.run("apply", "--yes", "--allow-deletes", "1")
    assert ran.code == 4, ran.out
    assert remote.writes == []


def test_protection_cannot_be_taken_off_by_who_writes_metadata(signed: Project, remote: Remote) -> None:
    signed.write("assistants.d/a.yaml", "reconciler: {protect: true}\n" + A)
    signed.ok("apply", "--yes")
    words = mark_of(remote, "a").split(" ")
    assert words[4] == "p"
    remark(remote, "a", " ".join([*words[:4], "-", *words[5:]]))
    signed.remove("assistants.d/a.yaml")
    ran = signed.ok("apply", "--yes", "--allow-deletes", "1")
    assert "the signature is not valid" in ran.err
    assert remote.writes == []


def test_a_mark_signed_for_another_account_is_not_believed(signed: Project, remote: Remote) -> None:
    plant(remote, marks.signed("1 acme gone n1 - -", Signing((KEY.encode(),), "another-account")))
    ran = signed.ok("apply", "--yes", "--allow-deletes", "1")
    assert "the signature is not valid" in ran.err
    assert remote.writes == []


def test_without_the_key_what_is_signed_is_left_alone_and_said_so(signed: Project, remote: Remote) -> None:
    del signed.environment["RECONCILER_MARK_KEY"]
    signed.write("assistants.d/a.yaml", A + "temperature: 0.3\n")
    signed.remove("assistants.d/b.yaml")
    ran = signed.run("apply", "--yes", "--allow-deletes", "1")
    assert ran.code == 4
    assert "set RECONCILER_MARK_KEY to the key" in ran.out
    assert remote.writes == []


@pytest.fixture
def unsigned(project: Project, remote: Remote) -> Project:
    """A project that was applied before there was a key."""
    project.target(remote.url)
    project.write("assistants.d/a.yaml", A)
    project.write("assistants.d/b.yaml", B)
    project.ok("apply", "--yes")
    remote.forget()
    project.environment["RECONCILER_MARK_KEY"] = KEY
    return project


def test_a_key_is_introduced_object_by_object(unsigned: Project, remote: Remote) -> None:
    id = remote.named("a")["id"]
    ran = unsigned.run("plan")
    assert ran.code == 4
    assert f"reconciler adopt assistant/a {id}" in ran.out
    unsigned.ok("adopt", "assistant/a", id)
    assert mark_of(remote, "a").startswith("2 acme a ")
    assert mark_of(remote, "b").startswith("1 acme b ")
    assert "assistant/a " not in unsigned.run("plan").out


def test_a_key_is_introduced_for_all_that_has_a_manifest_with_a_plan_and_a_question(
    unsigned: Project, remote: Remote
) -> None:
    stranger = plant(remote, "1 acme gone strange - -", name="theirs")
    ran = unsigned.run("takeover", "--from", "acme")
    assert ran.code == 1
    assert "cannot ask for confirmation" in ran.err
    assert "assistant/a" in ran.out
    assert "assistant/b" in ran.out
    assert remote.writes == []
    assert ran.out.count("adopt: its mark is written again, signed if a key is set") == 2
    command = re.search(r"for all of them `reconciler (takeover [^`]+)`", unsigned.run("plan").out)
    assert command is not None
    done = unsigned.ok(*command[1].split(), "--yes")
    for said in (ran.out, done.out):
        assert "another owner" not in said
        assert "former owner" not in said
    assert done.out.count("its mark is written again, signed if a key is set") == 2
    assert {stranger} == {each["id"] for each in remote.objects() if each["metadata"]["reconciler"].startswith("1 ")}
    assert unsigned.ok("plan", "--detailed-exitcode").code == 0
    assert unsigned.ok("apply", "--yes").code == 0


def test_a_key_is_rotated_by_one_apply(signed: Project, remote: Remote) -> None:
    signed.environment["RECONCILER_MARK_KEY"] = f"{NEXT},{KEY}"
    ran = signed.run("plan", "--detailed-exitcode")
    assert ran.code == 2
    assert "signature" in ran.out
    signed.ok("apply", "--yes")
    assert [sorted(request.body) for request in remote.writes] == [["metadata"]] * 6
    signed.environment["RECONCILER_MARK_KEY"] = NEXT
    assert signed.ok("plan", "--detailed-exitcode").code == 0
    signed.environment["RECONCILER_MARK_KEY"] = KEY
    ran = signed.run("plan")
    assert ran.code == 4
    assert "If only the key is new: set RECONCILER_MARK_KEY=NEW,OLD and apply." in ran.out


@pytest.mark.parametrize("key", ["short", "", f"{KEY},", f",{KEY}", f"{KEY},short", f" {KEY}"])
def test_a_key_that_is_none_is_refused_and_not_quoted(key: str, project: Project, remote: Remote) -> None:
    project.environment["RECONCILER_MARK_KEY"] = key
    project.target(remote.url)
    project.write("assistants.d/a.yaml", A)
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert "RECONCILER_MARK_KEY" in ran.err
    assert KEY not in ran.err + ran.out
    assert remote.writes == []


def test_a_key_may_be_in_a_file_that_the_environment_names(signed: Project, remote: Remote) -> None:
    del signed.environment["RECONCILER_MARK_KEY"]
    file = signed.root.parent / "mark-key"
    file.write_text(KEY + "\n")
    signed.environment["RECONCILER_MARK_KEY_FILE"] = str(file)
    assert signed.ok("plan", "--detailed-exitcode").code == 0


def test_a_rollback_of_signed_objects_is_applied(signed: Project, remote: Remote) -> None:
    signed.write("assistants.d/a.yaml", A + "temperature: 0.3\n")
    signed.ok("apply", "--yes", "--rollback-out", "back.json")
    assert remote.named("a")["temperature"] == 0.3
    signed.ok("apply", "back.json", "--yes")
    assert remote.named("a")["temperature"] != 0.3
    signed.write("assistants.d/a.yaml", A)
    assert signed.ok("plan", "--detailed-exitcode").code == 0


def test_a_saved_plan_holds_no_signature_and_is_signed_when_it_is_applied(signed: Project, remote: Remote) -> None:
    signed.write("assistants.d/g.yaml", "name: g\nmodel: gpt-4o\n")
    for more in ([], ["--sealed"]):
        signed.ok("plan", "--out", "plan.json", *more)
    signed.ok("apply", "plan.json", "--yes")
    assert mark_of(remote, "g").startswith("2 acme g ")
