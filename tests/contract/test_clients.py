"""Our schemas against the types of vendors' own clients, in a virtual environment of their own (`.ci/run` makes it)."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from reconciler.config.schema.schemas import shipped
from tests.contract.langgraph_server import ROOT
from tests.contract.sites import Case, cases

PYTHON = ROOT / ".venv-vendors/bin/python"
PROVIDERS = ("azure-foundry-classic", "elevenlabs", "letta", "mistral", "vapi")


def drawn(case: Case) -> list[dict[str, Any]]:
    """Bodies that our schema takes."""
    found: list[dict[str, Any]] = []

    @settings(
        max_examples=100,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case.bodies)
    def draw(body: dict[str, Any]) -> None:
        found.append(body)

    draw()
    return found


def test_the_clients_of_vendors_know_every_field_and_take_every_value() -> None:
    if not PYTHON.is_file():
        missing = pytest.fail if "CI" in os.environ else pytest.skip
        missing("the clients of vendors are not installed: see CONTRIBUTING.md")
    assert set(PROVIDERS) <= set(shipped().provider_names())
    bodies = {case.provider: drawn(case) for case in cases() if case.provider in PROVIDERS}
    command, given_in = [PYTHON, Path(__file__).with_name("clients.py")], json.dumps(bodies)
    said = subprocess.run(command, check=False, input=given_in, text=True, capture_output=True)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == {provider: [] for provider in PROVIDERS}
