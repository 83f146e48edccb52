"""What README says is so."""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.cli.exits import Exit
from tests.conftest import Project, Remote

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_manifest_it_shows_is_the_file_it_names() -> None:
    shown = re.search(r"This is\n?`(.+?)`:\n\n```yaml\n(.*?)```", README, re.DOTALL)
    assert shown
    assert (ROOT / shown[1]).read_text(encoding="utf-8") == shown[2]


def test_the_exit_codes_it_lists_are_all_there_are() -> None:
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)] == sorted(Exit)


def test_the_settings_it_shows_are_valid(project: Project) -> None:
    shown = re.search(r"```yaml\n# assistants.d/reconciler.yaml\n(.*?)```", README, re.DOTALL)
    assert shown
    project.write("assistants.d/reconciler.yaml", shown[1])
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    project.ok("--target", "production", "validate")


def test_options_stand_anywhere_and_in_the_environment(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    assert "local (local" in project.ok("plan", "--target", "local").out
    project.environment["RECONCILER_TARGET"] = "local"
    assert "local (local" in project.ok("plan").out
    project.environment |= {"RECONCILER_TARGET": "test", "RECONCILER_APPLY_YES": "1"}
    project.ok("apply")
    assert len(remote.objects()) == 1
    assert project.ok("plan", "--quiet").err == ""


def test_files_are_written_below_the_project(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    ran = project.ok("plan", "--out", "plan.json", "--format", "text", "--format", "json=shown.json")
    assert "1 to create" in ran.out
    assert (project.root / "plan.json").read_bytes() == (project.root / "shown.json").read_bytes()
    assert "does not exist" in project.run("apply", "other.json", "--yes").err
