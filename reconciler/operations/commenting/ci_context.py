"""Which repository, pull request and token a CI job is about, from its environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.config.errors import ConfigError, error
from reconciler.diagnostics import Code
from reconciler.drivers.forge.api import refuse_url, text_at
from reconciler.drivers.forge.github import GitHub, GitHubComments, GitHubIssues
from reconciler.drivers.forge.gitlab import GitLab, GitLabIssues, GitLabNotes
from reconciler.drivers.forge.posts import Issues, Posts
from reconciler.drivers.transport.json_encoding import decoded
from reconciler.operations.reporter import Trace


@contextmanager
def thread_of(
    provider: str, environment: Mapping[str, str], repository: str | None, number: int | None, trace: Trace
) -> Iterator[Posts | None]:
    """The comments of the pull request; None where the job is about a commit that no open one has as its head."""
    if provider == "gitlab":
        project = repository or environment.get("CI_MERGE_REQUEST_PROJECT_ID")
        gitlab = _gitlab(environment, project, trace)
        with gitlab.api:
            yield GitLabNotes(gitlab, number or _number(environment, "CI_MERGE_REQUEST_IID"))
        return
    github = _github(environment, repository, trace)
    with github.api:
        found = number or _pull_request(github, environment)
        yield None if found is None else GitHubComments(github, found)


@contextmanager
def issues_of(
    provider: str, environment: Mapping[str, str], repository: str | None, title: str, label: str, trace: Trace
) -> Iterator[Issues]:
    """The open issues with the label."""
    if provider == "gitlab":
        gitlab = _gitlab(environment, repository, trace)
        with gitlab.api:
            yield GitLabIssues(gitlab, title, label)
        return
    github = _github(environment, repository, trace)
    with github.api:
        yield GitHubIssues(github, title, label)


def _github(environment: Mapping[str, str], repository: str | None, trace: Trace) -> GitHub:
    url = _url("github", environment.get("GITHUB_API_URL") or "https://api.github.com")
    name = repository or _needed(environment, "GITHUB_REPOSITORY", "or give --repository OWNER/NAME")
    return GitHub(url, _token(environment, "GITHUB_TOKEN"), name, trace)


def _gitlab(environment: Mapping[str, str], project: str | None, trace: Trace) -> GitLab:
    url = _url("gitlab", environment.get("CI_API_V4_URL") or "https://gitlab.com/api/v4")
    name = project or _needed(environment, "CI_PROJECT_ID", "or give --repository GROUP/NAME")
    return GitLab(url, _token(environment, "GITLAB_TOKEN"), name, trace)


def _pull_request(github: GitHub, environment: Mapping[str, str]) -> int | None:
    """The number from the event of a workflow run.

    A `workflow_run` tells no number for a fork: the open pull request with its repository, branch and commit is looked
    up. None where there is not exactly one.
    """
    event = _event(environment)
    if number := text_at(event, "pull_request", "number"):
        return int(number)
    run = event.get("workflow_run")
    if not isinstance(run, dict):
        raise _missing("the event of this run has no pull request", "give --pull-request N")
    head = text_at(run, "head_repository", "full_name"), text_at(run, "head_branch"), text_at(run, "head_sha")
    if not all(head):
        return None
    found = github.pull_requests_of(*head)
    return found[0] if len(found) == 1 else None


def _event(environment: Mapping[str, str]) -> dict[str, Any]:
    file = _needed(environment, "GITHUB_EVENT_PATH", "or give --pull-request N")
    try:
        event = decoded(Path(file).read_bytes())
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise _missing("GITHUB_EVENT_PATH names a file that is not an event", "give --pull-request N")
    return event


def _number(environment: Mapping[str, str], name: str) -> int:
    text = _needed(environment, name, "or give --pull-request N; it is set in merge request pipelines only")
    if text.isascii() and text.isdecimal():
        return int(text)
    raise _missing(f"{name} is not a number", "give --pull-request N")


def _url(provider: str, url: str) -> str:
    """The API's URL, if a token may be sent there. Raises ConfigError."""
    if problem := refuse_url(provider, url):
        raise ConfigError([problem])
    return url


def _token(environment: Mapping[str, str], name: str) -> str:
    """The token, which has to fit into a header. Raises ConfigError, never with the token in it."""
    token = _needed(environment, name, "the token is read only from there")
    if token.isascii() and token.isprintable() and " " not in token:
        return token
    raise _missing(f"{name} is malformed", "it has a space, a line break or a non-ASCII character")


def _needed(environment: Mapping[str, str], name: str, hint: str) -> str:
    if value := environment.get(name):
        return value
    raise _missing(f"the environment variable {name} is not set", f"set it: export {name}=…; {hint}")


def _missing(summary: str, hint: str) -> ConfigError:
    return ConfigError([error(Code.MISSING_ENVIRONMENT, summary, None, "", hint)])
