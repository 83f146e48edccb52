"""What `deploy/` ships: Kubernetes objects that its schemas accept, units whose commands exist."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from reconciler.cli.main import root

DEPLOY = Path(__file__).parents[2] / "deploy"
OBJECTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))


@pytest.mark.parametrize("description", OBJECTS, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_kubernetes_would_take_it(description: dict[str, Any]) -> None:
    kubernetes_validate.validate(description, "1.29", strict=True)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("*.service")), ids=lambda path: path.name)
def test_systemd_would_take_it(unit: Path, tmp_path: Path) -> None:
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/reconciler/bin/reconciler", sys.executable))
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def commands() -> list[list[str]]:
    found = [
        container["command"]
        for each in OBJECTS
        if each["kind"] == "Deployment"
        for container in each["spec"]["template"]["spec"]["containers"]
    ]
    for unit in sorted(DEPLOY.glob("*.service")):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read(unit)
        assert parser["Service"]["Restart"] == "always"
        found.append(shlex.split(parser["Service"]["ExecStart"]))
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_its_commands_are_ones_that_there_are(words: list[str], tmp_path: Path) -> None:
    rest = [str(tmp_path) if word in ("/assistants", "/srv/assistants") else word for word in words[1:]]
    ran = CliRunner().invoke(root, [*rest, "--help"])
    assert ran.exit_code == 0, ran.output
    for word in rest:
        if word.startswith("--"):
            assert word in ran.output
