"""Templates, patterns and tables that cost more than they look: each ends with its answer, in bounded work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.expensive import CASES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("case", CASES)
def test_a_few_bytes_cost_little(case: str) -> None:
    command = [sys.executable, "-m", "tests.hostile.expensive", case]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{case} ended the process: {done.returncode}\n{done.stderr[-2000:]}"
    assert json.loads(done.stdout).startswith(CASES[case][1])
