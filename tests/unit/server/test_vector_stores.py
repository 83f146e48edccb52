"""Vector stores: made, changed, listed, expired; what they show follows from their files."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.unit.server.conftest import Start, Wire, error_of

TYPE = "invalid_request_error"
DAY = 86_400
WEEK = {"anchor": "last_active_at", "days": 7}
EMPTY = {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}


def test_an_empty_store_is_as_recorded(wire: Wire) -> None:
    made = wire.post("/vector_stores")
    assert re.fullmatch("vs_[0-9A-Za-z]{24}", made["id"])
    assert made == {
        "id": made["id"],
        "object": "vector_store",
        "created_at": 1_700_000_000,
        "name": None,
        "description": None,
        "usage_bytes": 0,
        "file_counts": EMPTY,
        "status": "completed",
        "expires_after": None,
        "expires_at": None,
        "last_active_at": 1_700_000_000,
        "metadata": {},
    }
    assert wire.get(f"/vector_stores/{made['id']}") == made
    assert wire.get("/vector_stores")["data"] == [made]


def test_everything_that_can_be_said_of_a_new_store(wire: Wire) -> None:
    said = {"name": "n", "description": "d", "expires_after": WEEK, "metadata": {"a": "1"}}
    files = [wire.upload("12345"), wire.upload("678")]
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
    made = wire.post("/vector_stores", **said, file_ids=[*files, files[0]], chunking_strategy=chunking)
    assert {name: made[name] for name in said} == said
    assert made["expires_at"] == made["last_active_at"] + 7 * DAY
    assert (made["status"], made["usage_bytes"]) == ("in_progress", 0)
    assert made["file_counts"] == EMPTY | {"in_progress": 2, "total": 2}
    listed = wire.get(f"/vector_stores/{made['id']}/files?order=asc")["data"]
    assert [each["id"] for each in listed] == files
    assert {each["status"] for each in listed} == {"in_progress"}
    assert [each["chunking_strategy"] for each in listed] == [chunking] * 2
    done = wire.get(f"/vector_stores/{made['id']}")
    assert (done["status"], done["usage_bytes"]) == ("completed", 8)
    assert done["file_counts"] == EMPTY | {"completed": 2, "total": 2}


def test_a_new_store_of_an_unknown_file_is_not_made(wire: Wire) -> None:
    answer = wire.client.post("/vector_stores", json={"file_ids": [wire.upload(), "file-0"]})
    assert error_of(answer) == (404, "No such File object: file-0", TYPE, "id", None)
    assert wire.get("/vector_stores")["data"] == []


def test_modify_changes_three_fields_and_keeps_what_is_absent(wire: Wire) -> None:
    before = wire.post("/vector_stores", name="n", description="d", expires_after=WEEK, metadata={"a": "1"})
    path = f"/vector_stores/{before['id']}"
    assert wire.post(path) == before
    assert wire.post(path, name="m", metadata={"b": "2"}) == before | {"name": "m", "metadata": {"b": "2"}}
    cleared = {"name": None, "expires_after": None, "metadata": {}, "expires_at": None}
    assert wire.post(path, name=None, expires_after=None, metadata=None) == before | cleared
    assert wire.post(path, expires_after=WEEK)["expires_at"] == before["expires_at"]


def test_modify_plays_chaos_as_assistants_do(start: Start) -> None:
    wire = start({"on": "modify", "metadata": "merge"}, {"on": "modify", "nth": 1, "stale_reply": True})
    path = f"/vector_stores/{wire.store(metadata={'a': '1'})}"
    assert wire.post(path, metadata={"b": "2"})["metadata"] == {"a": "1"}
    assert wire.post(path)["metadata"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"description": "d"}, "description", "unknown_parameter"),
        ({"chunking_strategy": {"type": "auto"}}, "chunking_strategy", "unknown_parameter"),
        ({"file_ids": []}, "file_ids", "unknown_parameter"),
        ({"expires_after": {"anchor": "created_at", "days": 1}}, "expires_after.anchor", "invalid_value"),
        ({"expires_after": {"anchor": "last_active_at"}}, "expires_after.days", "missing_required_parameter"),
        ({"expires_after": WEEK | {"days": 0}}, "expires_after.days", "integer_below_min_value"),
        ({"expires_after": WEEK | {"days": 366}}, "expires_after.days", "integer_above_max_value"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "object_above_max_properties"),
    ],
)
def test_what_modify_refuses(body: dict[str, Any], param: str, code: str, wire: Wire) -> None:
    made = wire.post("/vector_stores", name="n")
    assert error_of(wire.client.post(f"/vector_stores/{made['id']}", json=body))[3:] == (param, code)
    assert wire.get(f"/vector_stores/{made['id']}") == made


def _static(size: Any, overlap: Any) -> dict[str, Any]:
    return {
        "chunking_strategy": {
            "type": "static",
            "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap},
        }
    }


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"name": None}, "name", "invalid_type"),
        ({"file_ids": ["f"] * 501}, "file_ids", "array_above_max_length"),
        ({"chunking_strategy": {"type": "other"}}, "chunking_strategy.type", "invalid_value"),
        ({"chunking_strategy": {"type": "static"}}, "chunking_strategy.static", "missing_required_parameter"),
        (_static(99, 0), "chunking_strategy.static.max_chunk_size_tokens", "integer_below_min_value"),
        (_static(4097, 0), "chunking_strategy.static.max_chunk_size_tokens", "integer_above_max_value"),
        (_static(801, 401), "chunking_strategy.static.chunk_overlap_tokens", "invalid_value"),
        ({"ids": []}, "ids", "unknown_parameter"),
    ],
)
def test_what_create_refuses(body: dict[str, Any], param: str, code: str, wire: Wire) -> None:
    assert error_of(wire.client.post("/vector_stores", json=body))[3:] == (param, code)
    assert wire.get("/vector_stores")["data"] == []


def test_an_unknown_store_is_reported_before_anything_else(wire: Wire) -> None:
    paths = [
        ("GET", "vs_0"), ("POST", "vs_0"), ("DELETE", "vs_0"), ("POST", "vs_0/search"), ("GET", "vs_0/files"),
        ("POST", "vs_0/files"), ("GET", "vs_0/files/f"), ("POST", "vs_0/files/f"), ("DELETE", "vs_0/files/f"),
        ("GET", "vs_0/files/f/content"), ("POST", "vs_0/file_batches"), ("GET", "vs_0/file_batches/b"),
        ("POST", "vs_0/file_batches/b/cancel"), ("GET", "vs_0/file_batches/b/files"),
    ]  # fmt: skip
    for method, path in paths:
        answer = wire.client.request(
            method, f"/vector_stores/{path}", json={"nonsense": 1} if method == "POST" else None
        )
        assert error_of(answer) == (404, "No vector store found with id 'vs_0'.", TYPE, None, None)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "vector_stores/vs_1"), ("GET", "vector_stores/vs_1/search"), ("GET", "vector_stores//files"),
        ("GET", "vector_stores/vs_1/file_batches"), ("POST", "vector_stores/vs_1/file_batches/b"),
        ("POST", "files/f"), ("GET", "files/"), ("GET", "files/f/content/x"), ("GET", "vector_store"),
    ],
)  # fmt: skip
def test_a_route_that_does_not_exist(method: str, path: str, wire: Wire) -> None:
    assert error_of(wire.client.request(method, f"/{path}"))[1] == f"Invalid URL ({method} /v1/{path})"


def test_lists_have_pages(wire: Wire) -> None:
    ids = [wire.store() for _ in range(45)]
    assert [each["id"] for each in wire.walk("limit=20", "/vector_stores")] == ids[::-1]
    assert len(wire.get("/vector_stores")["data"]) == 20
    assert error_of(wire.client.get("/vector_stores?limit=101"))[4] == "integer_above_max_value"
    assert error_of(wire.client.get("/vector_stores?after=vs_0"))[1] == "No vector store found with id 'vs_0'."


def test_delete_keeps_the_files(wire: Wire) -> None:
    store = wire.store()
    file = wire.attach(store)
    answer = wire.client.delete(f"/vector_stores/{store}").json()
    assert answer == {"id": store, "object": "vector_store.deleted", "deleted": True}
    assert error_of(wire.client.delete(f"/vector_stores/{store}"))[0] == 404
    assert wire.get(f"/files/{file}")["id"] == file
    assert wire.store(file_ids=[file])


def test_an_expired_store_can_be_seen_and_deleted_and_nothing_else(wire: Wire) -> None:
    id = wire.store(expires_after=WEEK | {"days": 1})
    file = wire.attach(id)
    wire.clock.now += DAY
    assert wire.get(f"/vector_stores/{id}")["status"] == "expired"
    assert [each["status"] for each in wire.get("/vector_stores")["data"]] == ["expired"]
    expired = (400, f"Vector store '{id}' has expired", TYPE, None, None)
    for method, path, body in (
        ("POST", "", {"name": "n"}), ("POST", "/search", {"query": "text"}), ("GET", "/files", None),
        ("POST", "/files", {"file_id": file}), ("DELETE", f"/files/{file}", None),
        ("POST", "/file_batches", {"file_ids": [file]}),
    ):  # fmt: skip
        assert error_of(wire.client.request(method, f"/vector_stores/{id}{path}", json=body)) == expired
    assert wire.client.delete(f"/vector_stores/{id}").status_code == 200


def test_an_expired_store_may_be_gone(start: Start) -> None:
    wire = start({"expired": "gone"})
    kept, id = wire.store(), wire.store(expires_after=WEEK)
    wire.clock.now += 7 * DAY
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/files")):
        assert error_of(wire.client.request(method, f"/vector_stores/{id}{path}"))[0] == 404
    page = wire.get("/vector_stores")
    assert ([each["id"] for each in page["data"]], page["first_id"]) == ([kept], kept)


def test_use_puts_off_the_expiry_and_a_look_does_not(wire: Wire) -> None:
    id = wire.store(expires_after=WEEK)
    file = wire.attach(id)
    wire.clock.now += 6 * DAY
    before = wire.get(f"/vector_stores/{id}")
    assert before["last_active_at"] == 1_700_000_000
    for use in ({"path": "search", "query": "x"}, {"path": "files", "file_id": file}):
        wire.post(f"/vector_stores/{id}/{use.pop('path')}", **use)
        after = wire.get(f"/vector_stores/{id}")
        assert after["expires_at"] == after["last_active_at"] + 7 * DAY == int(wire.clock.now) + 7 * DAY
        wire.clock.now += DAY


def test_an_assistant_may_bring_its_store_along(wire: Wire) -> None:
    new = {"file_ids": [wire.upload(), "file-0"], "metadata": {"a": "b"}}
    made = wire.create(tool_resources={"file_search": {"vector_stores": [new]}})
    (id,) = made["tool_resources"]["file_search"]["vector_store_ids"]
    store = wire.get(f"/vector_stores/{id}")
    assert (store["metadata"], store["file_counts"]["total"]) == ({"a": "b"}, 1)


def test_a_refused_assistant_leaves_no_store(wire: Wire) -> None:
    body = {"model": "o1", "temperature": 0.5, "tool_resources": {"file_search": {"vector_stores": [{}]}}}
    assert wire.client.post("/assistants", json=body).status_code == 400
    assert wire.get("/vector_stores")["data"] == []
