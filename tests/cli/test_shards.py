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
    project.ok("plan", "--out", "plan.json", "--split", "3=matrix.json")
    rows = json.loads((project.root / "matrix.json").read_text())["include"]
    assert sum(row["changes"] for row in rows) == COUNT
    for number, row in enumerate(rows):
        project.ok("apply", "plan.json", "--yes", "--shard", row["shard"], "--report", f"report{number}.json")
        assert len(remote.objects()) == sum(each["changes"] for each in rows[: number + 1])
    assert Counter(each["name"] for each in remote.objects()) == {f"a{n}": 1 for n in range(COUNT)}
    merged = project.ok("report", "merge", *(f"report{number}.json" for number in range(len(rows)))).json
    assert merged["totals"]["done"] == COUNT
    assert "No changes" in project.ok("plan", "--detailed-exitcode").out


@pytest.fixture
def leaving(project: Project, remote: Remote) -> Project:
    """Twelve objects, six of which are to be deleted."""
    fleet(project, remote)
    project.ok("apply", "--yes")
    for number in range(6):
        project.remove(f"assistants.d/a{number}.yaml")
    return project


def test_the_deletion_guard_counts_the_whole_plan_and_not_the_shard(leaving: Project, remote: Remote) -> None:
    assert leaving.run("plan", "--out", "plan.json").code == 4
    codes = [leaving.run("apply", "plan.json", "--yes", "--shard", f"{number}/4").code for number in (1, 2, 3, 4)]
    assert set(codes) <= {0, 4}
    assert 4 in codes
    assert len(remote.objects()) == COUNT
    for number in ("5", "7"):
        ran = leaving.run("apply", "plan.json", "--yes", "--shard", "1/4", "--allow-deletes", number)
        assert ran.code in (0, 4)
    assert len(remote.objects()) == COUNT


@pytest.mark.parametrize("planned", [(), ("--allow-deletes", "6")])
def test_shards_one_after_the_other_delete_what_is_allowed_to_each(
    planned: tuple[str, ...], leaving: Project, remote: Remote
) -> None:
    assert leaving.run("plan", "--out", "plan.json", *planned).code == (0 if planned else 4)
    assert leaving.run("apply", "plan.json", "--yes", "--shard", "2/4").code == 4, "the number is said to apply"
    for number in (1, 2, 3, 4):
        leaving.ok("apply", "plan.json", "--yes", "--shard", f"{number}/4", "--allow-deletes", "6")
    assert sorted(each["name"] for each in remote.objects()) == sorted(f"a{number}" for number in range(6, COUNT))
    assert "No changes" in leaving.ok("plan", "--detailed-exitcode").out


@pytest.mark.parametrize("more", [(), ("assistant/a1",), ("--allow-deletes", "6")])
def test_a_shard_without_a_saved_plan_is_refused_with_what_to_run(
    more: tuple[str, ...], leaving: Project, remote: Remote
) -> None:
    remote.forget()
    ran = leaving.run("apply", "--yes", "--shard", "2/8", *more)
    assert (ran.code, ran.out, remote.app.requests) == (1, "", [])
    assert "each shard changes the number of deletes that the next shard must allow" in ran.err
    assert "reconciler plan --out plan.json" in ran.err
    assert "reconciler apply plan.json --shard 2/8" in ran.err


def test_a_plan_shows_what_a_shard_would_do(leaving: Project) -> None:
    shown = [leaving.run("plan", "--format", "json", "--shard", f"{number}/4").json for number in (1, 2, 3, 4)]
    blocked = [block["address"] for plan in shown for block in plan["blocked"]]
    assert sorted(blocked) == [f"assistant/a{number}" for number in range(6)]


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
