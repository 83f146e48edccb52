"""Search: words found in passages, filtered by attributes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.server.conftest import Wire, error_of

LEAVE = "Employees have 30 days of annual leave.\nUnused leave lapses in March."
TRAVEL = "Travel is booked by the office. Annual reports are not needed."


@pytest.fixture
def store(wire: Wire) -> str:
    """A store with two files."""
    store = wire.store()
    wire.attach(store, LEAVE, "leave.md", attributes={"team": "people", "year": 2024, "public": True})
    wire.attach(store, TRAVEL, "travel.md", attributes={"team": "office", "year": 2025.0})
    return store


def _names(wire: Wire, store: str, query: Any = "annual", **search: Any) -> list[str]:
    page = wire.post(f"/vector_stores/{store}/search", query=query, **search)
    return [each["filename"] for each in page["data"]]


def test_a_result_is_a_passage_with_its_file(wire: Wire, store: str) -> None:
    page = wire.post(f"/vector_stores/{store}/search", query="annual LEAVE")
    (first, second) = page.pop("data")
    assert page == {
        "object": "vector_store.search_results.page",
        "search_query": ["annual LEAVE"],
        "has_more": False,
        "next_page": None,
    }
    assert first == {
        "file_id": first["file_id"],
        "filename": "leave.md",
        "score": 1.0,
        "attributes": {"team": "people", "year": 2024, "public": True},
        "content": [{"type": "text", "text": LEAVE}],
    }
    assert (second["filename"], second["score"]) == ("travel.md", 0.5)


def test_words_are_found_and_nothing_else(wire: Wire, store: str) -> None:
    assert _names(wire, store, "leav") == []
    assert _names(wire, store, "?!") == []
    assert _names(wire, store, ["march", "office"]) == ["leave.md", "travel.md"]


def test_results_are_limited(wire: Wire, store: str) -> None:
    assert _names(wire, store, max_num_results=1) == ["leave.md"]
    ranking = {"ranker": "default-2024-11-15", "score_threshold": 0.6}
    assert _names(wire, store, "annual leave", ranking_options=ranking, rewrite_query=True) == ["leave.md"]
    many = " ".join(f"annual{number} annual " + "x " * 98 for number in range(20))
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    wire.attach(store, many, "many.md", chunking_strategy=chunking)
    assert len(_names(wire, store)) == 10
    assert len(_names(wire, store, max_num_results=50)) == 22


@pytest.mark.parametrize(("overlap", "times"), [(0, 1), (50, 2)])
def test_passages_overlap_as_the_chunking_says(overlap: int, times: int, wire: Wire) -> None:
    store = wire.store()
    words = [f"w{number}" for number in range(100_000)]
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": overlap}}
    wire.attach(store, " ".join(words), chunking_strategy=chunking)
    for word in ("w60", "w50070", "w99910"):
        page = wire.post(f"/vector_stores/{store}/search", query=word)
        assert len(page["data"]) == times
    (last, *_) = wire.post(f"/vector_stores/{store}/search", query="w99999")["data"]
    text = last["content"][0]["text"]
    assert text.split() == words[-100:]


def test_files_that_are_not_indexed_are_not_found(wire: Wire) -> None:
    store = wire.store(file_ids=[wire.upload("annual")])
    assert _names(wire, store) == []
    wire.get(f"/vector_stores/{store}")
    assert _names(wire, store) == ["a.md"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"type": "eq", "key": "team", "value": "people"}, ["leave.md"]),
        ({"type": "ne", "key": "team", "value": "people"}, ["travel.md"]),
        ({"type": "eq", "key": "year", "value": 2025}, ["travel.md"]),
        ({"type": "gt", "key": "year", "value": 2024}, ["travel.md"]),
        ({"type": "gte", "key": "year", "value": 2024}, ["leave.md", "travel.md"]),
        ({"type": "lt", "key": "year", "value": 2025}, ["leave.md"]),
        ({"type": "lte", "key": "team", "value": "office"}, ["travel.md"]),
        ({"type": "lt", "key": "team", "value": 7}, []),
        ({"type": "eq", "key": "public", "value": True}, ["leave.md"]),
        ({"type": "eq", "key": "public", "value": 1}, []),
        ({"type": "ne", "key": "public", "value": False}, ["leave.md", "travel.md"]),
        ({"type": "in", "key": "team", "value": ["people", "x"]}, ["leave.md"]),
        ({"type": "nin", "key": "team", "value": ["people"]}, ["travel.md"]),
        ({"type": "and", "filters": [{"type": "eq", "key": "team", "value": "people"},
                                     {"type": "eq", "key": "year", "value": 2025}]}, []),
        ({"type": "or", "filters": [{"type": "eq", "key": "team", "value": "people"},
                                    {"type": "and", "filters": []}]}, ["leave.md", "travel.md"]),
        (None, ["leave.md", "travel.md"]),
    ],
)  # fmt: skip
def test_filters(filters: Any, names: list[str], wire: Wire, store: str) -> None:
    assert _names(wire, store, filters=filters) == names


def _nested(depth: int) -> Any:
    return {"type": "and", "filters": [_nested(depth - 1)] if depth else []}


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "query", "missing_required_parameter"),
        ({"query": 1}, "query", "invalid_type"),
        ({"query": [1]}, "query[0]", "invalid_type"),
        ({"query": "q", "max_num_results": 51}, "max_num_results", "integer_above_max_value"),
        ({"query": "q", "max_num_results": 0}, "max_num_results", "integer_below_min_value"),
        ({"query": "q", "ranking_options": {"ranker": "x"}}, "ranking_options.ranker", "invalid_value"),
        ({"query": "q", "ranking_options": {"score_threshold": 2}}, "ranking_options.score_threshold",
         "decimal_above_max_value"),
        ({"query": "q", "filters": {"type": "like", "key": "a", "value": "b"}}, "filters.type", "invalid_value"),
        ({"query": "q", "filters": {"type": "eq", "key": "a"}}, "filters.value", "missing_required_parameter"),
        ({"query": "q", "filters": {"type": "in", "key": "a", "value": "b"}}, "filters.value", "invalid_type"),
        ({"query": "q", "filters": {"type": "or", "filters": [{}]}}, "filters.filters[0].type",
         "missing_required_parameter"),
        ({"query": "q", "limit": 1}, "limit", "unknown_parameter"),
    ],
)  # fmt: skip
def test_searches_without_meaning(body: dict[str, Any], param: str, code: str, wire: Wire, store: str) -> None:
    assert error_of(wire.client.post(f"/vector_stores/{store}/search", json=body))[3:] == (param, code)


def test_filters_nest_only_so_deep(wire: Wire, store: str) -> None:
    assert _names(wire, store, filters=_nested(20)) == ["leave.md", "travel.md"]
    answer = wire.client.post(f"/vector_stores/{store}/search", json={"query": "q", "filters": _nested(100)})
    assert error_of(answer)[4] == "invalid_value"
