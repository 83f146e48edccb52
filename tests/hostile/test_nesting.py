"""JSON that others wrote, nested too deep or with numbers that are none: a plain error wherever it is read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.config.source.git import CommittedFiles
from reconciler.config.syntax.document_builder import UnreadableFile
from tests.cli.test_base import commit, git
from tests.conftest import Project

SETTINGS = (
    "owner: acme\ndefault_target: t\ntargets:\n"
    '  t: {provider: openai-assistants, url: "http://127.0.0.1:9/v1", marks: lock-file}\n'
)
BAD = {
    "200 lists": "[" * 200 + "]" * 200,
    "900 mappings": '{"a":' * 900 + "1" + "}" * 900,
    "a hundred thousand lists": "[" * 100_000,
    "a number of 400 digits": "9" * 400,
    "a number of 5,000 digits": "9" * 5000,
    "a number that is too large": "1e999",
    "no number": "NaN",
}


@pytest.fixture
def there(project: Project) -> Project:
    project.write("assistants.d/reconciler.yaml", SETTINGS)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    return project


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_a_saved_plan(value: str, there: Project) -> None:
    there.write("plan.json", f'{{"kind": "plan", "format_version": "1", "x": {value}}}')
    for verb in ("show", "apply"):
        ran = there.run(verb, "plan.json")
        assert ran.code == 1
        assert "RC0410" in ran.err
        assert (
            "nested deeper" in ran.err or "is too large" in ran.err or "is not JSON" in ran.err or "digits" in ran.err
        )


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_a_lock_file(value: str, there: Project) -> None:
    there.write("assistants.lock.json", f'{{"format_version": "2", "targets": {value}}}')
    ran = there.run("plan")
    assert ran.code == 1
    assert "RC0416" in ran.err
    assert "is not JSON" in ran.err


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_a_report(value: str, there: Project) -> None:
    there.write("report.json", f'{{"kind": "apply", "x": {value}}}')
    ran = there.run("report", "merge", "report.json")
    assert ran.code == 1
    assert "the reports cannot be merged" in ran.err
    assert "RC0421" in ran.err


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_the_event_of_a_job(value: str, there: Project, tmp_path: Path) -> None:
    event = there.write("event.json", f'{{"pull_request": {{"number": 1, "x": {value}}}}}')
    there.write("plan.md", "<!-- reconciler:plan -->\nhello\n")
    there.environment |= {"GITHUB_EVENT_PATH": str(event), "GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "a/b"}
    there.environment["GITHUB_API_URL"] = "http://127.0.0.1:9"
    ran = there.run("comment", "--provider", "github", "--file", "plan.md")
    assert ran.code == 1
    assert "names a file that is not an event" in ran.err


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_a_manifest_and_a_table(value: str, there: Project) -> None:
    there.write("assistants.d/b.json", f'{{"name": "b", "model": "m", "metadata": {{"a": {value}}}}}')
    there.write("assistants.d/_t.json", f'[{{"a": {value}}}]')
    there.write("assistants.d/c.yaml", 'reconciler: {for_each: !json _t.json, key: "{{ a }}"}\nmodel: m\n')
    ran = there.run("validate")
    assert ran.code == 1
    assert "assistants.d/b.json:1:" in ran.err
    assert "assistants.d/_t.json:1:" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_a_cell_of_a_table_is_text(value: str, there: Project) -> None:
    cell = value[:60_000].replace('"', '""')
    there.write("assistants.d/t.csv", f'a,b\nx,"{cell}"\n')
    there.write(
        "assistants.d/c.yaml", 'reconciler: {for_each: !csv t.csv, key: "{{ a }}"}\nmodel: m\nname: "{{ b[:9] }}"\n'
    )
    there.ok("validate")


# Blobs of commits

LARGE = 64 * 1024 * 1024
A = b"name: a\nmodel: gpt-4o\n"
A_DIGEST = hashlib.sha256(A).hexdigest()


@pytest.fixture
def heavy(there: Project) -> Project:
    """A commit with files that are too large, and a work tree without them."""
    for name in ("assistants.d/b.yaml", "assistants.d/prose.txt", "assistants.d/_t.csv"):
        file = there.write(name, "x")
        with file.open("r+b") as content:
            content.truncate(LARGE + 1)
    there.write("assistants.d/c.yaml", "name: c\nmodel: m\ninstructions: !file prose.txt\n")
    there.write("assistants.d/d.yaml", 'reconciler: {for_each: !csv _t.csv, key: "{{ a }}"}\nmodel: m\n')
    git(there, "init", "-q")
    commit(there, "large")
    for name in ("b.yaml", "c.yaml", "d.yaml"):
        there.remove(f"assistants.d/{name}")
    return there


@pytest.fixture
def read(heavy: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[str]]:
    """The files whose blobs git was asked for, by what it answered."""
    seen, there = heavy.root / "seen", heavy.root.with_name(f"{heavy.root.name}-bin")
    found = next(path for each in heavy.environment["PATH"].split(":") if (path := Path(each, "git")).exists())
    there.mkdir()
    (there / "git").write_text(
        f'#!/bin/sh\ncase "$*" in *--batch) tee -a {seen} | {found} "$@";; *) exec {found} "$@";; esac\n'
    )
    (there / "git").chmod(0o755)
    heavy.environment["PATH"] = f"{there}:{heavy.environment['PATH']}"
    monkeypatch.setenv("PATH", heavy.environment["PATH"])

    def files() -> set[str]:
        blobs = {line.split()[2]: line.split("\t")[1] for line in git(heavy, "ls-tree", "-r", "HEAD").splitlines()}
        return {blobs[each] for each in seen.read_text().split()} if seen.exists() else set()

    return files


def test_a_blob_is_asked_for_its_size_before_it_is_read(heavy: Project, read: Callable[[], set[str]]) -> None:
    ran = heavy.ok("plan", "--against", "git:HEAD", "--format", "json")
    assert [each["code"] for each in ran.json["diagnostics"]][:1] == ["RC0414"]
    assert read() == {f"assistants.d/{name}.yaml" for name in ("a", "c", "d", "reconciler")}


def test_of_an_upload_that_is_too_large_nothing_is_read(heavy: Project, read: Callable[[], set[str]]) -> None:
    files = CommittedFiles(heavy.root, [Path("assistants.d")], git(heavy, "rev-parse", "HEAD"))
    try:
        assert files.measured(str(heavy.root / "assistants.d/prose.txt"), 1000)[1] == LARGE + 1
        assert read() == set()
        with pytest.raises(UnreadableFile, match="larger than 1,000 bytes"):
            files.read(str(heavy.root / "assistants.d/prose.txt"), 1000)
        assert files.measured(str(heavy.root / "assistants.d/a.yaml"), 1000) == (A_DIGEST, 22)
        assert files.measured(str(heavy.root / "assistants.d/prose.txt"), LARGE + 1)[1] == LARGE + 1
        assert files.read(str(heavy.root / "assistants.d/a.yaml"), 22) == A
    finally:
        files.close()


def test_a_link_that_is_a_large_blob_leads_nowhere(there: Project) -> None:
    git(there, "init", "-q")
    commit(there, "first")
    there.write("large", "a" * 5_000_000)
    blob = git(there, "hash-object", "-w", "large")
    git(there, "update-index", "--add", "--cacheinfo", f"120000,{blob},assistants.d/link.yaml")
    git(there, "commit", "-q", "-m", "a link")
    there.ok("plan", "--against", "git:HEAD")
