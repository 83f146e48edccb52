"""What is remembered from run to run, as a user meets it: plans of many files are the same with and without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

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


SETTINGS = """
owner: acme
default_target: mine
targets:
  mine: {provider: mine, url: "http://127.0.0.1:9/v1"}
  other: {provider: other, url: "http://127.0.0.1:9/v1", owner: other}
"""
NAMED = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["model"],
    "properties": {"name": {"type": "string"}, "model": {"type": "string"}, "text": {"type": "string"}},
}


def own_provider(project: Project, name: str, schema: dict[str, Any], more: str = "") -> None:
    """A provider of the project with one kind."""
    kind = f"{{schema: ./{name}.schema.json, path: /v1/bots, name_field: name{more}}}"
    project.write(f"providers/{name}.yaml", f"url: http://127.0.0.1:9/v1\nkinds:\n  bot: {kind}\n")
    project.write(f"providers/{name}.schema.json", json.dumps(schema))


@pytest.fixture
def own(project: Project) -> Project:
    """As many manifests as are remembered, for providers of the project, and remembered."""
    own_provider(project, "mine", NAMED)
    own_provider(project, "other", NAMED)
    project.environment["RECONCILER_TRUST_PROVIDERS"] = "mine,other,base"
    project.write("assistants.d/reconciler.yaml", SETTINGS)
    for number in range(COUNT):
        targets = "other" if number == COUNT - 1 else "mine"
        project.write(
            f"assistants.d/a{number:03}.yaml",
            f"reconciler: {{targets: [{targets}]}}\nname: A {number}\nmodel: gpt-4o\n",
        )
    for _ in range(2):
        assert "valid" in project.ok("validate").out
    assert (project.root / ".reconciler/cache/mine.records").exists()
    return project


def refusing(field: str) -> dict[str, Any]:
    return {**NAMED, "properties": {**NAMED["properties"], field: {"type": "string", "maxLength": 2}}}


def test_a_schema_of_the_project_that_refuses_what_was_remembered_is_obeyed(own: Project) -> None:
    own_provider(own, "mine", refusing("model"))
    ran = own.run("validate")
    assert (ran.code, f"{COUNT - 1} problems; nothing was sent" in ran.err) == (1, True), ran.err[-300:]
    assert own.run("plan").code == 1


def test_so_is_the_schema_of_another_target(own: Project) -> None:
    own_provider(own, "other", refusing("model"))
    ran = own.run("--target", "mine", "validate")
    assert (ran.code, f"a{COUNT - 1}.yaml:3" in ran.err) == (1, True), ran.err[-300:]


def test_so_is_a_provider_that_takes_another_schema(own: Project) -> None:
    own.write("providers/strict.schema.json", json.dumps(refusing("name")))
    file = own.root / "providers/mine.yaml"
    file.write_text(file.read_text().replace("./mine.schema.json", "./strict.schema.json"))
    assert own.run("validate").code == 1


def test_so_is_a_provider_that_another_one_extends(own: Project) -> None:
    own.write("providers/base.yaml", (own.root / "providers/mine.yaml").read_text())
    own.write("providers/mine.yaml", "extends: base\n")
    own.ok("validate")
    own.write("providers/strict.schema.json", json.dumps(refusing("name")))
    file = own.root / "providers/base.yaml"
    file.write_text(file.read_text().replace("./mine.schema.json", "./strict.schema.json"))
    assert own.run("validate").code == 1
