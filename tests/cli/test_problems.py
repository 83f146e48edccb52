"""Problems as people and programs see them: with their lines, in order, each once, in every form."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tests.conftest import Project, Remote

SCHEMAS = Path(__file__).parents[2] / "schemas"
SETTINGS = """\
owner: acme
targets:
  staging:
    provider: portkey
    credentials:
      api_key: sk-not-for-anyone-0123456789
"""


def bad(project: Project) -> None:
    project.write("assistants.d/b.yaml", "model: gpt-4o\ntemprature: 0.2\n")
    project.write("assistants.d/a.yaml", "name: a\nmodel: 5\ninstructions: !file prompts/a.md\n")
    project.write("assistants.d/prompts/a.md", "Be kind.\nNever lie\u202e.\n")


def check(document: object) -> None:
    plan, own = (json.loads((SCHEMAS / name).read_bytes()) for name in ("plan.schema.json", "diagnostics.schema.json"))
    registry: Registry[object] = Registry().with_resource(plan["$id"], Resource.from_contents(plan))
    Draft202012Validator(own, registry=registry).validate(document)


def test_each_has_its_lines_and_they_come_by_file_and_line(project: Project) -> None:
    bad(project)
    ran = project.run("validate")
    assert ran.code == 1
    assert (
        ran.err
        == """\
assistants.d/a.yaml:2:8: error: model must be text, not the number 5 [RC0202]
   |
 1 | name: a
 2 | model: 5
   |        ^
 3 | instructions: !file prompts/a.md
    expected: text. The id of the model. Stored as written; aliases are not resolved.
    hint: quote it: model: "5"
assistants.d/b.yaml:2:1: error: unknown field temprature [RC0201]
   |
 1 | model: gpt-4o
 2 | temprature: 0.2
   | ^^^^^^^^^^
    expected: one of description, instructions, metadata, model, name, reasoning_effort,
              response_format, temperature, tool_resources, tools, top_p
    hint: did you mean temperature?
assistants.d/prompts/a.md:2:10: warning: instructions contains the invisible character U+202E RIGHT-TO-LEFT OVERRIDE \
in line 2 of the text [RC0110]
   |
 1 | Be kind.
 2 | Never lie\\u202e.
   |          ^^^^^^
    hint: remove it, unless the language needs it: it can make a text mean something else than what is shown
For more about this: reconciler explain RC0202 (also RC0201)
2 problems; nothing was sent
"""
    )


@pytest.mark.parametrize("verb", ["validate", "plan", "apply", "drift"])
def test_as_json_whatever_was_asked_for(project: Project, verb: str) -> None:
    bad(project)
    ran = project.run(verb, "--format", "json")
    assert ran.code == 1
    check(ran.json)
    assert ran.json["ok"] is False
    assert [(each["code"], each["source"]["file"]) for each in ran.json["diagnostics"]] == [
        ("RC0202", "assistants.d/a.yaml"),
        ("RC0201", "assistants.d/b.yaml"),
        ("RC0110", "assistants.d/prompts/a.md"),
    ]
    assert "RC0201" in ran.err


def test_as_files_for_forges_and_scanners(project: Project) -> None:
    bad(project)
    ran = project.run("plan", "--format", "sarif=s.json", "--format", "gitlab=g.json", "--format", "markdown=p.md")
    assert ran.code == 1
    results = json.loads((project.root / "s.json").read_text())["runs"][0]["results"]
    assert [each["ruleId"] for each in results] == ["RC0202", "RC0201", "RC0110"]
    assert [each["location"]["lines"]["begin"] for each in json.loads((project.root / "g.json").read_text())] == [
        2,
        2,
        2,
    ]
    assert not (project.root / "p.md").exists()
    told = project.run("validate", "--format", "github").out.splitlines()
    assert [line.partition(" ")[0] for line in told] == ["::error", "::error", "::warning"]
    assert "file=assistants.d/b.yaml,line=2,col=1" in told[1]


def test_a_good_project_is_told_in_the_same_forms(project: Project) -> None:
    project.write("assistants.d/a.yaml", "model: gpt-4o\n")
    ran = project.ok("validate", "--format", "json")
    check(ran.json)
    assert (ran.json["ok"], ran.json["diagnostics"]) == (True, [])
    assert project.ok("validate", "--format", "text").out == "1 manifest is valid for local\n"


def test_where_the_file_for_a_form_cannot_be_written_both_are_told(project: Project) -> None:
    bad(project)
    ran = project.run("validate", "--format", "json=nowhere/at/all.json")
    assert ran.code == 1
    assert "RC0201" in ran.err
    assert "RC0101" in ran.err
    assert "Traceback" not in ran.err


def test_a_credential_in_the_settings_is_told_without_being_shown(project: Project) -> None:
    project.write("assistants.d/reconciler.yaml", SETTINGS)
    ran = project.run("validate")
    assert "assistants.d/reconciler.yaml:6:16: error: the credential api_key is a secret" in ran.err
    assert " 6 |       api_key: ***" in ran.err
    assert "not-for-anyone" not in ran.err


@pytest.mark.parametrize(("more", "colour"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_a_terminal_gets_colour_unless_it_says_no(project: Project, more: dict[str, str], colour: bool) -> None:
    bad(project)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "validate"]
    environment = {**project.environment, "TERM": "xterm", **more}
    subprocess.run(command, stderr=theirs, stdout=subprocess.DEVNULL, env=environment, check=False)
    os.close(theirs)
    told = b""
    with contextlib.suppress(OSError):  # which is how a terminal ends
        while part := os.read(ours, 100_000):
            told += part
    os.close(ours)
    assert (b"\x1b[1;31merror:\x1b[0m" in told) is colour
    assert b"RC0201" in told


def test_a_code_can_be_asked_about(project: Project) -> None:
    assert project.ok("explain", "rc0201").out.startswith("# RC0201: ")
    refused = project.run("explain", "RC9999")
    assert refused.code == 1
    assert "RC9999" in refused.err


def test_a_misspelt_verb_or_option_names_the_right_one(project: Project) -> None:
    assert "Did you mean 'apply'?" in project.run("aply").err
    assert "Did you mean '--detailed-exitcode'?" in project.run("plan", "--detailed-exit").err
    nothing_near = project.run("frobnicate")
    assert nothing_near.code == 1
    assert "No such command 'frobnicate'." in nothing_near.err


SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    "settings",
    [
        f"targets:\n  p:\n    provider: portkey\n    credentials: {SECRET}\n",
        f"targets:\n  p:\n    provider: portkey\n    credentials: [{SECRET}]\n",
        f"targets:\n  p:\n    provider: portkey\n    credentials:\n      api_key: @{SECRET}\n",
        f"targets:\n  p:\n    provider: portkey\n    credentials:\n      api_key: Bearer: {SECRET}\n",
        f"targets:\n  p:\n    provider: portkey\n    credentials:\n      api_key {SECRET}\n      virtual_key: !env V\n",
        f"targets:\n  p:\n    provider: portkey\n    credentials:\n      - {SECRET}\n",
    ],
)
def test_however_wrong_the_settings_are_a_credential_in_them_is_not_told(project: Project, settings: str) -> None:
    project.write("assistants.d/reconciler.yaml", settings)
    project.write("assistants.d/a.yaml", "model: gpt-4o\n")
    for command in (("validate",), ("validate", "--format", "json"), ("plan",), ("doctor",)):
        ran = project.run(*command)
        assert ran.code == 1
        assert "hunter2" not in ran.out + ran.err


def test_a_block_says_each_way_out_in_a_line_of_its_own(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    made = remote.ask("POST", "/v1/assistants", {"name": "HR bot", "model": "gpt-4-turbo"})
    project.write("assistants.d/a.yaml", "name: HR bot\nmodel: gpt-4o\n")
    lines = project.run("plan").out.splitlines()
    assert f"    {made['id']} has the same name and is not managed here." in lines
    assert "    To create another: `reconciler: {same_name: allow}`" in lines
