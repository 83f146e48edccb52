"""Files that nobody means well with: each is refused at its place, in bounded time and memory, on any stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import Project

ROOT = Path(__file__).parents[2]
GOOD = "name: good\nmodel: gpt-4o\n"


class Case(NamedTuple):
    """Files by name (text, bytes, or a function that makes one at a path), and what is said of them."""

    files: dict[str, str | bytes | Callable[[Path], object]]
    said: str
    code: int = 1


def sparse(size: int) -> Callable[[Path], object]:
    """A file that is that large and takes no room."""
    return lambda path: os.truncate(_touched(path), size)


def _touched(path: Path) -> Path:
    path.touch()
    return path


def one(content: str | bytes | Callable[[Path], object], said: str, code: int = 1) -> Case:
    """One file, a.yaml."""
    return Case({"a.yaml": content}, said, code)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
CASES: dict[str, Case] = {
    "alias bomb": one(BOMB, "a.yaml:5:15: error: aliases make more than 20,000"),
    "alias bomb in front matter": Case({"a.md": f"---\n{BOMB}---\ntext\n"}, "a.md:6:15"),
    "100,000 brackets": one("[" * 100_000, "a.yaml:1:33: error: nesting is deeper than 32"),
    "100,000 mappings": one("{a: " * 100_000, "nesting is deeper than 32"),
    "100,000 dashes": one("- " * 100_000, "nesting is deeper than 32"),
    "3,000 levels of indentation": one("".join(" " * n + "a:\n" for n in range(3000)), "RC01"),
    "100,000 brackets of JSON": Case({"a.json": "[" * 100_000}, "RC01"),
    "100,000 tags": one("a: " + "!x " * 100_000, "a.yaml:1:"),
    "100 MB": one(sparse(100 * 1024 * 1024), "RC0104"),
    "100 MB of prose": Case(
        {"a.yaml": "model: m\ninstructions: !file p.txt\n", "p.txt": sparse(100 * 1024 * 1024)},
        "p.txt:1:1: error: the file is larger than",
    ),
    "100 MB of settings": Case({"reconciler.yaml": sparse(100 * 1024 * 1024), "a.yaml": GOOD}, "RC0104"),
    "half a million small values": one("[" + "1," * 500_000 + "]", "RC0105"),
    "a key of a megabyte": one(f"? {'k' * 1_000_000}\n: 1\n", "a.yaml:1:"),
    "a line of a megabyte": one("model: m\nname: " + "n" * 1_000_000, "a.yaml:2:7"),
    "NUL": one(b"model: a\0b\n", "a.yaml:1:9"),
    "invalid UTF-8": one(b"model: \xff\n", "RC0106"),
    "UTF-16": one("model: m\n".encode("utf-16"), "RC0106"),
    "UTF-32": one("model: m\n".encode("utf-32"), "RC0106"),
    "overlong UTF-8": one(b"model: \xc0\xaf\n", "RC0106"),
    "a lone surrogate": one('model: "\\ud800"\n', "a.yaml:1:11"),
    "UTF-8 with a BOM": one(b"\xef\xbb\xbf" + GOOD.encode(), "", 0),
    "CRLF": one(GOOD.replace("\n", "\r\n"), "", 0),
    "CR alone": one(GOOD.replace("\n", "\r"), "", 0),
    "a key twice": one("model: m\nname: x\nmodel: n\n", "a.yaml:3:1: error: "),
    "a key twice, deep": one("model: m\nmetadata: {a: b, a: c}\n", "a.yaml:2:"),
    "a merge key": one("x: &x {name: n}\n<<: *x\nmodel: m\n", "a.yaml:2:1"),
    "a number for a key": one("1: x\nmodel: m\n", "a.yaml:1:1"),
    "null for a key": one("null: x\nmodel: m\n", "a.yaml:1:1"),
    "a list for a key": one("? [a]\n: x\nmodel: m\n", "a.yaml:1:"),
    "1e999": one("model: m\ntemperature: 1e999\n", "a.yaml:2:14"),
    ".nan": one("model: m\ntemperature: .nan\n", "a.yaml:2:14"),
    "an integer of a million digits": one(f"model: m\ntemperature: {'9' * 1_000_000}\n", "a.yaml:2:14"),
    "a Python object": one("model: !!python/object/apply:os.system ['touch /tmp/x']\n", "a.yaml:1:8"),
    "binary": one("model: !!binary aGk=\n", "a.yaml:1:8"),
    "a set": one("model: !!set {a, b}\n", "a.yaml:1:8"),
    "a tag with a URI": one("model: !<tag:example.com,2026:x> m\n", "a.yaml:1:8"),
    "a link out of the project": one(lambda path: path.symlink_to("/etc/passwd"), "RC0109"),
    "a link to endless zeros": one(lambda path: path.symlink_to("/dev/zero"), "RC0109"),
    "a link in a circle": one(lambda path: path.symlink_to(path), "RC0109"),
    "a pipe": one(os.mkfifo, "not a regular file"),
    "a directory for a file": one(Path.mkdir, "RC0109"),
    "prose from a device": one("model: m\ninstructions: !file /dev/zero\n", "a.yaml:2:15"),
    "prose from a pipe": Case({"a.yaml": "model: m\ninstructions: !file p\n", "p": os.mkfifo}, "a.yaml:2:15"),
    "prose from /proc": one("model: m\ninstructions: !file ../../../../../../proc/self/environ\n", "a.yaml:2:15"),
    "a name with a newline": Case({"a\nb.yaml": GOOD}, "a\\nb.yaml"),
    "a name with an escape": Case({"a\x1b[31m.yaml": GOOD}, "\\x1b"),
    "a name that only looks different": Case({"a.yaml": GOOD, "\u0430.yaml": GOOD}, "RC0206"),
    "keys that differ by case": Case(
        {"a.yaml": GOOD, "b.yaml": "reconciler: {key: A}\nmodel: m\n"}, "differ only in case"
    ),
    "one address twice": Case({"a.yaml": GOOD, "b.yaml": "reconciler: {key: a}\nmodel: m\n"}, "RC0205"),
    "a pattern that goes back": one(
        "model: m\ntools: [{type: function, function: {name: f, parameters: "
        f"{{type: object, properties: {{a: {{pattern: '^(a+)+$', default: {'a' * 5000}!}}}}}}}}}}]\n",
        "",
        0,
    ),
    "a schema that fetches": one(
        "model: m\ntools: [{type: function, function: {name: f, parameters: {$ref: 'http://127.0.0.1:9/x'}}}]\n", "", 0
    ),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What `validate` said of each case, as far as it came."""
    places = {}
    for name, case in CASES.items():
        directory = tmp_path_factory.mktemp("case") / "assistants.d"
        directory.mkdir()
        places[str(directory.parent)] = name
        for file, content in case.files.items():
            path = directory / file
            if callable(content):
                content(path)
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
    command = [sys.executable, "-m", "tests.hostile.bounded", *places]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode != 0:
        pytest.fail(f"{places[lines[-1].get('begins', '')]!r} ended the process: {done.returncode}\n{done.stderr}")
    return {places[line["project"]]: line for line in lines if "project" in line}


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_refused_at_its_place_within_bounds(name: str, ran: dict[str, dict[str, Any]]) -> None:
    case, line = CASES[name], ran[name]
    assert line["code"] == case.code, line["said"]
    assert case.said in line["said"]
    assert line["same"], "another answer on a small stack"
    assert "Traceback" not in line["said"]
    assert not any(character < " " and character != "\n" for character in line["said"])
    assert len(line["said"]) < 5000


def test_every_hostile_file_has_its_row_in_the_documentation() -> None:
    rows = (
        (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").split("| file | outcome |")[1].split("\n\n")[0]
    )
    told = dict(line.strip("| ").split(" | ") for line in rows.splitlines()[2:])
    assert {name: text.startswith("refused") for name, text in told.items()} == {
        name: case.code == 1 for name, case in CASES.items()
    }


def test_ten_thousand_files_are_read_within_bounds(tmp_path: Path) -> None:
    for number in range(10_000):
        path = tmp_path / "assistants.d" / f"{number % 100}" / f"a{number}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"name: a{number}\nmodel: gpt-4o\ninstructions: Answer as number {number}.\n")
    command = [sys.executable, "-m", "tests.hostile.bounded", str(tmp_path)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout.splitlines()[-1])
    assert (line["code"], line["same"]) == (0, True), line["said"][:2000]
    assert line["said"].replace(",", "").startswith("10000 manifests are valid")


def test_a_file_that_is_replaced_while_it_is_read_is_one_version_or_the_other(project: Project) -> None:
    """The contents differ in three places; every reading has all three from one version, or is said to be none."""
    file = project.write("assistants.d/a.yaml", "")
    versions = [f"name: {x}\ninstructions: {x * 50_000}\nmodel: {x}\n" for x in "ab"]
    file.write_text(versions[0])
    stop = threading.Event()

    def replacing() -> None:
        turn = 0
        while not stop.is_set():
            fresh = file.with_suffix(".new")
            fresh.write_text(versions[turn := 1 - turn])
            fresh.replace(file)

    writer = threading.Thread(target=replacing)
    writer.start()
    try:
        for _ in range(30):
            ran = project.run("plan", "--format", "json")
            if ran.code == 1:
                assert [each["code"] for each in ran.json["diagnostics"]] == ["RC0118"]
                continue
            (created,) = ran.json["changes"]
            patch = created["patch"]
            assert {patch["name"], patch["model"], *patch["instructions"]} in ({"a"}, {"b"})
    finally:
        stop.set()
        writer.join()


def test_a_file_that_grows_while_it_is_read_ends_at_the_limit(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is bounded by the limit, not by the size that the file had when it was looked at."""
    file = project.write("assistants.d/a.yaml", GOOD)
    opened = os.open

    def growing(path: Any, *rest: Any, **more: Any) -> int:
        descriptor = opened(path, *rest, **more)
        if Path(path).name == file.name:
            os.truncate(file, 100 * 1024 * 1024)
        return descriptor

    monkeypatch.setattr(os, "open", growing)
    ran = project.run("validate")
    assert ran.code == 1
    assert "RC0104" in ran.err
