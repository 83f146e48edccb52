"""The kind `agent` as each vendor has it: what its schema allows is what the server takes, and shows again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from reconciler.config.schema.schemas import shipped
from reconciler.core.values.semantics import same
from reconciler.formats.dialect import compile_schema
from reconciler.server import create_app
from tests.strategies import bodies, law


@dataclass(frozen=True)
class Family:
    """One vendor's agents: schema, profile, and the headers it wants."""

    schema: str
    profile: str
    headers: dict[str, str]
    minimal: dict[str, Any]

    def client(self) -> httpx.Client:
        app = create_app(profile=self.profile)
        return httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://x/v1", headers=self.headers)


OPENAI = Family(
    "openai-agents/agent.schema.json",
    "agents-v1",
    {"OpenAI-Beta": "agents=v1"},
    {"model": "gpt-6"},
)
ANTHROPIC = Family(
    "anthropic-agents/agent.schema.json",
    "anthropic-agents",
    {"anthropic-version": "2023-06-01", "anthropic-beta": "managed-agents-2026-04-01"},
    {"name": "n", "model": {"id": "claude-opus-5-5", "effort": {"type": "high"}}},
)
FAMILIES = [OPENAI, ANTHROPIC]


@cache
def bodies_of(schema: str) -> SearchStrategy[dict[str, Any]]:
    """Made once for each schema: to make it takes longer than to draw from it."""
    return bodies(shipped().schema(schema))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.profile)
class TestSchemas:
    def test_they_follow_the_dialect_and_describe_every_field(self, family: Family) -> None:
        schema = shipped().schema(family.schema)
        assert shipped().check_dialect(schema) == []
        assert [field for field, of in schema["properties"].items() if "description" not in of] == []

    def test_every_field_that_is_shown_is_known(self, family: Family) -> None:
        shown = family.client().post("/agents", json=family.minimal).json()
        assert set(shown) == set(shipped().schema(family.schema)["properties"])

    @law
    @given(data=st.data())
    def test_what_a_manifest_may_say_is_taken_and_shown_with_the_same_meaning(
        self, family: Family, data: st.DataObject
    ) -> None:
        schema = shipped().schema(family.schema)
        client, meanings = family.client(), compile_schema(schema)
        first, second = (coherent(family, data.draw(bodies_of(family.schema))) for _ in range(2))
        made = client.post("/agents", json=first)
        assert made.is_success, made.text
        assert differing(meanings, first, made.json()) == []
        changed = client.post(f"/agents/{made.json()['id']}", json=second)
        assert changed.is_success, changed.text
        merged = {"metadata", "experimental"}
        assert differing(meanings, without(second, merged), changed.json()) == []


def without(body: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in fields}


def coherent(family: Family, body: dict[str, Any]) -> dict[str, Any]:
    """The body with what no schema can say put right: servers are used by toolsets, and other agents exist."""
    if family is OPENAI:
        return body
    tools = body.get("tools", [])
    used = [tool["mcp_server_name"] for tool in tools if tool["type"] == "mcp_toolset"]
    servers = [{"type": "url", "name": name, "url": f"https://{number}.example"} for number, name in enumerate(used)]
    return without(body, {"multiagent"}) | {"tools": tools, "mcp_servers": servers}


def differing(meanings: Any, sent: dict[str, Any], shown: dict[str, Any]) -> list[str]:
    """The fields that do not show what was sent."""
    return [name for name, value in sent.items() if not same(meanings[name], value, shown[name])]


TOOLSET = {"type": "agent_toolset_20260401"}
ALWAYS = {"enabled": True, "permission_policy": {"type": "always_allow"}}
DOMAINS = {"allowed_domains": ["a.example"]}


@pytest.mark.parametrize(
    ("family", "body"),
    [
        (OPENAI, {"name": "n"}),
        (OPENAI, {"model": "m", "temperature": 1}),
        (OPENAI, {"model": "m", "metadata": {"reconciler": "mine"}}),
        (OPENAI, {"model": "m", "metadata": {str(n): "" for n in range(16)}}),
        (OPENAI, {"model": "m", "tools": [{"type": "file_search"}]}),
        (OPENAI, {"model": "m", "tools": [{"type": "function", "name": "f", "description": "d"}]}),
        (OPENAI, {"model": "m", "multi_agent": {"enabled": False, "max_concurrent_subagents": 2}}),
        (OPENAI, {"model": "m", "experimental": None}),
        (ANTHROPIC, {"model": {"id": "m", "effort": {"type": "low"}}}),
        (ANTHROPIC, ANTHROPIC.minimal | {"model": "m"}),
        (ANTHROPIC, ANTHROPIC.minimal | {"model": {"id": "m"}}),
        (ANTHROPIC, ANTHROPIC.minimal | {"system": ""}),
        (ANTHROPIC, ANTHROPIC.minimal | {"version": 1}),
        (ANTHROPIC, ANTHROPIC.minimal | {"tools": [{"type": "mcp_toolset", "mcp_server_name": "m"}]}),
        (ANTHROPIC, ANTHROPIC.minimal | {"tools": [TOOLSET | {"configs": [ALWAYS | {"name": "sudo"}]}]}),
        (
            ANTHROPIC,
            ANTHROPIC.minimal | {"tools": [TOOLSET | {"configs": [ALWAYS | {"name": "bash", "type": "bash"}]}]},
        ),
        (ANTHROPIC, ANTHROPIC.minimal | {"tools": [TOOLSET | {"configs": [ALWAYS | {"name": "bash", **DOMAINS}]}]}),
        (ANTHROPIC, ANTHROPIC.minimal | {"skills": [{"type": "anthropic", "skill_id": "xlsx"}]}),
        (ANTHROPIC, ANTHROPIC.minimal | {"multiagent": {"type": "coordinator", "agents": ["agent_x"]}}),
        (OPENAI, {"model": "m", "text": {"format": {"type": "json_schema", "schema": {"type": "string"}}}}),
    ],
)
def test_what_no_manifest_may_say(family: Family, body: dict[str, Any]) -> None:
    assert shipped().failures(family.schema, body)


def test_other_agents_are_shown_as_the_manifest_has_to_name_them() -> None:
    client, schema = ANTHROPIC.client(), shipped().schema(ANTHROPIC.schema)
    other = {"type": "agent", "id": client.post("/agents", json=ANTHROPIC.minimal).json()["id"], "version": 1}
    meaning = compile_schema(schema)["multiagent"]
    for multiagent in (
        {"type": "coordinator", "agents": [other]},
        {"type": "multiagent_20261001"},
        {
            "type": "multiagent_20261001",
            "advisor": {"type": "enabled", "model": "claude-opus-5-5"},
            "subagents": {"type": "disabled"},
            "workflows": {"type": "enabled", "inline_agents": {"type": "disabled"}, "predefined_agents": [other]},
        },
    ):
        body = ANTHROPIC.minimal | {"multiagent": multiagent}
        assert shipped().failures(ANTHROPIC.schema, body) == []
        assert same(meaning, multiagent, client.post("/agents", json=body).json()["multiagent"])
