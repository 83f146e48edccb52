"""Saved plans: what is decided when they are taken up, unit by unit, is what was decided when they were made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.server import create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.contract.mock import Mock, Shelf
from tests.seams.conftest import assistants, by_hand, mark_of, sent

TWO_UNITS = "name: Bot\nmodel: {model}\ntemperature: {heat}\n"


@pytest.fixture
def two_units(project: Project, remote: Remote) -> Project:
    """A plan in plan.json that changes two fields of one assistant."""
    project.target(remote.url)
    project.write("assistants.d/bot.yaml", TWO_UNITS.format(model="gpt-4o", heat=0.1))
    project.ok("apply", "--yes")
    project.write("assistants.d/bot.yaml", TWO_UNITS.format(model="gpt-4-turbo", heat=0.5))
    return project


@pytest.mark.parametrize("more", [(), ("--sealed",)], ids=["open", "sealed"])
def test_a_unit_set_by_hand_to_what_is_wanted_is_applied_already_and_the_other_is_sent(
    two_units: Project, remote: Remote, more: tuple[str, ...]
) -> None:
    """row 22"""
    two_units.ok("plan", "--out", "plan.json", *more)
    by_hand(remote, "Bot", temperature=0.5)
    remote.forget()
    two_units.ok("apply", "plan.json", "--yes")
    assert [body for _, _, body in sent(remote)] == [{"model": "gpt-4-turbo"}]
    assert two_units.ok("plan", "--detailed-exitcode").code == 0


def test_of_two_units_the_one_that_somebody_changed_is_named_and_nothing_is_sent(
    two_units: Project, remote: Remote
) -> None:
    """row 22"""
    two_units.ok("plan", "--out", "plan.json")
    by_hand(remote, "Bot", temperature=0.5, model="gpt-3.5-turbo")
    remote.forget()
    ran = two_units.run("apply", "plan.json", "--yes")
    assert (ran.code, sent(remote)) == (3, [])
    assert "has changed in model since" in " ".join(ran.err.split())


def test_both_units_set_by_hand_leave_nothing_to_send(two_units: Project, remote: Remote) -> None:
    """row 22"""
    two_units.ok("plan", "--out", "plan.json")
    by_hand(remote, "Bot", temperature=0.5, model="gpt-4-turbo")
    remote.forget()
    ran = two_units.ok("apply", "plan.json", "--yes", "--format", "json")
    assert sent(remote) == []
    assert [each["outcome"] for each in ran.json["outcomes"]] == ["already-applied"]


def test_an_entry_set_by_hand_to_what_is_wanted_is_applied_already_and_the_other_is_sent(
    project: Project, remote: Remote
) -> None:
    """row 22: units of one map"""
    project.target(remote.url)
    project.write("assistants.d/bot.yaml", "name: Bot\nmodel: gpt-4o\nmetadata: {team: a, room: a}\n")
    project.ok("apply", "--yes")
    project.write("assistants.d/bot.yaml", "name: Bot\nmodel: gpt-4o\nmetadata: {team: b, room: b}\n")
    project.ok("plan", "--out", "plan.json")
    by_hand(remote, "Bot", metadata=remote.named("Bot")["metadata"] | {"team": "b", "theirs": "c"})
    project.ok("apply", "plan.json", "--yes")
    metadata = remote.named("Bot")["metadata"]
    assert {name: metadata.get(name) for name in ("team", "room", "theirs")} == {
        "team": "b",
        "room": "b",
        "theirs": "c",
    }
    assert project.ok("plan", "--detailed-exitcode").code == 0


@pytest.fixture
def adopting(project: Project, remote: Remote) -> tuple[Project, str]:
    """One manifest adopts an object, another one creates an object of the name that it has now; the id."""
    project.target(remote.url)
    id = remote.ask("POST", "/v1/assistants", {"name": "Helpdesk", "model": "gpt-4o"})["id"]
    project.write("assistants.d/old.yaml", f"reconciler: {{id: {id}}}\nname: Old helpdesk\nmodel: gpt-4o\n")
    project.write("assistants.d/new.yaml", "name: Helpdesk\nmodel: gpt-4-turbo\n")
    remote.forget()
    return project, id


def keys(remote: Remote) -> dict[str, str]:
    return {mark_of(each)["key"]: each["name"] for each in remote.objects()}


def test_an_object_that_is_adopted_is_not_in_the_way_of_one_of_its_name(
    adopting: tuple[Project, str], remote: Remote
) -> None:
    """row 18: applied directly"""
    project, _ = adopting
    project.ok("apply", "--yes")
    assert keys(remote) == {"old": "Old helpdesk", "new": "Helpdesk"}
    assert project.ok("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("more", [(), ("--sealed",)], ids=["open", "sealed"])
def test_a_saved_plan_that_adopts_and_creates_applies_in_one_go(
    adopting: tuple[Project, str], remote: Remote, more: tuple[str, ...]
) -> None:
    """row 18"""
    project, id = adopting
    project.ok("plan", "--out", "plan.json", *more)
    project.ok("apply", "plan.json", "--yes")
    assert keys(remote) == {"old": "Old helpdesk", "new": "Helpdesk"}
    assert remote.named("Old helpdesk")["id"] == id


@dataclass
class Account:
    """An account of some API with one kind of object, and how its manifests and objects are spelled."""

    project: Project
    text: str
    objects: Callable[[], list[dict[str, Any]]]
    writes: Callable[[], list[Any]]


def anthropic(project: Project, stack: list[Any]) -> Account:
    app = create_app(profile="anthropic-agents")
    server = serve(app)
    stack.append(server)
    remote = Remote(app, server.__enter__())
    project.target(remote.url, provider="anthropic-agents")

    def objects() -> list[dict[str, Any]]:
        import urllib.request

        headers = {"anthropic-version": "2023-06-01", "anthropic-beta": "managed-agents-2026-04-01"}
        with urllib.request.urlopen(urllib.request.Request(f"{remote.url}/v1/agents", headers=headers)) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["data"]
        app.requests.pop()
        return found

    return Account(
        project,
        "name: Bot {n}\nmodel: {{id: claude-opus-4-6, speed: standard, effort: {{type: high}}}}\n",
        objects,
        lambda: remote.writes,
    )


LANGGRAPH: dict[str, Any] = {
    "root": "",
    "missing": {"detail": "Assistant not found"},
    "no_route": {"detail": "Not Found"},
    "kinds": {
        "assistant": {
            "routes": {
                "create": "POST /assistants",
                "list": "POST /assistants/search",
                "read": "GET /assistants/:id",
                "update": "PATCH /assistants/:id",
                "delete": "DELETE /assistants/:id",
            },
            "id": {"field": "assistant_id", "prefix": ""},
            "stamps": {"created_at": "rfc3339", "updated_at": "rfc3339"},
            "list": {"style": "offset", "items": "", "cursor": "offset", "size": "limit", "most": 100, "order": "asc"},
            "required": ["graph_id"],
            "unseen": ["if_exists", "assistant_id"],
            "shown": {"name": "Untitled", "description": None, "config": {}, "metadata": {}},
            "maps": {"metadata": "merge"},
        }
    },
}
"""What LangGraph's server does as far as it matters here: entries of metadata become null, and are never taken out."""


class LangGraph(Mock):
    """It takes the id that the client chose."""

    def _create(self, shelf: Shelf, body: dict[str, Any]) -> dict[str, Any]:
        made = super()._create(shelf, body)
        del shelf.objects[made["assistant_id"]]
        made["assistant_id"] = body["assistant_id"]
        shelf.objects[made["assistant_id"]] = made
        return made


def langgraph(project: Project, stack: list[Any]) -> Account:
    mock = LangGraph(LANGGRAPH)
    server = serve(mock)
    stack.append(server)
    project.target(server.__enter__().url, provider="langgraph")
    settings = Path(project.root / "assistants.d/reconciler.yaml")
    settings.write_text(settings.read_text().replace("/v1\n", "\n"))
    project.environment["LANGSMITH_API_KEY"] = "k"

    def writes() -> list[Any]:
        return [each for each in mock.requests if each.method != "GET" and not each.path.endswith("/search")]

    return Account(
        project, "graph_id: agent\nname: Bot {n}\n", lambda: list(mock.shelves["assistant"].objects.values()), writes
    )


@pytest.fixture(params=[anthropic, langgraph])
def account(request: pytest.FixtureRequest, project: Project) -> Iterator[Account]:
    """Some objects, the first of them with two entries of metadata."""
    stack: list[Any] = []
    found: Account = request.param(project, stack)
    for number in range(6):
        text = found.text.format(n=number) + ("metadata: {team: people, room: blue}\n" if number == 0 else "")
        project.write(f"assistants.d/bot{number}.yaml", text)
    project.ok("apply", "--yes")
    yield found
    for server in stack:
        server.__exit__(None, None, None)


def saved(account: Account, sealed: bool) -> list[Any]:
    """Make a plan, apply it, and show what was sent."""
    account.project.ok("plan", "--out", "plan.json", *(["--sealed"] if sealed else []))
    before = len(account.writes())
    account.project.ok("apply", "plan.json", "--yes")
    assert account.project.ok("plan", "--detailed-exitcode").code == 0
    return account.writes()[before:]


SEALED = pytest.param(True, id="sealed")


@pytest.mark.parametrize("sealed", [SEALED, pytest.param(False, id="open")])
def test_a_saved_plan_takes_an_entry_out(account: Account, sealed: bool) -> None:
    """row 19"""
    account.project.write("assistants.d/bot0.yaml", account.text.format(n=0) + "metadata: {team: people}\n")
    (request,) = saved(account, sealed)
    assert "metadata" in request.body
    (bot,) = [each for each in account.objects() if each["name"] == "Bot 0"]
    assert bot["metadata"].get("room") is None
    assert bot["metadata"]["team"] == "people"


@pytest.mark.parametrize("sealed", [SEALED, pytest.param(False, id="open")])
def test_a_saved_plan_releases(account: Account, sealed: bool) -> None:
    """row 19"""
    text = account.text.format(n=1)
    account.project.write("assistants.d/bot1.yaml", f"reconciler: {{on_remove: release}}\n{text}")
    account.project.ok("apply", "--yes")
    account.project.remove("assistants.d/bot1.yaml")
    (request,) = saved(account, sealed)
    assert set(request.body) <= {"metadata", "version"}
    (bot,) = [each for each in account.objects() if each["name"] == "Bot 1"]
    assert not mark_of(bot)


def test_others_are_untouched_by_a_saved_plan_of_one(two_units: Project, remote: Remote) -> None:
    """row 22: what belongs to no change of the plan is not looked at"""
    assistants(two_units, 2)
    two_units.ok("plan", "--out", "plan.json", "assistant/bot")
    two_units.ok("apply", "plan.json", "--yes")
    assert {each["name"] for each in remote.objects()} == {"Bot"}


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "open"])
def test_a_saved_plan_moves_and_protects(account: Account, sealed: bool) -> None:
    """row 19: what writes a mark alone"""
    text = account.text.format(n=2)
    account.project.remove("assistants.d/bot2.yaml")
    account.project.write("assistants.d/moved.yaml", f"reconciler: {{moved_from: bot2, protect: true}}\n{text}")
    (request,) = saved(account, sealed)
    assert set(request.body) <= {"metadata", "version"}
    (bot,) = [each for each in account.objects() if each["name"] == "Bot 2"]
    assert (mark_of(bot)["key"], mark_of(bot)["flags"].partition("<")[0]) == ("moved", "p")


@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "open"])
def test_a_saved_plan_adopts(account: Account, sealed: bool) -> None:
    """row 19: what was released, with an entry that its file does not have any more"""
    account.project.ok("release", "assistant/bot0" if "graph_id" in account.text else "agent/bot0")
    (bot,) = [each for each in account.objects() if each["name"] == "Bot 0"]
    block = f"reconciler: {{id: {bot.get('assistant_id') or bot['id']}}}\n"
    account.project.write("assistants.d/bot0.yaml", block + account.text.format(n=0) + "metadata: {team: others}\n")
    (request,) = saved(account, sealed)
    assert set(request.body) <= {"metadata", "version"}
    (bot,) = [each for each in account.objects() if each["name"] == "Bot 0"]
    assert (bot["metadata"]["team"], bot["metadata"]["room"], mark_of(bot)["key"]) == ("others", "blue", "bot0")
