"""Templates, patterns and tables that cost more than they look: each ends with its answer, in bounded work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.expensive import CASES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def ends() -> dict[str, Any]:
    """How each case ended, in a process of its own; all of them are forks of one, which imports what they need."""
    command = [sys.executable, "-m", "tests.hostile.expensive", *CASES]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return dict(zip(CASES, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_few_bytes_cost_little(case: str, ends: dict[str, Any]) -> None:
    assert "answer" in ends[case], f"{case} ended its process: {ends[case]}"
    assert ends[case]["answer"].startswith(CASES[case][1])
