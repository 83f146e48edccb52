"""What the files of a pull request try: to run a command, to send a key to a host of their author's, to hang a job."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.tree import Tree
from tests.conftest import Project, Remote

MANIFEST = "name: a\nmodel: gpt-4o\n"
TARGET = """
owner: acme
default_target: test
targets:
  test:
    provider: {provider}
    url: https://api.portkey.ai/v1
    credentials: {{api_key: !env KEY}}
"""
COMMANDS = """
[core]
  bare = false
  worktree = ..
  fsmonitor = touch ran
  sshCommand = touch ran; false
[protocol]
  allow = always
[protocol "ext"]
  allow = always
[extensions]
  partialClone = origin
[remote "origin"]
  promisor = true
"""
AWAY = "https://evil.example/v1"


@pytest.mark.parametrize("url", ["ssh://a/b", "ext::touch ran"])
@pytest.mark.parametrize("arguments", [["--against", "git:HEAD"], ["--base", "git:HEAD"], []], ids=str)
def test_files_that_pass_for_a_repository_run_nothing(arguments: list[str], url: str, project: Project) -> None:
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    for path, text in {
        "HEAD": "ref: refs/heads/main\n",
        "refs/heads/main": "1" * 40 + "\n",
        "objects/info/packs": "",
        "config": f"{COMMANDS}  url = {url}\n",
        "assistants.d/a.yaml": MANIFEST,
    }.items():
        project.write(f"fleet/{path}", text)
    ran = project.run("-C", str(project.root / "fleet"), "plan", *arguments)
    assert ran.code == (1 if arguments else 0)
    assert not list(project.root.rglob("ran"))


def refused(project: Project) -> None:
    project.environment["KEY"] = "sk-not-a-real-one"
    project.environment["HTTPS_PROXY"] = "http://127.0.0.1:1"  # whatever is sent all the same reaches nobody
    project.write("assistants.d/a.yaml", MANIFEST)
    ran = project.run("plan")
    assert ran.code == 1
    assert "RC0305" in ran.err or "RC0314" in ran.err


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-portkey-custom-host", AWAY),
        ("x-portkey-custom-host", "evil.example"),
        ("x-portkey-config", json.dumps({"provider": "openai", "custom_host": AWAY})),
        ("x-portkey-config", '{"targets": [{"customHost": "HTTP\\u0053:\\/\\/evil.example"}]}'),
        ("x-portkey-config", '{"targets": [{"resource_name": "evil"}]}'),
        ("x-portkey-config", {"custom_host": AWAY}),
        ("x-portkey-azure-resource-name", "evil"),
        ("X-Portkey-Huggingface-Base-Url", AWAY),
        ("x-portkey-azure-foundry-url", AWAY),
    ],
)
def test_no_header_of_the_settings_sends_the_key_on_to_another_host(header: str, value: Any, project: Project) -> None:
    said = f"    headers: {{{header}: {json.dumps(value)}}}\n"
    project.write("assistants.d/reconciler.yaml", TARGET.format(provider="portkey") + said)
    refused(project)


@pytest.mark.parametrize(
    "said",
    [
        f"headers: {{x-portkey-custom-host: {AWAY}}}\n",
        f"reads: {{headers: {{x-portkey-custom-host: {AWAY}}}}}\n",
        f"kinds: {{assistant: {{headers: {{x-portkey-custom-host: {AWAY}}}}}}}\n",
        "hosts: [api.portkey.ai, evil.example]\nurl: https://evil.example\n",
    ],
)
def test_no_provider_of_the_project_sends_the_key_on_to_another_host(said: str, project: Project) -> None:
    project.write("providers/mine.yaml", f"extends: portkey\n{said}")
    project.write("assistants.d/reconciler.yaml", TARGET.format(provider="mine"))
    refused(project)


@pytest.mark.parametrize("format", ["{} {1}", "{} {x}", "{} {", "{0.__class__}{}", "{:>999999999}"])
def test_the_form_of_a_credential_is_a_text_with_one_gap(format: str, project: Project) -> None:
    project.environment["KEY"] = "sk-not-a-real-one"
    said = f"credentials: {{api_key: {{header: x-portkey-api-key, format: {json.dumps(format)}}}}}\n"
    project.write("providers/mine.yaml", f"extends: portkey\n{said}")
    project.write("assistants.d/reconciler.yaml", TARGET.format(provider="mine"))
    project.write("assistants.d/a.yaml", MANIFEST)
    ran = project.run("plan")
    assert ran.code == 1
    assert "providers/mine.yaml:2" in ran.err


@pytest.mark.parametrize("name", [".git/config", ".git/hooks/x"])
def test_prose_is_not_taken_from_gits_own_files(name: str, project: Project) -> None:
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    project.write(name, "[credential]\n  token = hunter2\n")
    project.write("assistants.d/a.yaml", f"{MANIFEST}instructions: !file ../{name}\n")
    ran = project.run("plan")
    assert ran.code == 1
    assert "hunter2" not in ran.out + ran.err


def test_a_journal_from_tomorrow_does_not_hold_a_job_up(project: Project) -> None:
    """A clock that was set back, or a file that somebody committed, is waited for as long as for any other create."""
    settled(project, [json.dumps({"kind": "assistant", "key": "a", "nonce": "0" * 12, "at": 4e12})])


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000,
        '{"kind": [], "key": {}, "nonce": "x", "at": 4e12}',
        '{"kind": "assistant", "key": "a", "nonce": [], "at": 4e12}',
        '{"kind": "assistant", "key": "a", "nonce": "x", "at": 1e999}',
        '{"kind": "assistant", "key": "a", "nonce": "x", "at": ' + "9" * 5000 + "}",
        '{"kind": "assistant", "key": "a", "nonce": "x", "at": NaN}',
        "\udcff",
    ],
    ids=range(7),
)
def test_a_journal_of_nonsense_is_passed_over(line: str, project: Project) -> None:
    settled(project, [line])


@pytest.mark.parametrize("verb", ["plan", "apply", "drift", "adopt", "doctor"])
@pytest.mark.parametrize("name", ["", "journal", "lists", "lock-file.run", "local.db"])
def test_nothing_outside_is_touched_through_links_in_the_state_directory(
    verb: str, name: str, project: Project, remote: Remote
) -> None:
    """A link that comes with a pull request leads to another project's state, or to any file of this user's."""
    project.target(remote.url, more="    marks: lock-file\n" if name == "lock-file.run" else "")
    project.write("assistants.d/a.yaml", MANIFEST)
    said = ["--target", "local"] if name == "local.db" else []
    project.ok("apply", "--yes", *said)
    project.write("assistants.d/b.yaml", MANIFEST.replace("name: a", "name: b"))
    state, outside = project.root / ".reconciler", Path(f"{project.root}-outside")
    shutil.copytree(state, outside)
    for journal in outside.glob("journal/*"):  # one that is old enough to be removed
        (journal / "old.jsonl").write_text('{"kind": "assistant", "key": "a", "nonce": "x", "at": 1.0}\n')
    if name == "lock-file.run":
        (outside / name).write_text("precious")
    elif name == "lists":
        (outside / name).mkdir(exist_ok=True)
    shutil.rmtree(state / name) if (state / name).is_dir() else (state / name).unlink(missing_ok=True)
    (state / name if name else state).symlink_to(outside / name)
    before = {each: each.read_bytes() for each in outside.rglob("*") if each.is_file()}
    remote.forget()
    ran = project.run(verb, *said, *{"apply": ["--yes"], "adopt": ["assistant/b", "x"]}.get(verb, []))
    assert {each: each.read_bytes() for each in outside.rglob("*") if each.is_file()} == before
    assert "Traceback" not in ran.err


def git(project: Project, *words: str) -> None:
    who = "-c", "user.name=t", "-c", "user.email=t@t"
    subprocess.run(["git", "-C", str(project.root), *who, *words], check=True)


def commit(project: Project, *paths: str) -> None:
    git(project, "add", "-f", *paths)
    git(project, "commit", "-qm", "x")


ENDLESS = """
DROP TABLE objects;
CREATE VIEW objects AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
  SELECT i AS seq, 'assistant' AS kind, 'asst_' || i AS id, i AS created_at, 0 AS deleted, '{}' AS body FROM n;
"""


@pytest.mark.parametrize(
    ("verb", "target"),
    [
        *((verb, "local") for verb in ("plan", "apply", "drift", "pull", "adopt", "doctor")),
        *((verb, "test") for verb in ("plan", "apply", "drift", "pull", "adopt", "doctor", "run", "release")),
        ("validate", "test"),
        ("serve", "local"),
    ],
)
def test_a_state_directory_that_comes_with_the_files_is_refused(
    verb: str, target: str, project: Project, remote: Remote
) -> None:
    """A pull request that adds one could say what was created, what is there, and how long it takes to look."""
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    for each in ("local", "test"):
        project.ok("apply", "--yes", "--target", each)
    with closing(sqlite3.connect(project.root / ".reconciler/local.db")) as database:
        database.executescript(ENDLESS)
    git(project, "init", "-q")
    commit(project, "assistants.d", ".reconciler")
    remote.forget()
    more = {"apply": ["--yes"], "pull": ["--yes"], "adopt": ["assistant/a", "x"], "release": ["assistant/a"]}
    more |= {"run": ["--passes", "1"], "serve": ["--host", "203.0.113.1"]}
    ran = project.run(verb, "--target", target, *more.get(verb, []))
    assert ran.code
    assert "git tracks .reconciler/" in ran.out + ran.err
    assert verb == "run" or "`git rm -r .reconciler`" in ran.out + ran.err
    if verb != "doctor":
        assert not remote.app.requests


@pytest.mark.parametrize(
    "name", ["journal/x/1.jsonl", "lists/x.json", "lock-file.run", ".gitignore", "test.db-wal", "of-nobody"]
)
@pytest.mark.parametrize("where", [".", "fleet"])
def test_any_file_in_a_state_directory_of_the_commits_is_one_too_many(
    where: str, name: str, project: Project, remote: Remote
) -> None:
    git(project, "init", "-q")
    project.root = project.root / where
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    project.write(f".reconciler/{name}", "*\n")
    commit(project, ".")
    ran = project.run("plan")
    assert ran.code == 1
    assert f"git tracks .reconciler/{name}" in ran.err
    git(project, "rm", "-rqf", ".reconciler")
    project.ok("apply", "--yes")
    project.ok("plan")


def test_a_state_directory_of_another_repository_or_in_other_letters_is_refused_too(
    project: Project, remote: Remote
) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    git(project, "init", "-q")
    commit(project, ".")
    project.write(".reconciler/x", "")
    project.write(".Reconciler/x", "")
    project.ok("plan")
    commit(project, ".Reconciler")
    assert "git tracks .Reconciler/x" in project.run("plan").err  # one and the same on other machines
    git(project, "rm", "-rqf", "--cached", ".Reconciler")
    git(project, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},.reconciler")  # a submodule
    assert "git tracks .reconciler:" in project.run("plan").err


def test_a_repository_that_does_not_answer_hides_no_state_directory(project: Project, remote: Remote) -> None:
    """Files that pass for a repository keep git from looking for the one that tracks them."""
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    project.write(".reconciler/x", "")
    for path, text in {"HEAD": "ref: refs/heads/main\n", "refs/x": "", "objects/x": ""}.items():
        project.write(path, text)
    ran = project.run("plan")
    assert ran.code == 1
    assert "git does not say whether it tracks .reconciler" in ran.err


def test_a_database_of_somebody_else_is_refused_where_there_is_no_git(project: Project) -> None:
    project.write("assistants.d/a.yaml", MANIFEST)
    project.ok("apply", "--yes")
    with closing(sqlite3.connect(project.root / ".reconciler/local.db")) as database:
        database.executescript(ENDLESS)
    for verb in ("plan", "apply", "drift", "pull"):
        ran = project.run(verb)
        assert ran.code == 1
        assert "its tables are not those that this server makes" in ran.err


@pytest.mark.parametrize("verb", ["validate", "plan", "fmt", "show", "explain", "graph", "render", "init"])
@pytest.mark.parametrize("where", ["..", "../outside", "/etc", "inner"])
def test_a_directory_of_manifests_that_is_a_link_is_read_only_inside_the_project(
    verb: str, where: str, project: Project, remote: Remote
) -> None:
    outside = Path(f"{project.root}-outside") if where == "../outside" else project.root / "inner"
    shutil.rmtree(project.root / "assistants.d", ignore_errors=True)
    outside.mkdir()
    (outside / "reconciler.yaml").write_text(TARGET.format(provider="portkey"))
    (outside / "secret.yaml").write_text("name: secret\nmodel: gpt-4o\ninstructions: do not tell\n")
    (project.root.parent / "secret.md").write_text("do not tell")
    target = {"../outside": outside, "inner": outside}.get(where, where)
    (project.root / "assistants.d").symlink_to(target)
    before = {each: each.read_bytes() for each in outside.rglob("*") if each.is_file()}
    arguments = {"show": ["assistant/secret"], "explain": ["assistant/secret"], "render": ["assistant/secret"]}
    ran = project.run(verb, *arguments.get(verb, []))
    if where != "inner":
        assert "do not tell" not in ran.out + ran.err
        assert {each: each.read_bytes() for each in outside.rglob("*") if each.is_file()} == before


def settled(project: Project, lines: list[str]) -> None:
    from reconciler.engine.journal import Journal

    project.write("assistants.d/a.yaml", MANIFEST)
    now = 1_000.0
    journal = Journal(Tree(Path(project.root)), "http://x", 30.0, lambda: now)
    place = journal._directory.path
    place.mkdir(parents=True)
    (place / "1.jsonl").write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    recent = journal.recent()
    assert journal.seconds_to_settle(recent) <= 30.0
    assert all(isinstance(each.kind, str) and isinstance(each.key, str) for each in recent)
