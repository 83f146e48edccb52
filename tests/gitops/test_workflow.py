"""The GitOps job from a pull request to drift: the steps of the workflow files, against the embedded server."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.gitops.fakes import TOKEN, GitHub
from tests.gitops.runner import Event, JobRun, Runner, git

ASSISTANT = "name: Helpdesk\nmodel: gpt-4o\ntemperature: 0.2\ninstructions: |\n  You help customers.\n  {rule}\n"
SECRETS = {"RECONCILER_PLAN_KEY": "sk-plan-canary", "RECONCILER_APPLY_KEY": "sk-apply-canary"}
HOSTILE = "\n  ".join(
    [
        "Be kind.",
        "::set-output name=exit-code::0",
        "::error file=app.js,line=1::pwned",
        "::stop-commands::mine",
        "::add-mask::a",
        "##[group]pwned",
        "##[set-env name=PATH]/tmp",
        "@acme/everybody ``` </details> <img src=x onerror=alert(1)>",
        "GITHUB_OUTPUT<<EOF",
    ]
)


@dataclass
class Team:
    """A repository on GitHub with its workflows, somebody's clone of it, and the remote it describes."""

    clone: Project
    runner: Runner
    github: GitHub
    remote: Remote

    def write(self, rule: str, branch: str = "main") -> None:
        """Commit a rule of the only assistant's prompt, and push it."""
        exists = git(self.clone.root, "branch", "--list", branch)
        git(self.clone.root, "checkout", "--quiet", *([] if exists else ["-b"]), branch)
        self.clone.write("assistants.d/helpdesk.yaml", ASSISTANT.format(rule=rule))
        git(self.clone.root, "add", "--all")
        git(self.clone.root, "commit", "--quiet", "--allow-empty", "-m", "rule")
        git(self.clone.root, "push", "--quiet", "origin", branch)

    def merge(self, branch: str) -> JobRun:
        """Merge a branch; what `apply` did."""
        before = git(self.clone.root, "rev-parse", "main")
        git(self.clone.root, "checkout", "--quiet", "main")
        git(self.clone.root, "merge", "--quiet", "--no-ff", "-m", "merge", branch)
        git(self.clone.root, "push", "--quiet", "origin", "main")
        return self.only("apply", Event("push", {"before": before}, secrets=SECRETS))

    def pull_request(self, branch: str, repository: str = "acme/fleet", by: str = "octocat") -> dict[str, JobRun]:
        """The runs of a pull request's workflow, and of the one after it that comments."""
        commit = git(self.clone.root, "rev-parse", branch)
        head = {"ref": branch, "sha": commit, "repo": {"full_name": repository}}
        pull = {"number": 7, "head": head, "user": {"login": by}}
        self.github.pulls.clear()
        self.github.proposed(7, repository, branch, commit)
        jobs = self.runner.run("gitops.yml", Event("pull_request", {"pull_request": pull}, "7/merge", SECRETS))
        run = {"id": 42, "event": "pull_request", "head_branch": branch, "head_sha": commit, "pull_requests": []}
        after = Event("workflow_run", {"workflow_run": {**run, "head_repository": {"full_name": repository}}})
        return jobs | self.runner.run("gitops-comment.yml", after)

    def only(self, job: str, event: Event) -> JobRun:
        jobs = self.runner.run("gitops.yml", event)
        assert list(jobs) == [job]
        return jobs[job]

    def drift(self) -> JobRun:
        return self.only("drift", Event("schedule", {}, secrets=SECRETS))


@pytest.fixture(scope="session")
def tools() -> None:
    """What the scripts call, as GitHub's own runners have it."""
    if missing := [name for name in ("bash", "curl", "git", "jq", "unzip") if shutil.which(name) is None]:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"not installed: {', '.join(missing)}")


@pytest.fixture
def team(tools: None, project: Project, remote: Remote) -> Iterator[Team]:
    bare = project.root / "bare.git"
    git(project.root, "init", "--quiet", "--bare", str(bare))
    git(project.root, "clone", "--quiet", str(bare), "clone")
    clone = Project(project.root / "clone", project.environment)
    clone.target(remote.url)
    clone.write(".gitignore", ".reconciler/\n")
    github = GitHub()
    with serve(github) as server:
        found = Team(clone, Runner(project.root / "runner", bare, github, server.url, TOKEN), github, remote)
        found.write("Be kind.")
        clone.ok("apply", "--yes")
        remote.forget()
        yield found


def test_from_the_pull_request_to_the_drift_issue_and_back(team: Team) -> None:
    team.write("Be polite.", "topic")
    jobs = team.pull_request("topic")
    assert sorted(jobs) == ["comment", "plan", "validate"]
    assert [job.code for job in jobs.values()] == [0, 0, 0]
    assert team.remote.writes == []
    (comment,) = team.github.comments
    assert comment["body"].startswith("<!-- reconciler:plan:test -->\n")
    assert "polite" in comment["body"]
    assert "polite" in jobs["plan"].summary

    applied = team.merge("topic")
    assert applied.code == 0
    (write,) = team.remote.writes
    assert write.body == {"instructions": "You help customers.\nBe polite.\n"}

    assert team.drift().code == 0
    assert team.github.issues == []
    team.remote.ask("POST", f"/v1/assistants/{team.remote.named('Helpdesk')['id']}", {"temperature": 0.9})
    team.remote.forget()
    assert team.drift().code == 0
    (issue,) = team.github.issues
    assert "temperature" in issue["body"]
    assert team.drift().code == 0
    assert len(team.github.issues) == 1
    assert team.remote.writes == []

    team.write("Be polite.")
    assert team.only("apply", Event("workflow_dispatch", {}, secrets=SECRETS)).code == 0
    assert team.remote.named("Helpdesk")["temperature"] == 0.2
    assert team.drift().code == 0
    assert [each["state"] for each in team.github.issues] == ["closed"]


def test_a_second_push_edits_the_same_comment(team: Team) -> None:
    for rule in ("Be polite.", "Be brief."):
        team.write(rule, "topic")
        team.pull_request("topic")
    (comment,) = team.github.comments
    assert "brief" in comment["body"]
    assert "polite" not in comment["body"]


@pytest.mark.parametrize(("repository", "by"), [("mallory/fleet", "mallory"), ("acme/fleet", "dependabot[bot]")])
def test_a_fork_is_planned_without_secrets_and_commented_from_the_second_workflow(
    team: Team, repository: str, by: str
) -> None:
    team.write("Be polite.", "topic")
    jobs = team.pull_request("topic", repository, by)
    assert sorted(jobs) == ["comment", "plan-offline", "validate"]
    assert [job.code for job in jobs.values()] == [0, 0, 0]
    assert team.remote.app.requests == []
    seen = [each for job in jobs.values() for each in job.environment]
    assert not [each for each in seen if set(SECRETS.values()) & set(each.values())]
    offline = jobs["plan-offline"].environment
    assert not [each for each in offline if TOKEN in each.values()]
    (comment,) = team.github.comments
    assert comment["number"] == 7
    assert "author controls" in comment["body"]
    assert "polite" in comment["body"]
    plan = jobs["plan-offline"].outputs["plan"]
    assert (plan["changes"], plan["exit-code"], plan["failure"]) == ("true", "2", "")
    assert json.loads(plan["counts"])["update"] == 1
    assert re.fullmatch("sha256:[0-9a-f]{64}", plan["digest"])


def test_what_a_fork_uploads_is_data(team: Team) -> None:
    team.write("Be polite.", "topic")
    team.pull_request("topic", "mallory/fleet")
    team.github.comments.clear()
    packed = {
        "no plan": {"plan.json": b'{"number": 1}'},
        "not JSON": {"plan.json": b"::error::pwned"},
        "another name": {"../plan.json": b"{}", "evil.sh": b"exit 1"},
        "too large": {"plan.json": b" " * 10_000_001},
    }
    for files in packed.values():
        team.github.artifacts.clear()
        team.github.upload("reconciler-plan", files)
        run = comment_run(team)
        assert team.github.comments == []
        assert set(run.obeyed) <= {"stop-commands", "error"}
        told = [line for line in run.log.splitlines() if line.startswith("::error")]
        assert all("title=RC0410::" in line and "pwned" not in line for line in told)


def test_a_pull_request_that_has_moved_on_is_not_commented_with_an_old_plan(team: Team) -> None:
    team.write("Be polite.", "topic")
    team.pull_request("topic", "mallory/fleet")
    team.github.comments.clear()
    assert comment_run(team, head_sha="0" * 40).code == 0
    assert team.github.comments == []


def comment_run(team: Team, **changes: Any) -> JobRun:
    commit = git(team.clone.root, "rev-parse", "topic")
    run = {"id": 42, "event": "pull_request", "head_branch": "topic", "head_sha": commit}
    payload = {**run, "head_repository": {"full_name": "mallory/fleet"}, **changes}
    return team.runner.run("gitops-comment.yml", Event("workflow_run", {"workflow_run": payload}))["comment"]


@pytest.mark.parametrize("repository", ["acme/fleet", "mallory/fleet"])
def test_text_of_a_prompt_is_no_command_and_no_output(team: Team, repository: str) -> None:
    team.write(HOSTILE, "topic")
    jobs = team.pull_request("topic", repository)
    jobs["apply"] = team.merge("topic")
    for job in jobs.values():
        assert job.code == 0
        assert set(job.obeyed) <= {"stop-commands", "notice", "warning"}
        assert "pwned" not in json.dumps(job.outputs)
    assert "pwned" in team.remote.named("Helpdesk")["instructions"]


def test_whatever_the_tool_prints_the_runner_obeys_none_of_it(team: Team) -> None:
    """The tool makes text harmless itself; here something prints raw commands in its place."""
    loud = team.clone.root / "loud"
    loud.write_text(
        f"#!/bin/sh\ncat <<'E'\n{HOSTILE.replace(chr(10) + '  ', chr(10))}\n::mine::\nE\nprintf ::error::unended"
    )
    loud.chmod(0o755)
    team.runner.python = str(loud)
    jobs = team.pull_request("main")
    assert set(jobs["plan"].obeyed + jobs["validate"].obeyed) == {"stop-commands"}
    assert "::error::unended\n" in jobs["plan"].log


def test_a_blocked_plan_fails_the_job_with_its_code_and_is_commented(team: Team) -> None:
    for number in range(4):
        team.clone.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    team.write("Be kind.")
    team.clone.ok("apply", "--yes")
    git(team.clone.root, "checkout", "--quiet", "-b", "topic")
    for number in range(4):
        team.clone.remove(f"assistants.d/a{number}.yaml")
    team.write("Be kind.", "topic")
    jobs = team.pull_request("topic")
    assert jobs["plan"].code == 4
    assert len(team.github.comments) == 1
    team.remote.forget()
    assert team.merge("topic").code == 4
    assert team.remote.writes == []
    dispatched = Event("workflow_dispatch", {}, secrets=SECRETS, inputs={"allow-deletes": "4"})
    assert team.only("apply", dispatched).code == 0
    assert len(team.remote.objects()) == 1


def test_the_workflow_that_init_writes_deletes_many_when_it_is_started_by_hand_with_their_number(team: Team) -> None:
    for number in range(4):
        team.clone.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    team.clone.ok("apply", "--yes")
    for number in range(4):
        team.clone.remove(f"assistants.d/a{number}.yaml")
    team.write("Be kind.")
    team.clone.ok("init", "--ci", "github")
    written = team.clone.root / ".github/workflows/gitops.yml"
    team.clone.write(".github/workflows/gitops.yml", written.read_text().replace("OWNER/reconciler@COMMIT", "./"))
    for name, number, code in (("push", "", 4), ("workflow_dispatch", "3", 4), ("workflow_dispatch", "4", 0)):
        jobs = team.runner.run(str(written), Event(name, {}, secrets=SECRETS, inputs={"allow-deletes": number}))
        assert {job: run.code for job, run in jobs.items()} == {"apply": code}
    assert len(team.remote.objects()) == 1
    assert team.runner.run(str(written), Event("workflow_dispatch", {}, "topic", SECRETS)) == {}


def test_a_broken_file_fails_the_jobs_and_nothing_is_commented_or_sent(team: Team) -> None:
    git(team.clone.root, "checkout", "--quiet", "-b", "topic")
    team.clone.write("assistants.d/broken.yaml", "name: [\n")
    team.write("Be kind.", "topic")
    jobs = team.pull_request("topic")
    assert (jobs["validate"].code, jobs["plan"].code, jobs["comment"].code) == (1, 1, 0)
    assert "broken.yaml:" in jobs["plan"].log
    assert team.github.comments == []
    assert team.remote.app.requests == []


def test_the_projects_own_files_are_not_imported(team: Team) -> None:
    git(team.clone.root, "checkout", "--quiet", "-b", "topic")
    for module in ("yaml", "httpx", "click", "json", "reconciler"):
        team.clone.write(f"{module}.py", f"raise SystemExit('{module} of the pull request was imported')")
    team.write("Be polite.", "topic")
    assert [job.code for job in team.pull_request("topic").values()] == [0, 0, 0]
