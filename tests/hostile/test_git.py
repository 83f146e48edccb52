"""git is a program of the machine: the project chooses neither it nor what it runs, and what git ignores stays here."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_base import commit, git
from tests.conftest import Project, Remote

MANIFEST = "name: a\nmodel: gpt-4o\n"
FROM_FILE = MANIFEST + "instructions: !file {}\n"
WORD = "hunter2-is-the-password"


@pytest.fixture
def repository(project: Project, remote: Remote) -> Project:
    """A project with one assistant, committed."""
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    git(project, "init", "-q")
    commit(project, "first")
    return project


def program(path: Path, ran: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\ntouch {ran}\nexec /usr/bin/env -S PATH={os.environ["PATH"]} git "$@"\n')
    path.chmod(0o755)


@pytest.mark.parametrize(
    "place", [".", "", "bin", "./tools/bin", "{root}", "{root}/bin", "{link}", "{root}/../{name}/bin"]
)
@pytest.mark.parametrize("arguments", [["--against", "git:HEAD"], ["--base", "git:HEAD"]], ids=str)
def test_a_git_of_the_project_is_not_run(
    place: str, arguments: list[str], repository: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root, ran = repository.root, tmp_path_factory.mktemp("ran") / "ran"
    for directory in (root, root / "bin", root / "tools" / "bin"):
        program(directory / "git", ran)
    link = ran.parent / "link"
    link.symlink_to(root / "bin")
    entry = place.format(root=root, link=link, name=root.name)
    repository.environment["PATH"] = f"{entry}:{repository.environment['PATH']}"
    repository.ok("plan", *arguments)
    assert not ran.exists()


def test_where_only_the_project_has_a_git_there_is_none(repository: Project) -> None:
    program(repository.root / "bin" / "git", repository.root / "ran")
    repository.environment["PATH"] = f".:{repository.root}/bin"
    ran = repository.run("plan", "--against", "git:HEAD")
    assert ran.code == 1
    assert "install git" in ran.err
    assert not (repository.root / "ran").exists()


HOSTILE = ("core.fsmonitor", "core.hooksPath", "core.pager", "core.editor", "core.sshCommand", "diff.external")
HOSTILE += ("diff.x.textconv", "filter.x.smudge", "filter.x.clean", "filter.x.process", "credential.helper")
HOSTILE += ("core.alternateRefsCommand", "gpg.program", "uploadpack.packObjectsHook", "core.askPass", "alias.rev-parse")


def test_the_configuration_of_the_repository_runs_nothing(repository: Project) -> None:
    root = repository.root
    program(root / "bin" / "x", root / "ran")
    program(root / "hooks" / "post-index-change", root / "ran")
    repository.write(".gitattributes", "* diff=x filter=x\n")
    repository.write("assistants.d/a.yaml", FROM_FILE.format("p.md"))
    repository.write("assistants.d/p.md", "Be kind.\n")
    commit(repository, "second")
    for name in HOSTILE:
        git(repository, "config", name, str(root / ("hooks" if name == "core.hooksPath" else "bin/x")))
    (root / "ran").unlink(missing_ok=True)
    for arguments in (["--against", "git:HEAD^"], ["--base", "git:HEAD^"], []):
        repository.ok("plan", *arguments)
    assert not (root / "ran").exists()


@pytest.mark.parametrize(
    "variables",
    [
        {"GIT_DIR": "{other}/.git"},
        {"GIT_OBJECT_DIRECTORY": "{other}/.git/objects"},
        {"GIT_TRACE": "{root}/traced"},
        {"GIT_TRACE2_EVENT": "{root}/traced"},
        {"GIT_EXEC_PATH": "{root}/bin"},
        {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.fsmonitor", "GIT_CONFIG_VALUE_0": "{root}/bin/x"},
        {"GIT_CONFIG_PARAMETERS": "'core.repositoryformatversion'='99'"},
        {"HOME": "{root}/home"},
        {"XDG_CONFIG_HOME": "{root}/home"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_the_environment_leads_git_nowhere(variables: dict[str, str], repository: Project, tmp_path: Path) -> None:
    other = Project(Path(f"{tmp_path}-other"), repository.environment)
    other.write("assistants.d/a.yaml", MANIFEST.replace("gpt-4o", "other"))
    git(other, "init", "-q")
    commit(other, "another")
    program(repository.root / "bin" / "x", repository.root / "ran")
    for name in ("home/.gitconfig", "home/git/config"):
        repository.write(name, f"[core]\n\trepositoryformatversion = 99\n[trace2]\n\teventTarget = {tmp_path}/traced\n")
    for name, value in variables.items():
        repository.environment[name] = value.format(root=repository.root, other=other.root)
    shown = repository.ok("plan", "--against", "git:HEAD").out
    assert "other" not in shown
    assert not (repository.root / "traced").exists()
    assert not (repository.root / "ran").exists()


REFS = [
    "^HEAD",
    "-x",
    "HEAD..x",
    "HEAD..HEAD",
    "HEAD...HEAD",
    "@{\nx}",
    "@{1000}",
    ":assistants.d",
    "HEAD:assistants.d",
]
REFS += [
    "HEAD^@",
    "HEAD^!",
    "^",
    "^^HEAD",
    "--all",
    "--",
    "HEAD\0x",
    "HEAD\0",
    ":/nothing",
    "HEAD~" + "9" * 30,
    "x" * 200_000,
]
REFS += ["HEAD^{tree}", ":", "::", "\ud800", "HEAD HEAD", "^HEAD^", "main..", "@{u}", "refs/heads/*"]


@pytest.mark.parametrize("ref", REFS, ids=range(len(REFS)))
@pytest.mark.parametrize("option", ["--against", "--base"])
def test_what_is_no_commit_is_a_plain_error(option: str, ref: str, repository: Project) -> None:
    ran = repository.run("plan", option, f"git:{ref}")
    assert ran.code == 1
    assert "RC0415" in ran.err
    assert len(ran.err) < 1000


@pytest.mark.parametrize("text", ["git::path", "git:", "git", ":HEAD", "GIT:HEAD", "svn:HEAD", "^HEAD", "file:///etc"])
@pytest.mark.parametrize("option", ["--against", "--base"])
def test_what_is_no_ref_is_a_plain_error(option: str, text: str, repository: Project) -> None:
    ran = repository.run("plan", option, text)
    assert ran.code == 1
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("before", ["^HEAD", "HEAD\0", "--all", "1" * 39, "HEAD..HEAD", "\ud800", "HEAD\n"])
def test_the_commit_that_a_jobs_event_names_is_looked_at_alike(before: str, repository: Project) -> None:
    event = repository.write("event.json", json.dumps({"before": before}))
    repository.environment |= {"GITHUB_ACTIONS": "1", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event)}
    ran = repository.run("plan")
    assert ran.code == 0
    assert "the previous commit is not known" in ran.err


@pytest.mark.parametrize("kind", ["tree", "blob"])
def test_a_clone_without_all_of_its_objects_is_a_plain_error(kind: str, repository: Project) -> None:
    for line in git(repository, "cat-file", "--batch-check", "--batch-all-objects").splitlines():
        name, what, _ = line.split()
        if what == kind:
            (repository.root / ".git" / "objects" / name[:2] / name[2:]).unlink()
    ran = repository.run("plan", "--against", "git:HEAD")
    assert ran.code == 1
    assert "Traceback" not in ran.err


@pytest.fixture
def ignoring(repository: Project) -> Project:
    """A repository with files that git ignores: one by name, one by directory, one by a rule below."""
    repository.write(".gitignore", ".env\nsecrets/\nassistants.d/made/\n*.key\n/generated.md\n")
    repository.write(".env", f"PASSWORD={WORD}\n")
    repository.write("secrets/prod/notes.md", f"{WORD}\n")
    repository.write("assistants.d/made/prompt.md", f"{WORD}\n")
    repository.write("assistants.d/.gitignore", "local-*\n")
    repository.write("assistants.d/local-notes.md", f"{WORD}\n")
    repository.write("generated.md", f"{WORD}\n")
    commit(repository, "ignores")
    return repository


def refused(project: Project, remote: Remote, *named: str) -> None:
    for verb in (["validate"], ["plan"], ["apply", "--yes"], ["render"]):
        ran = project.run(*verb)
        assert ran.code == 1
        assert "RC0109" in ran.err
        assert "git ignores" in ran.err
        assert WORD not in ran.out + ran.err
        assert all(f"git add -f {name}" in ran.err for name in named)
    assert remote.writes == []


IGNORED = [
    ".env",
    "secrets/prod/notes.md",
    "assistants.d/made/prompt.md",
    "assistants.d/local-notes.md",
    "generated.md",
]


@pytest.mark.parametrize("name", IGNORED)
def test_a_prompt_that_git_ignores_is_not_sent(name: str, ignoring: Project, remote: Remote) -> None:
    ignoring.write("assistants.d/a.yaml", FROM_FILE.format(os.path.relpath(name, "assistants.d")))
    refused(ignoring, remote, name)
    git(ignoring, "add", "-f", name)
    ignoring.ok("apply", "--yes")
    assert WORD in remote.named("a")["instructions"]


MANIFESTS = {
    "an upload": ("f.yaml", "reconciler: {kind: file}\nsource: ../.env\n"),
    "a pattern": ("f.yaml", "reconciler: {kind: file}\nsource: ../secrets/**\n"),
    "a member": ("s.yaml", "reconciler: {kind: vector_store}\nname: s\nfiles: [../.env]\n"),
    "members": ("s.yaml", "reconciler: {kind: vector_store}\nname: s\nfiles: [made/*.md]\n"),
    "rows": ("_fleet.yaml", "reconciler: {key: x, for_each: !csv ../.env}\nname: '{{ row }}'\nmodel: m\n"),
    "what it extends": ("b.yaml", "reconciler: {extends: ../secrets/prod/notes.md}\nname: b\nmodel: m\n"),
}


@pytest.mark.parametrize("how", MANIFESTS)
def test_no_file_that_git_ignores_is_sent_however_it_is_named(how: str, ignoring: Project, remote: Remote) -> None:
    name, text = MANIFESTS[how]
    ignoring.write(f"assistants.d/{name.lstrip('_')}", text)
    refused(ignoring, remote)


@pytest.mark.parametrize("target", ["../.env", "made/prompt.md", "../secrets/prod/notes.md"])
def test_a_link_to_a_file_that_git_ignores_is_no_manifest(target: str, ignoring: Project, remote: Remote) -> None:
    (ignoring.root / "assistants.d" / "link.md").symlink_to(target)
    commit(ignoring, "a link")
    refused(ignoring, remote)
    ignoring.remove("assistants.d/link.md")
    (ignoring.root / "assistants.d" / "prompt.txt").symlink_to(target)
    ignoring.write("assistants.d/a.yaml", FROM_FILE.format("prompt.txt"))
    refused(ignoring, remote)


def test_a_project_in_a_directory_of_a_repository_asks_that_repository(
    ignoring: Project, remote: Remote, project: Project
) -> None:
    below = Project(ignoring.root / "fleet", project.environment)
    below.target(remote.url)
    below.write("assistants.d/b.yaml", FROM_FILE.format("../notes.key"))
    below.write("notes.key", WORD)
    refused(below, remote, "notes.key")


def test_where_git_ignores_all_of_the_project_or_there_is_no_repository_files_are_files(
    ignoring: Project, remote: Remote, start: Callable[..., Remote]
) -> None:
    below = Project(ignoring.root / "secrets" / "fleet", ignoring.environment)
    below.target(remote.url)
    below.write("assistants.d/b.yaml", FROM_FILE.format("p.md"))
    below.write("assistants.d/p.md", "Be kind.\n")
    below.ok("apply", "--yes")


def test_a_directory_of_another_repository_is_asked_about_there(
    ignoring: Project, remote: Remote, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Project(tmp_path_factory.mktemp("other"), ignoring.environment)
    other.write("more/c.yaml", FROM_FILE.format("p.secret"))
    other.write("more/p.secret", WORD)
    other.write(".gitignore", "*.secret\n")
    git(other, "init", "-q")
    commit(other, "another")
    ran = ignoring.run("--dir", "assistants.d", "--dir", str(other.root / "more"), "apply", "--yes")
    assert (ran.code, remote.writes) == (1, [])
    assert "git ignores" in ran.err
    other.remove(".gitignore")
    ignoring.ok("--dir", "assistants.d", "--dir", str(other.root / "more"), "apply", "--yes")


def test_a_rule_that_ignores_a_project_with_files_that_are_tracked_exempts_nothing(
    ignoring: Project, remote: Remote
) -> None:
    below = Project(ignoring.root / "fleet", ignoring.environment)
    below.target(remote.url)
    below.write("assistants.d/b.yaml", FROM_FILE.format("../notes.key"))
    below.write("notes.key", WORD)
    git(ignoring, "add", "fleet/assistants.d")
    ignoring.write(".gitignore", "*.key\nfleet/\n")
    refused(below, remote, "notes.key")


def test_where_git_does_not_tell_nothing_is_sent(ignoring: Project, remote: Remote) -> None:
    ignoring.write("assistants.d/a.yaml", FROM_FILE.format("p.md"))
    ignoring.write("assistants.d/p.md", "Be kind.\n")
    ignoring.ok("validate")
    (ignoring.root / ".git" / "config").write_text("[core]\n\trepositoryformatversion = 99\n")
    for _ in range(2):
        ran = ignoring.run("apply", "--yes")
        assert (ran.code, remote.writes) == (1, [])
        assert "RC0109" in ran.err
        ignoring.environment["PATH"] = "/nowhere"


def test_a_project_of_many_prompts_asks_git_once(ignoring: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    ran = tmp_path_factory.mktemp("bin") / "asked"
    for number in range(40):
        ignoring.write(f"assistants.d/b{number}.yaml", FROM_FILE.format(f"p{number}/p.md"))
        ignoring.write(f"assistants.d/p{number}/p.md", "Be kind.\n")
    file = ran.parent / "git"
    file.write_text(f'#!/bin/sh\necho x >> {ran}\nPATH={os.environ["PATH"]} exec git "$@"\n')
    file.chmod(0o755)
    ignoring.environment["PATH"] = f"{file.parent}:{ignoring.environment['PATH']}"
    ignoring.ok("validate")
    assert ran.read_text() == "x\n"
