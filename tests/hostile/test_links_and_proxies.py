"""What a checkout or an environment may bring that writes elsewhere, hangs, or ends in a traceback: links, proxies."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conftest import Project, Remote

MANIFEST = "name: a\nmodel: gpt-4o\n"
PRECIOUS = "somebody's own\n"


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory outside the project."""
    return tmp_path_factory.mktemp("outside")


def ready(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/a.yaml", MANIFEST)


@pytest.mark.parametrize("name", [".reconciler", ".reconciler/journal"])
def test_state_is_not_written_through_a_link(name: str, project: Project, remote: Remote, outside: Path) -> None:
    ready(project, remote)
    (project.root / name).parent.mkdir(exist_ok=True)
    (project.root / name).symlink_to(outside)
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert f"{name}" in ran.err
    assert "is a link" in ran.err
    assert list(outside.iterdir()) == []
    assert remote.writes == []


def test_the_local_database_is_not_opened_through_a_link(project: Project, outside: Path) -> None:
    project.write("assistants.d/a.yaml", MANIFEST)
    (project.root / ".reconciler").mkdir(exist_ok=True)
    (project.root / ".reconciler" / "local.db").symlink_to(outside / "other.db")
    assert project.run("apply", "--yes").code == 1
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("option", ["--format=markdown=out", "--out=out"])
def test_a_link_in_the_project_is_not_written_through(
    option: str, project: Project, remote: Remote, outside: Path
) -> None:
    ready(project, remote)
    (outside / "file").write_text(PRECIOUS)
    (project.root / "out").symlink_to(outside / "file")
    ran = project.run("plan", option)
    assert ran.code == 1
    assert "link" in ran.err
    assert (outside / "file").read_text() == PRECIOUS
    assert (project.root / "out").is_symlink()


def test_what_somebody_names_outside_the_project_is_written(project: Project, remote: Remote, outside: Path) -> None:
    ready(project, remote)
    project.ok("plan", f"--format=markdown={outside / 'plan.md'}", f"--out={outside / 'plan.json'}")
    assert {path.name for path in outside.iterdir()} == {"plan.md", "plan.json"}


@pytest.mark.parametrize("proxy", ["::::", "ftp://me:hunter2@x", "socks5://me:hunter2@127.0.0.1:9", "http://[::1"])
def test_a_proxy_that_cannot_be_used_is_an_error_without_its_password(
    proxy: str, project: Project, remote: Remote
) -> None:
    ready(project, remote)
    project.target("https://elsewhere.invalid")
    project.environment |= {"https_proxy": proxy, "RECONCILER_ALLOWED_HOSTS": "elsewhere.invalid"}
    ran = project.run("--verbose", "plan")
    assert ran.code == 1
    assert "RC0501" in ran.err
    assert "hunter2" not in ran.out + ran.err


@pytest.mark.parametrize("file", ["/nowhere.pem", "/etc/passwd"])
def test_authorities_that_cannot_be_read_are_told_with_the_variable_that_names_them(
    file: str, project: Project
) -> None:
    project.target("https://127.0.0.1:9")
    project.write("assistants.d/a.yaml", MANIFEST)
    project.environment["SSL_CERT_FILE"] = file
    ran = project.run("plan")
    assert ran.code == 1
    assert "SSL_CERT_FILE" in ran.err


@pytest.mark.parametrize(
    "ref", ["--output=x", "-x", "$(touch x)", "ext::sh -c touch% x", "HEAD\nx", "\x1b[31m", "@{-1}"]
)
def test_a_git_ref_is_a_name_and_nothing_else(ref: str, project: Project) -> None:
    project.write("assistants.d/a.yaml", MANIFEST)
    subprocess.run(["git", "init", "-q", str(project.root)], check=True)
    before = set(project.root.iterdir())
    ran = project.run("plan", "--against", f"git:{ref}")
    assert ran.code == 1
    assert "RC0415" in ran.err
    assert "\x1b" not in ran.err
    assert set(project.root.iterdir()) - before <= {project.root / ".reconciler"}
