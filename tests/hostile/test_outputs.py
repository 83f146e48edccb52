"""Where results are written, and what is read by name: through no link of the project, and not in git's directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Project, Remote

resource: Any = pytest.importorskip("resource")
MANIFEST = "name: a\nmodel: gpt-4o\n"
WRITING = {
    "plan --out": ["plan", "--out"],
    "plan --format html": ["plan", "--format", "html="],
    "plan --format json": ["plan", "--format", "json="],
    "plan --split": ["plan", "--split", "2="],
    "drift --format markdown": ["drift", "--format", "markdown="],
    "validate --format sarif": ["validate", "--format", "sarif="],
    "apply --report": ["apply", "--yes", "--report"],
    "apply --rollback-out": ["apply", "--yes", "--rollback-out"],
    "apply --format json": ["apply", "--yes", "--format", "json="],
    "report merge --out": ["report", "merge", "report.json", "--out"],
    "show --format html": ["show", "plan.json", "--format", "html="],
    "serve --db": ["serve", "--host", "203.0.113.1", "--db"],
    "serve --record": ["serve", "--host", "203.0.113.1", "--record"],
}
"""Everything that writes where it is told to."""
READING = {
    "show": ["show"],
    "apply": ["apply", "--yes"],
    "report merge": ["report", "merge"],
    "comment": ["comment", "--provider", "github", "--repository", "a/b", "--pull-request", "1", "--file"],
    "init --from-export": ["init", "--from-export"],
    "serve --chaos": ["serve", "--host", "203.0.113.1", "--chaos"],
}
"""Everything that reads what it is told to."""
GIT = "[core]\n  bare = false\n"


@pytest.fixture
def outside(project: Project, remote: Remote) -> Path:
    """A directory beside a project that has a plan and a report."""
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)
    project.ok("apply", "--yes", "--report", "report.json")
    project.write("assistants.d/b.yaml", MANIFEST.replace("name: a", "name: b"))
    project.ok("plan", "--out", "plan.json")
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    project.write(".git/config", GIT)
    project.write(".git/hooks/x", "")
    project.environment |= {"GITHUB_TOKEN": "x", "GITHUB_API_URL": remote.url}
    outside = Path(f"{project.root}-outside")
    outside.mkdir()
    (outside / "file").write_text("precious")
    return outside


def files(top: Path) -> dict[str, bytes]:
    return {str(each): each.read_bytes() for each in top.rglob("*") if each.is_file()}


@pytest.mark.parametrize("said", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize(
    ("name", "link", "to"),
    [
        ("out/new.json", "out", "OUTSIDE"),
        ("out/file", "out", "OUTSIDE"),
        ("deep/../out/new.json", "out", "OUTSIDE"),
        ("file.json", "file.json", "OUTSIDE/file"),
        ("file.json", "file.json", "OUTSIDE/new"),
        ("file.json", "file.json", ".git/config"),
        ("hooks/x", "hooks", ".git/hooks"),
        (".git/hooks/post-merge", None, None),
        (".GIT/hooks/post-merge", None, None),
        ("deep/../.git/config", None, None),
    ],
)
def test_nothing_is_written_through_a_link_or_into_git(
    said: list[str], name: str, link: str | None, to: str | None, project: Project, outside: Path
) -> None:
    (project.root / "deep").mkdir()
    if name.startswith(".GIT"):
        shutil.copytree(project.root / ".git", project.root / ".GIT", dirs_exist_ok=True)
    if link and to:
        (project.root / link).symlink_to(to.replace("OUTSIDE", str(outside)))
    before = files(outside), files(project.root / ".git")
    *words, last = said
    ran = project.run(*([*words, last + name] if last.endswith("=") else [*said, name]))
    assert ran.code == 1
    assert "link" in ran.err or "git's own directory" in ran.err or "exists" in ran.err
    assert (files(outside), files(project.root / ".git")) == before
    assert link is None or (project.root / link).is_symlink()


@pytest.fixture
def little_memory() -> Iterator[None]:
    """So that what reads for ever ends here, and not all that runs on this machine."""
    before, most = resource.getrlimit(resource.RLIMIT_AS)
    least = min(each for each in (6 << 30, before, most) if each != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (least, most))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (before, most))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are kept on Linux")
@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("said", READING.values(), ids=READING)
@pytest.mark.parametrize("to", ["/dev/zero", "OUTSIDE/file", "OUTSIDE/pipe", ".git/config"])
def test_nothing_is_read_through_a_link(said: list[str], to: str, project: Project, outside: Path) -> None:
    os.mkfifo(outside / "pipe")
    (outside / "file").write_text(f"<!-- reconciler:plan -->\nprecious {json.dumps(GIT)}")
    (project.root / "named.json").symlink_to(to.replace("OUTSIDE", str(outside)))
    ran = project.run(*said, str(project.root / "named.json"))
    assert ran.code == 1
    assert "link" in ran.err
    assert "precious" not in ran.out + ran.err
    assert "bare" not in ran.out + ran.err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are kept on Linux")
@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("verb", ["validate", "plan", "fmt", "init", "graph"])
@pytest.mark.parametrize(
    "name",
    [
        *("assistants.d/zero.yaml", "assistants.d/zero.md", "assistants.d/reconciler.yaml", "assistants.lock.json"),
        *("policies/zero.yaml", "providers/zero.yaml", ".gitignore", "assistants.d/zero"),
    ],
)
def test_zeros_without_an_end_are_not_read(verb: str, name: str, project: Project, outside: Path) -> None:
    project.target(
        "http://127.0.0.1:1", more="    marks: lock-file\n    limits: {retries: 0}\n" if "lock" in name else ""
    )
    project.write("assistants.d/a.yaml", f"{MANIFEST}instructions: !file zero\n")
    there = project.root / name
    there.parent.mkdir(exist_ok=True)
    there.unlink(missing_ok=True)
    there.symlink_to("/dev/zero")
    project.run(verb)
    assert there.is_symlink()


@pytest.mark.parametrize("said", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize(
    ("name", "link", "to"),
    [
        ("../out/new.json", "out", "OUTSIDE"),
        ("../out/file", "out", "OUTSIDE"),
        ("../file.json", "file.json", "OUTSIDE/file"),
        ("../file.json", "file.json", "OUTSIDE/new"),
        ("deep/../../out/new.json", "out", "OUTSIDE"),
        ("TOP/out/new.json", "out", "OUTSIDE"),
        ("WAY/out/new.json", "out", "OUTSIDE"),
        ("../file.json", "file.json", ".git/config"),
        ("../.git/hooks/post-merge", None, None),
    ],
)
def test_nothing_beside_the_root_in_its_repository_is_written_through_a_link(
    said: list[str], name: str, link: str | None, to: str | None, project: Project, outside: Path
) -> None:
    """A project in a directory of its repository: what is beside it comes with the same pull request."""
    top, team = project.root, project.root / "team"
    (team / "deep").mkdir(parents=True)
    for each in ("assistants.d", "report.json", "plan.json"):
        (top / each).rename(team / each)
    Path(f"{top}-way").symlink_to(top)
    name = name.replace("TOP", str(top)).replace("WAY", f"{top}-way")
    if link and to:
        (top / link).symlink_to(to.replace("OUTSIDE", str(outside)))
    before = files(outside), files(top / ".git")
    *words, last = said
    ran = project.run("-C", str(team), *([*words, last + name] if last.endswith("=") else [*said, name]))
    assert ran.code == 1
    assert "link" in ran.err or "git's own directory" in ran.err or "exists" in ran.err
    assert (files(outside), files(top / ".git")) == before
    assert link is None or (top / link).is_symlink()


@pytest.mark.parametrize("said", READING.values(), ids=READING)
@pytest.mark.parametrize("name", ["../common/file", "../named.json", "../git/config"])
def test_nothing_beside_the_root_in_its_repository_is_read_through_a_link(
    said: list[str], name: str, project: Project, outside: Path
) -> None:
    (outside / "file").write_text(f"<!-- reconciler:plan -->\nprecious {json.dumps(GIT)}")
    for link, to in {"common": outside, "named.json": outside / "file", "git": project.root / ".git"}.items():
        (project.root / link).symlink_to(to)
    (project.root / "team").mkdir()
    (project.root / "assistants.d").rename(project.root / "team/assistants.d")
    ran = project.run("-C", str(project.root / "team"), *said, str(project.root / "team" / name))
    assert ran.code == 1
    assert "link" in ran.err
    assert "precious" not in ran.out + ran.err
    assert "bare" not in ran.out + ran.err


@pytest.mark.parametrize("name", ["../new.json", "OUTSIDE/new.json", "WAY/new.json", "/dev/stdout", "PIPE"])
def test_results_go_where_a_person_says(name: str, project: Project, outside: Path) -> None:
    """Beside the root, and anywhere outside of the repository, links that lead there included."""
    team, pipe = project.root / "team", outside / "pipe"
    team.mkdir()
    (project.root / "assistants.d").rename(team / "assistants.d")
    Path(f"{project.root}-way").symlink_to(outside)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for word, place in {"OUTSIDE": outside, "WAY": f"{project.root}-way", "PIPE": pipe}.items():
        name = name.replace(word, str(place))
    assert project.run("-C", str(team), "plan", "--format", f"json={name}").code in (0, 2)
    if name == str(pipe):
        assert os.read(reader, 1) == b"{"
    elif not name.startswith("/dev"):
        assert json.loads((team / name).read_bytes())
    os.close(reader)
