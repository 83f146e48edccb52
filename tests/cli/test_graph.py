"""Dependencies, drawn three ways."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.conftest import Project

STORE = "reconciler: {kind: vector_store}\nname: Handbook\n"
BOT = "name: HR\nmodel: gpt-4o\ntool_resources: {file_search: {vector_store_ids: [!ref vector_store/handbook]}}\n"


@pytest.fixture
def fleet(project: Project) -> Project:
    project.write("assistants.d/handbook.yaml", STORE)
    project.write("assistants.d/hr/bot.yaml", BOT)
    project.write("assistants.d/alone.yaml", "name: alone\nmodel: gpt-4o\n")
    return project


def test_mermaid(fleet: Project) -> None:
    assert fleet.ok("graph").out.splitlines() == [
        "flowchart LR",
        '  n0["assistant/alone"]',
        '  n1["assistant/hr/bot"]',
        '  n2["vector_store/handbook"]',
        "  n1 --> n2",
    ]


def test_dot(fleet: Project) -> None:
    out = fleet.ok("graph", "--format", "dot").out
    assert '"assistant/hr/bot" -> "vector_store/handbook";' in out
    assert out.startswith("digraph reconciler {")


def test_svg_is_one_picture_with_a_box_for_each_and_a_line_for_each_reference(fleet: Project) -> None:
    picture = ElementTree.fromstring(fleet.ok("graph", "--format", "svg").out)
    names = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    lines = [e for e in picture.iter("{http://www.w3.org/2000/svg}path") if e.get("marker-end")]
    assert names == ["assistant/alone", "assistant/hr/bot", "vector_store/handbook"]
    assert len(lines) == 1


def test_nothing_is_asked_of_anybody(fleet: Project) -> None:
    fleet.target("https://nowhere.invalid", provider="portkey")
    assert "n1 --> n2" in fleet.ok("graph").out
