"""GitHub and GitLab as far as the GitOps job asks them: answers in the shape of the vendors' documentation."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot", "site_admin": False}
SOMEBODY = {"login": "octocat", "id": 1, "type": "User", "site_admin": False}
TOKEN = "ghs_canary0123456789"

ROBOT = {"id": 77, "username": "project_278964_bot_1", "name": "reconciler", "state": "active", "locked": False}
PERSON = {"id": 1, "username": "root", "name": "Administrator", "state": "active", "locked": False}

Fault = Callable[[Request], Response | None]


@dataclass
class Forge:
    """What both have: who asks, what was asked, faults to play before or instead of the answer."""

    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    fault: Fault | None = None
    fault_after: Fault | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        content = request.get_data()
        self.requests.append((request.method, request.path, json.loads(content) if content else None))
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if self.fault and (answer := self.fault(request)):
            return answer
        if (problem := self.refuse(request)) is not None:
            return problem
        try:
            endpoint, values = self.urls.bind_to_environ(request.environ).match()
            answer = getattr(self, endpoint)(request, **values)
        except NotFound:
            return answered({"message": "Not Found", "status": "404"}, 404)
        except HTTPException as problem:
            return answered({"message": problem.description}, problem.code or 500)
        return (self.fault_after(request) if self.fault_after else None) or answer

    urls: Map = field(default_factory=Map)

    def refuse(self, request: Request) -> Response | None:
        raise NotImplementedError

    @property
    def writes(self) -> list[tuple[str, str, Any]]:
        return [each for each in self.requests if each[0] != "GET" and "graphql" not in each[1]]


def answered(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body), status, headers, content_type="application/json; charset=utf-8")


def paged(request: Request, found: list[Any]) -> Response:
    size = min(int(request.args.get("per_page", 30)), 100)
    begin = (int(request.args.get("page", 1)) - 1) * size
    return answered(found[begin : begin + size])


class GitHub(Forge):
    """One repository, `acme/fleet`. `root` is `/api/v3` on an Enterprise Server; GraphQL is beside it."""

    def __init__(self, root: str = "", viewer: dict[str, Any] = BOT) -> None:
        super().__init__()
        self.viewer = viewer
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []
        self.artifacts: dict[str, bytes] = {}
        self.keeps_labels = True
        repo = f"{root}/repos/acme/fleet"
        self.urls = Map(
            [
                Rule(f"{root.removesuffix('/v3')}/graphql", endpoint="graphql", methods=["POST"]),
                Rule(f"{root}/user", endpoint="user", methods=["GET"]),
                Rule(f"{repo}/issues/<int:number>/comments", endpoint="list_comments", methods=["GET"]),
                Rule(f"{repo}/issues/<int:number>/comments", endpoint="add_comment", methods=["POST"]),
                Rule(f"{repo}/issues/comments/<int:id>", endpoint="edit_comment", methods=["PATCH"]),
                Rule(f"{repo}/issues", endpoint="list_issues", methods=["GET"]),
                Rule(f"{repo}/issues", endpoint="add_issue", methods=["POST"]),
                Rule(f"{repo}/issues/<int:number>", endpoint="edit_issue", methods=["PATCH"]),
                Rule(f"{repo}/pulls", endpoint="list_pulls", methods=["GET"]),
                Rule(f"{repo}/actions/runs/<int:run>/artifacts", endpoint="list_artifacts", methods=["GET"]),
                Rule(f"{repo}/actions/artifacts/<int:id>/zip", endpoint="artifact", methods=["GET"]),
                Rule("/storage/<int:id>", endpoint="storage", methods=["GET"]),
            ]
        )

    def refuse(self, request: Request) -> Response | None:
        if request.path.startswith("/storage/"):
            return None
        if request.headers.get("authorization") == f"Bearer {TOKEN}":
            return None
        return answered({"message": f"Bad credentials: {request.headers.get('authorization')}", "status": "401"}, 401)

    def graphql(self, request: Request) -> Response:
        assert request.get_json()["query"] == "query { viewer { login } }"
        return answered({"data": {"viewer": {"login": self.viewer["login"]}}})

    def user(self, request: Request) -> Response:
        return answered({"message": "Resource not accessible by integration", "status": "403"}, 403)

    def said(self, body: str, by: dict[str, Any] | None = BOT, number: int = 7) -> dict[str, Any]:
        """A comment that is there already."""
        id = 1000 + len(self.comments)
        url = f"https://github.com/acme/fleet/pull/{number}#issuecomment-{id}"
        comment = {"id": id, "node_id": f"IC_{id}", "html_url": url, "body": body, "user": by, "number": number}
        self.comments.append(comment)
        return comment

    def list_comments(self, request: Request, number: int) -> Response:
        return paged(request, [each for each in self.comments if each["number"] == number])

    def add_comment(self, request: Request, number: int) -> Response:
        return answered(self.said(request.get_json()["body"], self.viewer, number), 201)

    def edit_comment(self, request: Request, id: int) -> Response:
        comment = next(each for each in self.comments if each["id"] == id)
        comment["body"] = request.get_json()["body"]
        return answered(comment)

    def opened(self, title: str, body: str, labels: list[str], by: dict[str, Any] = BOT) -> dict[str, Any]:
        """An issue that is there already."""
        number = 100 + len(self.issues)
        issue = {
            "number": number,
            "title": title,
            "body": body,
            "state": "open",
            "state_reason": None,
            "user": by,
            "html_url": f"https://github.com/acme/fleet/issues/{number}",
            "labels": [{"id": 1, "name": name, "color": "ededed"} for name in labels],
        }
        self.issues.append(issue)
        return issue

    def list_issues(self, request: Request) -> Response:
        wanted = set(request.args["labels"].split(","))
        state = request.args["state"]
        return paged(
            request,
            [i for i in self.issues if i["state"] == state and wanted <= {each["name"] for each in i["labels"]}],
        )

    def add_issue(self, request: Request) -> Response:
        body = request.get_json()
        labels = body["labels"] if self.keeps_labels else []
        return answered(self.opened(body["title"], body["body"], labels, self.viewer), 201)

    def edit_issue(self, request: Request, number: int) -> Response:
        issue = next(each for each in self.issues if each["number"] == number)
        issue.update(request.get_json())
        return answered(issue)

    def proposed(self, number: int, repository: str, branch: str, commit: str) -> None:
        """An open pull request."""
        owner = repository.partition("/")[0]
        head = {"label": f"{owner}:{branch}", "ref": branch, "sha": commit, "repo": {"full_name": repository}}
        self.pulls.append({"number": number, "state": "open", "head": head, "base": {"ref": "main"}})

    def list_pulls(self, request: Request) -> Response:
        return paged(request, [each for each in self.pulls if each["head"]["label"] == request.args["head"]])

    def upload(self, name: str, files: dict[str, bytes]) -> None:
        """An artefact of the only run there is."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        self.artifacts[name] = packed.getvalue()

    def list_artifacts(self, request: Request, run: int) -> Response:
        found = [
            {"id": id, "name": name, "size_in_bytes": len(content), "expired": False}
            for id, (name, content) in enumerate(self.artifacts.items())
            if request.args.get("name", name) == name
        ]
        return answered({"total_count": len(found), "artifacts": found})

    def artifact(self, request: Request, id: int) -> Response:
        return Response("found elsewhere", 302, {"location": f"{request.host_url}storage/{id}"})

    def storage(self, request: Request, id: int) -> Response:
        return Response(list(self.artifacts.values())[id], content_type="application/zip")


class GitLab(Forge):
    """One project, number 278964, and its merge request 7."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        project = "/api/v4/projects/278964"
        notes = f"{project}/merge_requests/<int:iid>/notes"
        self.urls = Map(
            [
                Rule("/api/v4/user", endpoint="user", methods=["GET"]),
                Rule(notes, endpoint="list_notes", methods=["GET"]),
                Rule(notes, endpoint="add_note", methods=["POST"]),
                Rule(f"{notes}/<int:id>", endpoint="edit_note", methods=["PUT"]),
                Rule(f"{project}/issues", endpoint="list_issues", methods=["GET"]),
                Rule(f"{project}/issues", endpoint="add_issue", methods=["POST"]),
                Rule(f"{project}/issues/<int:iid>", endpoint="edit_issue", methods=["PUT"]),
            ]
        )

    def refuse(self, request: Request) -> Response | None:
        if request.headers.get("private-token") == TOKEN:
            return None
        return answered({"message": "401 Unauthorized"}, 401)

    def user(self, request: Request) -> Response:
        return answered(ROBOT)

    def said(self, body: str, by: dict[str, Any] = ROBOT) -> dict[str, Any]:
        """A note that is there already."""
        note = {
            "id": 300 + len(self.notes),
            "type": None,
            "body": body,
            "author": by,
            "system": False,
            "noteable_iid": 7,
        }
        self.notes.append(note)
        return note

    def list_notes(self, request: Request, iid: int) -> Response:
        return paged(request, [each for each in self.notes if each["noteable_iid"] == iid])

    def add_note(self, request: Request, iid: int) -> Response:
        return answered(self.said(request.get_json()["body"]), 201)

    def edit_note(self, request: Request, iid: int, id: int) -> Response:
        note = next(each for each in self.notes if each["id"] == id)
        note["body"] = request.get_json()["body"]
        return answered(note)

    def opened(self, title: str, description: str, labels: str, by: dict[str, Any] = ROBOT) -> dict[str, Any]:
        """An issue that is there already."""
        iid = 1 + len(self.issues)
        issue = {
            "id": 9000 + iid,
            "iid": iid,
            "title": title,
            "description": description,
            "state": "opened",
            "author": by,
            "labels": labels.split(","),
            "web_url": f"https://gitlab.com/acme/fleet/-/issues/{iid}",
        }
        self.issues.append(issue)
        return issue

    def list_issues(self, request: Request) -> Response:
        state, label = request.args["state"], request.args["labels"]
        return paged(request, [each for each in self.issues if each["state"] == state and label in each["labels"]])

    def add_issue(self, request: Request) -> Response:
        body = request.get_json()
        return answered(self.opened(body["title"], body["description"], body["labels"]), 201)

    def edit_issue(self, request: Request, iid: int) -> Response:
        issue = next(each for each in self.issues if each["iid"] == iid)
        body = request.get_json()
        if body.pop("state_event", None) == "close":
            issue["state"] = "closed"
        issue.update(body)
        return answered(issue)
