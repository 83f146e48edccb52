"""Many resources in a row, each of which refers to the next: nothing here may depend on how long the row is."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from reconciler.config.schema.schemas import shipped
from tests.conftest import Project, Remote

LENGTH = 400
ROW = [f"a{number * 7 % LENGTH:03}" for number in range(LENGTH)]
"""In order of the references. The order of the names is neither that nor its reverse."""


@pytest.fixture
def chain(project: Project, remote: Remote) -> Project:
    """Assistants of a provider in which the description of one can be the id of another."""
    schema = json.loads(json.dumps(shipped().schema("assistant.schema.json")))
    schema["properties"]["description"] = {"type": "string", "x-ref": "assistant"}
    project.write("providers/rows.schema.json", json.dumps(schema))
    project.write(
        "providers/rows.yaml",
        "extends: openai-assistants\ncredentials: {}\nkinds: {assistant: {schema: ./rows.schema.json}}\n",
    )
    project.target(remote.url, provider="rows")
    for name, other in pairwise(ROW):
        project.write(f"assistants.d/{name}.yaml", f"name: {name}\nmodel: m\ndescription: !ref assistant/{other}\n")
    project.write(f"assistants.d/{ROW[-1]}.yaml", f"name: {ROW[-1]}\nmodel: m\n")
    return project


def test_they_are_planned_made_and_deleted_in_order(chain: Project, remote: Remote) -> None:
    plan = chain.ok("plan", "--format", "json").json
    backwards = ROW[::-1]
    assert [change["address"] for change in plan["changes"]] == [f"assistant/{name}" for name in backwards]
    chain.ok("apply", "--yes", "--quiet")
    assert [request.body["name"] for request in remote.writes] == backwards
    assert "No changes" in chain.ok("plan").out
    for name in ROW:
        chain.remove(f"assistants.d/{name}.yaml")
    chain.write("assistants.d/alone.yaml", "name: alone\nmodel: m\n")
    remote.forget()
    chain.ok("apply", "--yes", "--quiet", "--allow-deletes", str(LENGTH))
    assert [each["name"] for each in remote.objects()] == ["alone"]


def test_they_are_one_shard_and_one_picture(chain: Project, tmp_path: Path) -> None:
    matrix = tmp_path / "matrix.json"
    chain.ok("plan", "--split", f"4={matrix}")
    assert [row["changes"] for row in json.loads(matrix.read_text())["include"]] == [LENGTH]
    for form in ("mermaid", "dot", "svg"):
        assert f"assistant/a{LENGTH - 1:03}" in chain.ok("graph", "--format", form).out


def test_a_circle_of_them_is_refused(chain: Project) -> None:
    chain.write(f"assistants.d/{ROW[-1]}.yaml", f"name: x\nmodel: m\ndescription: !ref assistant/{ROW[0]}\n")
    ran = chain.run("validate")
    assert (ran.code, "references form a cycle" in ran.err) == (1, True)


def test_directories_in_one_another_without_end_are_refused(project: Project) -> None:
    project.write(f"assistants.d/{'d/' * 64}a.yaml", "reconciler: {key: a}\nmodel: m\n")
    project.ok("validate")
    project.write(f"assistants.d/{'d/' * 65}b.yaml", "reconciler: {key: b}\nmodel: m\n")
    ran = project.run("validate")
    assert (ran.code, "directories are nested deeper than 64" in ran.err) == (1, True), ran.err


def test_providers_that_extend_one_another_without_end_are_refused(project: Project) -> None:
    for number in range(20):
        project.write(f"providers/p{number}.yaml", f"extends: p{number + 1}\n")
    project.target("http://127.0.0.1:9", provider="p0")
    project.write("assistants.d/a.yaml", "model: m\n")
    ran = project.run("validate")
    assert (ran.code, "p8 cannot extend p9" in ran.err) == (1, True), ran.err
