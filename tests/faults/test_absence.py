"""What is missing in an answer proves nothing: no list that may have been cut short makes, doubles or deletes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import pytest

from reconciler.drivers.base import IncompleteList
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.provider import DeleteStyle, ListStyle, MembersStyle, Provider, ProviderKind
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.server.http import serve
from tests.conftest import Project, Remote

COUNT = 120
Said = Callable[[dict[str, Any]], dict[str, Any]]


@contextmanager
def through(project: Project, remote: Remote, change: Said) -> Iterator[None]:
    """The project's target behind something that changes what lists answer."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "GET" or environ["PATH_INFO"] != "/v1/assistants":
            return remote.app(environ, start_response)
        content = b"".join(remote.app(environ, lambda status, headers, info=None: None))
        answer = json.dumps(change(json.loads(content))).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    with serve(app) as server:
        project.target(server.url)
        yield


def write(project: Project, count: int, model: str = "m") -> None:
    for number in range(count):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: {model}\n")


def without(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "has_more"}


def never(answer: dict[str, Any]) -> dict[str, Any]:
    return answer | {"has_more": False}


@pytest.mark.parametrize(("count", "said"), [(0, None), (3, "false"), (COUNT, 0), (COUNT, None)])
def test_a_list_that_does_not_say_whether_there_is_more_is_incomplete(
    count: int, said: Any, project: Project, remote: Remote
) -> None:
    write(project, count)
    project.target(remote.url)
    project.run("apply", "--yes")
    project.write("assistants.d/new.yaml", "name: new\nmodel: m\n")
    remote.forget()
    for change in (without, lambda answer: answer | {"has_more": said}):
        with through(project, remote, change):
            ran = project.run("apply", "--yes")
        assert ran.code == 1
        assert "RC0506" in ran.err
        assert "'has_more'" in ran.err
    assert remote.writes == []
    assert len(remote.objects()) == count


def test_a_full_page_that_is_called_the_last_makes_nothing_where_the_list_goes_on(
    project: Project, remote: Remote
) -> None:
    write(project, COUNT)
    project.target(remote.url)
    project.ok("apply", "--yes")
    remote.forget()
    with through(project, remote, never):
        ran = project.run("apply", "--yes")
        assert ran.code != 0
        assert "RC0506" in ran.err + ran.out
    assert remote.writes == []
    assert len(remote.objects()) == COUNT


def test_a_full_page_that_is_called_the_last_lets_nothing_be_deleted(project: Project, remote: Remote) -> None:
    write(project, COUNT)
    project.target(remote.url)
    project.ok("apply", "--yes")
    for number in range(COUNT - 100):  # those that the first page does not show, and the newest one
        project.remove(f"assistants.d/a{number}.yaml")
    project.remove(f"assistants.d/a{COUNT - 1}.yaml")
    remote.forget()
    with through(project, remote, never):
        assert project.run("apply", "--yes").code != 0
    assert remote.writes == []


def test_a_list_of_exactly_one_page_is_asked_for_once_more_before_something_is_made(
    project: Project, remote: Remote
) -> None:
    write(project, 100)
    project.target(remote.url)
    project.ok("apply", "--yes")
    remote.forget()
    assert project.ok("plan", "--format", "json").json["read"]["assistant"]["requests"] == 1
    write(project, 100, "other")
    project.ok("apply", "--yes")
    assert [request.path for request in remote.app.requests if "after=" in request.path] == []
    remote.forget()
    write(project, 103, "other")
    project.ok("apply", "--yes")
    listed = [request for request in remote.app.requests if "/assistants" in request.path]
    first = [(request.method, "after=" in request.path) for request in listed][:3]
    assert first == [("GET", False), ("GET", True), ("POST", False)]
    assert len(remote.writes) == 3
    assert remote.ask("GET", "/v1/assistants?limit=100&order=asc")["has_more"] is True


def test_a_list_whose_last_object_went_meanwhile_is_not_taken_as_whole() -> None:
    """The page after the last but one shows nothing: whether the list goes on is not known."""
    pages = {None: "ab", "a": ""}

    def answer(query: dict[str, list[str]]) -> Any:
        ids = pages[query.get("after", [None])[0]]
        return {"data": [{"id": id} for id in ids], "has_more": False}

    driver = spoken(ListStyle(limit=2), answer)
    assert len(list(driver.list("thing"))) == 2
    with pytest.raises(IncompleteList, match="but continues"):
        driver.create("thing", {"name": "x"})


def spoken(style: ListStyle, answer: Callable[[dict[str, list[str]]], Any], **kind: Any) -> RestDriver:
    """A driver for a list that answers a query like this."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 x", [("Content-Type", "application/json")])
        return [json.dumps(answer(parse_qs(environ["QUERY_STRING"]))).encode()]

    provider = Provider("p", {"thing": ProviderKind("x.json", "/things", "metadata", list=style, **kind)})
    return RestDriver(provider, HttpClient(ConnectionSettings("http://embedded/v1"), wsgi_app=app))


TOKENS = ListStyle(style="page", more="meta.next", cursor="token", limit=2)


@pytest.mark.parametrize("meta", [{}, None, [], "x"], ids=repr)
def test_a_list_without_the_token_that_its_answers_have_is_incomplete(meta: Any) -> None:
    def answer(query: dict[str, list[str]]) -> Any:
        first = "token" not in query
        return {"data": [{"id": "a" if first else "b"}], "meta": {"next": "t"} if first else meta}

    with pytest.raises(IncompleteList, match=r"does not report whether there is more: it has no 'meta\.next'"):
        list(spoken(TOKENS, answer).list("thing"))


@pytest.mark.parametrize("end", [None, ""])
def test_a_token_that_is_null_or_empty_ends_a_list(end: str | None) -> None:
    driver = spoken(TOKENS, lambda query: {"data": [{"id": "a"}], "meta": {"next": end}})
    assert [body["id"] for body in driver.list("thing")] == ["a"]


def test_members_are_listed_with_the_same_care() -> None:
    style = MembersStyle(
        "file", "/files", "/batches", "files", 10, "id", "status", "done", ("busy",), ("bad",), (), ("id",)
    )
    driver = spoken(ListStyle(), lambda query: {"data": [{"id": "a"}]}, members={"files": style})
    with pytest.raises(IncompleteList, match="has_more"):
        list(driver.within("thing", "t1", "files").list())


def test_a_duplicate_that_a_list_shows_and_that_cannot_be_read_stops_the_plan(
    start: Callable[..., Remote], project: Project
) -> None:
    gone = {"error": {"message": "No assistant found.", "type": "invalid_request_error", "param": None, "code": None}}
    remote = start(chaos={"rules": [{"on": "retrieve", "status": 404, "body": gone}]})
    project.target(remote.url)
    write(project, 1)
    project.ok("apply", "--yes")
    (first,) = remote.objects()
    mark = first["metadata"]["reconciler"].split(" ")
    mark[3] = mark[3][::-1] if mark[3][::-1] != mark[3] else "x" + mark[3][1:]
    remote.ask("POST", "/v1/assistants", {"name": "a0", "model": "m", "metadata": {"reconciler": " ".join(mark)}})
    ran = project.run("plan")
    assert ran.code == 1
    assert "which cannot be read" in ran.err
    assert "[RC0506]" in ran.err


def test_a_vector_store_whose_files_cannot_be_listed_is_not_an_empty_one(
    start: Callable[..., Remote], project: Project
) -> None:
    remote = start()
    project.target(remote.url)
    project.write("assistants.d/handbook/leave.md", "All about leave.\n")
    project.write("assistants.d/hr.yaml", "reconciler: {kind: vector_store}\nname: H\nfiles: [handbook/*.md]\n")
    project.ok("apply", "--yes")
    (store,) = remote.ask("GET", "/v1/vector_stores")["data"]
    remote.forget()

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != f"/v1/vector_stores/{store['id']}/files":
            return remote.app(environ, start_response)
        answer = json.dumps({"error": {"message": "No vector store found.", "type": "x"}}).encode()
        start_response("404 x", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
        return [answer]

    with serve(app) as server:
        project.target(server.url)
        ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert "[RC0506]" in ran.err
    assert store["id"] in ran.err
    assert remote.writes == []


def test_an_object_that_is_archived_is_gone_for_certain_whatever_a_summary_shows() -> None:
    bodies: dict[str, Any] = {"a": {"id": "a"}, "b": {"id": "b", "archived_at": "2026-01-01T00:00:00Z"}}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        start_response("200 x", [("Content-Type", "application/json")])
        id = environ["PATH_INFO"].removeprefix("/v1/things").strip("/")
        return [json.dumps(bodies[id] if id else {"data": [{"id": id} for id in bodies], "next": None}).encode()]

    style = ListStyle(style="page", more="next", cursor="token", summaries=True)
    kind = ProviderKind("x.json", "/things", "metadata", list=style, delete=DeleteStyle("archive", "archived_at"))
    driver = RestDriver(
        Provider("p", {"thing": kind}),
        HttpClient(ConnectionSettings("http://embedded/v1"), wsgi_app=app),
        reads_at_once=2,
    )
    assert [body["id"] for body in driver.list("thing")] == ["a"]
