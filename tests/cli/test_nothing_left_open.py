"""Each verb closes what it opened, itself: with the garbage collector off, and every ResourceWarning an error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler import apply, load, plan
from reconciler.cli.verbs import VERBS
from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.gitops.conftest import PLAN
from tests.gitops.fakes import TOKEN, GitHub
from tests.running import fetch

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="what is open is read in /proc")

WATCHED = """
import contextlib, gc, json, os, signal, sys, threading

def opened():
    found = {}
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one that lists them is gone again
            found[number] = os.readlink(f"/proc/self/fd/{number}")
    return found

gc.disable()
signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts the tests in the background ignores it
from reconciler.cli.main import main
before, status = opened(), 0
try:
    main(sys.argv[1:])
except SystemExit as left:
    status = left.code
open = sorted(name for number, name in opened().items() if number not in before)
threads = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
gc.collect()  # what is forgotten and open warns now
print(json.dumps({"status": status, "open": open, "threads": threads}), file=sys.stderr)
"""

CALLS: dict[str, tuple[list[str], int]] = {
    "init": (["-C", "elsewhere", "init"], 0),
    "validate": (["validate"], 0),
    "render": (["render"], 0),
    "plan": (["plan", "--base", "git:HEAD"], 0),
    "apply": (["apply", "--yes", "--report", "again.json"], 0),
    "drift": (["drift"], 0),
    "comment": (["comment", "--provider", "github", "--file", "plan.md"], 0),
    "pull": (["pull", "--yes"], 0),
    "show": (["show", "plan.json"], 0),
    "graph": (["graph"], 0),
    "adopt": (["adopt", "assistant/a", "asst_none"], 1),
    "release": (["release", "assistant/a"], 0),
    "takeover": (["takeover", "--from", "somebody"], 1),
    "explain": (["explain", "assistant"], 0),
    "fmt": (["fmt", "--check"], 0),
    "convert": (["convert", "--to", "openai-agents"], 0),
    "doctor": (["doctor"], 0),
    "providers": (["providers"], 0),
    "schema": (["schema", "assistant"], 0),
    "serve": (["serve"], 0),
    "run": (["--target", "test", "run", "--passes", "2", "--interval", "0.1", "--listen", "127.0.0.1:0"], 0),
    "fleet": (["fleet", "--database", "postgresql://127.0.0.1:9/none", "status"], 1),
    "report": (["report", "merge", "report.json", "--out", "merged.json"], 0),
    "unlock": (["unlock"], 1),
    "completion": (["completion", "bash"], 0),
}
MORE: dict[str, tuple[list[str], int]] = {
    "plan, embedded": (["--target", "local", "plan"], 0),
    "apply, embedded": (["--target", "local", "apply", "--yes"], 0),
    "pull, embedded": (["--target", "local", "pull", "--yes"], 0),
    "run, embedded": (["--target", "local", "run", "--passes", "2", "--interval", "0.1"], 0),
    "run, refused": (["--target", "refused", "run", "--passes", "1"], 5),
    "apply, cut off": (["--target", "cut-off", "apply", "--yes"], 1),
    "plan, cut off": (["--target", "cut-off", "plan"], 1),
}


@pytest.fixture
def managed(project: Project, remote: Remote, start: Callable[..., Remote]) -> Iterator[Project]:
    """A project with a commit, an object on its remote, a plan, a report, a comment to write, and targets that fail."""
    cut_off = start(chaos={"rules": [{"on": "list", "truncate": 20}]})
    project.target(
        remote.url,
        more="  local: {provider: local}\n"
        "  refused: {provider: openai-assistants, url: 'http://127.0.0.1:9/v1'}\n"
        f"  cut-off: {{provider: openai-assistants, url: '{cut_off.url}/v1'}}\n",
    )
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=project.root, check=True)
    project.ok("apply", "--yes", "--report", "report.json")
    project.ok("plan", "--out", "plan.json")
    project.write("plan.md", PLAN)
    project.write("elsewhere/tmp/.keep", "")
    event = project.write("event.json", json.dumps({"pull_request": {"number": 7}}))
    with serve(GitHub()) as forge:
        project.environment |= {
            "GITHUB_API_URL": forge.url,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": "acme/fleet",
            "GITHUB_EVENT_PATH": str(event),
        }
        yield project


def left_by(project: Project, arguments: list[str]) -> tuple[dict[str, Any], str]:
    """What was open at the end of a process that did this, and all it wrote to stderr."""
    command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", WATCHED, *arguments]
    temporary = project.root / "elsewhere/tmp"
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    environment = project.environment | kept | {"TMPDIR": str(temporary)}
    process = subprocess.Popen(
        command, cwd=project.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    if "serve" in arguments:
        fetch(process.stdout.readline().split()[-1])  # one that is answered by somebody who serves
        process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    found["temporary"] = [name for name in os.listdir(temporary) if name != ".keep"]
    return found, said


@pytest.mark.parametrize("call", [*CALLS, *MORE])
def test_a_verb_leaves_nothing_open(call: str, managed: Project) -> None:
    arguments, status = (CALLS | MORE)[call]
    found, said = left_by(managed, arguments)
    assert found == {"status": status, "open": [], "threads": [], "temporary": []}, said
    assert "ResourceWarning" not in said


def test_asking_another_target_whether_it_has_the_same_account_leaves_nothing_open(
    managed: Project, remote: Remote
) -> None:
    key = "credentials: {api_key: !env KEY}"
    managed.target(remote.url, more=f"  second: {{provider: openai-assistants, url: '{remote.url}/v1', {key}}}\n")
    managed.environment["KEY"] = "sk-of-the-second-target"
    found, said = left_by(managed, ["plan"])
    assert "both show" in said
    assert found == {"status": 1, "open": [], "threads": [], "temporary": []}


def test_every_verb_is_looked_at() -> None:
    assert CALLS.keys() == VERBS.keys()


@pytest.mark.parametrize("target", ["test", "local"])
def test_a_project_of_the_library_closes_what_it_opened(target: str, managed: Project, remote: Remote) -> None:
    remote.quiet()  # its ends of connections are in this process as well
    before = len(os.listdir("/proc/self/fd"))
    with load(managed.root, target=target) as project:
        apply(project, plan(project))
        assert len(os.listdir("/proc/self/fd")) > before
    remote.quiet()
    assert len(os.listdir("/proc/self/fd")) == before
