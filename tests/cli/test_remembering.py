"""What is remembered from run to run, as a user meets it: plans of many files are the same with and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Project

COUNT = 210


@pytest.fixture
def fleet(project: Project) -> Project:
    for number in range(COUNT):
        project.write(f"assistants.d/a{number:03}.yaml", f"name: A {number}\nmodel: gpt-4o\n")
    project.write("assistants.d/odd.yaml", "name: &name Odd\ndescription: *name\nmodel: gpt-4o\n")
    return project


def records(project: Project) -> Path:
    return project.root / ".reconciler/cache/local.records"


def test_plans_are_the_same_bytes_whatever_is_remembered(fleet: Project) -> None:
    cold = fleet.ok("plan", "--format", "json").out
    kept = records(fleet).read_bytes()
    assert fleet.ok("plan", "--format", "json").out == cold
    assert records(fleet).read_bytes() == kept, "nothing new, nothing written"
    for damaged in (
        kept[:-1],
        kept[: len(kept) // 2],
        b"",
        kept.replace(b"gpt", b"GPT"),
        kept[:40] + b"\0" + kept[41:],
    ):
        records(fleet).write_bytes(damaged)
        assert fleet.ok("plan", "--format", "json").out == cold
    (Path(fleet.environment["XDG_STATE_HOME"]) / "reconciler/memory.key").write_bytes(b"k" * 32)
    assert fleet.ok("plan", "--format", "json").out == cold


def test_a_change_is_seen_where_all_else_is_remembered(fleet: Project) -> None:
    fleet.ok("apply", "--yes", "--quiet")
    assert "No changes" in fleet.ok("plan").out
    fleet.write("assistants.d/a007.yaml", "name: A 7\nmodel: gpt-4o\ntemperature: 0.5\n")
    changed = fleet.ok("plan", "--format", "json").json["changes"]
    assert [(each["address"], each["patch"].get("temperature")) for each in changed] == [("assistant/a007", 0.5)]
    assert changed[0]["fields"][0]["source"] == {"file": "assistants.d/a007.yaml", "line": 3, "column": 14}


def test_a_broken_file_is_told_where_all_else_is_remembered(fleet: Project) -> None:
    fleet.ok("validate")
    fleet.write("assistants.d/a007.yaml", "name: A 7\nmodl: gpt-4o\n")
    ran = fleet.run("validate")
    assert (ran.code, "a007.yaml:2:1: error: unknown field modl" in ran.err) == (1, True)


def test_where_no_secret_can_be_kept_nothing_is_remembered(fleet: Project) -> None:
    for name in ("HOME", "XDG_STATE_HOME"):
        fleet.environment.pop(name, None)
    fleet.ok("validate")
    assert not records(fleet).exists()


def test_a_small_project_leaves_nothing_behind(project: Project) -> None:
    project.write("assistants.d/a.yaml", "model: gpt-4o\n")
    project.ok("validate")
    assert not records(project).exists()
