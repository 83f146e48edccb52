"""The profile `agents-v1`: what an agent looks like, how it is changed, and every refusal."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from tests.unit.server.conftest import Start, Wire, error_of

TYPE = "invalid_request_error"
FUNCTION = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
HTTP = {"type": "http", "server_url": "https://mcp.example.com"}


@pytest.fixture
def agents(start: Start) -> Wire:
    return speaking(start(profile="agents-v1"))


def speaking(wire: Wire) -> Wire:
    """The same client, saying what this API wants to hear."""
    wire.client.headers["OpenAI-Beta"] = "agents=v1"
    return wire


def make(agents: Wire, **body: Any) -> Any:
    answer = agents.client.post("/agents", json={"model": "gpt-6", **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


def change(agents: Wire, id: str, **body: Any) -> Any:
    return agents.post(f"/agents/{id}", **body)


def refused(agents: Wire, body: Any, path: str = "/agents") -> tuple[int, Any, Any, Any, Any]:
    return error_of(agents.client.post(path, json=body))


def names(agents: Wire, query: str = "") -> list[str]:
    return [each["name"] for each in agents.get(f"/agents?{query}")["data"]]


# What an agent looks like


def test_a_create_answers_201_with_every_default_resolved(agents: Wire) -> None:
    made = make(agents)
    id = made.pop("id")
    assert id.startswith("agent_")
    assert made == {
        "object": "agent",
        "created_at": 1_700_000_000,
        "updated_at": 1_700_000_000,
        "name": None,
        "model": "gpt-6",
        "instructions": None,
        "tools": [],
        "reasoning": {"effort": None, "summary": None},
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "service_tier": "auto",
        "multi_agent": {"enabled": False, "max_concurrent_subagents": None},
        "compaction": {"async": False},
        "experimental": {"time_awareness": False},
        "metadata": {},
    }
    assert agents.get(f"/agents/{id}") == {"id": id, **made}


@pytest.mark.parametrize(
    ("sent", "added"),
    [
        (FUNCTION, {"defer_loading": False}),
        ({**FUNCTION, "async": True, "defer_loading": True}, {}),
        ({"type": "web_search"}, {"allowed_domains": None, "context_size": "medium", "location": None, "mode": "live"}),
        (
            {"type": "web_search", "mode": None, "allowed_domains": ["a.example"], "context_size": "low"},
            {"mode": "live", "location": None},
        ),
        (
            {"type": "web_search", "mode": "cached", "allowed_domains": None, "context_size": "low", "location": {}},
            {"location": {"city": None, "country": None, "region": None, "timezone": None}},
        ),
        ({"type": "computer_use"}, {"include_screenshots": False}),
        ({"type": "programmatic_tool_calling"}, {"enabled": True}),
        ({"type": "tool_search"}, {}),
        ({"type": "automations"}, {}),
        (
            {"type": "mcp", "server_label": "m", "transport": HTTP},
            {
                "transport": {**HTTP, "headers": {}},
                "allowed_tools": None,
                "connection_origin": "service",
                "credential_id": None,
                "request_metadata": {},
                "required": False,
            },
        ),
    ],
)
def test_tools_come_back_with_their_defaults(sent: dict[str, Any], added: dict[str, Any], agents: Wire) -> None:
    assert make(agents, tools=[sent])["tools"] == [sent | added]


def test_a_server_started_as_a_process_has_its_defaults(agents: Wire) -> None:
    transport = {"type": "stdio", "command": "c", "cwd": "/w"}
    made = make(agents, tools=[{"type": "mcp", "server_label": "m", "transport": transport}])
    assert made["tools"][0]["transport"] == {**transport, "args": [], "env_vars": []}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"enabled": True}, {"enabled": True, "max_concurrent_subagents": 6}),
        ({"enabled": True, "max_concurrent_subagents": 2}, {"enabled": True, "max_concurrent_subagents": 2}),
        ({"enabled": False, "max_concurrent_subagents": 2}, {"enabled": False, "max_concurrent_subagents": None}),
    ],
)
def test_subagents_have_a_number_only_where_there_are_any(sent: Any, shown: Any, agents: Wire) -> None:
    assert make(agents, multi_agent=sent)["multi_agent"] == shown


# How it is changed


def test_an_update_changes_what_it_carries_and_the_time(agents: Wire) -> None:
    made = make(agents, name="n", instructions="i", metadata={"a": "1"})
    agents.clock.now += 60
    changed = change(agents, made["id"], name="m")
    assert changed == {**made, "name": "m", "updated_at": made["updated_at"] + 60}
    agents.clock.now += 60
    assert change(agents, made["id"]) == {**changed, "updated_at": made["updated_at"] + 120}


EVERYTHING: dict[str, Any] = {
    "name": "n",
    "instructions": "i",
    "metadata": {"a": "1"},
    "tools": [{"type": "automations"}],
    "reasoning": {"effort": "high", "summary": "auto"},
    "text": {"format": {"type": "json_schema", "schema": {"type": "object"}}, "verbosity": "low"},
    "service_tier": "flex",
    "multi_agent": {"enabled": True},
    "compaction": {"async": True},
}


@pytest.mark.parametrize("field", EVERYTHING)
def test_null_clears(field: str, agents: Wire) -> None:
    plain, made = make(agents), make(agents, **EVERYTHING)
    assert made[field] != plain[field]
    assert change(agents, made["id"], **{field: None}) == {**made, field: plain[field]}


@pytest.mark.parametrize(
    ("field", "sent", "shown"),
    [
        ("metadata", {"b": "2"}, {"b": "2"}),
        ("metadata", {}, {}),
        ("tools", [], []),
        ("reasoning", {"effort": "low"}, {"effort": "low", "summary": None}),
        ("text", {"verbosity": "high"}, {"format": {"type": "text"}, "verbosity": "high"}),
        ("compaction", {}, {"async": False}),
    ],
)
def test_what_is_sent_replaces_the_whole_field(field: str, sent: Any, shown: Any, agents: Wire) -> None:
    made = make(agents, **EVERYTHING)
    assert change(agents, made["id"], **{field: sent}) == {**made, field: shown}


def test_experimental_settings_merge(agents: Wire) -> None:
    made = make(agents, experimental={"time_awareness": True})
    assert change(agents, made["id"], experimental={})["experimental"] == {"time_awareness": True}
    assert change(agents, made["id"], experimental={"time_awareness": False})["experimental"] == {
        "time_awareness": False
    }


def test_a_gateway_that_merges_metadata_can_be_played(start: Start) -> None:
    agents = speaking(start({"on": "modify", "metadata": "merge"}, profile="agents-v1"))
    made = make(agents, metadata={"a": "1"})
    assert change(agents, made["id"], metadata={"b": "2"})["metadata"] == {"a": "1", "b": "2"}


def test_a_stale_answer_can_be_played(start: Start) -> None:
    agents = speaking(start({"on": "modify", "stale_reply": True}, profile="agents-v1"))
    made = make(agents, name="n")
    assert change(agents, made["id"], name="m")["name"] == "n"
    assert agents.get(f"/agents/{made['id']}")["name"] == "m"


def test_a_deleted_agent_is_gone(agents: Wire) -> None:
    id = make(agents)["id"]
    assert agents.client.delete(f"/agents/{id}").json() == {"id": id, "object": "agent.deleted", "deleted": True}
    for method in ("DELETE", "GET", "POST"):
        answer = agents.client.request(method, f"/agents/{id}", json={} if method == "POST" else None)
        assert error_of(answer) == (
            404,
            f"Agent with id '{id}' not found.",
            "not_found_error",
            None,
            "not_found_error",
        )


# Lists


def test_lists_are_newest_first_and_page_by_id(agents: Wire) -> None:
    made = [make(agents, name=str(number)) for number in range(5)]
    page = agents.get("/agents?limit=2")
    assert (page["object"], page["has_more"]) == ("list", True)
    assert (page["first_id"], page["last_id"]) == (made[4]["id"], made[3]["id"])
    assert [each["name"] for each in agents.walk("limit=2", "/agents")] == list("43210")
    assert [each["name"] for each in agents.walk("limit=2&order=asc", "/agents")] == list("01234")


def test_an_empty_list_names_nobody(agents: Wire) -> None:
    empty = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
    assert agents.get("/agents?unknown=1&before=x") == empty


@pytest.mark.parametrize(("limit", "length"), [("0", 1), ("1", 1), ("100", 100), ("101", 100), ("%2B3", 3), ("", 20)])
def test_a_limit_out_of_range_is_clamped(limit: str, length: int, agents: Wire) -> None:
    for _ in range(102):
        make(agents)
    assert len(names(agents, f"limit={limit}" if limit else "")) == length


def test_a_deleted_agent_still_anchors_a_page(agents: Wire) -> None:
    made = [make(agents, name=str(number))["id"] for number in range(3)]
    agents.client.delete(f"/agents/{made[1]}")
    assert names(agents, f"after=%20{made[1]}%20") == ["0"]


BAD_QUERY = "Failed to deserialize query string: "


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limit=", "limit: invalid digit found in string"),
        ("limit=-1", "limit: invalid digit found in string"),
        ("limit=1.0", "limit: invalid digit found in string"),
        (f"limit={2**63}", "limit: number too large to fit in target type"),
        ("order=", "order: unknown variant ``, expected `asc` or `desc`"),
        ("order=up&after=nobody", "order: unknown variant `up`, expected `asc` or `desc`"),
        ("limit=x&order=asc&order=asc", "duplicate field `order`"),
        ("order=up&limit=x", "limit: invalid digit found in string"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query: str, reason: str, agents: Wire) -> None:
    assert error_of(agents.client.get(f"/agents?{query}")) == (400, BAD_QUERY + reason, TYPE, None, TYPE)


def test_a_cursor_that_never_was_is_not_found(agents: Wire) -> None:
    status, _, kind, _, code = error_of(agents.client.get("/agents?after=nobody"))
    assert (status, kind, code) == (404, "not_found_error", "not_found_error")


# Before the body


@pytest.mark.parametrize("beta", [None, "", "agents=v0", "assistants=v2", "agents=v1, agents=v1"])
def test_the_beta_header_is_checked_before_the_key(beta: str | None, start: Start) -> None:
    agents = speaking(start(profile="agents-v1", api_key="sk-right"))
    del agents.client.headers["OpenAI-Beta"]
    headers = {} if beta is None else {"OpenAI-Beta": beta}
    message = "To access the Agents API, set the 'OpenAI-Beta' header to 'agents=v1'."
    for path in ("/agents", "/agents/x", "/agents/x/y"):
        answer = agents.client.get(path, headers=headers)
        assert error_of(answer) == (400, message, "invalid_beta", None, "invalid_beta")


@pytest.mark.parametrize("key", [None, "Bearer sk-wrong", "Basic sk-right", "Bearer "])
def test_a_wrong_key_has_no_code(key: str | None, start: Start) -> None:
    agents = speaking(start(profile="agents-v1", api_key="sk-right"))
    headers = {"Authorization": key} if key else {}
    for path in ("/agents", "/agents/x/y"):
        status, _, kind, param, code = error_of(agents.client.get(path, headers=headers))
        assert (status, kind, param, code) == (401, TYPE, None, None)
    assert agents.client.get("/agents", headers={"Authorization": "Bearer sk-right"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [("PATCH", "/agents/x", "GET,POST,DELETE"), ("PUT", "/agents", "GET,POST"), ("DELETE", "/agents", "GET,POST")],
)
def test_a_method_that_is_not_served_says_which_are(method: str, path: str, allow: str, agents: Wire) -> None:
    answer = agents.client.request(method, path)
    assert error_of(answer)[0::4] == (405, "unsupported_operation")
    assert answer.headers["allow"] == allow


@pytest.mark.parametrize("path", ["/agents/", "/agents/x/", "/agents/x/versions"])
def test_a_route_below_agents_that_is_not_served_is_a_404(path: str, agents: Wire) -> None:
    assert error_of(agents.client.get(path))[0::4] == (404, "unsupported_operation")


@pytest.mark.parametrize("path", ["/assistants", "/agentsx", "/models"])
def test_other_routes_are_no_route_at_all(path: str, agents: Wire) -> None:
    assert error_of(agents.client.get(path))[:2] == (404, f"Invalid URL (GET /v1{path})")


# The body

BAD_JSON = "Invalid body: failed to parse JSON value."


@pytest.mark.parametrize("type_", [None, "", "text/plain", "application/jsonx", "multipart/form-data"])
def test_a_body_that_is_not_called_json_is_refused(type_: str | None, agents: Wire) -> None:
    headers = {} if type_ is None else {"Content-Type": type_}
    answer = agents.client.post("/agents", content='{"model": "m"}', headers=headers)
    assert error_of(answer) == (400, "expected request with Content-Type: application/json", TYPE, None, TYPE)


@pytest.mark.parametrize("type_", ["application/json", "Application/JSON; charset=utf-8", "application/a.b+json"])
def test_json_has_many_names(type_: str, agents: Wire) -> None:
    answer = agents.client.post("/agents", content='{"model": "m"}', headers={"Content-Type": type_})
    assert answer.status_code == 201


@pytest.mark.parametrize("content", ["", "null", "{}"])
def test_an_empty_body_is_an_empty_object(content: str, agents: Wire) -> None:
    id = make(agents, name="n")["id"]
    answer = agents.client.post(f"/agents/{id}", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["name"]) == (200, "n")


@pytest.mark.parametrize("content", ["{", " ", '{"model": NaN}', '{"a": 1} {}', '{"experimental": {"a": 1e999}'])
def test_a_body_that_is_no_json_is_refused(content: str, agents: Wire) -> None:
    answer = agents.client.post("/agents", content=content, headers={"Content-Type": "application/json"})
    status, message, kind, param, code = error_of(answer)
    assert (status, kind, param, code) == (400, TYPE, None, TYPE)
    assert message.startswith(BAD_JSON)


@pytest.mark.parametrize(
    ("content", "key", "path"),
    [
        ('{"model": "a", "model": "b"}', "model", "model"),
        ('{"metadata": {"k": "1", "j": "", "k": "1"}}', "k", "metadata.k"),
        ('{"tools": [{}, {"type": 1, "type": 2}], "x": {"y": 1, "y": 1}}', "type", "tools.type"),
        ('[{"a": 1, "a": 2}]', "a", "a"),
    ],
)
def test_a_key_that_is_given_twice_is_refused(content: str, key: str, path: str, agents: Wire) -> None:
    answer = agents.client.post("/agents", content=content, headers={"Content-Type": "application/json"})
    message = f"Invalid body: duplicate JSON key '{key}' at '{path}'. Duplicate JSON keys are not supported."
    assert error_of(answer) == (400, message, TYPE, None, TYPE)


def test_a_query_may_repeat_what_nobody_knows(agents: Wire) -> None:
    assert agents.get("/agents?before=a&before=b")["data"] == []


@pytest.mark.parametrize(
    ("body", "kind"), [([], "an array"), ("a", "a string"), (True, "a boolean"), (1, "a number"), (1.5, "a number")]
)
def test_a_body_that_is_no_object_is_refused(body: Any, kind: str, agents: Wire) -> None:
    message = f"Invalid type: expected an object, but got {kind} instead."
    assert refused(agents, body) == (400, message, TYPE, None, TYPE)


def _mcp(**parts: Any) -> dict[str, Any]:
    return {"tools": [{"type": "mcp", "server_label": "m", "transport": HTTP, **parts}]}


WRONG: list[tuple[dict[str, Any], str | None, str]] = [
    ({"temperature": 1}, "temperature", "Unknown parameter: 'temperature'."),
    ({"description": "d"}, "description", "Unknown parameter: 'description'."),
    ({"tool_resources": {}}, "tool_resources", "Unknown parameter: 'tool_resources'."),
    ({"model": None}, "model", "Invalid type for 'model': expected a string, but got null instead."),
    ({"name": "n" * 129}, "name", "Invalid 'name': string too long."),
    ({"instructions": "i" * 1_048_577}, "instructions", "Invalid 'instructions': string too long."),
    ({"metadata": {"k": 1}}, "metadata.k", "Invalid type for 'metadata.k': expected a string, but got an integer"),
    ({"metadata": {"k": "v" * 513}}, "metadata.k", "Invalid 'metadata.k': string too long."),
    ({"metadata": {"k" * 65: "v"}}, "metadata", "Invalid property name in 'metadata'"),
    ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "Invalid 'metadata': too many properties."),
    ({"tools": [{}]}, "tools[0].type", "Missing required parameter: 'tools[0].type'."),
    ({"tools": [{"type": "file_search"}]}, "tools[0].type", "Invalid value: 'file_search'. Supported values are:"),
    (
        {"tools": [{"type": "function", "name": "f", "description": "d"}]},
        "tools[0].parameters",
        "Missing required parameter: 'tools[0].parameters'.",
    ),
    ({"tools": [FUNCTION | {"strict": True}]}, "tools[0].strict", "Unknown parameter: 'tools[0].strict'."),
    ({"tools": [FUNCTION, FUNCTION]}, None, "duplicate function tool name: f"),
    ({"tools": [{"type": "web_search"}] * 2}, None, "duplicate web_search tool"),
    ({"tools": [{"type": "tool_search"}] * 2}, None, "duplicate tool_search tool"),
    (
        {"tools": [FUNCTION | {"parameters": {"type": "array"}}]},
        None,
        "Invalid schema for function 'f': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
    ),
    ({"tools": [FUNCTION | {"description": "d" * 3_145_728}]}, "tools", "Invalid 'tools': larger than 3145728 bytes"),
    (_mcp(transport={"type": "http"}), "tools[0].transport.server_url", "Missing required parameter"),
    (_mcp(transport=HTTP | {"authorization": "a"}), "tools[0].transport.authorization", "Unknown parameter"),
    (_mcp(connection_origin="moon"), "tools[0].connection_origin", "Invalid value: 'moon'."),
    ({"reasoning": {"effort": "most"}}, "reasoning.effort", "Invalid value: 'most'."),
    ({"text": {"format": {"type": "json_schema"}}}, "text.format.schema", "Missing required parameter"),
    (
        {"text": {"format": {"type": "json_schema", "schema": {"type": "string"}}}},
        None,
        'agent.text.format.schema must have top-level type "object"; got "string"',
    ),
    ({"service_tier": "slow"}, "service_tier", "Invalid value: 'slow'."),
    ({"multi_agent": {}}, "multi_agent.enabled", "Missing required parameter"),
    (
        {"multi_agent": {"enabled": True, "max_concurrent_subagents": 0}},
        "multi_agent.max_concurrent_subagents",
        "Invalid 'multi_agent.max_concurrent_subagents': integer below minimum value. Expected a value >= 1, but got 0",
    ),
    ({"experimental": None}, "experimental", "Invalid type for 'experimental': expected an object, but got null"),
]


@pytest.mark.parametrize(("body", "param", "message"), WRONG, ids=itertools.count())
def test_a_fault_in_the_body_is_named_by_its_path(
    body: dict[str, Any], param: str | None, message: str, agents: Wire
) -> None:
    made = make(agents, name="n")
    for path in ("/agents", f"/agents/{made['id']}", "/agents/nobody"):
        status, said, kind, at, code = refused(agents, {"model": "m", **body}, path)
        assert (status, kind, at, code) == (400, TYPE, param, TYPE)
        assert said.startswith(message)
    assert agents.get(f"/agents/{made['id']}") == made
    assert names(agents) == ["n"]


def test_a_create_needs_a_model(agents: Wire) -> None:
    assert refused(agents, {"name": "n"}) == (400, "Missing required parameter: 'model'.", TYPE, "model", TYPE)


def test_several_automations_and_servers_are_allowed(agents: Wire) -> None:
    tools = [{"type": "automations"}] * 2 + _mcp()["tools"] * 2
    assert len(make(agents, tools=tools)["tools"]) == 4


def test_chaos_knows_the_verbs(start: Start) -> None:
    agents = speaking(start({"on": "delete", "status": 429, "times": 1}, profile="agents-v1"))
    id = make(agents)["id"]
    assert [agents.client.delete(f"/agents/{id}").status_code for _ in range(2)] == [429, 200]


def test_an_adversary_only_respells(start: Start) -> None:
    agents = speaking(start(profile="agents-v1", adversary=1))
    for _ in range(20):
        made = make(agents, **EVERYTHING)
        assert {name: made[name] for name in ("name", "metadata", "compaction")} == {
            "name": "n",
            "metadata": {"a": "1"},
            "compaction": {"async": True},
        }


def test_headers_say_what_the_vendor_says(agents: Wire) -> None:
    answer: httpx.Response = agents.client.get("/agents/nobody")
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["x-request-id"].startswith("req_")
