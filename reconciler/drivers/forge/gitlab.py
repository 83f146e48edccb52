"""Merge request notes and issues on GitLab, over its REST API.

The token is a project, group or personal access token with the scope `api`: a job's own CI_JOB_TOKEN may neither write
notes nor issues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import quote

from reconciler.core.values.model import Body
from reconciler.drivers.base import BadResponse
from reconciler.drivers.forge.api import ForgeApi, text_at
from reconciler.drivers.forge.posts import Post

_REFUSED: Final = "GITLAB_TOKEN must be an access token with the scope `api` and at least the role Reporter"


class GitLab:
    """One project (its number, or its path `GROUP/NAME`) behind the API at `url`, as CI_API_V4_URL gives it."""

    def __init__(self, url: str, token: str, project: str, trace: Callable[[str], None] | None = None) -> None:
        headers = {"private-token": token, "user-agent": "reconciler"}
        self.api = ForgeApi(url.rstrip("/"), headers, token, _REFUSED, trace)
        self.path = f"/projects/{quote(project, safe='')}"

    @cached_property
    def user(self) -> str:
        """The id of the account that the token belongs to."""
        if id := text_at(self.api.ask("GET", "/user"), "id"):
            return id
        raise BadResponse("GitLab did not report whose token this is", hint=_REFUSED)

    def wrote(self, body: Body) -> bool:
        """Whether the token's account is the author."""
        return text_at(body, "author", "id") == self.user


@dataclass(frozen=True, slots=True)
class GitLabNotes:
    """The notes of one merge request."""

    gitlab: GitLab
    number: int

    def own(self) -> Iterator[Post]:
        """Those of the token's account, oldest first."""
        found = self.gitlab.api.pages(self._path, {"sort": "asc", "order_by": "created_at"})
        return (_post(each, "id", "body") for each in found if self.gitlab.wrote(each))

    def add(self, body: str) -> Post:
        """Write a new note. Sent once."""
        return _post(self.gitlab.api.ask("POST", self._path, body={"body": body}, repeatable=False), "id", "body")

    def edit(self, id: str, body: str) -> Post:
        """Replace the text of a note."""
        return _post(self.gitlab.api.ask("PUT", f"{self._path}/{id}", body={"body": body}), "id", "body")

    @property
    def _path(self) -> str:
        return f"{self.gitlab.path}/merge_requests/{self.number}/notes"


@dataclass(frozen=True, slots=True)
class GitLabIssues:
    """The open issues with one label."""

    gitlab: GitLab
    title: str
    label: str

    def own(self) -> Iterator[Post]:
        """Those of the token's account, oldest first."""
        query = {"state": "opened", "labels": self.label, "order_by": "created_at", "sort": "asc", "scope": "all"}
        found = self.gitlab.api.pages(f"{self.gitlab.path}/issues", query)
        return (_post(each, "iid", "description") for each in found if self.gitlab.wrote(each))

    def add(self, body: str) -> Post:
        """Open an issue. Sent once."""
        content = {"title": self.title, "description": body, "labels": self.label}
        answer = self.gitlab.api.ask("POST", f"{self.gitlab.path}/issues", body=content, repeatable=False)
        return _post(answer, "iid", "description")

    def edit(self, id: str, body: str) -> Post:
        """Replace the text of an issue."""
        return self._put(id, {"description": body})

    def close(self, id: str) -> Post:
        """Close an issue."""
        return self._put(id, {"state_event": "close"})

    def _put(self, id: str, content: Body) -> Post:
        return _post(self.gitlab.api.ask("PUT", f"{self.gitlab.path}/issues/{id}", body=content), "iid", "description")


def _post(body: Body, id: str, text: str) -> Post:
    if not text_at(body, id):
        raise BadResponse(f"the response of GitLab has no {id}")
    return Post(text_at(body, id), text_at(body, text), text_at(body, "web_url"))
