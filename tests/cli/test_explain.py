"""`reconciler explain`: what the schemas say, in words; nothing is asked of a target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reconciler.config.schema.descriptions import example, type_words
from reconciler.config.schema.schema_fields import SchemaField, schema_root
from reconciler.config.schema.schemas import shipped
from reconciler.core.values.model import ABSENT
from tests.conftest import Project

SCHEMAS = sorted(
    path.relative_to(shipped().directory).as_posix()
    for path in shipped().directory.rglob("*.schema.json")
    if "urn:reconciler:kind:" in path.read_text()
)


def places(place: SchemaField, depth: int = 0) -> Iterator[SchemaField]:
    for name in place.names() if depth < 6 else ():
        below = place.child(name)
        assert below is not None
        yield below
        yield from places(below, depth + 1)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_of_every_kind_has_a_type_and_an_example_that_its_schema_accepts(name: str) -> None:
    schema = shipped().schema(name)
    found = list(places(schema_root(schema)))
    assert len(found) > 5
    for place in found:
        assert type_words(place)
        if (made := example(place)) is ABSENT:
            assert place.refused or place.says("readOnly") is True
            continue
        for part in place.parts[:1]:
            Draft202012Validator({**part, "$defs": schema.get("$defs", {})}).validate(made)


def test_without_a_kind_it_lists_the_kinds_of_the_target(project: Project) -> None:
    ran = project.ok("explain")
    assert "local (local) has these kinds" in ran.out
    assert "\n  assistant  " in ran.out
    assert [kind["name"] for kind in project.ok("explain", "--format", "json").json["kinds"]].count("assistant") == 1


def test_a_field_is_explained_from_its_schema(project: Project) -> None:
    out = project.ok("explain", "assistant.temperature").out
    assert "type          a number or null" in out
    assert "limits        at least 0; at most 2" in out
    assert "default       1: returned if not set, never sent" in out
    assert "when removed  null is sent once" in out
    assert "example       temperature: 0.5" in out


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("assistant.tools", "identified by type and function.name"),
        ("assistant.tools.type", "code_interpreter, file_search or function"),
        ("assistant.tools.file_search.ranking_options.score_threshold", "when removed  not possible"),
        ("assistant.tools.file_search.max_num_results", "when removed  tools is sent without it"),
        ("assistant.tool_resources.code_interpreter.file_ids", "as a set; order and duplicates are ignored"),
        ("assistant.tool_resources.file_search.vector_stores", "cannot be managed"),
        ("assistant.metadata", "entries that are not in the files are ignored"),
        ("assistant.metadata", "the name reconciler is reserved"),
        ("assistant.metadata.team", "the entry is removed once"),
        ("assistant.metadata.team", "at most 512 characters"),
        ("assistant.model", "when removed  not possible: the field is required"),
        ("assistant.id", "never: set by the server"),
        ("assistant.reconciler.protect", "for this tool only: never sent"),
        ("assistant", "  model             text (required). "),
    ],
)
def test_what_is_said(project: Project, what: str, said: str) -> None:
    assert said in project.ok("explain", what).out


def test_a_field_as_json(project: Project) -> None:
    told: dict[str, Any] = project.ok("explain", "assistant.tools", "--format", "json").json
    assert told["path"] == ["assistant", "tools"]
    assert told["default"] == []
    assert told["example"] == [{"type": "code_interpreter"}]
    assert [field["name"] for field in told["fields"]] == ["type", "file_search", "function"]


@pytest.mark.parametrize(
    ("what", "code", "hint"),
    [
        ("asistant", "RC0207", "did you mean assistant?"),
        ("temperature", "RC0207", "did you mean assistant.temperature?"),
        ("nothing", "RC0207", "it has "),
        ("assistant.tols", "RC0201", "did you mean assistant.tools?"),
        ("assistant.tools.function.nme", "RC0201", "did you mean assistant.tools.function.name?"),
        ("assistant.model.x", "RC0201", "expected: no fields"),
    ],
)
def test_a_name_that_does_not_exist_gets_the_nearest_one(project: Project, what: str, code: str, hint: str) -> None:
    ran = project.run("explain", what)
    assert ran.code == 1
    assert code in ran.err
    assert hint in ran.err


def test_it_needs_no_credential(project: Project) -> None:
    project.target("https://api.portkey.ai", provider="portkey")
    assert "portkey" in project.ok("explain").out
    assert "x-portkey" not in project.ok("explain", "assistant.model").out


def test_the_guide_shows_what_it_prints(project: Project) -> None:
    guide = (Path(__file__).parents[2] / "docs/guides/editor.md").read_text(encoding="utf-8")
    assert (
        f"$ reconciler explain assistant.temperature\n{project.ok('explain', 'assistant.temperature').out}```" in guide
    )
