"""Comments and issues on GitHub, over its REST API.

Who we are is asked through GraphQL: `GET /user` is closed to the token of a workflow run, `viewer` is open to every
kind of token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote

from reconciler.core.values.model import Body
from reconciler.drivers.base import BadResponse, Rejected
from reconciler.drivers.forge.api import ForgeApi, text_at
from reconciler.drivers.forge.posts import Post

_REST_ROOT: Final = "/v3"  # of GitHub Enterprise Server, whose GraphQL is beside it
_REFUSED: Final = "a workflow needs `permissions: pull-requests: write` for comments and `issues: write` for issues"


class GitHub:
    """One repository (`OWNER/NAME`) behind the REST API at `url`, as GITHUB_API_URL gives it."""

    def __init__(self, url: str, token: str, repository: str, trace: Callable[[str], None] | None = None) -> None:
        headers = {
            "accept": "application/vnd.github+json",
            "x-github-api-version": "2022-11-28",
            "user-agent": "reconciler",
            "authorization": f"Bearer {token}",
        }
        base = url.rstrip("/").removesuffix(_REST_ROOT)
        self.api = ForgeApi(base, headers, token, _REFUSED, trace)
        root = _REST_ROOT if base != url.rstrip("/") else ""
        self.path = f"{root}/repos/{quote(repository, safe='/')}"

    @cached_property
    def login(self) -> str:
        """The account that the token belongs to: `github-actions[bot]` in a workflow run."""
        answer = self.api.ask("POST", "/graphql", body={"query": "query { viewer { login } }"})
        if login := text_at(answer, "data", "viewer", "login"):
            return login
        raise BadResponse("GitHub did not report whose token this is", hint="is the token valid?")

    def wrote(self, body: Body) -> bool:
        """Whether the token's account is the author. A bot's login may lack its suffix in GraphQL, never in REST."""
        author = text_at(body, "user", "login")
        bot = f"{self.login}[bot]" if text_at(body, "user", "type") == "Bot" else self.login
        return author in (self.login, bot)

    def pull_requests_of(self, repository: str, branch: str, commit: str) -> list[int]:
        """The open pull requests whose head is this commit on this branch of that repository (a fork, as a rule)."""
        head = f"{repository.partition('/')[0]}:{branch}"
        found = self.api.pages(f"{self.path}/pulls", {"state": "open", "head": head})
        return [
            int(text_at(each, "number"))
            for each in found
            if (text_at(each, "head", "sha"), text_at(each, "head", "repo", "full_name")) == (commit, repository)
        ]


@dataclass(frozen=True, slots=True)
class GitHubComments:
    """The comments of one pull request."""

    github: GitHub
    number: int

    def own(self) -> Iterator[Post]:
        """Those of the token's account, oldest first."""
        path = f"{self.github.path}/issues/{self.number}/comments"
        return (_post(each, "id") for each in self.github.api.pages(path, {}) if self.github.wrote(each))

    def add(self, body: str) -> Post:
        """Write a new comment. Sent once."""
        path = f"{self.github.path}/issues/{self.number}/comments"
        return _post(self.github.api.ask("POST", path, body={"body": body}, repeatable=False), "id")

    def edit(self, id: str, body: str) -> Post:
        """Replace the text of a comment."""
        return _post(
            self.github.api.ask("PATCH", f"{self.github.path}/issues/comments/{id}", body={"body": body}), "id"
        )


@dataclass(frozen=True, slots=True)
class GitHubIssues:
    """The open issues with one label."""

    github: GitHub
    title: str
    label: str

    def own(self) -> Iterator[Post]:
        """Those of the token's account, oldest first. The list holds pull requests too; they are left out."""
        query = {"state": "open", "labels": self.label, "sort": "created", "direction": "asc"}
        found = self.github.api.pages(f"{self.github.path}/issues", query)
        return (_post(each, "number") for each in found if "pull_request" not in each and self.github.wrote(each))

    def add(self, body: str) -> Post:
        """Open an issue. Raises Rejected when GitHub left the label out: it would not be found again."""
        content = {"title": self.title, "body": body, "labels": [self.label]}
        answer = self.github.api.ask("POST", f"{self.github.path}/issues", body=content, repeatable=False)
        labels = answer.get("labels")
        if not any(
            text_at(each, "name").lower() == self.label.lower() for each in labels or () if isinstance(each, dict)
        ):
            url = text_at(answer, "html_url")
            hint = f"add the label to {url} by hand, and give the token permission to set labels"
            raise Rejected(f"the issue was opened without its label {self.label!r}", hint=hint)
        return _post(answer, "number")

    def edit(self, id: str, body: str) -> Post:
        """Replace the text of an issue."""
        return _post(self.github.api.ask("PATCH", f"{self.github.path}/issues/{id}", body={"body": body}), "number")

    def close(self, id: str) -> Post:
        """Close an issue, as done."""
        content = {"state": "closed", "state_reason": "completed"}
        return _post(self.github.api.ask("PATCH", f"{self.github.path}/issues/{id}", body=content), "number")


def _post(body: Body, id: str) -> Post:
    if not text_at(body, id):
        raise BadResponse(f"the response of GitHub has no {id}")
    return Post(text_at(body, id), text_at(body, "body"), text_at(body, "html_url"))
