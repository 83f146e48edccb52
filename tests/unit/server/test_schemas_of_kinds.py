"""The schemas of vector stores and files describe what the server takes and shows."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.config.schema.schemas import shipped
from reconciler.core.values.semantics import same
from reconciler.formats.dialect import compile_schema
from tests.unit.server.conftest import Wire

STORE, FILE = "vector_store.schema.json", "file.schema.json"
EVERYTHING: dict[str, Any] = {
    "name": "n",
    "description": "d",
    "expires_after": {"anchor": "last_active_at", "days": 365},
    "chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 4096, "chunk_overlap_tokens": 2048}},
    "metadata": {"k" * 64: "v" * 512},
}


@pytest.mark.parametrize("name", [STORE, FILE])
def test_they_follow_the_dialect_and_describe_every_field(name: str) -> None:
    schema = shipped().schema(name)
    assert shipped().check_dialect(schema) == []
    assert [field for field, of in schema["properties"].items() if "description" not in of] == []


def test_what_the_schema_allows_is_what_the_server_takes(wire: Wire) -> None:
    assert shipped().failures(STORE, EVERYTHING) == []
    made = wire.post("/vector_stores", **EVERYTHING)
    assert set(made) <= set(shipped().schema(STORE)["properties"])
    mutable = {
        name for name, each in compile_schema(shipped().schema(STORE)).items() if not (each.immutable or each.read_only)
    }
    mutable -= {"files"}  # a collection of its own, which no request about the store carries
    assert mutable == {"name", "expires_after", "metadata"}
    wire.post(f"/vector_stores/{made['id']}", **{name: EVERYTHING[name] for name in mutable})


def test_what_the_server_shows_of_a_file_is_known(wire: Wire) -> None:
    assert set(wire.get(f"/files/{wire.upload()}")) <= set(shipped().schema(FILE)["properties"])


@pytest.mark.parametrize(
    "body",
    [
        {"file_ids": []},
        {"chunking_strategy": {"type": "static"}},
        {"chunking_strategy": {"type": "auto", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}},
        {"expires_after": {"anchor": "created_at", "days": 1}},
        {"expires_after": {"anchor": "last_active_at", "days": 366}},
        {"metadata": {"reconciler": "mine"}},
    ],
)
def test_a_store_that_no_manifest_may_ask_for(body: dict[str, Any]) -> None:
    assert shipped().failures(STORE, body)


def test_automatic_chunking_is_equal_to_what_is_shown_for_it(wire: Wire) -> None:
    store = wire.store()
    path = f"/vector_stores/{store}/files/{wire.attach(store, chunking_strategy={'type': 'auto'})}"
    shown, chunking = wire.get(path)["chunking_strategy"], compile_schema(shipped().schema(STORE))["chunking_strategy"]
    assert same(chunking, {"type": "auto"}, shown)
    assert same(chunking, None, shown)
    assert not same(chunking, EVERYTHING["chunking_strategy"], shown)


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ({"source": "handbook/*.md"}, True),
        (
            {"source": "a.pdf", "purpose": "assistants", "attributes": {"team": "hr", "year": 2026, "public": True}},
            True,
        ),
        ({"source": "a", "expires_after": {"anchor": "created_at", "seconds": 3600}}, True),
        ({}, False),
        ({"source": ""}, False),
        ({"source": "a", "purpose": "fun"}, False),
        ({"source": "a", "attributes": {"a": ["b"]}}, False),
        ({"source": "a", "attributes": {str(n): "" for n in range(17)}}, False),
    ],
)
def test_what_a_manifest_of_a_file_says(body: dict[str, Any], right: bool) -> None:
    assert (shipped().failures(FILE, body) == []) is right
