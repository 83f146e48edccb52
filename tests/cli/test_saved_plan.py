"""A saved plan: applied as shown, refused where the world moved on, gone on with where it was left."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.formats.plan_document import digest_of
from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote


def fleet(project: Project, count: int, model: str = "gpt-4o") -> None:
    for number in range(count):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: {model}\ntemperature: 0.5\n")


def test_what_the_plan_shows_is_what_is_sent_and_only_while_the_files_are_the_same(
    project: Project, remote: Remote
) -> None:
    project.target(remote.url)
    fleet(project, 2)
    project.ok("plan", "--out", "plan.json")
    assert (project.root / "plan.json").stat().st_mode & 0o777 == 0o600
    assert "a0" in project.ok("show", "plan.json").out
    fleet(project, 2, model="other")
    ran = project.run("apply", "plan.json", "--yes")
    assert (ran.code, remote.objects()) == (3, [])
    assert "the files have changed since the plan was made" in ran.err
    fleet(project, 2)
    project.ok("apply", "plan.json", "--yes")
    assert {each["model"] for each in remote.objects()} == {"gpt-4o"}


@pytest.mark.parametrize(
    ("forged", "told"),
    [
        ({"address": "zebra/x"}, "the target has no kind zebra"),
        ({"address": "assistant/../../x"}, "no resource can have the address"),
        ({"needs": [99]}, "waits for a change that is not in the plan"),
        ({"patch": None}, "the desired state of assistant/a0 is missing"),
        ({"refs": [{"path": ["no", 3], "address": "assistant/a0"}]}, "has a reference at a place that does not exist"),
        (
            {"refs": [{"path": ["name", 0], "address": "assistant/a0"}]},
            "has a reference at a place that does not exist",
        ),
    ],
)
def test_what_no_plan_says_is_refused_whatever_its_digest(
    project: Project, remote: Remote, forged: dict[str, Any], told: str
) -> None:
    project.target(remote.url)
    fleet(project, 1)
    project.ok("plan", "--out", "plan.json")
    document = json.loads((project.root / "plan.json").read_text(encoding="utf-8"))
    change = document["changes"][0] | forged
    document["changes"] = [{name: value for name, value in change.items() if value is not None}]
    project.write("plan.json", json.dumps(document | {"digest": digest_of(document)}))
    ran = project.run("apply", "plan.json", "--yes")
    assert (ran.code, remote.writes) == (1, [])
    assert told in ran.err


def test_a_plan_is_stale_where_what_it_writes_has_changed_and_nothing_is_sent(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    fleet(project, 3)
    project.ok("apply", "--yes")
    fleet(project, 3, model="gpt-4-turbo")
    project.ok("plan", "--out", "plan.json")
    remote.ask("POST", f"/v1/assistants/{remote.named('a1')['id']}", {"model": "gpt-3.5-turbo"})
    remote.forget()
    ran = project.run("apply", "plan.json", "--yes")
    assert ran.code == 3
    assert "assistant/a1" in ran.err or "a1.yaml" in ran.err
    assert remote.writes == []


def test_a_change_elsewhere_on_the_object_does_not_stop_the_plan(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    fleet(project, 1)
    project.ok("apply", "--yes")
    fleet(project, 1, model="gpt-4-turbo")
    project.ok("plan", "--out", "plan.json")
    live = remote.named("a0")
    remote.ask("POST", f"/v1/assistants/{live['id']}", {"metadata": {**live["metadata"], "x": "1"}, "description": "d"})
    project.ok("apply", "plan.json", "--yes")
    after = remote.named("a0")
    assert (after["model"], after["description"], after["metadata"]["x"]) == ("gpt-4-turbo", "d", "1")


def test_a_half_failed_apply_is_gone_on_with_by_the_same_plan(project: Project, start: Callable[..., Remote]) -> None:
    refused = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
    remote = start(chaos={"rules": [{"on": "create", "nth": 20, "status": 400, "body": refused}]})
    project.target(remote.url)
    fleet(project, 40)
    project.ok("plan", "--out", "plan.json")
    assert project.run("apply", "plan.json", "--yes").code == 5
    assert len(remote.objects()) == 39
    remote.forget()
    again = project.ok("apply", "plan.json", "--yes", "--format", "json").json
    assert len(remote.writes) == 1
    assert again["totals"]["already-applied"] == 39
    assert len(remote.objects()) == 40
    assert project.ok("apply", "plan.json", "--yes").code == 0
    assert len(remote.objects()) == 40


def test_deletes_held_back_in_a_saved_plan_are_let_go_by_their_number(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    fleet(project, 6)
    project.ok("apply", "--yes")
    project.remove("assistants.d/a0.yaml")
    project.remove("assistants.d/a1.yaml")
    assert project.run("plan", "--out", "plan.json").code == 4
    assert project.run("apply", "plan.json", "--yes").code == 4
    assert len(remote.objects()) == 6
    project.ok("apply", "plan.json", "--yes", "--allow-deletes", "2")
    assert len(remote.objects()) == 4


def test_an_object_that_changed_is_not_deleted_by_an_older_plan(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    fleet(project, 6)
    project.ok("apply", "--yes")
    project.remove("assistants.d/a0.yaml")
    project.ok("plan", "--out", "plan.json")
    remote.ask("POST", f"/v1/assistants/{remote.named('a0')['id']}", {"instructions": "still needed"})
    assert project.run("apply", "plan.json", "--yes").code == 3
    assert len(remote.objects()) == 6


def test_a_plan_for_another_target_or_owner_is_refused(
    project: Project, remote: Remote, start: Callable[..., Remote]
) -> None:
    project.target(remote.url)
    fleet(project, 1)
    project.ok("plan", "--out", "plan.json")
    project.target(start().url)
    ran = project.run("apply", "plan.json", "--yes")
    assert ran.code == 1
    assert "RC0410" in ran.err


class Account:
    """The embedded server, saying that it belongs to somebody."""

    def __init__(self, app: App, name: str) -> None:
        self.app = app
        self.name = name

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def answering(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            others = [(name, value) for name, value in headers if name.lower() != "openai-organization"]
            return start_response(status, [*others, ("openai-organization", self.name)])

        return self.app(environ, answering)


def test_a_plan_for_another_account_behind_the_same_url_is_refused(project: Project) -> None:
    account = Account(create_app(), "org-a")
    with serve(account) as server:
        project.target(server.url)
        fleet(project, 1)
        project.ok("plan", "--out", "plan.json")
        assert json.loads((project.root / "plan.json").read_text())["target"]["account"] == "org-a"
        account.name = "org-b"
        ran = project.run("apply", "plan.json", "--yes")
        assert ran.code == 1
        assert "org-a" in ran.err
        assert "org-b" in ran.err
        assert [r.method for r in account.app.requests if r.method != "GET"] == []
        account.name = "org-a"
        project.ok("apply", "plan.json", "--yes")


def test_verbose_tells_each_request_and_no_secret(project: Project, start: Callable[..., Remote]) -> None:
    remote = start(api_key="sk-canary-0123456789")
    project.target(remote.url)
    project.environment["OPENAI_API_KEY"] = "sk-canary-0123456789"
    fleet(project, 1)
    ran = project.ok("apply", "--yes", "--verbose")
    lines = [line.split("  ")[:2] for line in ran.err.splitlines() if line.startswith(("GET", "POST"))]
    assert lines == [
        ["GET /files?order=desc&limit=10000", "200"],
        ["GET /vector_stores?order=desc&limit=100", "200"],
        ["GET /assistants?order=desc&limit=100", "200"],
        ["POST /assistants", "200"],
        ["GET /assistants?order=desc&limit=100", "200"],
    ]
    everything = ran.out + ran.err + "".join(f.read_text() for f in project.root.rglob("*") if f.is_file())
    assert "sk-canary" not in everything


def test_the_same_inputs_give_the_same_bytes(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    fleet(project, 5)
    project.ok("plan", "--out", "one.json")
    project.ok("plan", "--out", "two.json")
    assert (project.root / "one.json").read_bytes() == (project.root / "two.json").read_bytes()
    assert json.loads((project.root / "one.json").read_text())["summary"]["create"] == 5


def test_any_hash_seed_gives_the_same_bytes(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    fleet(project, 3)
    plans = set()
    for seed in ("0", "1", "12345"):
        command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "plan", "--out", f"{seed}.json"]
        environment = project.environment | {"PYTHONHASHSEED": seed}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        plans.add((project.root / f"{seed}.json").read_bytes())
    assert len(plans) == 1
