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

from reconciler.config.source.project_files import ProjectFiles as FilesOnDisk
from reconciler.config.syntax.document_builder import UnreadableFile
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
    assert "git did not report whether it tracks .reconciler" in ran.err


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


BESIDE = {
    "-C": ["-C", "TOP/link"],
    "-C below": ["-C", "TOP/link/below"],
    "-C and up": ["-C", "TOP/link/../outside"],
    "--dir": ["-C", "TOP/team", "--dir", "assistants.d", "--dir", "../link"],
    "--dir below": ["-C", "TOP/team", "--dir", "../link/below"],
    "--dir in full": ["-C", "TOP/team", "--dir", "TOP/link"],
    "--dir another way": ["-C", "TOP/team", "--dir", "WAY/link"],
}
"""Places in the repository that a job names, with a link of a pull request on the way there."""


@pytest.mark.parametrize("verb", ["validate", "plan", "fmt", "show", "explain", "graph", "render", "init", "apply"])
@pytest.mark.parametrize("where", BESIDE)
@pytest.mark.parametrize("to", ["OUTSIDE", ".git"])
def test_no_place_in_the_repository_leads_out_of_it(verb: str, where: str, to: str, project: Project) -> None:
    top, outside = project.root, Path(f"{project.root}-outside")
    git(project, "init", "-q")
    real = outside if to == "OUTSIDE" else top / to
    for each in (real, real / "assistants.d", real / "below", real / "below/assistants.d"):
        each.mkdir(parents=True, exist_ok=True)
        (each / "secret.yaml").write_text('name:   "secret"\nmodel: gpt-4o\ninstructions: do not tell\n')
        (each / "config.json").write_text('{"auths": {"do not tell": 1}}')
    project.write("team/assistants.d/a.yaml", MANIFEST)
    (top / "link").symlink_to(real)
    Path(f"{top}-way").symlink_to(top)
    said = [each.replace("TOP", str(top)).replace("WAY", f"{top}-way") for each in BESIDE[where]]
    more = {each: ["assistant/secret"] for each in ("show", "explain", "render")} | {"apply": ["--yes"]}
    before = {each: each.read_bytes() for each in real.rglob("*") if each.is_file()}
    ran = project.run(*said, verb, *more.get(verb, []))
    assert ran.code == 1 or verb == "init"
    assert "do not tell" not in ran.out + ran.err
    assert "Traceback" not in ran.err
    assert {each: each.read_bytes() for each in real.rglob("*") if each.is_file()} == before


def test_places_in_the_repository_may_be_links_that_stay_in_it(project: Project, remote: Remote) -> None:
    git(project, "init", "-q")
    project.root, top = project.root / "team", project.root
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    (top / "pool").mkdir()
    (top / "pool/b.yaml").write_text(MANIFEST.replace("name: a", "name: b"))
    (top / "same").symlink_to("team")
    (top / "common").symlink_to("pool")
    said = ["-C", str(top / "same"), "--dir", "assistants.d", "--dir", "../common"]
    project.ok(*said, "apply", "--yes")
    assert {each["name"] for each in remote.objects()} == {"a", "b"}
    assert (top / "team/.reconciler").is_dir()
    project.ok(*said, "plan", "--out", "../plan.json")
    project.ok("-C", str(project.root), "--dir", "assistants.d", "--dir", "../pool", "plan")


def test_a_directory_of_another_repository_is_one_that_a_person_names(project: Project, tmp_path: Path) -> None:
    git(project, "init", "-q")
    project.write("assistants.d/a.yaml", MANIFEST)
    other, way = Path(f"{project.root}-other"), Path(f"{project.root}-way")
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    (other / "b.yaml").write_text(MANIFEST.replace("name: a", "name: b"))
    way.symlink_to(other)
    for place in (other, way):
        assert "assistant/b" in project.ok("--dir", "assistants.d", "--dir", str(place), "plan").out
        assert "assistant/b" in project.ok("-C", str(place), "--dir", ".", "plan").out


@pytest.mark.parametrize("what", ["a directory", "a file", "broken", "above"])
def test_a_state_directory_is_not_believed_where_git_cannot_be_asked(
    what: str, project: Project, remote: Remote
) -> None:
    """An image without git that holds a checkout, or one whose repository is elsewhere: git tracks what it tracks."""
    top = project.root
    project.root = top / "fleet" if what == "above" else top
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    project.write(".reconciler/journal/x/1.jsonl", "")
    if what == "a file":
        (top / ".git").write_text("gitdir: /nowhere/.git/worktrees/x\n")
    elif what == "broken":
        (top / ".git/objects").mkdir(parents=True)
    else:
        subprocess.run(["git", "init", "-q", str(top)], check=True)
        project.environment["PATH"] = "/nowhere"
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert "git did not report whether it tracks .reconciler" in ran.err
    assert ("install git, or leave .git out of the image" in ran.err) is (what in ("a directory", "above"))
    assert not remote.app.requests
    shutil.rmtree(top / ".git") if (top / ".git").is_dir() else (top / ".git").unlink()
    project.ok("apply", "--yes")


DUBIOUS = "fatal: detected dubious ownership in repository at 'x'"


@pytest.mark.parametrize("said", [["plan"], ["plan", "--against", "git:HEAD"]], ids=str)
@pytest.mark.parametrize("state", [True, False])
def test_where_git_does_not_trust_the_checkout_the_whole_remedy_is_said(
    said: list[str], state: bool, project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    git(project, "init", "-q")
    top, project.root = project.root, project.root / "fleet"
    project.write("assistants.d/p.md.txt", "Be kind.")
    project.write("assistants.d/a.yaml", f"{MANIFEST}instructions: !file p.md.txt\n")
    if state:
        project.write(".reconciler/.gitignore", "*")
    program = tmp_path_factory.mktemp("bin") / "git"
    program.write_text(f'#!/bin/sh\necho "{DUBIOUS}" >&2\nexit 128\n')
    program.chmod(0o755)
    project.environment["PATH"] = str(program.parent)
    ran = project.run(*said)
    assert ran.code == 1
    assert f"`git config --global --add safe.directory {top.resolve()}`" in ran.err
    assert "/etc and GIT_CONFIG_* is ignored" in ran.err


def test_a_file_that_git_ignores_is_told_with_its_line_and_a_remedy(project: Project) -> None:
    git(project, "init", "-q")
    project.write(".gitignore", "*.key\n")
    project.write("assistants.d/a.key", "Be kind.")
    project.write("assistants.d/a.yaml", f"{MANIFEST}instructions: !file a.key\n")
    project.write("assistants.d/b.yaml", "reconciler: {kind: vector_store}\nname: Pages\nfiles:\n- '*.key'\n")
    for file, place in (("b.yaml", "a.yaml:3:"), ("a.yaml", "b.yaml:4:")):
        (project.root / "assistants.d" / file).rename(project.root / "kept")
        ran = project.run("plan")
        assert ran.code == 1
        assert f"assistants.d/{place}" in ran.err
        assert "narrow the pattern or delete the file" in ran.err
        (project.root / "kept").rename(project.root / "assistants.d" / file)


@pytest.mark.parametrize("to", ["../.git", "../.git/hooks", "../.GIT"])
def test_a_directory_that_becomes_gits_between_a_look_and_an_open_is_not_read(to: str, project: Project) -> None:
    files = FilesOnDisk(project.root, [Path("assistants.d")])
    path = project.write("assistants.d/sub/config", "harmless")
    place = project.root / "assistants.d" / to
    place.mkdir(parents=True)
    (place / "config").write_text("hunter2")
    real = files.followed(str(path))
    shutil.rmtree(path.parent)
    path.parent.symlink_to(to)
    for act in (files.read, files.measured):
        with pytest.raises(UnreadableFile) as refused:
            act(real, 100)
        assert "git's own directory" in refused.value.diagnostic.summary


def settled(project: Project, lines: list[str]) -> None:
    from reconciler.engine.state.journal import Journal

    project.write("assistants.d/a.yaml", MANIFEST)
    now = 1_000.0
    journal = Journal(Tree(Path(project.root)), "http://x", 30.0, lambda: now)
    place = journal._directory.path
    place.mkdir(parents=True)
    (place / "1.jsonl").write_text("\n".join(lines), encoding="utf-8", errors="surrogateescape")
    recent = journal.recent()
    assert journal.seconds_to_settle(recent) <= 30.0
    assert all(isinstance(each.kind, str) and isinstance(each.key, str) for each in recent)
