"""`convert`: manifests of assistants become manifests of agents; comments stay, and what is lost is said."""

from __future__ import annotations

import json

import pytest

from reconciler.config.schema.schemas import shipped
from tests.conftest import Project

DESK = """\
# Managed by the support team.
reconciler:
  kind: assistant
  id: asst_old   # of the account that is gone
  ignore: [temperature, metadata.team]
name:   "Order desk"   # shown to customers
model: 'gpt-4o'
temperature: 0.2      # careful
reasoning_effort: high   # it thinks
instructions: |
    You help customers.

    # A heading
tools:
# what the shop can do
- type: function
  # the backend runs it
  function:
    # its name in the backend
    name: look_up     # keep in step
    description: Looks an order up.
    parameters:
      type: object    # always
      properties: {number: {type: string}}
- type: file_search
response_format:
  type: json_schema
  json_schema:
    name: order
    schema:
      # one order
      type: object
metadata: {desk: orders}
"""
AGENT = """\
# Managed by the support team.
reconciler:
  kind: agent
  ignore: [metadata.team]
name:   "Order desk"   # shown to customers
model: 'gpt-4o'
reasoning:
  effort: high   # it thinks
instructions: |
    You help customers.

    # A heading
tools:
# what the shop can do
- type: function
  # the backend runs it
  # its name in the backend
  name: look_up     # keep in step
  description: Looks an order up.
  parameters:
    type: object    # always
    properties: {number: {type: string}}
text:
  format:
    type: json_schema
    schema:
      # one order
      type: object
metadata: {desk: orders}
"""


def test_a_file_is_rewritten_for_agents_and_every_comment_that_has_a_place_stays(project: Project) -> None:
    file = project.write("assistants.d/desk.yaml", DESK)
    ran = project.ok("convert", "--to", "openai-agents", "--write")
    assert file.read_text() == AGENT
    assert ran.out == "assistants.d/desk.yaml\n"


def test_what_has_no_counterpart_is_said_with_its_line_and_a_remedy(project: Project) -> None:
    project.write("assistants.d/desk.yaml", DESK)
    said = project.ok("convert", "--to", "openai-agents").err
    assert "assistants.d/desk.yaml:4:3: warning: reconciler.id was removed" in said
    assert "assistants.d/desk.yaml:8:1: warning: temperature has no counterpart" in said
    assert "assistants.d/desk.yaml:25:3: warning: tools[1] has no counterpart" in said
    assert "serve the documents through an MCP server" in said


def test_nothing_is_written_unless_asked_for(project: Project) -> None:
    file = project.write("assistants.d/desk.yaml", DESK)
    ran = project.ok("convert", "--to", "openai-agents", "--diff")
    assert file.read_text() == DESK
    assert "+reasoning:\n+  effort: high   # it thinks\n" in ran.out
    assert "1 file would change" in ran.err


def test_what_the_new_api_wants_besides_is_said_by_lines_of_the_new_file(project: Project) -> None:
    project.write("assistants.d/desk.yaml", "model: gpt-4o\ntools:\n  - type: function\n    function: {name: go}\n")
    ran = project.ok("convert", "--to", "openai-agents", "--write")
    assert "assistants.d/desk.yaml:3:5: error: tools[0].description is missing" in ran.err


def test_the_converted_fleet_is_applied_to_the_new_api_and_then_in_step(project: Project) -> None:
    project.write("assistants.d/desk.yaml", DESK)
    project.write("assistants.d/triage.md", "---\nmodel: gpt-4o\ntop_p: 1\n---\n\nSort the requests.\n")
    project.write("assistants.d/old.json", json.dumps({"model": "gpt-4o", "reasoning_effort": "low"}, indent=4))
    project.ok("convert", "--to", "openai-agents", "--write")
    project.write("assistants.d/reconciler.yaml", "default_target: new\ntargets: {new: {provider: local-agents}}\n")
    project.ok("validate")
    assert "3 done" in project.ok("apply", "--yes").out
    project.ok("plan", "--detailed-exitcode")
    assert json.loads((project.root / "assistants.d/old.json").read_text()) == {
        "model": "gpt-4o",
        "reasoning": {"effort": "low"},
    }
    assert (project.root / "assistants.d/triage.md").read_text() == "---\nmodel: gpt-4o\n---\n\nSort the requests.\n"


def test_defaults_that_manifests_extend_are_converted_with_them(project: Project) -> None:
    base = project.write("assistants.d/_defaults.yaml", "model: gpt-4o\ntemperature: 0.2\nreasoning_effort: null\n")
    project.write("assistants.d/desk.yaml", "reconciler: {extends: _defaults.yaml}\nname: Desk\n")
    project.ok("convert", "--to", "openai-agents", "--write")
    assert base.read_text() == "model: gpt-4o\nreasoning:\n  effort: null\n"


def test_a_file_of_which_nothing_stays_is_an_empty_manifest(project: Project) -> None:
    base = project.write("assistants.d/_warm.yaml", "# how warm\ntemperature: 0.2\n")
    project.write("assistants.d/desk.yaml", "reconciler: {extends: _warm.yaml}\nmodel: gpt-4o\n")
    project.ok("convert", "--to", "openai-agents", "--write")
    assert base.read_text() == "# how warm\n{}\n"


def test_other_kinds_stay_and_are_said(project: Project) -> None:
    store = project.write("assistants.d/store.yaml", "reconciler: {kind: vector_store}\nname: Handbook\n")
    project.write("assistants.d/desk.yaml", "model: gpt-4o\n")
    ran = project.run("convert", "--to", "openai-agents", "--write")
    assert "kind vector_store has no counterpart" in ran.err
    assert "vector_store" in store.read_text()


def test_a_file_that_cannot_be_rewritten_is_left_alone_and_the_others_are_written(project: Project) -> None:
    odd = "description: &what Desk\nname: *what\nmodel: gpt-4o\n"
    file = project.write("assistants.d/odd.yaml", odd)
    other = project.write("assistants.d/plain.yaml", "model: gpt-4o\ntemperature: 0\n")
    ran = project.run("convert", "--to", "openai-agents", "--write")
    assert ran.code == 1
    assert "assistants.d/odd.yaml:1:1: error: the file cannot be rewritten" in ran.err
    assert (file.read_text(), other.read_text()) == (odd, "model: gpt-4o\n")


@pytest.mark.parametrize("text", ["convert --to openai-agent", "convert --to nowhere"])
def test_an_unknown_provider_is_refused_with_those_there_are(project: Project, text: str) -> None:
    project.write("assistants.d/desk.yaml", DESK)
    ran = project.run(*text.split())
    assert ran.code == 1
    assert "openai-agents" in ran.err


@pytest.mark.parametrize("name", shipped().conversion_names())
def test_a_conversion_names_fields_and_kinds_that_there_are(name: str) -> None:
    schemas = shipped()
    conversion = schemas.conversion(name)
    old = schemas.schema(f"{conversion.source}.schema.json")["properties"]
    new = schemas.schema(f"{name}/{conversion.kind}.schema.json")["properties"]
    rules = conversion.whole.fields
    assert set(rules) <= set(old)
    assert {rule.to[0] for rule in rules.values() if rule.to} <= set(new)
    writable = {field for field, schema in old.items() if schema.get("readOnly") is not True}
    assert not {field for field in writable - set(new) if field not in rules}


def test_a_long_text_below_front_matter_stays_whole(project: Project) -> None:
    prose = "Say it again. " * 100_000
    file = project.write("assistants.d/long.md", f"---\nmodel: gpt-4o\ntemperature: 0\n---\n\n{prose}\n")
    project.run("convert", "--to", "openai-agents", "--write")
    assert file.read_text() == f"---\nmodel: gpt-4o\n---\n\n{prose}\n"
