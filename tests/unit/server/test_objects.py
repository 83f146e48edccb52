"""The shape of what is answered: keys and their order, fill-ins, limits just reached, headers."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.server.conftest import Wire

RANKING = {"ranker": "default_2024_08_21", "score_threshold": 0.0}


def test_an_assistant_has_the_recorded_keys_in_the_recorded_order(wire: Wire) -> None:
    answer = wire.client.post("/assistants", json={"model": "gpt-4o"})
    assert answer.status_code == 200
    body = answer.json()
    id = body.pop("id")
    assert re.fullmatch("asst_[0-9A-Za-z]{24}", id)
    assert list(answer.json()) == [
        "id", "object", "created_at", "name", "description", "model", "instructions", "tools", "top_p", "temperature",
        "tool_resources", "metadata", "response_format", "reasoning_effort",
    ]  # fmt: skip
    assert body == {
        "object": "assistant",
        "created_at": 1_700_000_000,
        "name": None,
        "description": None,
        "model": "gpt-4o",
        "instructions": None,
        "tools": [],
        "top_p": 1.0,
        "temperature": 1.0,
        "tool_resources": {},
        "metadata": {},
        "response_format": "auto",
        "reasoning_effort": None,
    }
    assert '"temperature": 1.0' in answer.text
    assert wire.client.get(f"/assistants/{id}").text == answer.text


def test_null_on_create_is_what_absent_is(wire: Wire) -> None:
    nothing = ("name", "description", "instructions", "tool_resources", "metadata", "temperature", "top_p")
    body = wire.create(**dict.fromkeys((*nothing, "response_format", "reasoning_effort")))
    bare = wire.create()
    assert {**body, "id": ""} == {**bare, "id": ""}


def test_numbers_are_stored_as_floats(wire: Wire) -> None:
    id = wire.create(temperature=2, top_p=0)["id"]
    text = wire.client.get(f"/assistants/{id}").text
    assert '"temperature": 2.0' in text
    assert '"top_p": 0.0' in text


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"type": "code_interpreter"}, {"type": "code_interpreter"}),
        ({"type": "file_search"}, {"type": "file_search", "file_search": {"ranking_options": RANKING}}),
        (
            {"type": "file_search", "file_search": {"max_num_results": 50}},
            {"type": "file_search", "file_search": {"max_num_results": 50, "ranking_options": RANKING}},
        ),
        (
            {"type": "file_search", "file_search": {"ranking_options": {"ranker": "auto", "score_threshold": 1}}},
            {"type": "file_search", "file_search": {"ranking_options": {**RANKING, "score_threshold": 1.0}}},
        ),
        (
            {"type": "function", "function": {"name": "f"}},
            {"type": "function", "function": {"name": "f", "strict": False}},
        ),
        (
            {"type": "function", "function": {"name": "f", "strict": None, "parameters": {"x": {"y": [None]}}}},
            {"type": "function", "function": {"name": "f", "strict": False, "parameters": {"x": {"y": [None]}}}},
        ),
        (
            {"type": "function", "function": {"name": "f", "strict": True, "description": ""}},
            {"type": "function", "function": {"name": "f", "strict": True, "description": ""}},
        ),
    ],
)  # fmt: skip
def test_tools_are_filled_in(sent: dict[str, Any], shown: dict[str, Any], wire: Wire) -> None:
    assert wire.create(tools=[sent])["tools"] == [shown]


def test_code_interpreter_brings_its_empty_file_list(wire: Wire) -> None:
    assert wire.create(tools=[{"type": "code_interpreter"}])["tool_resources"] == {"code_interpreter": {"file_ids": []}}


def test_tool_resources_live_without_their_tool(wire: Wire) -> None:
    resources = {"file_search": {"vector_store_ids": ["vs_1"]}}
    body = wire.create(tools=[], tool_resources=resources)
    assert body["tools"] == []
    assert body["tool_resources"] == resources


def test_a_new_vector_store_becomes_an_id(wire: Wire) -> None:
    new = {"file_ids": ["file-1"], "chunking_strategy": {"type": "auto"}, "metadata": {"a": "b"}}
    search = wire.create(tool_resources={"file_search": {"vector_stores": [new]}})["tool_resources"]["file_search"]
    assert list(search) == ["vector_store_ids"]
    assert re.fullmatch("vs_[0-9A-Za-z]{24}", *search["vector_store_ids"])


@pytest.mark.parametrize(
    "shape",
    [
        "auto",
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": None}},
    ],
)
def test_every_response_format_is_kept_as_it_is(shape: Any, wire: Wire) -> None:
    assert wire.create(response_format=shape)["response_format"] == shape


@pytest.mark.parametrize(
    "body",
    [
        {"name": "😀" * 256},
        {"description": "d" * 512},
        {"instructions": "ä" * 256_000},
        {"metadata": {f"{number:064}": "v" * 512 for number in range(16)}},
        {"tools": [{"type": "code_interpreter"}] * 128},
        {"tools": [{"type": "function", "function": {"name": "a-_" + "Z" * 61, "strict": False}}]},
        {"tool_resources": {"code_interpreter": {"file_ids": ["file-1"] * 20}}},
        {"name": "\x00\x1b", "instructions": "a\u2028\r\n\u202e"},
    ],
)
def test_what_is_just_within_the_limits_is_kept(body: dict[str, Any], wire: Wire) -> None:
    made = wire.create(**body)
    assert {name: made[name] for name in body} == body
    assert wire.retrieve(made["id"]) == made


def test_half_a_surrogate_pair_does_no_harm(wire: Wire) -> None:
    answer = wire.client.post("/assistants", content=rb'{"model": "m", "name": "\ud800"}')
    assert wire.retrieve(answer.json()["id"])["name"] == "\ud800"


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
def test_reasoning_models_have_an_effort(effort: str, wire: Wire) -> None:
    assert wire.create(model="o3-mini", reasoning_effort=effort)["reasoning_effort"] == effort


def test_every_answer_has_the_recorded_headers(wire: Wire) -> None:
    for answer in (wire.client.get("/assistants"), wire.client.get("/assistants/nobody")):
        assert re.fullmatch("req_[0-9a-f]{32}", answer.headers["x-request-id"])
        assert answer.headers["openai-version"] == "2020-10-01"
        assert answer.headers["openai-processing-ms"].isdecimal()
        assert answer.headers["openai-organization"]
        assert answer.headers["content-type"] == "application/json"
        assert not [name for name in answer.headers if name.startswith("x-ratelimit")]
