"""Lists are read to their end, in the fewest requests, whatever moves meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.drivers.base import BadResponse, IncompleteList, NoSuchApi
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.provider import ListStyle, Provider, ProviderKind
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from tests.conftest import Project, Remote

KIND = ProviderKind("x.json", "/things", "metadata", list=ListStyle(limit=2))


def driver(answers: Callable[[str | None], Any]) -> RestDriver:
    """A driver for a remote that answers a cursor with a page."""
    import json
    from urllib.parse import parse_qs

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        cursor = parse_qs(environ["QUERY_STRING"]).get("after", [None])[0]
        answer = answers(cursor)
        status = 404 if "error" in answer else 200
        start_response(f"{status} x", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    return RestDriver(
        Provider("p", {"thing": KIND}), HttpClient(ConnectionSettings("http://embedded/v1"), wsgi_app=app)
    )


def page(*ids: str, more: bool = False) -> dict[str, Any]:
    return {"data": [{"id": id} for id in ids], "has_more": more}


def listed(answers: Callable[[str | None], Any]) -> list[str]:
    return [body["id"] for body in driver(answers).list("thing")]


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (100, 1), (120, 2), (500, 5)])
def test_every_object_is_read_in_the_fewest_requests(
    count: int, requests: int, project: Project, remote: Remote
) -> None:
    project.target(remote.url, prune="none")
    for number in range(count):
        remote.ask("POST", "/v1/assistants", {"name": f"a{number}", "model": "m"})
    remote.forget()
    project.write("assistants.d/new.yaml", "name: new\nmodel: m\n")
    plan = project.ok("plan", "--format", "json").json
    assert plan["read"] == {"assistant": {"objects": count, "requests": requests}}
    assert plan["summary"]["unmanaged"] == count
    assert len(remote.app.requests) == requests


def test_an_empty_page_after_more_was_said_is_not_the_end() -> None:
    pages = {None: page("a", "b", more=True), "b": page(more=True), "a": page("c")}
    assert listed(pages.__getitem__) == ["a", "b", "c"]


def test_an_unknown_cursor_is_stepped_over() -> None:
    gone = {"error": {"message": "No thing found with id 'b'.", "type": "x", "param": None, "code": None}}
    pages = {None: page("a", "b", more=True), "b": gone, "a": page("b", "c")}
    assert listed(pages.__getitem__) == ["a", "b", "c"]


def test_pages_that_overlap_give_each_object_once() -> None:
    pages = {None: page("a", "b", more=True), "b": page("b", "c", more=True), "c": page("c", "d")}
    assert listed(pages.__getitem__) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "answers",
    [
        lambda cursor: page("a", "b", more=True),
        lambda cursor: page(more=True),
        lambda cursor: page("a", "b", more=True) if cursor is None else page(more=True),
        lambda cursor: {"a": page("b", more=True), "b": page("a", more=True), None: page("a", more=True)}[cursor],
    ],
)
def test_a_list_that_never_ends_is_refused(answers: Callable[[str | None], Any]) -> None:
    with pytest.raises(IncompleteList):
        listed(answers)


@pytest.mark.parametrize("id", ["../admin", "a/b", "a?x=1", "a#b", "a\r\nb", "", "x" * 300, 5, None])
def test_an_id_that_cannot_stand_in_a_url_is_refused(id: Any) -> None:
    with pytest.raises(BadResponse):
        listed(lambda cursor: {"data": [{"id": id}], "has_more": False})


def test_a_404_for_the_first_page_means_there_is_no_such_api() -> None:
    with pytest.raises(NoSuchApi):
        listed(lambda cursor: {"error": {"message": "Invalid URL (GET /v1/things)", "type": "x"}})
    with pytest.raises(NoSuchApi):
        listed(lambda cursor: {"error": {"message": "No thing found.", "type": "x"}})
