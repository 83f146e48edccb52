"""`reconciler fmt` on a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_example_fleet import copied
from tests.conftest import Project

MESSY = "model: b   \nname:   a\n"
NEAT = "name: a\nmodel: b\n"


def test_it_writes_what_is_not_in_the_layout_and_says_which(project: Project) -> None:
    messy = project.write("assistants.d/x/messy.yaml", MESSY)
    neat = project.write("assistants.d/neat.yaml", NEAT)
    before = neat.stat().st_mtime_ns
    assert project.ok("fmt").out == "assistants.d/x/messy.yaml\n"
    assert messy.read_text() == NEAT
    assert neat.stat().st_mtime_ns == before
    assert project.ok("fmt").out == ""


def test_check_and_diff_write_nothing(project: Project) -> None:
    messy = project.write("assistants.d/a.yaml", MESSY)
    checked = project.run("fmt", "--check")
    assert (checked.code, checked.out) == (2, "assistants.d/a.yaml\n")
    shown = project.ok("fmt", "--diff")
    assert shown.out.startswith("--- assistants.d/a.yaml\n+++ assistants.d/a.yaml\n@@")
    assert "\n-name:   a\n" in shown.out
    assert "\n+name: a" in shown.out
    assert project.run("fmt", "--diff", "--check").code == 2
    assert messy.read_text() == MESSY


def test_paths_are_files_and_directories_of_the_project(project: Project) -> None:
    for name in ("a.yaml", "x/b.yaml", "x/y/c.json"):
        project.write(f"assistants.d/{name}", MESSY if name.endswith("yaml") else '{"model": "b", "name": "a"}')
    assert project.ok("fmt", "assistants.d/x").out == "assistants.d/x/b.yaml\nassistants.d/x/y/c.json\n"
    assert project.ok("fmt", "assistants.d/a.yaml").out == "assistants.d/a.yaml\n"
    unknown = project.run("fmt", "elsewhere.yaml")
    assert unknown.code == 1
    assert "elsewhere.yaml does not exist" in unknown.err
    project.write("elsewhere.yaml", MESSY)
    assert "elsewhere.yaml is not a manifest of assistants.d" in project.run("fmt", "elsewhere.yaml").err


def test_settings_are_laid_out_by_their_own_schema(project: Project) -> None:
    project.write("assistants.d/a.yaml", NEAT)
    path = "assistants.d/reconciler.yaml"
    project.write(path, "targets:\n    zeta: {provider: local}\n    alpha:\n        provider: local\nowner: acme\n")
    assert project.ok("fmt").out == f"{path}\n"
    expected = "owner: acme\ntargets:\n  zeta: {provider: local}\n  alpha:\n    provider: local\n"
    assert (project.root / path).read_text() == expected


def test_layers_are_laid_out_as_well(project: Project) -> None:
    project.write("assistants.d/a.yaml", NEAT)
    settings = "targets:\n  one:\n    provider: local\n    layers: [overlays/one]\n"
    project.write("assistants.d/reconciler.yaml", settings)
    project.write("overlays/one/a.yaml", MESSY)
    assert project.ok("fmt").out == "overlays/one/a.yaml\n"


def test_a_file_that_cannot_be_laid_out_is_left_and_the_others_are_done(project: Project) -> None:
    broken = project.write("assistants.d/broken.yaml", "model: [\n")
    odd = project.write("assistants.d/odd.yaml", "name: a\nmodel: b\n...\n")
    project.write("assistants.d/messy.yaml", MESSY)
    ran = project.run("fmt")
    assert ran.code == 1
    assert ran.out == "assistants.d/messy.yaml\n"
    assert "assistants.d/broken.yaml:2:1: error: not valid YAML" in ran.err
    assert "assistants.d/odd.yaml:1:1: error: the file cannot be formatted" in ran.err
    assert broken.read_text() == "model: [\n"
    assert odd.read_text() == "name: a\nmodel: b\n...\n"


def test_broken_settings_keep_nobody_from_laying_out_their_files(project: Project) -> None:
    project.write("assistants.d/reconciler.yaml", "default_target: nowhere\n")
    project.write("assistants.d/a.yaml", MESSY)
    ran = project.ok("fmt")
    assert "there is no target nowhere" in ran.err
    assert ran.out == "assistants.d/a.yaml\n"


def test_what_a_terminal_would_obey_is_shown_as_escapes(project: Project) -> None:
    project.write("assistants.d/a.yaml", "name: a # \x9b31m\u202e\nmodel: b\n")
    ran = project.run("fmt", "--diff")
    assert "\u202e" not in ran.out
    assert "\x9b" not in ran.out


@pytest.mark.parametrize("again", [False, True])
def test_the_example_fleet_means_the_same_afterwards(project: Project, again: bool) -> None:
    copied(project)
    before = project.ok("plan", "--format", "json").json
    project.ok("fmt")
    if again:
        assert project.ok("fmt").out == ""
    after = project.ok("plan", "--format", "json").json
    assert after["config_digest"] == before["config_digest"]
    assert [each["patch"] for each in after["changes"]] == [each["patch"] for each in before["changes"]]


def test_prompts_are_no_manifests(project: Project) -> None:
    text = "A prompt   \n\n\nwith blanks.\n\n\n"
    prompt: Path = project.write("assistants.d/prompts/a.md", text)
    project.write("assistants.d/a.yaml", "model: b\ninstructions: !file prompts/a.md\n")
    assert project.ok("fmt").out == ""
    assert prompt.read_text() == text


def test_what_manifests_use_is_laid_out_as_well(project: Project) -> None:
    base = project.write("assistants.d/_base.yaml", MESSY)
    rows = project.write("assistants.d/_tables/rows.yaml", "-   {tenant: acme}\n-   {tenant: zorg}   \n")
    project.write("assistants.d/a.yaml", "reconciler:\n  extends: _base.yaml\nname: a\n")
    project.write("assistants.d/.hidden.yaml", MESSY)
    assert project.ok("fmt").out == "assistants.d/_base.yaml\nassistants.d/_tables/rows.yaml\n"
    assert base.read_text() == NEAT
    assert rows.read_text() == "- {tenant: acme}\n- {tenant: zorg}\n"
    assert project.ok("fmt").out == ""
    assert project.ok("validate").out == "1 manifest is valid for local\n"
