"""`reconciler comment` on GitHub over real HTTP: one comment, ours, written only when it differs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from reconciler.server.http import serve
from tests.conftest import Project
from tests.gitops.conftest import HEADER, PLAN, Job
from tests.gitops.fakes import BOT, SOMEBODY, TOKEN, GitHub, answered


def test_the_first_plan_makes_a_comment_and_the_next_one_edits_it(on_github: Job, github: GitHub) -> None:
    assert on_github.comment().out == "created https://github.com/acme/fleet/pull/7#issuecomment-1000\n"
    on_github.project.write("plan.md", PLAN.replace("1", "2"))
    assert on_github.comment().out.startswith("updated ")
    assert [each["body"] for each in github.comments] == [PLAN.replace("1", "2")]
    assert [method for method, _, _ in github.writes] == ["POST", "PATCH"]


def test_the_same_plan_writes_nothing(on_github: Job, github: GitHub) -> None:
    github.said(PLAN.replace("\n", "\r\n").rstrip())
    assert on_github.comment().out.startswith("unchanged ")
    assert github.writes == []


def test_a_note_stands_above_the_plan_and_alone_where_both_do_not_fit(on_github: Job, github: GitHub) -> None:
    on_github.comment("--note", "Mind this.")
    assert github.comments[0]["body"] == PLAN.replace("\n", "\n\n> Mind this.\n", 1)
    on_github.project.write("plan.md", PLAN + "x" * 65_500)
    assert on_github.comment("--note", "Mind this.").out.startswith("updated ")
    assert len(github.comments[0]["body"]) < 200
    assert "> Mind this.\n" in github.comments[0]["body"]


def test_a_comment_of_another_target_is_left_alone(on_github: Job, github: GitHub) -> None:
    github.said(PLAN.replace("production", "staging"))
    on_github.comment()
    assert len(github.comments) == 2
    assert "staging" in github.comments[0]["body"]


@pytest.mark.parametrize("author", [SOMEBODY, None, {**SOMEBODY, "login": "github-actions"}])
def test_somebody_elses_comment_that_begins_like_ours_is_never_edited(
    on_github: Job, github: GitHub, author: Any
) -> None:
    github.said(PLAN.replace("update", "forge"), author)
    assert on_github.comment().code == 0
    assert [each["user"] for each in github.comments] == [author, BOT]
    assert "forge" in github.comments[0]["body"]


def test_a_comment_of_ours_that_only_quotes_the_header_is_not_it(on_github: Job, github: GitHub) -> None:
    github.said(f"> {HEADER}\nanother job of the same account\n")
    on_github.comment()
    assert len(github.comments) == 2


def test_an_account_that_graphql_names_without_its_suffix_finds_its_comment(on_github: Job, github: GitHub) -> None:
    github.said(PLAN)
    github.viewer = {**BOT, "login": "github-actions"}
    assert on_github.comment().out.startswith("unchanged ")


def test_the_comment_is_found_behind_many_others(on_github: Job, github: GitHub) -> None:
    for number in range(250):
        github.said(f"chat {number}", SOMEBODY)
    github.said(PLAN.replace("1", "0"))
    assert on_github.comment().out.startswith("updated ")
    assert len(github.comments) == 251


def test_a_comment_whose_answer_is_lost_is_not_written_twice(on_github: Job, github: GitHub) -> None:
    def lost(request: Request) -> Response | None:
        return (
            answered({"message": "Server Error"}, 502)
            if request.method == "POST" and "issues" in request.path
            else None
        )

    github.fault_after = lost
    assert on_github.comment().out.startswith("created ")
    assert len(github.comments) == 1


def test_a_comment_that_was_not_written_is_told_and_the_next_run_writes_it(on_github: Job, github: GitHub) -> None:
    def failing(request: Request) -> Response | None:
        return (
            answered({"message": "Server Error"}, 502)
            if request.method == "POST" and "issues" in request.path
            else None
        )

    github.fault = failing
    ran = on_github.comment()
    assert (ran.code, "502" in ran.err) == (1, True)
    assert [method for method, _, _ in github.writes] == ["POST"]
    github.fault = None
    assert on_github.comment().code == 0
    assert len(github.comments) == 1


def test_a_token_that_is_refused_is_not_printed_and_the_permission_is_named(on_github: Job) -> None:
    on_github.project.environment["GITHUB_TOKEN"] = "ghs_wrong0123456789"
    ran = on_github.comment("--verbose")
    assert ran.code == 1
    assert "pull-requests: write" in ran.err
    assert "ghs_wrong" not in ran.out + ran.err
    assert "(secret)" in ran.err


def test_a_limit_of_github_is_told_as_one(on_github: Job, github: GitHub) -> None:
    github.fault = lambda request: answered({"message": "secondary rate limit"}, 403, {"x-ratelimit-remaining": "0"})
    assert "too many requests" in on_github.comment().err


@pytest.mark.parametrize("url", ["http://api.github.example", "https://user:pw@api.github.com", "ftp://x", "https://"])
def test_a_token_goes_to_https_or_loopback_only(on_github: Job, url: str) -> None:
    on_github.project.environment["GITHUB_API_URL"] = url
    ran = on_github.comment()
    assert (ran.code, "RC0305" in ran.err) == (1, True)


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut"])
def test_a_token_that_fits_no_header_is_refused_without_showing_it(on_github: Job, github: GitHub, token: str) -> None:
    on_github.project.environment["GITHUB_TOKEN"] = token
    ran = on_github.comment()
    assert (ran.code, "GITHUB_TOKEN" in ran.err) == (1, True)
    assert not token or token not in ran.err
    assert github.requests == []


def test_an_enterprise_server_has_its_graphql_beside_its_rest_api(project: Project) -> None:
    forge = GitHub("/api/v3")
    with serve(forge) as server:
        environment = {
            "GITHUB_API_URL": f"{server.url}/api/v3",
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": "acme/fleet",
        }
        assert Job(project, "github", environment).comment("--pull-request", "9").code == 0
    assert [each["number"] for each in forge.comments] == [9]
    assert forge.requests[-1][1] == "/api/v3/repos/acme/fleet/issues/9/comments"


def test_a_text_that_could_not_be_found_again_is_not_written(on_github: Job, github: GitHub) -> None:
    for text in ("no header", "", f"first\n{HEADER}", "<!-- another tool -->\n"):
        on_github.project.write("plan.md", text)
        ran = on_github.comment()
        assert (ran.code, "plan.md:1" in ran.err) == (1, True)
    assert github.requests == []


FORK = {
    "event": "pull_request",
    "head_branch": "topic",
    "head_sha": "c0ffee",
    "head_repository": {"full_name": "mallory/fleet"},
    "pull_requests": [],
}


def workflow_run(job: Job, **changes: Any) -> None:
    event = job.project.write("event.json", json.dumps({"workflow_run": {**FORK, **changes}}))
    job.project.environment["GITHUB_EVENT_PATH"] = str(event)


def test_a_forks_pull_request_is_looked_up_by_what_the_event_says_of_its_head(on_github: Job, github: GitHub) -> None:
    github.proposed(7, "mallory/fleet", "topic", "c0ffee")
    github.proposed(8, "mallory/other", "topic", "c0ffee")
    workflow_run(on_github)
    assert on_github.comment().code == 0
    assert [each["number"] for each in github.comments] == [7]


@pytest.mark.parametrize(
    "changes",
    [
        {"head_sha": "0ld"},
        {"head_branch": "another"},
        {"head_repository": {"full_name": "eve/fleet"}},
        {"head_repository": None},
    ],
)
def test_a_head_that_no_open_pull_request_has_is_not_commented_on(
    on_github: Job, github: GitHub, changes: dict[str, Any]
) -> None:
    github.proposed(7, "mallory/fleet", "topic", "c0ffee")
    workflow_run(on_github, **changes)
    ran = on_github.comment()
    assert (ran.code, "nothing to comment on" in ran.out) == (0, True)
    assert github.writes == []


def test_a_head_with_two_pull_requests_is_not_guessed(on_github: Job, github: GitHub) -> None:
    for number in (7, 8):
        github.proposed(number, "mallory/fleet", "topic", "c0ffee")
    workflow_run(on_github)
    assert "nothing to comment on" in on_github.comment().out
    assert github.writes == []


def test_a_run_without_a_pull_request_says_what_to_do(on_github: Job) -> None:
    for event in ("{}", "[", "[1]"):
        on_github.project.write("event.json", event)
        ran = on_github.comment()
        assert (ran.code, "--pull-request" in ran.err) == (1, True)


@pytest.mark.parametrize("arguments", [("--clean",), ("--drift", "--pull-request", "7")])
def test_options_that_do_not_go_together_are_refused(
    on_github: Job, github: GitHub, arguments: tuple[str, ...]
) -> None:
    assert on_github.comment(*arguments).code == 1
    assert github.requests == []


def test_the_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from reconciler.cli.main import main\n"
        "try: main(['comment', '--help'])\nfinally: print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert not {"httpx", "jsonschema", "deepdiff", "yaml", "werkzeug"} & set(ran.stdout.split())
