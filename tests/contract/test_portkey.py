"""Portkey: the headers of the first example, and the whole job through the real gateway."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.contract.gateway import running


def test_the_modify_request_of_the_first_example(project: Project, remote: Remote) -> None:
    project.target(
        remote.url,
        provider="portkey",
        more="    credentials: {api_key: !env PORTKEY_API_KEY, virtual_key: !env PORTKEY_PROVIDER_VIRTUAL_KEY}\n",
    )
    project.environment |= {"PORTKEY_API_KEY": "pk-1", "PORTKEY_PROVIDER_VIRTUAL_KEY": "vk-1"}
    project.environment["RECONCILER_ALLOWED_ENV"] = "PORTKEY_PROVIDER_VIRTUAL_KEY"
    before = {
        "name": "HR Helper",
        "model": "gpt-4o",
        "instructions": "You are a bot.",
        "tools": [{"type": "file_search"}],
    }
    id = remote.ask("POST", "/v1/assistants", before)["id"]
    project.write(
        "assistants.d/hr-bot.yaml",
        f"reconciler: {{id: {id}}}\n"
        "name: HR Helper\n"
        "instructions: You are an HR bot, and you have access to files to answer employee questions about policies.\n"
        "tools: [{type: file_search}]\n"
        "model: gpt-4-turbo\n",
    )
    project.ok("apply", "--yes")
    (request,) = remote.writes
    assert (request.method, request.path) == ("POST", f"/v1/assistants/{id}")
    assert request.headers["x-portkey-api-key"] == "pk-1"
    assert request.headers["x-portkey-virtual-key"] == "vk-1"
    assert request.headers["openai-beta"] == "assistants=v2"
    assert request.headers["x-portkey-trace-id"].startswith("reconciler-")
    assert set(request.body) == {"instructions", "model", "metadata"}
    assert set(request.body["metadata"]) == {"reconciler"}
    remote.forget()
    manifest = project.root / "assistants.d/hr-bot.yaml"
    manifest.write_text(manifest.read_text().replace("gpt-4-turbo", "gpt-4o"))
    project.ok("apply", "--yes")
    assert [request.body for request in remote.writes] == [{"model": "gpt-4o"}]


def test_reads_ask_for_a_fresh_answer_and_refuse_a_cached_one(project: Project, start: Callable[..., Remote]) -> None:
    chaos = {
        "rules": [{"on": "list", "status": 200, "headers": {"x-portkey-cache-status": "HIT"}, "body": {"data": []}}]
    }
    remote = start(chaos=chaos)
    project.target(remote.url, provider="portkey", more="    headers: {x-portkey-provider: '@openai-prod'}\n")
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert "cache" in ran.err
    assert remote.writes == []
    assert remote.app.requests[0].headers["x-portkey-cache-force-refresh"] == "true"


@pytest.fixture
def gateway() -> Iterator[str]:
    """The real gateway on a free port of loopback; its base URL."""
    with running() as url:
        yield url


def test_the_whole_job_through_the_real_gateway(project: Project, remote: Remote, gateway: str) -> None:
    headers = f"    headers: {{x-portkey-provider: openai, x-portkey-custom-host: {remote.url}/v1}}\n"
    keys = "    credentials: {api_key: !env PORTKEY_API_KEY, provider_key: !env UPSTREAM_KEY}\n"
    project.target(gateway, provider="portkey", more=headers + keys)
    project.environment |= {"PORTKEY_API_KEY": "pk-1", "UPSTREAM_KEY": "sk-upstream"}
    for number in range(6):
        project.write(
            f"assistants.d/a{number}.yaml",
            f"name: a{number}\nmodel: gpt-4o\ntemperature: 1.0\ntools: [{{type: file_search}}]\n",
        )
    project.ok("apply", "--yes")
    assert len(remote.objects()) == 6
    assert remote.app.requests[0].headers["authorization"] == "Bearer sk-upstream"
    assert "x-portkey-api-key" not in remote.app.requests[0].headers
    remote.forget()
    assert "No changes" in project.ok("plan", "--detailed-exitcode").out
    assert remote.writes == []

    project.write(
        "assistants.d/a0.yaml", "name: a0\nmodel: gpt-4-turbo\ntemperature: 1.0\ntools: [{type: file_search}]\n"
    )
    project.ok("apply", "--yes")
    assert [request.body for request in remote.writes] == [{"model": "gpt-4-turbo"}]

    remote.ask("POST", f"/v1/assistants/{remote.named('a1')['id']}", {"temperature": 0.3})
    assert project.run("drift").code == 2
    project.ok("apply", "--yes")
    assert remote.named("a1")["temperature"] == 1
    assert project.run("drift").code == 0

    project.remove("assistants.d/a5.yaml")
    project.ok("apply", "--yes")
    assert sorted(each["name"] for each in remote.objects()) == ["a0", "a1", "a2", "a3", "a4"]


class Balancing:
    """A gateway that answers from two upstreams in turn, and says so."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.turn = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.turn += 1
        route = ("x-portkey-last-used-option-index", f"config.targets[{self.turn % 2}]")
        return self.app(environ, lambda status, headers, error=None: start_response(status, [*headers, route]))


def test_a_gateway_that_switches_between_accounts_is_refused(project: Project) -> None:
    app = create_app()
    with serve(Balancing(app)) as server:
        project.target(server.url, provider="portkey")
        remote = Remote(app, server)
        for number in range(120):
            remote.ask("POST", "/v1/assistants", {"name": f"x{number}", "model": "m"})
        project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
        remote.forget()
        ran = project.run("apply", "--yes")
        assert ran.code == 1
        assert "RC0510" in ran.err
        assert remote.writes == []


def test_labels_of_a_gateway_are_sent_as_json_and_headers_as_they_are(project: Project, remote: Remote) -> None:
    headers = "    headers: {x-portkey-metadata: {_user: ci, _environment: prod}, x-portkey-config: pc-main-1}\n"
    project.target(remote.url, provider="portkey", more=headers)
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    project.ok("plan")
    sent = remote.app.requests[0].headers
    assert json.loads(sent["x-portkey-metadata"]) == {"_user": "ci", "_environment": "prod"}
    assert sent["x-portkey-config"] == "pc-main-1"


def test_any_compatible_server_gets_key_organization_and_project(
    project: Project, start: Callable[..., Remote]
) -> None:
    remote = start(api_key="sk-1")
    project.target(remote.url)
    project.environment |= {"OPENAI_API_KEY": "sk-1", "OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj_1"}
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")
    project.ok("apply", "--yes")
    sent = remote.writes[0].headers
    assert sent["authorization"] == "Bearer sk-1"
    assert (sent["openai-organization"], sent["openai-project"]) == ("org-1", "proj_1")
    assert sent["openai-beta"] == "assistants=v2"


class TwoAccounts:
    """A gateway with two accounts behind it. `turns` says which of them answers the next requests, the last one for
    all that follow; `says` whether the answers tell. Requests of the method `astray` go to the second one."""

    astray = ""

    def __init__(self, *turns: int, says: bool = True) -> None:
        self.apps = (create_app(), create_app())
        self.turns = list(turns)
        self.says = says

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        turn = 1 if environ["REQUEST_METHOD"] == self.astray else turn
        route = [("x-portkey-last-used-option-index", f"config.targets[{turn}]")] if self.says else []
        return self.apps[turn](environ, lambda status, headers, error=None: start_response(status, [*headers, *route]))

    def writes(self, turn: int) -> list[Any]:
        return [request for request in self.apps[turn].requests if request.method != "GET"]


NAMED = "    route: config.targets[0]\n"
DESK = "model: gpt-4o\n"


def test_nothing_is_written_while_another_upstream_may_answer(project: Project) -> None:
    gateway = TwoAccounts(0, 1, 0, 1)
    with serve(gateway) as server:
        project.target(server.url, provider="portkey")
        project.write("assistants.d/a.yaml", DESK)
        for command in (["plan"], ["apply", "--yes"]):
            ran = project.run(*command)
            assert ran.code == 1
            assert "RC0510" in ran.err
            assert "`route: config.targets[" in ran.err
    assert gateway.writes(0) == gateway.writes(1) == []


def test_a_target_that_names_its_route_is_worked_on(project: Project) -> None:
    gateway = TwoAccounts(0)
    with serve(gateway) as server:
        project.target(server.url, provider="portkey", more=NAMED)
        project.write("assistants.d/a.yaml", DESK)
        project.ok("apply", "--yes")
        plan = project.ok("plan", "--detailed-exitcode", "--format", "json").json
        assert "config.targets[0]" in plan["target"]["account"]
    assert len(gateway.writes(0)) == 1


def test_a_list_from_another_route_than_the_named_one_is_no_empty_account(project: Project) -> None:
    gateway = TwoAccounts(0)
    with serve(gateway) as server:
        project.target(server.url, provider="portkey", more=NAMED)
        project.write("assistants.d/a.yaml", DESK)
        project.ok("apply", "--yes")
        for gateway.turns, gateway.says in (([1], True), ([0], False)):
            ran = project.run("apply", "--yes")
            assert ran.code == 1
            assert "RC0510" in ran.err
    assert gateway.writes(1) == []
    assert len(gateway.writes(0)) == 1


def test_a_create_that_a_gateway_sent_elsewhere_is_named_and_not_sent_again(project: Project) -> None:
    gateway = TwoAccounts(0)
    gateway.astray = "POST"
    with serve(gateway) as server:
        project.target(server.url, provider="portkey", more=NAMED)
        for name in "abc":
            project.write(f"assistants.d/{name}.yaml", DESK + f"name: {name}\n")
        ran = project.run("apply", "--yes", "--parallelism", "1")
        assert ran.code == 5
        assert "asst_" in ran.out
        assert "delete it by hand" in ran.out
    assert len(gateway.writes(1)) == 1
    assert gateway.writes(0) == []


def test_an_object_that_another_upstream_does_not_have_is_not_gone(project: Project) -> None:
    gateway = TwoAccounts(0)
    with serve(gateway) as server:
        project.target(server.url, provider="portkey", more=NAMED)
        for number in range(6):
            project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\n{DESK}")
        project.ok("apply", "--yes")
        project.remove("assistants.d/a0.yaml")
        gateway.astray = "DELETE"
        ran = project.run("apply", "--yes")
        assert ran.code != 0
        assert "RC0510" in ran.out
    assert [request.method for request in gateway.writes(0)] == ["POST"] * 6


@pytest.mark.parametrize(
    ("config", "refused"),
    [
        ('{"strategy": {"mode": "fallback"}, "targets": [{"provider": "@a"}, {"provider": "@b"}]}', True),
        (
            '{"targets": [{"strategy": {"mode": "loadbalance"}, "targets": [{"provider": "@a"}, {"provider": "@b"}]}]}',
            True,
        ),
        ('{"targets": [{"provider": "@a"}]}', False),
        ('{"provider": "@a", "retry": {"attempts": 3}}', False),
        ("pc-main-1", False),
    ],
)
def test_an_inline_config_with_several_upstreams_is_refused_offline(
    project: Project, remote: Remote, config: str, refused: bool
) -> None:
    project.write("assistants.d/a.yaml", DESK)
    for value in (f"'{config}'", "!env ROUTING"):
        project.environment["ROUTING"] = config
        project.target(remote.url, provider="portkey", more=f"    headers: {{x-portkey-config: {value}}}\n{NAMED}")
        ran = project.run("plan" if "env" in value else "validate")
        assert ran.code == (1 if refused else 0 if "env" not in value else 1)
        assert ("routes to several upstreams" in ran.err) is refused
    if refused:
        assert remote.app.requests == []


def test_a_route_is_only_for_providers_that_tell_it(project: Project, remote: Remote) -> None:
    project.target(remote.url, more=NAMED)
    project.write("assistants.d/a.yaml", DESK)
    ran = project.run("validate")
    assert ran.code == 1
    assert "does not report which route" in ran.err
