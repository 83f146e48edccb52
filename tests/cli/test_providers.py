"""`providers`: every provider and kind there is, and what its data says it can do."""

from __future__ import annotations

import pytest

from reconciler.config.schema.schemas import shipped
from tests.conftest import Project


def test_every_kind_of_every_provider_has_a_row(project: Project) -> None:
    found = project.ok("providers", "--format", "json").json
    schemas = shipped()
    there = {(name, kind) for name in schemas.provider_names() for kind in schemas.provider(name).kinds}
    assert {(row["provider"], row["kind"]) for row in found} == there
    assert len(found) == len(there)


def test_differences_of_providers_are_shown(project: Project) -> None:
    found = {(row["provider"], row["kind"]): row for row in project.ok("providers", "--format", "json").json}
    anthropic, openai = found["anthropic-agents", "agent"], found["openai-agents", "agent"]
    assert anthropic["update"] == "POST with version check"
    assert (anthropic["delete"], openai["delete"]) == ("archive", "delete")
    assert (anthropic["metadata"], openai["metadata"]) == ("per key", "sent whole")
    assert (anthropic["hosts"], found["local", "assistant"]["hosts"]) == ("api.anthropic.com", "embedded server")


def test_what_is_uploaded_is_not_changed_and_is_marked_in_its_name(project: Project) -> None:
    found = {(row["provider"], row["kind"]): row for row in project.ok("providers", "--format", "json").json}
    assert found["local", "file"]["update"] == "none (recreated)"
    assert found["local", "file"]["metadata"] == "none (marks in file names)"
    assert found["elevenlabs", "agent"]["metadata"] == "none (marks in lock file)"


def test_the_table_fits_its_columns_and_reads_as_markdown(project: Project) -> None:
    head, *rows = project.ok("providers").out.splitlines()
    at = head.index("pagination")
    assert all(row[at - 1] == " " and row[at] != " " for row in rows)
    lines = project.ok("providers", "--format", "markdown").out.splitlines()
    assert {line.count("|") for line in lines} == {10}
    assert len(lines) == len(rows) + 2


def test_one_provider_of_them(project: Project) -> None:
    found = project.ok("providers", "langgraph", "--format", "json").json
    assert {row["provider"] for row in found} == {"langgraph"}
    assert "did you mean langgraph?" in project.run("providers", "lang-graph").err


@pytest.mark.parametrize(("style", "refused"), [("offset", True), ("time", True), ("after", False), ("page", False)])
def test_a_page_of_one_object_is_refused_where_pages_overlap(style: str, refused: bool, project: Project) -> None:
    project.write(
        "assistants.d/reconciler.yaml",
        "owner: acme\ndefault_target: t\ntargets: {t: {provider: mine, url: 'https://x.example/v1'}}\n",
    )
    project.write("assistants.d/a.yaml", "name: A\ngraph_id: g\n")
    one = f"extends: langgraph\nkinds:\n  assistant:\n    list: {{style: {style}, limit: 1}}\n"
    project.write("providers/mine.yaml", one)
    ran = project.run("validate")
    assert (ran.code != 0) is refused
    assert ("providers/mine.yaml:4:" in ran.err) is refused
    project.write("providers/mine.yaml", one.replace("limit: 1", "limit: 2"))
    project.ok("validate")
