"""What is loaded when, by the names of modules; and the command line as its own process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.verbs import VERBS

HEAVY = {"httpx", "jsonschema", "jsonschema_rs", "deepdiff", "rich", "yaml", "werkzeug", "jinja2", "sqlite3"}
HEAVY |= {"orjson", "ruamel", "re2"}
# Not heavy, but nothing of it is printed by those who only print.
NEEDLESS = {"tempfile", "json", "random", "sqlite3", "ssl", "asyncio"}
# Where no verb is run.
NO_VERB = {
    "pathlib",
    "dataclasses",
    "reconciler.cli.options.global_options",
    *(f"reconciler.cli.commands.{verb}" for verb in VERBS),
}


def loaded(arguments: list[str], directory: Path, **more: str) -> set[str]:
    code = (
        "import sys\nsys.argv = ['reconciler']\nfrom reconciler.cli.main import main\n"
        f"try:\n    main({arguments!r})\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    )
    command, environment = [sys.executable, "-c", code], {**os.environ, **more}
    ran = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return set(ran.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "--help"], ["apply", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    assert loaded(arguments, tmp_path) & (HEAVY | NEEDLESS) == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_no_verb(arguments: list[str], tmp_path: Path) -> None:
    assert loaded(arguments, tmp_path) & NO_VERB == set()


def test_a_verb_is_completed_without_loading_one(tmp_path: Path) -> None:
    typed = {"COMP_WORDS": "reconciler ", "COMP_CWORD": "1"}
    names = loaded([], tmp_path, _RECONCILER_COMPLETE="bash_complete", **typed)
    assert "click.shell_completion" in names
    assert names & (NO_VERB | HEAVY | NEEDLESS) == set()


def test_what_reads_files_alone_loads_no_http(tmp_path: Path) -> None:
    (tmp_path / "assistants.d").mkdir()
    (tmp_path / "assistants.d/a.yaml").write_text("name: a\nmodel: gpt-4o\n")
    for arguments in (["validate"], ["render"], ["graph"]):
        assert loaded(arguments, tmp_path) & {"httpx", "deepdiff", "werkzeug", "jinja2", "rich"} == set()


def test_deepdiff_is_not_loaded_when_nothing_differs(tmp_path: Path) -> None:
    (tmp_path / "assistants.d").mkdir()
    (tmp_path / "assistants.d/a.yaml").write_text("name: a\nmodel: gpt-4o\ntools: [{type: file_search}]\n")
    loaded(["apply", "--yes"], tmp_path)
    assert "deepdiff" not in loaded(["plan"], tmp_path)


def test_as_a_module_and_as_a_script(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("reconciler")
    for command in ([sys.executable, "-m", "reconciler"], [str(script)]):
        ran = subprocess.run([*command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert ran.stdout.startswith("reconciler, version ")


def test_a_closed_reader_is_no_traceback(tmp_path: Path) -> None:
    command = f"{sys.executable} -m reconciler schema | true"
    ran = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.stderr == ""
