"""The GitLab component's scripts and the shell recipe of the guide, run as they are written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.gitops.fakes import TOKEN, GitLab
from tests.gitops.runner import ROOT, git

ASSISTANT = "name: Helpdesk\nmodel: gpt-4o\ntemperature: 0.2\n"
Job = Callable[..., int]


@pytest.fixture
def fleet(project: Project, remote: Remote) -> Project:
    """A repository whose only assistant is live."""
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", ASSISTANT)
    project.write(".gitignore", ".reconciler/\n.reconciler-job/\nreconciler-job/\n")
    commit(project)
    project.ok("apply", "--yes")
    remote.forget()
    return project


def commit(project: Project) -> None:
    git(project.root, "init", "--quiet")
    git(project.root, "add", "--all")
    git(project.root, "commit", "--quiet", "-m", "files")


def ended(command: list[str], directory: Path, environment: dict[str, str]) -> int:
    """The exit code of a command."""
    return subprocess.run(command, cwd=directory, env=environment, check=False).returncode


def component() -> tuple[dict[str, Any], dict[str, Any]]:
    """The component's inputs, and its jobs with the defaults filled in."""
    text = (ROOT / "templates" / "reconciler" / "template.yml").read_text(encoding="utf-8")
    head = next(yaml.safe_load_all(text.replace("$[[", "[[")))
    inputs = head["spec"]["inputs"]
    filled = re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: str(inputs[found[1]].get("default", "")), text)
    return inputs, list(yaml.safe_load_all(filled))[1]


@pytest.fixture
def gitlab() -> GitLab:
    return GitLab()


@pytest.fixture
def job(fleet: Project, gitlab: GitLab) -> Iterator[Job]:
    """Runs a job of the component, but for its installation."""
    jobs = component()[1]
    with serve(gitlab) as server:

        def run(name: str, **more: str) -> int:
            environment = {
                **fleet.environment,
                "CI": "true",
                "CI_PROJECT_DIR": str(fleet.root),
                "CI_API_V4_URL": f"{server.url}/api/v4",
                "CI_PROJECT_ID": "278964",
                "CI_MERGE_REQUEST_PROJECT_ID": "278964",
                "CI_MERGE_REQUEST_IID": "7",
                "GITLAB_TOKEN": TOKEN,
                "TOOL_PYTHON": sys.executable,
                **{key: value for key, value in jobs[".reconciler"]["variables"].items() if value != ""},
                **more,
            }
            script = "\n".join([jobs[".reconciler"]["before_script"][1], *jobs[f"reconciler:{name}"]["script"]])
            return ended(["bash", "-eo", "pipefail", "-c", script], fleet.root, environment)

        yield run


def test_the_components_jobs_plan_apply_and_watch(job: Job, fleet: Project, remote: Remote, gitlab: GitLab) -> None:
    fleet.write("assistants.d/helpdesk.yaml", ASSISTANT.replace("0.2", "0.7"))
    before = git(fleet.root, "rev-parse", "HEAD")
    commit(fleet)
    assert [job("validate"), job("plan"), job("plan")] == [0, 0, 0]
    assert len(gitlab.notes) == 1
    assert "temperature" in gitlab.notes[0]["body"]
    assert remote.writes == []
    read = len(remote.app.requests)
    assert job("plan-offline", CI_MERGE_REQUEST_DIFF_BASE_SHA=before) == 0
    assert len(remote.app.requests) == read
    for report in ("codequality.json", "counts.json"):
        assert (fleet.root / ".reconciler-job" / report).stat().st_size
    assert job("apply") == 0
    assert [write.body for write in remote.writes] == [{"temperature": 0.7}]
    assert job("drift") == 0
    remote.ask("POST", f"/v1/assistants/{remote.named('Helpdesk')['id']}", {"temperature": 1.0})
    assert [job("drift"), job("drift")] == [2, 2]
    assert [each["state"] for each in gitlab.issues] == ["opened"]
    assert [job("apply"), job("drift")] == [0, 0]
    assert [each["state"] for each in gitlab.issues] == ["closed"]


def test_a_job_of_the_component_fails_with_the_commands_code(job: Job, fleet: Project, gitlab: GitLab) -> None:
    fleet.write("assistants.d/broken.yaml", "name: [\n")
    assert [job(name) for name in ("validate", "plan", "apply", "drift")] == [1, 1, 1, 1]
    assert (gitlab.notes, gitlab.issues) == ([], [])


def test_deletes_that_are_held_back_are_allowed_by_the_variable_that_the_message_names(
    job: Job, recipe: Job, fleet: Project, remote: Remote
) -> None:
    fleet.write("assistants.d/second.yaml", ASSISTANT.replace("Helpdesk", "Second"))
    fleet.ok("apply", "--yes")
    for file, run in (("second.yaml", job), ("helpdesk.yaml", recipe)):
        fleet.remove(f"assistants.d/{file}")
        count = len(remote.objects())
        assert run("apply") == 4
        assert len(remote.objects()) == count
        said = re.findall("set (RECONCILER_[A-Z_]+)=([0-9]+) in a job", fleet.run("plan").out)
        assert set(said) == {("RECONCILER_APPLY_ALLOW_DELETES", "1")}
        fleet.environment |= dict(said)
        assert run("apply") == 0
        assert len(remote.objects()) == count - 1
        fleet.environment.pop("RECONCILER_APPLY_ALLOW_DELETES")


FORGED = "<!-- reconciler -->\n**No changes.** Approved by the platform team.\n"
PLACES = (".reconciler-job/{0}", "reconciler-job/{0}", "{0}", "assistants.d/{0}", "out/{0}")


def commit_forgeries(fleet: Project, *names: str) -> None:
    """What a pull request may commit: files where a job would look for its own."""
    fleet.remove(".gitignore")
    for name in names:
        for place in PLACES:
            if not (place.startswith("assistants.d") and name.endswith("json")):
                fleet.write(place.format(name), FORGED)
    commit(fleet)


@pytest.mark.parametrize("broken", [True, False])
def test_what_a_merge_request_commits_is_not_posted_and_not_kept(
    broken: bool, job: Job, fleet: Project, gitlab: GitLab
) -> None:
    commit_forgeries(fleet, "plan.json", "codequality.json", "counts.json", "report.json", "drift.json")
    for name in ("plan.md", "drift.md"):
        for place in PLACES[:3]:
            fleet.write(place.format(name), FORGED)
    commit(fleet)
    if broken:
        fleet.write("assistants.d/broken.yaml", "name: [\n")
    for name in ("plan", "drift", "apply"):
        assert job(name, CI_MERGE_REQUEST_DIFF_BASE_SHA="HEAD") == (1 if broken else 0)
        kept = fleet.root / ".reconciler-job"
        assert not any(FORGED in file.read_text(encoding="utf-8") for file in kept.iterdir())
    assert not any("Approved" in each["body"] for each in gitlab.notes)
    assert gitlab.issues == []
    assert len(gitlab.notes) == (0 if broken else 1)


@pytest.mark.parametrize("leads", ["elsewhere", ".git", "assistants.d"])
def test_a_committed_link_leads_the_artefacts_nowhere(leads: str, job: Job, fleet: Project) -> None:
    fleet.write("elsewhere/mine.json", "mine")
    (fleet.root / ".reconciler-job").symlink_to(leads)
    fleet.write("assistants.d/helpdesk.yaml", ASSISTANT.replace("0.2", "0.7"))
    before = {path.name for path in (fleet.root / leads).iterdir()}
    assert job("plan") == 0
    assert {path.name for path in (fleet.root / leads).iterdir()} == before
    assert not (fleet.root / ".reconciler-job").is_symlink()
    assert {path.name for path in (fleet.root / ".reconciler-job").iterdir()} >= {"plan.json", "codequality.json"}


def test_the_component_takes_a_whole_commit_and_says_when_each_job_runs() -> None:
    inputs, jobs = component()
    assert re.fullmatch(inputs["commit"]["regex"], "a" * 40)
    assert not re.fullmatch(inputs["commit"]["regex"], "main")
    rules = {name: job["rules"][0]["if"] for name, job in jobs.items() if name.startswith("reconciler:")}
    assert sorted(rules) == [f"reconciler:{name}" for name in ("apply", "drift", "plan", "plan-offline", "validate")]
    assert jobs["reconciler:apply"]["resource_group"] == "reconciler-production"
    assert jobs["reconciler:apply"]["interruptible"] is False
    assert '$CI_PIPELINE_SOURCE == "web"' in rules["reconciler:apply"], "started by hand, with a variable"


@pytest.fixture
def recipe(fleet: Project, tmp_path: Path) -> Job:
    """Runs `job.sh` of the guide."""
    guide = (ROOT / "docs" / "guides" / "gitops-elsewhere.md").read_text(encoding="utf-8")
    (script,) = [block for block in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL) if block.startswith("#!/bin/sh")]

    def run(*arguments: str) -> int:
        scratch = tmp_path / "job.tmp"
        scratch.mkdir(exist_ok=True)
        environment = {**fleet.environment, "RECONCILER_PYTHON": sys.executable, "PATH": os.environ["PATH"]}
        environment["TMPDIR"] = str(scratch)
        return ended(["sh", "-c", script, "job.sh", *arguments], fleet.root, environment)

    return run


def test_the_shell_recipe_of_the_guide_does_the_same(recipe: Job, fleet: Project, remote: Remote) -> None:
    fleet.write("assistants.d/helpdesk.yaml", ASSISTANT.replace("0.2", "0.7"))
    assert [recipe("validate"), recipe("plan"), recipe("plan-offline", "HEAD")] == [0, 0, 0]
    assert remote.writes == []
    assert [recipe("apply"), recipe("drift")] == [0, 0]
    assert [write.body for write in remote.writes] == [{"temperature": 0.7}]
    remote.ask("POST", f"/v1/assistants/{remote.named('Helpdesk')['id']}", {"temperature": 1.0})
    assert recipe("drift") == 2
    fleet.write("assistants.d/broken.yaml", "name: [\n")
    assert [recipe(name) for name in ("validate", "plan", "apply", "drift")] == [1, 1, 1, 1]


@pytest.mark.parametrize("name", ["plan", "plan-offline", "apply", "drift"])
def test_the_shell_recipe_writes_nothing_into_the_checkout(name: str, recipe: Job, fleet: Project) -> None:
    commit_forgeries(fleet, "plan.json", "report.json")
    (fleet.root / "reconciler-job" / "plan.json").unlink()
    (fleet.root / "reconciler-job" / "plan.json").symlink_to("../assistants.d/helpdesk.yaml")
    commit(fleet)
    assert recipe(name, "HEAD") == 0
    assert git(fleet.root, "status", "--porcelain", "--", ".", ":!.reconciler", ":!job.tmp") == ""


def test_the_guides_post_nothing_from_the_checkout() -> None:
    for file in (
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "templates").rglob("*.yml"),
        ROOT / "README.md",
        ROOT / "action.yml",
    ):
        for posted in re.findall(r"comment\b.*--file[= ](\S+)", file.read_text(encoding="utf-8")):
            assert posted.lower().startswith(('"$out/', "file")), f"{file}: {posted}"


def test_the_pre_commit_hook_runs_as_it_is_written(fleet: Project) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for hook in hooks:
        command = hook["entry"].split()
        assert command[0] == "reconciler"
        assert fleet.run(*command[1:]).code == 0
