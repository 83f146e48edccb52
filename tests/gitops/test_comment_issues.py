"""`reconciler comment` as a drift issue, and on GitLab: one post, ours, written only when it differs."""

from __future__ import annotations

import pytest

from tests.gitops.conftest import PLAN, Job
from tests.gitops.fakes import PERSON, SOMEBODY, GitHub, GitLab


def test_drift_opens_one_issue_updates_it_and_closes_it_when_clean(on_github: Job, github: GitHub) -> None:
    assert on_github.comment("--drift").out == "created https://github.com/acme/fleet/issues/100\n"
    assert [each["name"] for each in github.issues[0]["labels"]] == ["reconciler-drift"]
    assert on_github.comment("--drift").out.startswith("unchanged ")
    on_github.project.write("plan.md", PLAN.replace("1", "2"))
    assert on_github.comment("--drift").out.startswith("updated ")
    assert on_github.comment("--drift", "--clean").out.startswith("closed ")
    assert (github.issues[0]["state"], github.issues[0]["state_reason"]) == ("closed", "completed")
    assert "no open issue" in on_github.comment("--drift", "--clean").out
    on_github.comment("--drift")
    assert [each["state"] for each in github.issues] == ["closed", "open"]


def test_issues_of_others_and_pull_requests_are_neither_edited_nor_closed(on_github: Job, github: GitHub) -> None:
    github.opened("theirs", PLAN, ["reconciler-drift"], SOMEBODY)
    github.opened("a pull request", PLAN, ["reconciler-drift"])["pull_request"] = {"url": "…"}
    github.opened("another label", PLAN, ["drift"])
    github.opened("another target", PLAN.replace("production", "staging"), ["reconciler-drift"])
    on_github.comment("--drift", "--clean")
    assert {each["state"] for each in github.issues} == {"open"}
    assert on_github.comment("--drift", "--issue-title", "Drift").out.startswith("created ")
    assert github.issues[-1]["title"] == "Drift"


def test_an_issue_that_would_not_be_found_again_is_an_error(on_github: Job, github: GitHub) -> None:
    github.keeps_labels = False
    ran = on_github.comment("--drift")
    assert (ran.code, "issues/100" in ran.err) == (1, True)


def test_a_merge_request_gets_one_note(on_gitlab: Job, gitlab: GitLab) -> None:
    gitlab.said(PLAN.replace("update", "forge"), PERSON)
    assert on_gitlab.comment().out == "created 301\n"
    assert on_gitlab.comment().out.startswith("unchanged ")
    on_gitlab.project.write("plan.md", PLAN.replace("1", "2"))
    assert on_gitlab.comment().out.startswith("updated ")
    assert [(each["author"]["id"], each["body"]) for each in gitlab.notes] == [
        (1, PLAN.replace("update", "forge")),
        (77, PLAN.replace("1", "2")),
    ]


def test_drift_on_gitlab_opens_one_issue_and_closes_it_when_clean(on_gitlab: Job, gitlab: GitLab) -> None:
    gitlab.opened("theirs", PLAN, "reconciler-drift", PERSON)
    assert on_gitlab.comment("--drift").out.startswith("created ")
    assert on_gitlab.comment("--drift").out.startswith("unchanged ")
    assert on_gitlab.comment("--drift", "--clean").out.startswith("closed ")
    assert [each["state"] for each in gitlab.issues] == ["opened", "closed"]


@pytest.mark.parametrize("name", ["GITLAB_TOKEN", "CI_MERGE_REQUEST_IID"])
def test_what_a_gitlab_job_lacks_is_named(on_gitlab: Job, name: str) -> None:
    del on_gitlab.project.environment[name]
    ran = on_gitlab.comment()
    assert (ran.code, name in ran.err) == (1, True)
