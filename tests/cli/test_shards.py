"""One plan on several machines: each change in one shard, guards on the whole, reports put together."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.conftest import Project, Remote

COUNT = 12


def fleet(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    for number in range(COUNT):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")


def test_the_shards_together_do_all_of_it_once_and_their_reports_say_so(project: Project, remote: Remote) -> None:
    fleet(project, remote)
    project.ok("plan", "--split", "3=matrix.json")
    rows = json.loads((project.root / "matrix.json").read_text())["include"]
    assert sum(row["changes"] for row in rows) == COUNT
    for number, row in enumerate(rows):
        project.ok("apply", "--yes", "--shard", row["shard"], "--report", f"report{number}.json")
        assert len(remote.objects()) == sum(each["changes"] for each in rows[: number + 1])
    assert Counter(each["name"] for each in remote.objects()) == {f"a{n}": 1 for n in range(COUNT)}
    merged = project.ok("report", "merge", *(f"report{number}.json" for number in range(len(rows)))).json
    assert merged["totals"]["done"] == COUNT
    assert "No changes" in project.ok("plan", "--detailed-exitcode").out


def test_the_deletion_guard_counts_the_whole_plan_and_not_the_shard(project: Project, remote: Remote) -> None:
    fleet(project, remote)
    project.ok("apply", "--yes")
    for number in (0, 1, 2, 3):
        project.remove(f"assistants.d/a{number}.yaml")
    codes = [project.run("apply", "--yes", "--shard", f"{number}/8").code for number in range(1, 9)]
    assert set(codes) == {0, 4}
    assert len(remote.objects()) == COUNT
    for number in range(1, 9):
        project.run("apply", "--yes", "--shard", f"{number}/8", "--allow-deletes", "4")
        if len(remote.objects()) < COUNT:
            break
    assert len(remote.objects()) < COUNT


def test_a_saved_plan_is_saved_whole_and_applied_in_parts(project: Project, remote: Remote) -> None:
    fleet(project, remote)
    assert project.run("plan", "--out", "plan.json", "--shard", "1/2").code == 1
    project.ok("plan", "--out", "plan.json")
    project.ok("apply", "plan.json", "--yes", "--shard", "1/2")
    assert 0 < len(remote.objects()) < COUNT
    project.ok("apply", "plan.json", "--yes", "--shard", "2/2")
    assert len(remote.objects()) == COUNT


def test_reports_that_are_no_parts_of_one_apply_are_refused(project: Project, remote: Remote) -> None:
    fleet(project, remote)
    project.ok("apply", "--yes", "--report", "report.json")
    ran = project.run("report", "merge", "report.json", "report.json")
    assert ran.code == 1
    assert "RC0421" in ran.err


@pytest.mark.parametrize("wrong", ["0/2", "3/2", "2", "a/b", "1/100000"])
def test_a_shard_that_is_none_is_refused_before_anything_is_read(wrong: str, project: Project) -> None:
    ran = project.run("plan", "--shard", wrong)
    assert ran.code == 1
    assert "I/N" in ran.err


@pytest.mark.parametrize("wrong", ["3", "x=matrix.json", "0=matrix.json"])
def test_a_split_that_is_none_is_refused(wrong: str, project: Project) -> None:
    assert project.run("plan", "--split", wrong).code == 1
