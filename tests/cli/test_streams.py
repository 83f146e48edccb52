"""What becomes of a run whose output nobody reads, or that has none: it ends as it would have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Project, Remote

MANIFEST = "name: Ärger {0} →\nmodel: gpt-4o\ninstructions: {1}\n"
RECONCILER = f"{sys.executable} -m reconciler"


def shell(project: Project, command: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = project.environment | more
    script = command.replace("reconciler", RECONCILER)
    return subprocess.run(
        ["bash", "-c", script], cwd=project.root, env=environment, capture_output=True, encoding="latin-1", check=False
    )


@pytest.fixture
def fleet(project: Project, remote: Remote) -> Project:
    """A fleet to create, whose plan is longer than a pipe holds."""
    project.target(remote.url)
    for number in range(40):
        project.write(f"assistants.d/a{number}.yaml", MANIFEST.format(number, "long " * 400))
    return project


@pytest.mark.parametrize(
    "output",
    [">&-", "<&- >&- 2>&-", "2>&-", "> >(true)", "2> >(exec <&-)", "> >(head -c 10 > /dev/null) 2> >(exec <&-)"],
)
def test_an_apply_that_nobody_listens_to_is_carried_out_and_reported(
    output: str, fleet: Project, remote: Remote
) -> None:
    ran = shell(fleet, f"reconciler --verbose apply --yes --format text --format json=b.json --report r.json {output}")
    assert (ran.returncode, len(remote.objects())) == (0, 40)
    for name in ("r.json", "b.json"):
        assert json.loads((fleet.root / name).read_text())["totals"]["done"] == 40
    assert "Traceback" not in ran.stdout + ran.stderr


@pytest.mark.parametrize("output", [">&-", "| head -1", "| true", "2>&-"])
def test_a_plan_keeps_its_exit_code(output: str, fleet: Project) -> None:
    ran = shell(fleet, f"reconciler plan --detailed-exitcode {output}; exit ${{PIPESTATUS[0]}}")
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


def test_outputs_that_can_be_written_are(fleet: Project, remote: Remote) -> None:
    ran = shell(fleet, "reconciler apply --yes --format json=nowhere/a.json --format json=b.json --report r.json")
    assert ran.returncode == 1
    assert "nowhere/a.json: No such file or directory" in ran.stderr
    assert (len(remote.objects()), (fleet.root / "b.json").is_file()) == (40, True)
    assert json.loads((fleet.root / "r.json").read_text())["totals"]["done"] == 40


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"TERM": "dumb", "COLUMNS": "1"},
        {"TERM": "", "COLUMNS": "-7", "LINES": "x"},
    ],
    ids=str,
)
def test_a_terminal_of_another_time_gets_every_word(environment: dict[str, str], fleet: Project) -> None:
    ran = shell(fleet, "reconciler plan --detailed-exitcode", **environment)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert any(word in ran.stdout for word in ("\u00c4rger 3", "\\xc4rger 3", "\u00c3\u0084rger 3"))
    assert "40 to create" in ran.stdout


def test_help_is_readable_in_one_column(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reconciler", "plan", "--help"]
    ran = subprocess.run(command, env={"COLUMNS": "1"}, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "--against" in ran.stdout
