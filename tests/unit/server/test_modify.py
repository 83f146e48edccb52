"""Modify and delete: absent keeps, null clears, the rest is replaced whole, and the merged object is checked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.server.conftest import Wire, error_of

EVERYTHING: dict[str, Any] = {
    "name": "n",
    "description": "d",
    "instructions": "i",
    "tools": [{"type": "code_interpreter"}],
    "tool_resources": {
        "code_interpreter": {"file_ids": ["file-1"]},
        "file_search": {"vector_store_ids": ["vs_1"]},
    },
    "metadata": {"a": "1", "b": "2"},
    "temperature": 0.5,
    "top_p": 0.25,
    "response_format": {"type": "text"},
}


def test_what_is_absent_stays(wire: Wire) -> None:
    before = wire.create(**EVERYTHING)
    wire.clock.now += 100
    after = wire.modify(before["id"], name="other")
    assert after == before | {"name": "other"}
    assert list(after) == list(before)
    assert wire.modify(before["id"]) == after
    assert wire.retrieve(before["id"]) == after


def test_null_clears(wire: Wire) -> None:
    id = wire.create(**EVERYTHING)["id"]
    nullable = [name for name in EVERYTHING if name != "tools"]
    cleared = wire.modify(id, tools=[], **dict.fromkeys(nullable))
    assert cleared == {**wire.create(), "id": id}


def test_metadata_and_tool_resources_and_lists_are_replaced_whole(wire: Wire) -> None:
    id = wire.create(**EVERYTHING)["id"]
    assert wire.modify(id, metadata={"c": "3"})["metadata"] == {"c": "3"}
    resources = {"code_interpreter": {"file_ids": []}}
    assert wire.modify(id, tool_resources=resources)["tool_resources"] == resources
    assert wire.modify(id, tools=[])["tools"] == []


def test_a_vector_store_cannot_be_made_by_modify(wire: Wire) -> None:
    id = wire.create()["id"]
    answer = wire.client.post(f"/assistants/{id}", json={"tool_resources": {"file_search": {"vector_stores": [{}]}}})
    where = "tool_resources.file_search.vector_stores"
    assert error_of(answer) == (
        400, f"Unknown parameter: '{where}'.", "invalid_request_error", where, "unknown_parameter",
    )  # fmt: skip


@pytest.mark.parametrize("field", ["temperature", "top_p"])
@pytest.mark.parametrize("model", ["o1", "o3-mini", "o4-mini", "gpt-5", "gpt-5-mini"])
def test_the_merged_object_is_checked_against_the_model(model: str, field: str, wire: Wire) -> None:
    refused = (
        400, f"Unsupported parameter: '{field}' is not supported with this model.", "invalid_request_error", "model",
        "unsupported_model",
    )  # fmt: skip
    id = wire.create(**{field: 0.5})["id"]
    assert error_of(wire.client.post(f"/assistants/{id}", json={"model": model})) == refused
    assert error_of(wire.client.post("/assistants", json={"model": model, field: 0.5})) == refused
    assert wire.retrieve(id)["model"] == "gpt-4o"
    assert wire.modify(id, model=model, **{field: None})[field] == 1.0


def test_leaving_a_reasoning_model_needs_its_effort_cleared(wire: Wire) -> None:
    id = wire.create(model="o3-mini", reasoning_effort="high")["id"]
    answer = wire.client.post(f"/assistants/{id}", json={"model": "gpt-4o"})
    assert error_of(answer)[1] == "Unsupported parameter: 'reasoning_effort' is not supported with this model."
    assert wire.modify(id, model="gpt-4o", reasoning_effort=None)["reasoning_effort"] is None


def test_a_refused_modify_changes_nothing(wire: Wire) -> None:
    before = wire.create(**EVERYTHING)
    answer = wire.client.post(f"/assistants/{before['id']}", json={"name": "x", "temperature": 3})
    assert answer.status_code == 400
    assert wire.retrieve(before["id"]) == before


def test_delete_says_so_once(wire: Wire) -> None:
    id = wire.create()["id"]
    gone = (404, f"No assistant found with id '{id}'.", "invalid_request_error", None, None)
    answer = wire.client.delete(f"/assistants/{id}")
    assert answer.status_code == 200
    assert answer.json() == {"id": id, "object": "assistant.deleted", "deleted": True}
    assert list(answer.json()) == ["id", "object", "deleted"]
    assert error_of(wire.client.delete(f"/assistants/{id}")) == gone
    assert error_of(wire.client.get(f"/assistants/{id}")) == gone
    assert error_of(wire.client.post(f"/assistants/{id}", json={})) == gone
    assert wire.names() == []
