"""A CI job of each forge, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from reconciler.server.http import serve
from tests.conftest import Project, Ran
from tests.gitops.fakes import TOKEN, GitHub, GitLab

HEADER = "<!-- reconciler:plan:production -->"
PLAN = f"{HEADER}\n**1 to update**\n\n| field | change |\n"


class Job:
    """A project in a CI job of one forge."""

    def __init__(self, project: Project, provider: str, environment: dict[str, str]) -> None:
        self.project = project
        self.provider = provider
        project.environment.update(environment)
        project.write("plan.md", PLAN)

    def comment(self, *arguments: str) -> Ran:
        return self.project.run("comment", "--provider", self.provider, "--file", "plan.md", *arguments)


@pytest.fixture
def github() -> GitHub:
    return GitHub()


@pytest.fixture
def on_github(project: Project, github: GitHub) -> Iterator[Job]:
    event = project.write("event.json", json.dumps({"pull_request": {"number": 7}}))
    with serve(github) as server:
        yield Job(
            project,
            "github",
            {
                "GITHUB_API_URL": server.url,
                "GITHUB_TOKEN": TOKEN,
                "GITHUB_REPOSITORY": "acme/fleet",
                "GITHUB_EVENT_PATH": str(event),
            },
        )


@pytest.fixture
def gitlab() -> GitLab:
    return GitLab()


@pytest.fixture
def on_gitlab(project: Project, gitlab: GitLab) -> Iterator[Job]:
    with serve(gitlab) as server:
        yield Job(
            project,
            "gitlab",
            {
                "CI_API_V4_URL": f"{server.url}/api/v4",
                "GITLAB_TOKEN": TOKEN,
                "CI_JOB_TOKEN": "job-token-that-may-not-comment",
                "CI_PROJECT_ID": "278964",
                "CI_MERGE_REQUEST_PROJECT_ID": "278964",
                "CI_MERGE_REQUEST_IID": "7",
            },
        )
