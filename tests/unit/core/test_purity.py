"""Core runs with sockets, clock and disk forbidden."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

FORBID = """
import deepdiff, sys, time
from tests.unit.core.build import *
from reconciler.core import verify
from reconciler.core.matching import index
from reconciler.core.rules import change_rules
from reconciler.core.rules.world import World
from reconciler.core.values import diff, marks

def refuse(event, args):
    if event in ("open", "import") or event.split(".")[0] in ("socket", "subprocess", "os", "sqlite3", "time"):
        raise RuntimeError(f"{event} {args[:1]}")

def no_clock(*args):
    raise RuntimeError("clock")

for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"):
    setattr(time, name, no_clock)
list(diff.explain(ASSISTANT.fields["tools"], [{"type": "function"}], []))  # deepdiff imports parts of itself late
sys.addaudithook(refuse)
"""

EXERCISE = """
body = {"model": "m", "temperature": 0.2, "tools": [{"type": "file_search"}], "metadata": {"a": "1"}}
live = [marked("o1", "k", body), marked("o2", "gone", body), marked("o3", "k", body, nonce="n2"), bare("o4", body)]
files = [manifest("k", {"model": "n", "tools": []}), manifest("new", {"model": "x"}), manifest("by-id", body, id="o4")]
found = plan(files, live, prune=True)
from_index = index.index(ASSISTANT, live, OWNER)
world = World({"assistant": from_index})
for change in found.changes:
    verify.check(change, from_index)
    change_rules.refusal(change, world)
after = applied(found, live, ASSISTANT)
verify.verify(ASSISTANT, "assistant/k", {"model": "n"}, live[0].body, after[0].body)
assert {c.action.value for c in found.changes} == {"update", "create", "adopt", "delete"}
print("exercised")
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}  # it would write
    environment = {**kept, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)


def test_core_plans_checks_and_verifies_without_disk_network_or_clock() -> None:
    done = run(FORBID + EXERCISE)
    assert (done.stdout, done.stderr, done.returncode) == ("exercised\n", "", 0)


@pytest.mark.parametrize(
    "forbidden",
    ["open('x')", "import socket; socket.socket()", "import subprocess; subprocess.run(['true'])", "time.time()"],
)
def test_the_watch_itself_notices(forbidden: str) -> None:
    done = run(FORBID + forbidden)
    assert done.returncode == 1
    assert "RuntimeError" in done.stderr
