"""Layers from the command line: what is planned, against a commit as well, and what --theirs leaves alone."""

from __future__ import annotations

import subprocess

import pytest

from tests.conftest import Project, Remote

BASE = "name: HR\nmodel: gpt-4o\ntemperature: 0.2\nmetadata: {team: people}\n"
LAYERS = "    layers: [overlays/production]\n"


@pytest.fixture
def layered(project: Project, remote: Remote) -> Project:
    project.target(remote.url, more=LAYERS)
    project.write("assistants.d/bot.yaml", BASE)
    project.write("overlays/production/bot.yaml", "temperature: 0.9\nmetadata: {env: live}\n")
    return project


def test_what_is_merged_is_applied_and_plans_point_into_the_overlay(layered: Project, remote: Remote) -> None:
    layered.ok("apply", "--yes")
    assert remote.named("HR")["temperature"] == 0.9
    assert remote.named("HR")["metadata"]["env"] == "live"
    assert layered.run("plan", "--detailed-exitcode").code == 0
    layered.write("overlays/production/bot.yaml", "metadata: {env: live}\ntemperature: 0.5\n")
    (change,) = layered.ok("plan", "--format", "json").json["changes"]
    assert change["patch"] == {"temperature": 0.5}
    assert change["fields"][0]["source"] == {"file": "overlays/production/bot.yaml", "line": 2, "column": 14}
    assert "overlays/production/bot.yaml:2" in layered.ok("plan").out


def test_every_target_is_validated_with_its_own_layers(layered: Project, remote: Remote) -> None:
    layered.write("overlays/production/bot.yaml", "temperature: 9\n")
    ran = layered.run("validate")
    assert ran.code == 1
    assert "overlays/production/bot.yaml:1:14: error: temperature is 9" in ran.err
    assert layered.run("validate", "--target", "local").code == 0


def test_nothing_is_sent_or_deleted_when_a_layer_is_missing(layered: Project, remote: Remote) -> None:
    layered.write("overlays/production/extra.yaml", "name: extra\nmodel: m\n")
    layered.ok("apply", "--yes")
    remote.forget()
    (layered.root / "overlays").rename(layered.root / "elsewhere")
    ran = layered.run("apply", "--yes")
    assert ran.code == 1
    assert "assistants.d/reconciler.yaml" in ran.err
    assert "overlays/production does not exist" in ran.err
    assert remote.app.requests == []


def test_a_commit_is_read_with_its_layers(layered: Project) -> None:
    git = ["git", "-C", str(layered.root), "-c", "user.name=t", "-c", "user.email=t@t"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    assert layered.ok("plan", "--against", "git:HEAD", "--format", "json").json["changes"] == []
    layered.write("overlays/production/bot.yaml", "temperature: 0.5\nmetadata: {env: live}\n")
    (change,) = layered.ok("plan", "--against", "git:HEAD", "--format", "json").json["changes"]
    assert [(each["path"], each["before"], each["after"]) for each in change["fields"]] == [(["temperature"], 0.9, 0.5)]


def test_a_live_edit_of_what_several_files_say_is_not_written_back(layered: Project, remote: Remote) -> None:
    layered.write("overlays/production/extra.yaml", "name: extra\nmodel: m\ntemperature: 0.1\n")
    layered.ok("apply", "--yes")
    for name in ("HR", "extra"):
        remote.ask("POST", f"/v1/assistants/{remote.named(name)['id']}", {"temperature": 0.4})
    before = (layered.root / "assistants.d/bot.yaml").read_text()
    ran = layered.run("pull", "--theirs", "assistant/bot")
    assert ran.code == 1
    assert "edit temperature by hand" in ran.err
    assert (layered.root / "assistants.d/bot.yaml").read_text() == before
    layered.ok("pull", "--theirs", "assistant/extra")
    assert (layered.root / "overlays/production/extra.yaml").read_text() == "name: extra\nmodel: m\ntemperature: 0.4\n"
