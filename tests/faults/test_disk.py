"""A disk that takes nothing more: what cannot be recorded is not sent, and what is said names the file."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from tests.conftest import Project, Remote


def full(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line where no file can grow."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", "-C", str(project.root), *arguments],
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )


@pytest.fixture
def desk(project: Project) -> Project:
    project.write("assistants.d/desk.yaml", "name: Desk\nmodel: gpt-4o\n")
    return project


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
def test_an_apply_that_cannot_note_its_creates_sends_none(desk: Project, remote: Remote, used: bool) -> None:
    desk.target(remote.url)
    if used:
        desk.ok("apply", "--yes")
        desk.write("assistants.d/second.yaml", "name: Second\nmodel: gpt-4o\n")
        remote.forget()
    ran = full(desk, "apply", "--yes")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert ".reconciler" in ran.stdout + ran.stderr
    assert remote.writes == []
    assert desk.run("apply", "--yes").code == 0
    assert (desk.root / ".reconciler/.gitignore").read_text(encoding="utf-8") == "*\n"


@pytest.mark.parametrize("arguments", [("plan",), ("apply", "--yes")], ids=["plan", "apply"])
def test_the_embedded_server_says_that_its_database_cannot_be_written(
    desk: Project, arguments: tuple[str, ...]
) -> None:
    desk.ok("validate")
    (desk.root / ".reconciler").mkdir(exist_ok=True)
    (desk.root / ".reconciler/.gitignore").write_text("*\n", encoding="utf-8")
    ran = full(desk, *arguments)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert "local.db" in ran.stderr


def test_a_plan_that_cannot_be_saved_leaves_the_one_that_was(desk: Project, remote: Remote) -> None:
    desk.target(remote.url)
    file = desk.root / "plan.json"
    desk.ok("plan", "--out", str(file))
    before = file.read_bytes()
    ran = full(desk, "plan", "--out", str(file))
    assert (ran.returncode, file.read_bytes()) == (1, before)
    assert "plan.json" in ran.stderr
    assert [each.name for each in desk.root.iterdir() if each.suffix == ".tmp"] == []
