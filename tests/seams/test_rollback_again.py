"""Taking deletes back: references lead to the new objects, and only what can be written is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.seams.conftest import assistants, mark_of, sent

STORE = "reconciler: {kind: vector_store}\nname: Store\n"
BOT = (
    "name: Bot\nmodel: gpt-4o\ntools: [{type: file_search}]\n"
    "tool_resources:\n  file_search:\n    vector_store_ids: [!ref vector_store/store]\n"
)


def stores(remote: Remote) -> list[str]:
    return [each["id"] for each in remote.ask("GET", "/v1/vector_stores")["data"]]


def used(body: dict[str, Any]) -> list[str]:
    """The stores that an assistant searches."""
    found: list[str] = body["tool_resources"]["file_search"]["vector_store_ids"]
    return found


@pytest.fixture
def linked(project: Project, remote: Remote) -> Project:
    """An assistant that searches a store, beside others."""
    project.target(remote.url)
    assistants(project, 6)
    project.write("assistants.d/store.yaml", STORE)
    project.write("assistants.d/bot.yaml", BOT)
    project.ok("apply", "--yes")
    return project


def deleted(project: Project, count: int = 1) -> None:
    """Apply, with a rollback plan in back.json; so many objects go."""
    project.ok("apply", "--yes", "--allow-deletes", str(count), "--rollback-out", "back.json")


def test_an_assistant_and_its_store_come_back_and_belong_together(linked: Project, remote: Remote) -> None:
    """row 16"""
    linked.remove("assistants.d/store.yaml")
    linked.remove("assistants.d/bot.yaml")
    (old,) = stores(remote)
    deleted(linked, 2)
    assert stores(remote) == []
    linked.ok("apply", "back.json", "--yes")
    (new,) = stores(remote)
    assert new != old
    assert used(remote.named("Bot")) == [new]


def test_an_assistant_that_stayed_gets_the_store_that_comes_back(linked: Project, remote: Remote) -> None:
    """row 16: the store was deleted, and the assistant changed"""
    linked.remove("assistants.d/store.yaml")
    linked.write("assistants.d/bot.yaml", "name: Bot\nmodel: gpt-4o\n")
    id = remote.named("Bot")["id"]
    deleted(linked)
    assert stores(remote) == []
    linked.ok("apply", "back.json", "--yes")
    (new,) = stores(remote)
    assert used(remote.named("Bot")) == [new]
    assert remote.named("Bot")["id"] == id


def test_after_the_rollback_the_files_of_before_have_nothing_to_change(linked: Project, remote: Remote) -> None:
    """row 16"""
    linked.remove("assistants.d/store.yaml")
    linked.remove("assistants.d/bot.yaml")
    deleted(linked, 2)
    linked.ok("apply", "back.json", "--yes")
    linked.write("assistants.d/store.yaml", STORE)
    linked.write("assistants.d/bot.yaml", BOT)
    remote.forget()
    assert linked.run("plan", "--detailed-exitcode").code == 0


class Telling:
    """Shows a field with every assistant that no schema knows, as a vendor does after a release."""

    def __init__(self, app: App, field: str, value: Any) -> None:
        self.app: Callable[..., Iterable[bytes]] = app
        self.more = {field: value}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        kept: list[Any] = []
        content = b"".join(self.app(environ, lambda *status: kept.append(status)))
        status, headers, *_ = kept[0]
        if environ["PATH_INFO"].startswith("/v1/assistants") and status.startswith("200"):
            content = json.dumps(self._with_more(json.loads(content))).encode()
            headers = [(n, v) for n, v in headers if n.lower() != "content-length"]
            headers.append(("Content-Length", str(len(content))))
        start_response(status, headers)
        return [content]

    def _with_more(self, body: Any) -> Any:
        if body.get("object") == "list":
            return body | {"data": [self._with_more(each) for each in body["data"]]}
        return body | self.more if body.get("object") == "assistant" else body


@pytest.fixture(params=[("lineage", "v7"), ("quota", {"used": 3})], ids=lambda p: str(p[0]))
def telling(request: pytest.FixtureRequest, project: Project) -> Iterator[Remote]:
    """A server that shows a field that it does not take; an assistant on it, beside others."""
    app = create_app()
    with serve(Telling(app, *request.param)) as server:
        project.target(server.url)
        assistants(project, 6)
        text = "name: Bot\nmodel: gpt-4o\ninstructions: One.\nmetadata: {team: people}\n"
        project.write("assistants.d/bot.yaml", text)
        project.ok("apply", "--yes")
        yield Remote(app, server)


def test_a_delete_is_taken_back_with_the_fields_that_can_be_written(project: Project, telling: Remote) -> None:
    """row 17"""
    project.remove("assistants.d/bot.yaml")
    deleted(project)
    telling.forget()
    project.ok("apply", "back.json", "--yes")
    ((_, path, body),) = sent(telling)
    assert path == "/assistants"
    known = {"name", "model", "instructions", "metadata", "description", "tools", "tool_resources"}
    assert set(body) <= known | {"temperature", "top_p", "response_format", "reasoning_effort"}
    bot = telling.named("Bot")
    assert (bot["instructions"], bot["metadata"]["team"], mark_of(bot)["key"]) == ("One.", "people", "bot")


def test_an_update_is_taken_back_with_the_units_that_were_written(project: Project, telling: Remote) -> None:
    """row 17"""
    project.write("assistants.d/bot.yaml", "name: Bot\nmodel: gpt-4o\ninstructions: Two.\nmetadata: {team: people}\n")
    project.ok("apply", "--yes", "--rollback-out", "back.json")
    telling.forget()
    project.ok("apply", "back.json", "--yes")
    assert [body for _, _, body in sent(telling)] == [{"instructions": "One."}]


def test_what_others_changed_since_is_refused_and_stays(linked: Project, remote: Remote) -> None:
    """row 16: a rollback goes by the rules of every plan"""
    linked.write("assistants.d/bot.yaml", "name: Bot\nmodel: gpt-4-turbo\n")
    linked.ok("apply", "--yes", "--rollback-out", "back.json")
    remote.ask("POST", f"/v1/assistants/{remote.named('Bot')['id']}", {"model": "gpt-3.5-turbo"})
    remote.forget()
    assert linked.run("apply", "back.json", "--yes").code == 3
    assert sent(remote) == []


def test_a_protected_object_is_not_deleted_by_a_rollback(linked: Project, remote: Remote) -> None:
    """row 16: a rollback goes by the rules of every plan"""
    linked.write("assistants.d/new.yaml", "name: New\nmodel: gpt-4o\n")
    linked.ok("apply", "--yes", "--rollback-out", "back.json")
    linked.write("assistants.d/new.yaml", "reconciler: {protect: true}\nname: New\nmodel: gpt-4o\n")
    linked.ok("apply", "--yes")
    remote.forget()
    assert linked.run("apply", "back.json", "--yes").code in (3, 4)
    assert sent(remote) == []
