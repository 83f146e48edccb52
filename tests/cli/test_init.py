"""`reconciler init`: from an empty directory to an applied assistant, and never over a file that exists."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from reconciler.config.schema.schemas import shipped
from tests.conftest import Project, Remote


def files(project: Project) -> set[str]:
    return {path.relative_to(project.root).as_posix() for path in project.root.rglob("*") if path.is_file()}


def test_from_an_empty_directory_to_an_applied_assistant(project: Project) -> None:
    ran = project.ok("init", "--owner", "acme")
    assert "Next: `reconciler plan`" in ran.out
    written = {"help-desk.yaml", "prompts/help-desk.md", "reconciler.yaml"}
    assert files(project) == {".gitignore", *(f"assistants.d/{name}" for name in written)}
    assert (project.root / ".gitignore").read_text() == ".reconciler/\n"
    assert project.ok("validate").err == ""
    assert "1 to create" in project.ok("plan").out
    project.ok("apply", "--yes")
    assert project.ok("plan", "--detailed-exitcode").code == 0
    assert project.run("drift").code == 0
    assert project.ok("fmt", "--check").out == ""


@pytest.mark.parametrize("provider", shipped().provider_names())
def test_what_it_writes_is_valid_for_every_provider(project: Project, provider: str) -> None:
    url = [] if shipped().provider(provider).url else ["--url", "https://api.example/v1"]
    project.ok("init", "--owner", "acme", "--target", provider, *url)
    assert project.ok("validate").err == ""
    assert project.ok("fmt", "--check").out == ""


def test_credentials_come_from_the_environment_and_which_is_said(project: Project) -> None:
    out = project.ok("init", "--owner", "acme", "--target", "portkey").out
    assert "Set PORTKEY_API_KEY in the environment first." in out
    settings = (project.root / "assistants.d/reconciler.yaml").read_text()
    assert "api_key: !env PORTKEY_API_KEY" in settings
    assert "default_target: production" in settings


def test_nothing_that_exists_is_overwritten(project: Project) -> None:
    project.write(".gitignore", "node_modules/")
    project.write("assistants.d/reconciler.yaml", "owner: someone\n")
    project.write(".vscode/settings.json", "{}\n")
    ran = project.ok("init", "--owner", "acme", "--editor", "vscode")
    assert "= assistants.d/reconciler.yaml  exists, not changed" in ran.out
    assert "= .vscode/settings.json  exists, not changed" in ran.out
    assert ".vscode/settings.json exists: add the settings" in ran.err
    assert (project.root / "assistants.d/reconciler.yaml").read_text() == "owner: someone\n"
    assert (project.root / ".vscode/settings.json").read_text() == "{}\n"
    assert (project.root / ".gitignore").read_text() == "node_modules/\n.reconciler/\n"
    before = {name: (project.root / name).read_bytes() for name in files(project)}
    project.ok("init", "--owner", "acme", "--editor", "vscode")
    assert {name: (project.root / name).read_bytes() for name in files(project)} == before


def test_where_there_are_manifests_no_example_is_added(project: Project) -> None:
    project.write("assistants.d/mine.yaml", "model: gpt-4o\n")
    project.ok("init", "--owner", "acme")
    assert files(project) == {".gitignore", "assistants.d/mine.yaml", "assistants.d/reconciler.yaml"}


def exported(project: Project) -> None:
    listed = [
        {"id": "asst_1", "object": "assistant", "created_at": 1, "name": "HR bot", "model": "gpt-4o", "tools": []},
        {
            "id": "asst_2",
            "object": "assistant",
            "name": "HR bot",
            "model": "gpt-4o",
            "instructions": "One.\nTwo.",
            "metadata": {"team": "hr", "reconciler": "1 other hr abc - -"},
        },
    ]
    project.write("export/list.json", json.dumps({"object": "list", "data": listed}))
    project.write("export/one.json", json.dumps({"id": "asst_3", "object": "assistant", "model": "gpt-4o"}))
    project.write("export/bad.json", json.dumps({"id": "asst_4", "object": "assistant"}))


def test_from_exported_objects(project: Project) -> None:
    exported(project)
    ran = project.ok("init", "--owner", "acme", "--from-export", str(project.root / "export"))
    assert "model is missing" in ran.err
    made = {"asst_3.yaml", "hr-bot.yaml", "hr-bot-2.yaml", "prompts/hr-bot-2.md", "reconciler.yaml"}
    assert {name for name in files(project) if name.startswith("assistants.d")} == {f"assistants.d/{n}" for n in made}
    assert (project.root / "assistants.d/prompts/hr-bot-2.md").read_text() == "One.\nTwo."
    second = (project.root / "assistants.d/hr-bot-2.yaml").read_text()
    assert "asst_2" not in second
    assert "team: hr" in second
    assert "1 other" not in second
    project.ok("validate")
    assert "3 to create" in project.ok("plan").out


def test_exported_objects_of_an_account_are_bound_by_their_ids(project: Project) -> None:
    exported(project)
    export = str(project.root / "export")
    project.ok("init", "--owner", "acme", "--target", "portkey", "--from-export", export)
    assert "reconciler:\n  id: asst_1\n" in (project.root / "assistants.d/hr-bot.yaml").read_text()


def test_one_exported_file_is_enough(project: Project) -> None:
    export = project.write("desk.json", json.dumps({"data": [{"id": "asst_1", "name": "Desk", "model": "gpt-4o"}]}))
    project.ok("init", "--owner", "acme", "--from-export", str(export))
    assert (project.root / "assistants.d/desk.yaml").read_text().endswith("name: Desk\nmodel: gpt-4o\n")


@pytest.mark.parametrize(
    ("provider", "shown", "written"),
    [
        (
            "letta",
            {"id": "agent-1", "name": "Desk", "model": "openai/gpt-4o", "tools": [{"id": "tool-1", "name": "t"}]},
            ["id: agent-1", "tool_ids:\n  - tool-1"],
        ),
        (
            "langgraph",
            {"assistant_id": "a-1", "graph_id": "desk", "name": "Desk"},
            ["id: a-1", "graph_id: desk"],
        ),
    ],
)
def test_an_export_is_read_as_its_provider_shows_objects(
    project: Project, provider: str, shown: dict[str, Any], written: list[str]
) -> None:
    export = project.write("export.json", json.dumps([shown]))
    url = "http://127.0.0.1:9"
    project.ok("init", "--owner", "acme", "--target", provider, "--url", url, "--from-export", str(export))
    text = (project.root / "assistants.d/desk.yaml").read_text()
    assert [each for each in written if each not in text] == []


@pytest.mark.parametrize(("text", "code"), [("[1]", "RC0202"), ("{", "RC0102"), (None, "RC0101")])
def test_what_is_no_export_is_told_and_nothing_is_written(project: Project, text: str | None, code: str) -> None:
    project.write("export/readme.txt", "")
    if text is not None:
        project.write("export/a.json", text)
    ran = project.run("init", "--from-export", str(project.root / "export"))
    assert ran.code == 1
    assert code in ran.err
    assert not (project.root / "assistants.d").exists()


def test_editor_settings_associate_schemas_that_accept_what_is_written(project: Project) -> None:
    project.ok("init", "--owner", "acme", "--editor", "vscode")
    settings = json.loads((project.root / ".vscode/settings.json").read_text())
    assert {"!file scalar", "!env scalar"} <= set(settings["yaml.customTags"])
    found = {}
    for path in (project.root / ".vscode/reconciler").iterdir():
        found[path.name] = json.loads(path.read_text())
    assert {Path(name).name for name in settings["yaml.schemas"]} <= set(found)
    registry: Registry[object] = Registry().with_resources(
        (name, Resource.from_contents(each)) for name, each in found.items()
    )
    check = Draft202012Validator(found["manifest.schema.json"], registry=registry)
    assert check.is_valid({"model": "gpt-4o", "name": "a"})
    assert not check.is_valid({"name": "a"})
    assert not check.is_valid({"model": "gpt-4o", "tols": []})
    assert check.is_valid({"model": "gpt-4o", "reconciler": {"kind": "assistant"}})
    # What the loader reads otherwise than an editor can: defaults from elsewhere, and templates.
    assert check.is_valid({"name": "a", "reconciler": {"extends": "_base.yaml"}})
    assert check.is_valid({"model": "gpt-4o", "temperature": "{{ heat }}", "reasoning_effort": "{{ effort }}"})
    assert not check.is_valid({"model": "gpt-4o", "temperature": "0.2"})
    assert not check.is_valid({"model": "gpt-4o", "reasoning_effort": "much"})
    assert not check.is_valid({"model": "gpt-4o", "id": "asst_1"})


def test_an_editor_has_nothing_to_fetch(project: Project) -> None:
    project.ok("init", "--owner", "acme", "--target", "portkey", "--editor", "vscode")
    there = {path.name for path in (project.root / ".vscode/reconciler").iterdir()}
    for path in (project.root / ".vscode/reconciler").iterdir():
        references = {
            value
            for each in _within(json.loads(path.read_text()))
            if isinstance(each, dict) and isinstance(value := each.get("$ref"), str)
        }
        assert {each for each in references if not each.startswith("#")} <= there, path.name


def _within(value: object) -> Iterator[object]:
    yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _within(each)


def test_a_ci_job_on_request(project: Project) -> None:
    project.ok("init", "--owner", "acme", "--target", "portkey", "--ci", "github")
    workflow = (project.root / ".github/workflows/gitops.yml").read_text()
    assert workflow.count("PORTKEY_API_KEY: ${{ secrets.RECONCILER_PLAN_KEY }}") == 1
    assert workflow.count("PORTKEY_API_KEY: ${{ secrets.RECONCILER_APPLY_KEY }}") == 1
    assert "CHECKOUT" not in workflow
    project.ok("init", "--owner", "acme", "--ci", "gitlab")
    assert "component: " in (project.root / ".gitlab-ci.yml").read_text()


@pytest.mark.parametrize(("forge", "file"), [("github", ".github/workflows/gitops.yml"), ("gitlab", ".gitlab-ci.yml")])
@pytest.mark.parametrize("below", ["bots", "teams/of 7: 'x'"])
def test_a_ci_job_below_the_top_of_a_repository_says_where_it_belongs_and_where_the_project_is(
    project: Project, forge: str, file: str, below: str
) -> None:
    directory = project.root / below
    directory.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(project.root)], check=True)
    ran = project.ok("-C", str(directory), "init", "--owner", "acme", "--ci", forge)
    assert f"reads this file only at the top of the repository: move {below}/{file} to {file} there" in ran.err
    document = yaml.safe_load((directory / file).read_text())
    said = [each["directory"] for each in _within(document) if isinstance(each, dict) and "directory" in each]
    assert said == [below] * (3 if forge == "github" else 1)
    at_the_top = project.ok("init", "--owner", "acme", "--ci", forge)
    assert "move" not in at_the_top.err
    assert "directory:" not in (project.root / file).read_text()


def test_the_workflow_for_a_target_without_credentials_names_none(project: Project) -> None:
    project.ok("init", "--owner", "acme", "--ci", "github")
    workflow = (project.root / ".github/workflows/gitops.yml").read_text()
    assert "secrets." not in workflow
    assert "_ENV" not in workflow


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--owner", "Not An Owner"), "RC0202"),
        (("--target", "protkey"), "did you mean portkey?"),
        (("--target", "openai-assistants"), "--url"),
        (("--target", "openai-assistants", "--url", "nowhere"), "RC0202"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    project: Project, options: tuple[str, ...], said: str
) -> None:
    ran = project.run("init", *options)
    assert ran.code == 1
    assert said in ran.err
    assert files(project) == set()


def test_on_a_terminal_it_asks(project: Project) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "init", "--ci", "none"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        os.write(ours, b"asked\nlocal\nvscode\n")
        _, err = running.communicate(timeout=300)
    os.close(ours)
    os.close(theirs)
    assert running.returncode == 0, err
    assert b"Owner of these assistants" in err
    assert re.search(rb"Where do the assistants run\?\n(  .*\n)*  local +in this process, no account needed\n", err)
    assert re.search(rb"\n  portkey +api\.portkey\.ai\n", err)
    assert b"CI job" not in err
    assert "owner: asked" in (project.root / "assistants.d/reconciler.yaml").read_text()
    assert (project.root / ".vscode/settings.json").exists()


def test_the_guide_shows_the_editor_settings_that_it_writes(project: Project) -> None:
    guide = (Path(__file__).parents[2] / "docs/guides/editor.md").read_text(encoding="utf-8")
    project.ok("init", "--owner", "acme", "--editor", "vscode")
    written = json.loads((project.root / ".vscode/settings.json").read_text())
    shown = json.loads(guide.partition("```json\n")[2].partition("```")[0])
    assert shown == {name: written[name] for name in shown}


def test_from_what_is_live(project: Project, remote: Remote) -> None:
    remote.ask("POST", "/v1/assistants", {"model": "gpt-4o", "name": "HR bot", "instructions": "Be kind."})
    start = ("init", "--owner", "acme", "--target", "openai-assistants", "--url", f"{remote.url}/v1", "--from-target")
    project.environment["OPENAI_API_KEY"] = "sk-any"
    refused = project.run(*start)
    assert refused.code == 1
    assert "add --yes" in refused.err
    assert not (project.root / "assistants.d/hr-bot.yaml").exists()
    ran = project.ok(*start, "--yes")
    assert "1 of 1 objects now managed" in ran.out
    assert "name: HR bot" in (project.root / "assistants.d/hr-bot.yaml").read_text()
    assert not (project.root / "assistants.d/help-desk.yaml").exists()
    assert project.ok("plan", "--detailed-exitcode").code == 0


def test_an_export_and_the_target_are_two_starts(project: Project) -> None:
    ran = project.run("init", "--from-target", "--from-export", str(project.root))
    assert ran.code == 1
    assert "--from-export and --from-target" in ran.err
    assert files(project) == set()
