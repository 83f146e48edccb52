"""The profile `anthropic-agents`: what an agent looks like, its versions, archiving, pages, and every refusal."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import httpx
import pytest

from tests.unit.server.conftest import Start, Wire

HEADERS = {"anthropic-version": "2023-06-01", "anthropic-beta": "managed-agents-2026-04-01"}
NOW = "2023-11-14T22:13:20.250Z"
INVALID = "invalid_request_error"
BUILT_IN = {"type": "agent_toolset_20260401"}
CUSTOM = {"type": "custom", "name": "f", "description": "d", "input_schema": {"type": "object"}}
SERVER = {"type": "url", "name": "m", "url": "https://mcp.example.com"}
TOOLSET = {"type": "mcp_toolset", "mcp_server_name": "m"}
ALLOW, ASK = {"type": "always_allow"}, {"type": "always_ask"}


@pytest.fixture
def agents(start: Start) -> Wire:
    return speaking(start(profile="anthropic-agents"))


def speaking(wire: Wire) -> Wire:
    """The same client, saying what this API wants to hear."""
    del wire.client.headers["OpenAI-Beta"]
    wire.client.headers.update(HEADERS)
    return wire


def make(agents: Wire, **body: Any) -> Any:
    return agents.post("/agents", **({"name": "n", "model": "claude-opus-5-5"} | body))


def change(agents: Wire, id: str, **body: Any) -> Any:
    return agents.post(f"/agents/{id}", **body)


def error_of(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, type and message; the envelope names the request, and has no more and no fewer keys."""
    body = answer.json()
    assert list(body) == ["type", "error", "request_id"]
    assert body["type"] == "error"
    assert body["request_id"] == answer.headers["request-id"]
    assert list(body["error"]) == ["type", "message"]
    return answer.status_code, body["error"]["type"], body["error"]["message"]


def refused(agents: Wire, path: str = "/agents", **body: Any) -> tuple[int, str, str]:
    return error_of(agents.client.post(path, json=body))


def walk(agents: Wire, path: str = "/agents", **query: Any) -> list[Any]:
    """Every object, page after page."""
    found: list[Any] = []
    while True:
        page = agents.client.get(path, params=query).json()
        found += page["data"]
        if page["next_page"] is None:
            return found
        query["page"] = page["next_page"]


def names(agents: Wire, **query: Any) -> list[str]:
    return [each["name"] for each in walk(agents, **query)]


# What an agent looks like


def test_a_create_answers_200_with_every_default_resolved(agents: Wire) -> None:
    made = make(agents)
    assert made["id"].startswith("agent_01")
    assert made == {
        "id": made["id"],
        "type": "agent",
        "name": "n",
        "model": {"id": "claude-opus-5-5", "effort": {"type": "high"}, "speed": "standard"},
        "system": None,
        "description": None,
        "tools": [],
        "skills": [],
        "mcp_servers": [],
        "multiagent": None,
        "execution_identity": {"type": "service_account"},
        "metadata": {},
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
        "archived_at": None,
    }
    assert agents.get(f"/agents/{made['id']}") == made


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"id": "m"}, {"effort": {"type": "high"}, "speed": "standard"}),
        ({"id": "m", "effort": "low", "speed": "fast"}, {"effort": {"type": "low"}, "speed": "fast"}),
        (
            {"id": "m", "effort": {"type": "max"}, "speed": None, "inference_geo": "eu"},
            {"effort": {"type": "max"}, "speed": "standard", "inference_geo": "eu"},
        ),
    ],
)
def test_a_model_is_shown_in_its_long_form(sent: Any, shown: Any, agents: Wire) -> None:
    assert make(agents, model=sent)["model"] == {"id": "m", **shown}


@pytest.mark.parametrize(
    ("sent", "added"),
    [
        (CUSTOM, {}),
        (BUILT_IN, {"default_config": {"enabled": True, "permission_policy": ALLOW}, "configs": []}),
        (TOOLSET, {"default_config": {"enabled": True, "permission_policy": ASK}, "configs": []}),
        (
            BUILT_IN | {"default_config": {"enabled": False}, "configs": [{"name": "bash", "enabled": True}]},
            {
                "default_config": {"enabled": False, "permission_policy": ALLOW},
                "configs": [{"type": "bash", "name": "bash", "enabled": True, "permission_policy": ALLOW}],
            },
        ),
        (
            TOOLSET | {"configs": [{"name": "t", "enabled": None}], "default_config": {"permission_policy": ALLOW}},
            {
                "default_config": {"enabled": True, "permission_policy": ALLOW},
                "configs": [{"name": "t", "enabled": True, "permission_policy": ALLOW}],
            },
        ),
    ],
)
def test_tools_come_back_with_what_was_left_open(sent: dict[str, Any], added: dict[str, Any], agents: Wire) -> None:
    servers = [SERVER] if sent["type"] == "mcp_toolset" else []
    assert make(agents, tools=[sent], mcp_servers=servers)["tools"] == [sent | added]


def test_skills_come_back_with_a_version(agents: Wire) -> None:
    skills = [{"type": "anthropic", "skill_id": "xlsx"}, {"type": "custom", "skill_id": "s", "version": "2"}]
    assert [skill["version"] for skill in make(agents, skills=skills)["skills"]] == ["latest", "2"]


# How it is changed


def test_an_update_carries_only_what_changes_and_makes_a_version(agents: Wire) -> None:
    made = make(agents, system="s", metadata={"a": "1"})
    agents.clock.now += 60
    changed = change(agents, made["id"], system="t")
    assert changed == {**made, "system": "t", "version": 2, "updated_at": "2023-11-14T22:14:20.250Z"}
    assert agents.get(f"/agents/{made['id']}") == changed


def test_an_update_without_a_change_makes_no_version(agents: Wire) -> None:
    made = make(agents, tools=[BUILT_IN], metadata={"a": "1"})
    agents.clock.now += 60
    same = {"name": "n", "tools": [BUILT_IN], "metadata": {"a": "1", "b": None}, "model": "claude-opus-5-5"}
    for body in ({}, same, {"version": 1, "description": ""}):
        assert change(agents, made["id"], **body) == made


EVERYTHING: dict[str, Any] = {
    "description": "d",
    "system": "s",
    "tools": [BUILT_IN, TOOLSET],
    "mcp_servers": [SERVER],
    "skills": [{"type": "anthropic", "skill_id": "xlsx"}],
    "execution_identity": {"type": "aws_role", "role_arn": "arn:aws:iam::123456789012:role/r"},
}


@pytest.mark.parametrize("field", EVERYTHING)
def test_null_clears(field: str, agents: Wire) -> None:
    plain, made = make(agents), make(agents, **EVERYTHING)
    sent: dict[str, Any] = {field: None}
    if field in ("tools", "mcp_servers"):  # only together: neither may refer to what is not there
        sent = {"tools": None, "mcp_servers": None}
    changed = change(agents, made["id"], **sent)
    assert {name: changed[name] for name in sent} == {name: plain[name] for name in sent}


@pytest.mark.parametrize(("field", "empty"), [("description", ""), ("system", ""), ("skills", [])])
def test_empty_clears_too(field: str, empty: Any, agents: Wire) -> None:
    made = make(agents, **EVERYTHING)
    assert change(agents, made["id"], **{field: empty})[field] == make(agents)[field]


def test_lists_are_replaced_whole(agents: Wire) -> None:
    made = make(agents, tools=[CUSTOM, BUILT_IN])
    assert change(agents, made["id"], tools=[CUSTOM])["tools"] == [CUSTOM]


def test_metadata_is_patched_entry_by_entry(agents: Wire) -> None:
    id = make(agents, metadata={"a": "1", "b": "2"})["id"]
    assert change(agents, id, metadata={"b": None, "c": "3"})["metadata"] == {"a": "1", "c": "3"}
    assert change(agents, id, metadata={"a": ""})["metadata"] == {"a": "", "c": "3"}
    assert change(agents, id, metadata={})["metadata"] == {"a": "", "c": "3"}
    assert change(agents, id, metadata=None)["metadata"] == {"a": "", "c": "3"}


def test_metadata_is_limited_in_the_end_and_not_in_the_patch(agents: Wire) -> None:
    id = make(agents, metadata={f"a{n}": "" for n in range(16)})["id"]
    patch = {f"a{n}": None for n in range(16)} | {f"b{n}": "" for n in range(16)}
    assert change(agents, id, metadata=patch)["metadata"] == {f"b{n}": "" for n in range(16)}
    status, kind, message = refused(agents, f"/agents/{id}", metadata={"c": ""})
    assert (status, kind) == (400, INVALID)
    assert "at most 16 properties" in message


def test_a_model_replaces_whole_but_keeps_its_effort(agents: Wire) -> None:
    made = make(agents, model={"id": "m", "effort": "low", "speed": "fast", "inference_geo": "eu"})
    assert change(agents, made["id"], model="m")["model"] == {
        "id": "m",
        "effort": {"type": "low"},
        "speed": "standard",
    }


# Versions


def test_a_version_that_does_not_match_is_a_conflict(agents: Wire) -> None:
    id = make(agents)["id"]
    assert change(agents, id, version=1, system="mine")["version"] == 2
    before = agents.get(f"/agents/{id}")
    status, kind, message = refused(agents, f"/agents/{id}", version=1, system="theirs")
    assert (status, kind) == (409, INVALID)
    assert message == "version 1 does not match the agent's current version 2"
    assert agents.get(f"/agents/{id}") == before
    assert change(agents, id, version=2.0, system="theirs")["version"] == 3
    assert change(agents, id, system="unconditional")["version"] == 4


def test_versions_are_kept(agents: Wire) -> None:
    made = make(agents, system="0")
    changed = [change(agents, made["id"], system=str(number)) for number in range(1, 5)]
    assert walk(agents, f"/agents/{made['id']}/versions", limit=2) == [*changed[::-1], made]
    assert agents.get(f"/agents/{made['id']}?version=1") == made
    assert agents.get(f"/agents/{made['id']}?version=5") == changed[-1]
    for version, status in (("6", 404), ("0", 400), ("x", 400)):
        assert error_of(agents.client.get(f"/agents/{made['id']}?version={version}"))[0] == status
    assert error_of(agents.client.get("/agents/agent_01x/versions"))[0] == 404


def test_a_stale_answer_can_be_played(start: Start) -> None:
    agents = speaking(start({"on": "modify", "stale_reply": True}, profile="anthropic-agents"))
    id = make(agents)["id"]
    assert change(agents, id, name="m")["name"] == "n"
    assert agents.get(f"/agents/{id}")["name"] == "m"


# Archiving


def test_an_archived_agent_can_be_read_and_not_changed(agents: Wire) -> None:
    made = make(agents)
    agents.clock.now += 1
    archived = agents.post(f"/agents/{made['id']}/archive")
    assert archived == {**made, "archived_at": "2023-11-14T22:13:21.250Z"}
    agents.clock.now += 1
    assert agents.post(f"/agents/{made['id']}/archive") == archived
    assert agents.get(f"/agents/{made['id']}") == archived
    assert refused(agents, f"/agents/{made['id']}", name="m")[:2] == (409, INVALID)


def test_archived_agents_are_listed_only_on_request(agents: Wire) -> None:
    for name in "abc":
        id = make(agents, name=name)["id"]
        if name == "b":
            agents.post(f"/agents/{id}/archive")
    assert names(agents, limit=1) == ["c", "a"]
    assert names(agents, limit=1, include_archived="true") == ["c", "b", "a"]


def test_there_is_no_delete(agents: Wire) -> None:
    id = make(agents)["id"]
    assert error_of(agents.client.delete(f"/agents/{id}")) == (404, "not_found_error", "Not found")
    assert agents.get(f"/agents/{id}")["archived_at"] is None


def test_chaos_takes_archiving_for_deleting(start: Start) -> None:
    agents = speaking(start({"on": "delete", "status": 529, "times": 1}, profile="anthropic-agents"))
    id = make(agents)["id"]
    assert [agents.client.post(f"/agents/{id}/archive").status_code for _ in range(2)] == [529, 200]


# Lists


def test_pages_follow_an_opaque_token(agents: Wire) -> None:
    for number in range(5):
        make(agents, name=str(number))
    first = agents.get("/agents?limit=2")
    assert list(first) == ["data", "next_page"]
    assert names(agents, limit=2) == list("43210")
    assert agents.get("/agents") == {"data": walk(agents), "next_page": None}


def test_pages_hold_twenty_unless_asked(agents: Wire) -> None:
    for _ in range(101):
        make(agents)
    assert len(agents.get("/agents")["data"]) == 20
    assert len(agents.get("/agents?limit=100")["data"]) == 100


def test_lists_can_be_limited_to_a_time(agents: Wire) -> None:
    for name in "abc":
        make(agents, name=name)
        agents.clock.now += 60
    at = "2023-11-14T22:14:20.250Z"
    assert names(agents, **{"created_at[gte]": at}) == ["c", "b"]
    assert names(agents, **{"created_at[lte]": "2023-11-14T23:14:20.250+01:00"}) == ["b", "a"]
    assert names(agents, **{"created_at[gte]": at, "created_at[lte]": at}) == ["b"]


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("page=nonsense", "page"),
        ("page=page_%20", "page"),
        (f"page=page_{base64.urlsafe_b64encode(b'nobody').decode()}", "page"),
        ("include_archived=perhaps", "include_archived"),
        ("created_at[gte]=yesterday", "created_at[gte]"),
    ],
)
def test_a_query_that_cannot_be_read_is_refused(query: str, place: str, agents: Wire) -> None:
    status, kind, message = error_of(agents.client.get(f"/agents?{query}"))
    assert (status, kind) == (400, INVALID)
    assert place in message


@pytest.mark.parametrize("adversary", [1, 2])
def test_an_adversary_moves_the_boundaries_of_pages(adversary: int, start: Start) -> None:
    agents = speaking(start(profile="anthropic-agents", adversary=adversary))
    for number in range(30):
        make(agents, name=str(number))
    assert names(agents, limit=20) == [str(number) for number in reversed(range(30))]


# Before the body


@pytest.mark.parametrize(
    ("headers", "message"),
    [({}, "x-api-key header is required"), ({"x-api-key": "wrong"}, "invalid x-api-key")],
)
def test_the_key_is_checked_first(headers: dict[str, str], message: str, start: Start) -> None:
    agents = speaking(start(profile="anthropic-agents", api_key="sk-right"))
    for name in HEADERS:
        del agents.client.headers[name]
    for path in ("/agents", "/agents/x/nothing"):
        assert error_of(agents.client.get(path, headers=headers)) == (401, "authentication_error", message)


@pytest.mark.parametrize("headers", [{"x-api-key": "sk-right"}, {"Authorization": "Bearer sk-right"}])
def test_a_key_has_two_places(headers: dict[str, str], start: Start) -> None:
    agents = speaking(start(profile="anthropic-agents", api_key="sk-right"))
    assert agents.client.get("/agents", headers=headers).status_code == 200


@pytest.mark.parametrize("name", HEADERS)
def test_both_headers_are_needed(name: str, agents: Wire) -> None:
    del agents.client.headers[name]
    status, kind, message = error_of(agents.client.get("/agents"))
    assert (status, kind) == (400, INVALID)
    assert message.startswith(f"{name}: ")


def test_several_betas_are_fine(agents: Wire) -> None:
    headers = {"anthropic-beta": "other-2026-01-01, managed-agents-2026-04-01"}
    assert agents.client.get("/agents?beta=true", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/agents/", "/agents/x/", "/agents/x/sessions", "/agents//archive"])
def test_a_route_below_agents_that_is_not_served_is_a_404(path: str, agents: Wire) -> None:
    assert error_of(agents.client.get(path)) == (404, "not_found_error", "Not found")


@pytest.mark.parametrize("method", ["GET", "POST", "POST archive"])
def test_an_unknown_agent_is_not_found(method: str, agents: Wire) -> None:
    verb, *rest = method.split()
    path = "/".join(["/agents/agent_01x", *rest])
    answer = agents.client.request(verb, path, json={"version": "x"} if verb == "POST" else None)
    assert error_of(answer) == (404, "not_found_error", "Agent agent_01x not found.")


# The body

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "Invalid type for 'name'"),
    ({"name": ""}, "Invalid 'name': empty string."),
    ({"name": "n" * 257}, "Invalid 'name': string too long."),
    ({"model": None}, "Invalid type for 'model'"),
    ({"model": {}}, "model.id: Field required"),
    ({"model": {"id": "m", "effort": "most"}}, "model.effort: Invalid value: 'most'."),
    ({"model": {"id": "m", "speed": "slow"}}, "model.speed: Invalid value: 'slow'."),
    ({"system": "s" * 100_001}, "Invalid 'system': string too long."),
    ({"description": "d" * 2049}, "Invalid 'description': string too long."),
    ({"instructions": "i"}, "instructions: Extra inputs are not permitted"),
    ({"metadata": {"k": 1}}, "Invalid type for 'metadata.k'"),
    ({"metadata": {"k" * 65: ""}}, "Invalid property name in 'metadata'"),
    ({"metadata": []}, "metadata: expected an object"),
    ({"tools": [{"type": "function"}]}, "tools.0.type: Invalid value: 'function'."),
    ({"tools": [CUSTOM, CUSTOM]}, "tools: names must be unique"),
    ({"tools": [CUSTOM | {"input_schema": {}}]}, "tools.0.input_schema.type: Field required"),
    ({"tools": [CUSTOM | {"input_schema": {"type": "array"}}]}, "tools.0.input_schema.type: Invalid value: 'array'."),
    ({"tools": [CUSTOM] * 257}, "Invalid 'tools': array too long."),
    ({"tools": [BUILT_IN | {"configs": [{"name": "sudo"}]}]}, "tools.0.configs.0.name: Invalid value: 'sudo'."),
    ({"tools": [BUILT_IN | {"configs": [{}]}]}, "tools.0.configs.0.name: Field required"),
    (
        {"tools": [BUILT_IN | {"configs": [{"name": "bash", "allowed_domains": ["a"]}]}]},
        "tools.0.configs.0.allowed_domains: Extra inputs are not permitted",
    ),
    (
        {
            "tools": [
                BUILT_IN | {"configs": [{"name": "web_fetch", "allowed_domains": ["a"], "blocked_domains": ["b"]}]}
            ]
        },
        "tools.0.configs.0: allowed_domains cannot be combined with blocked_domains",
    ),
    ({"tools": [TOOLSET]}, "tools: mcp_server_name 'm' does not match any server in mcp_servers"),
    ({"mcp_servers": [SERVER]}, "mcp_servers: server 'm' is not referenced by any mcp_toolset in tools"),
    ({"mcp_servers": [SERVER] * 2, "tools": [TOOLSET]}, "mcp_servers: names must be unique"),
    ({"skills": [{"type": "anthropic"}]}, "skills.0.skill_id: Field required"),
    ({"execution_identity": {"type": "aws_role"}}, "execution_identity.role_arn: Field required"),
    ({"multiagent": {"type": "coordinator", "agents": []}}, "Invalid 'multiagent.agents': empty array."),
    (
        {"multiagent": {"type": "coordinator", "agents": ["agent_01x"]}},
        "multiagent: agent 'agent_01x' does not exist, is archived, or has multiagent set itself",
    ),
]


@pytest.mark.parametrize(("body", "message"), WRONG, ids=itertools.count())
def test_a_fault_in_the_body_is_named_by_its_place(body: dict[str, Any], message: str, agents: Wire) -> None:
    made = make(agents)
    if body != {"metadata": []}:
        assert refused(agents, **({"name": "n", "model": "m"} | body))[:2] == (400, INVALID)
    status, kind, said = refused(agents, f"/agents/{made['id']}", **body)
    assert (status, kind) == (400, INVALID)
    assert said.startswith(message)
    assert walk(agents) == [made]


@pytest.mark.parametrize("field", ["name", "model"])
def test_a_create_needs_a_name_and_a_model(field: str, agents: Wire) -> None:
    body = {"name": "n", "model": "m"}
    del body[field]
    assert refused(agents, **body) == (400, INVALID, f"{field}: Field required")


@pytest.mark.parametrize("field", ["tools", "mcp_servers", "skills", "metadata"])
def test_a_create_has_no_null_for_what_is_empty(field: str, agents: Wire) -> None:
    status, kind, message = refused(agents, name="n", model="m", **{field: None})
    assert (status, kind) == (400, INVALID)
    assert message.startswith(f"Invalid type for '{field}'")


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", True, None])
def test_a_version_is_a_whole_number_from_one(version: Any, agents: Wire) -> None:
    id = make(agents)["id"]
    assert refused(agents, f"/agents/{id}", version=version)[:2] == (400, INVALID)


@pytest.mark.parametrize("content", ["", "{", '{"name": NaN}', "[]"])
def test_a_body_that_is_no_object_is_refused(content: str, agents: Wire) -> None:
    answer = agents.client.post("/agents", content=content, headers={"Content-Type": "application/json"})
    assert error_of(answer)[:2] == (400, INVALID)


# Other agents


def test_a_coordinator_names_others_in_a_version(agents: Wire) -> None:
    one, two = make(agents)["id"], make(agents)["id"]
    change(agents, one, name="m")
    roster = [one, {"type": "agent", "id": two, "version": 1}, {"type": "self"}, {"type": "advisor", "model": "m"}]
    made = make(agents, multiagent={"type": "coordinator", "agents": roster})
    assert made["multiagent"]["agents"] == [
        {"type": "agent", "id": one, "version": 2},
        {"type": "agent", "id": two, "version": 1},
        {"type": "agent", "id": made["id"], "version": 1},
        {"type": "advisor", "model": "m"},
    ]
    for entries, reason in (
        ([one, one], "entries must name distinct agents"),
        ([made["id"]], "does not exist, is archived, or has multiagent set itself"),
        ([{"type": "agent", "id": one, "version": 3}], "has no version 3"),
    ):
        multiagent = {"type": "coordinator", "agents": entries}
        assert reason in refused(agents, name="n", model="m", multiagent=multiagent)[2]
    agents.post(f"/agents/{two}/archive")
    assert refused(agents, name="n", model="m", multiagent={"type": "coordinator", "agents": [two]})[0] == 400
    assert change(agents, made["id"], multiagent=None)["multiagent"] is None


MEMBER = {"type": "enabled", "inline_agents": {"type": "enabled"}, "predefined_agents": []}


def test_members_are_merged_level_by_level(agents: Wire) -> None:
    other = make(agents)["id"]
    reference = {"type": "agent", "id": other, "version": 1}
    kind = "multiagent_20261001"
    made = make(agents, multiagent={"type": kind, "workflows": {"type": "disabled"}})
    whole = {"type": kind, "advisor": {"type": "disabled"}, "subagents": MEMBER, "workflows": {"type": "disabled"}}
    assert made["multiagent"] == whole
    only = {"type": "enabled", "inline_agents": {"type": "disabled"}, "predefined_agents": [other]}
    for sent, shown in (
        ({"subagents": only}, {"subagents": only | {"predefined_agents": [reference]}}),
        (
            {"subagents": {"type": "enabled", "inline_agents": None}},
            {"subagents": MEMBER | {"predefined_agents": [reference]}},
        ),
        ({"subagents": {"type": "enabled", "predefined_agents": None}}, {"subagents": MEMBER}),
        ({"workflows": None}, {"workflows": MEMBER}),
        ({"advisor": {"type": "enabled", "model": "m"}}, {"advisor": {"type": "enabled", "model": "m"}}),
        ({"advisor": None}, {"advisor": {"type": "disabled"}}),
        ({"subagents": {"type": "disabled"}}, {"subagents": {"type": "disabled"}}),
        ({"subagents": {"type": "enabled"}}, {"subagents": MEMBER}),
    ):
        whole |= shown
        assert change(agents, made["id"], multiagent={"type": kind, **sent})["multiagent"] == whole
    nobody = {"type": "enabled", "inline_agents": {"type": "disabled"}}
    status, _, message = refused(agents, f"/agents/{made['id']}", multiagent={"type": kind, "subagents": nobody})
    assert status == 400
    assert message.startswith("multiagent.subagents: at least one agent is needed")


def test_agents_of_two_vendors_share_a_file_and_not_a_list(start: Start, tmp_path: Any) -> None:
    theirs = speaking(start(profile="anthropic-agents", db=tmp_path / "x.db"))
    ours = start(profile="agents-v1", db=tmp_path / "x.db")
    ours.client.headers["OpenAI-Beta"] = "agents=v1"
    make(theirs)
    assert ours.get("/agents")["data"] == []
