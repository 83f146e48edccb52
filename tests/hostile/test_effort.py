"""Reading files of strangers ends, whatever they ask for: with an error that names the file. Others are left alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_base import commit, git
from tests.conftest import Project

ROOT = Path(__file__).resolve().parents[2]
FLEET = 'reconciler: {for_each: !csv t.csv, key: "{{ t }}"}\nname: "{{ t }}"\nmodel: gpt-4o\n'


def busy(project: Project, rows: int = 8000) -> None:
    """A project that takes seconds to read."""
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    project.write("assistants.d/fleet.yaml", FLEET)
    project.write("assistants.d/t.csv", "t\n" + "".join(f"r{n}\n" for n in range(rows)))


@pytest.fixture
def hurried(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose files add nothing to the time there is."""
    monkeypatch.setattr("reconciler.config.cpu_limit.SECONDS_EACH", 0)
    monkeypatch.setattr("reconciler.config.cpu_limit.SECONDS_PER_BYTE", 0)
    project.environment["RECONCILER_CPU_SECONDS"] = "0.5"
    busy(project)
    return project


@pytest.mark.parametrize("arguments", [["validate"], ["plan", "--against", "git:HEAD"]])
def test_what_takes_too_long_ends_with_the_file_that_was_read(hurried: Project, arguments: list[str]) -> None:
    git(hurried, "init", "-q")
    commit(hurried, "all")
    ran = hurried.run(*arguments)
    assert ran.code == 1
    assert "reading the files takes too much CPU time [RC0119]" in ran.err
    assert "assistants.d/" in ran.err
    assert "Traceback" not in ran.err


def test_it_is_told_to_programs_too(hurried: Project) -> None:
    ran = hurried.run("validate", "--format", "json")
    (problem,) = json.loads(ran.out)["diagnostics"]
    assert problem["code"] == "RC0119"
    assert problem["source"]["file"].startswith("assistants.d/")


def test_files_add_to_the_time_there_is(project: Project) -> None:
    busy(project, 1000)
    project.environment["RECONCILER_CPU_SECONDS"] = "0.05"
    assert project.ok("validate").out.startswith("1001 manifests are valid")


@pytest.mark.parametrize("seconds", ["0", "1e9", ""])
def test_the_environment_gives_more_time(hurried: Project, seconds: str) -> None:
    hurried.environment["RECONCILER_CPU_SECONDS"] = seconds
    assert hurried.ok("validate").out.startswith("8001 manifests are valid")


@pytest.mark.parametrize("seconds", ["x", "-1", "nan", "inf", "9" * 400])
def test_time_that_is_no_number_is_refused(project: Project, seconds: str) -> None:
    busy(project, 1)
    project.environment["RECONCILER_CPU_SECONDS"] = seconds
    ran = project.run("validate")
    assert ran.code == 1
    assert "RECONCILER_CPU_SECONDS is not a number" in ran.err


def test_nothing_of_it_stays(hurried: Project) -> None:
    before = signal.getsignal(signal.SIGPROF)
    hurried.run("validate")
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)
    assert signal.getsignal(signal.SIGPROF) is before


def test_the_library_and_other_threads_are_left_alone(hurried: Project) -> None:
    """A program that reads files itself has a clock of its own."""
    code = (
        "import sys, threading, signal\n"
        "from reconciler.config.cpu_limit import cpu_limit\n"
        "def look():\n"
        "    with cpu_limit(0.01):\n"
        "        found.append(signal.getitimer(signal.ITIMER_PROF))\n"
        "found = []\n"
        "thread = threading.Thread(target=look)\n"
        "thread.start(); thread.join()\n"
        "assert found == [(0.0, 0.0)], found\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    assert done.returncode == 0
