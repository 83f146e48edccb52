"""What a newcomer does wrong on day one: a clear error with its place, and nothing is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import Project, Remote

GOOD = "name: good\nmodel: gpt-4o\n"

TOOLS = "".join(f"  - {{type: function, function: {{name: f{n}}}}}\n" for n in range(129))

BAD_FILES = {
    "invalid yaml": ({"a.yaml": "name: [\n"}, "assistants.d/a.yaml:2:1", "RC0102"),
    "wrong type": ({"a.yaml": "model: gpt-4o\ntemperature: hot\n"}, "assistants.d/a.yaml:2:14", "RC0202"),
    "unknown field": ({"a.yaml": "model: gpt-4o\ntemprature: 1\n"}, "temperature", "RC0201"),
    "17 metadata entries": (
        {"a.yaml": "model: m\nmetadata:\n" + "".join(f"  k{n}: v\n" for n in range(17))},
        "17",
        "RC0204",
    ),
    "129 tools": ({"a.yaml": "model: m\ntools:\n" + TOOLS}, "129", "RC0204"),
    "256,001 characters": (
        {"a.yaml": f"model: m\ninstructions: {'x' * 256_001}\n"},
        "256,001",
        "RC0204",
    ),
    "one address twice": (
        {"a.yaml": GOOD, "b.yaml": "reconciler: {key: a}\n" + GOOD},
        "assistants.d/a.yaml",
        "RC0205",
    ),
    "a file outside the root": ({"a.yaml": "model: m\ninstructions: !file ../../etc/passwd\n"}, "a.yaml:2", "RC0109"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_told_with_their_place_and_nothing_is_sent(case: str, project: Project, remote: Remote) -> None:
    files, expected, code = BAD_FILES[case]
    project.target(remote.url)
    for name, text in files.items():
        project.write(f"assistants.d/{name}", text)
    for verb in (["validate"], ["plan"], ["apply", "--yes"]):
        ran = project.run(*verb)
        assert ran.code == 1
        assert expected in ran.err
        assert code in ran.err
        assert "Traceback" not in ran.err
    assert remote.app.requests == []


def test_every_problem_of_every_file_is_told_at_once(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", "model: 5\ntemperature: 3\n")
    project.write("assistants.d/b.yaml", "name: b\n")
    ran = project.run("plan")
    assert ran.code == 1
    assert [line.split(":")[:2] for line in ran.err.splitlines() if ": error:" in line] == [
        ["assistants.d/a.yaml", "1"],
        ["assistants.d/a.yaml", "2"],
        ["assistants.d/b.yaml", "1"],
    ]


def test_an_unreadable_directory(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    closed = project.write("assistants.d/closed/a.yaml", GOOD).parent
    closed.chmod(0)
    as_others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*as_others, sys.executable, "-m", "reconciler", "-C", str(project.root), "apply", "--yes"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, env=project.environment, check=False)
    finally:
        closed.chmod(0o755)
    assert ran.returncode == 1
    assert "assistants.d/closed" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert remote.app.requests == []


def test_a_directory_that_is_not_there_is_told_and_deletes_nothing(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    for number in range(3):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    for number in range(3):
        project.remove(f"assistants.d/a{number}.yaml")
    ran = project.run("apply", "--yes")
    assert ran.code == 4
    assert len(remote.objects()) == 3
    assert project.run("--dir", "nowhere", "plan").code == 1


def test_a_missing_environment_variable_names_itself(project: Project, remote: Remote) -> None:
    project.target(remote.url, provider="portkey", more="    credentials: {api_key: !env MY_PORTKEY_KEY}\n")
    project.write("assistants.d/a.yaml", GOOD)
    ran = project.run("plan")
    assert ran.code == 1
    assert "MY_PORTKEY_KEY" in ran.err
    assert "assistants.d/reconciler.yaml:9:28" in ran.err
    assert project.run("validate").code == 0


def test_a_wrong_key_is_told_without_printing_it(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(api_key="sk-right-key-0123456789")
    project.target(remote.url, more="    credentials: {api_key: !env KEY}\n")
    project.environment["KEY"] = "sk-wrong-key-9876543210"
    project.write("assistants.d/a.yaml", GOOD)
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert "401" in ran.err
    assert "sk-wrong-key-9876543210" not in ran.err + ran.out
    assert remote.writes == []


def test_an_unreachable_host(project: Project) -> None:
    project.target("http://127.0.0.1:9")
    project.write("assistants.d/a.yaml", GOOD)
    ran = project.run("plan")
    assert ran.code == 1
    assert "127.0.0.1:9" in ran.err
    assert "Traceback" not in ran.err


ANSWERS = {
    "html": ({"garbage": "<html>Welcome to nginx</html>"}, "RC0505"),
    "retired api": ({"sunset": True}, "RC0504"),
    "gateway 404": ({"status": 404, "body": {"message": "Not Found", "ok": False}}, "RC0504"),
    "truncated": ({"truncate": 20}, "RC05"),
    "server error": (
        {"status": 400, "body": {"error": {"message": "no", "type": "x", "param": None, "code": None}}},
        "RC0503",
    ),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_answers_that_are_no_answer(case: str, project: Project, start: Callable[..., Remote]) -> None:
    effect, code = ANSWERS[case]
    remote = start(chaos={"rules": [{"on": "any", **effect}]})
    project.target(remote.url)
    project.write("assistants.d/a.yaml", GOOD)
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert code in ran.err
    assert "Traceback" not in ran.err
    assert remote.writes == []


def test_a_credential_is_not_sent_to_a_host_it_is_not_meant_for(project: Project) -> None:
    project.target("https://evil.example", provider="portkey", more="    credentials: {api_key: !env KEY}\n")
    project.environment["KEY"] = "pk-secret-0123456789"
    project.write("assistants.d/a.yaml", GOOD)
    ran = project.run("plan")
    assert ran.code == 1
    assert "RC0305" in ran.err
    assert "RECONCILER_ALLOWED_HOSTS" in ran.err


def test_a_custom_host_header_cannot_carry_the_key_away(project: Project) -> None:
    project.write(
        "assistants.d/reconciler.yaml",
        "owner: acme\ndefault_target: t\ntargets:\n  t:\n    provider: portkey\n"
        "    headers: {x-portkey-custom-host: https://evil.example/v1}\n    credentials: {api_key: !env KEY}\n",
    )
    project.environment["KEY"] = "pk-secret-0123456789"
    project.write("assistants.d/a.yaml", GOOD)
    ran = project.run("plan")
    assert ran.code == 1
    assert "evil.example" in ran.err


def test_usage_errors_exit_with_1(project: Project) -> None:
    assert project.run("plan", "--no-such-option").code == 1
    assert project.run("no-such-verb").code == 1
    assert project.run("plan", "--format", "pdf").code == 1


def test_apply_where_nobody_can_be_asked_needs_yes(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", GOOD)
    ran = project.run("apply")
    assert ran.code == 1
    assert "--yes" in ran.err
    assert remote.writes == []


def test_a_plan_file_that_is_none(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", GOOD)
    project.ok("plan", "--out", "plan.json")
    document = json.loads((project.root / "plan.json").read_text())
    document["changes"][0]["patch"]["model"] = "another"
    for text in ("", "{", json.dumps(document), '{"format_version": "1"}'):
        project.write("bad.json", text)
        ran = project.run("apply", "bad.json", "--yes")
        assert ran.code == 1
        assert "RC0410" in ran.err
    assert remote.writes == []
