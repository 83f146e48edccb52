"""The adversary: another spelling every time, the same meaning always, and repeatable."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from reconciler.server.chaos.adversary import Adversary
from tests.unit.server.conftest import Start, Wire, error_of

PARAMETERS = {"type": "object", "required": ["b", "a"], "properties": {"a": {"enum": [3, 1, 2]}, "b": {"x": None}}}
BODY: dict[str, Any] = {
    "name": "n",
    "instructions": "i",
    "temperature": 0.5,
    "tools": [
        {"type": "code_interpreter"},
        {"type": "file_search", "file_search": {"max_num_results": 3}},
        {"type": "function", "function": {"name": "f", "parameters": PARAMETERS}},
        {"type": "function", "function": {"name": "g", "strict": True}},
    ],
    "tool_resources": {"code_interpreter": {"file_ids": ["file-1", "file-2", "file-3"]}},
    "metadata": {"a": "1", "x_mine": ""},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"required": ["z", "y"]}}},
}
DEFAULTS = {"temperature": 1, "top_p": 1, "response_format": "auto", "metadata": {}, "tools": []}


def _plain(value: Any) -> Any:
    """What is left when grown keys go, nulls are absent, and absent is what the server would fill in."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None and not key.startswith("x_grown_")}
    return value


def _meaning(assistant: dict[str, Any]) -> dict[str, Any]:
    metadata, plain = assistant.get("metadata") or {}, DEFAULTS | _plain(assistant)
    for tool in plain["tools"]:
        if tool["type"] == "function":
            tool["function"].setdefault("strict", False)
        if tool["type"] == "file_search":
            ranking = {"ranker": "default_2024_08_21", "score_threshold": 0}
            tool.setdefault("file_search", {}).setdefault("ranking_options", ranking)
    if isinstance(plain["response_format"], dict):
        plain["response_format"].get("json_schema", {}).setdefault("strict", False)
    plain["tools"].sort(key=lambda tool: json.dumps(tool, sort_keys=True).replace(".0", ""))
    resources = plain.pop("tool_resources", {})
    plain["files"] = sorted(resources.get("code_interpreter", {}).get("file_ids", []))
    plain["stores"] = resources.get("file_search", {}).get("vector_store_ids", [])
    return plain | {"metadata": metadata}


def _parameters(assistant: dict[str, Any]) -> Any:
    return next(tool for tool in assistant["tools"] if tool.get("function", {}).get("name") == "f")["function"]


@pytest.mark.parametrize("body", [BODY, {}, {"tools": [{"type": "file_search"}, {"type": "code_interpreter"}]}])
def test_the_meaning_is_kept(body: dict[str, Any], wire: Wire) -> None:
    text = wire.client.post("/assistants", json={"model": "gpt-4o"} | body).text
    meaning = _meaning(json.loads(text))
    spellings = [Adversary(1).shape(number).reshaped(text) for number in range(200)]
    for spelling in spellings:
        assert _meaning(json.loads(spelling)) == meaning
    assert len(set(spellings)) > 190


def test_what_is_the_users_own_keeps_its_lists(wire: Wire) -> None:
    text = wire.client.post("/assistants", json={"model": "gpt-4o"} | BODY).text
    for number in range(100):
        spelled = json.loads(Adversary(2).shape(number).reshaped(text))
        assert _parameters(spelled)["parameters"] == PARAMETERS
        assert spelled["response_format"]["json_schema"]["schema"] == {"required": ["z", "y"]}
        assert spelled["metadata"] == BODY["metadata"]


def test_every_kind_of_respelling_happens(wire: Wire) -> None:
    ranked = {"type": "file_search", "file_search": {"ranking_options": {"score_threshold": 0.5}}}
    text = wire.client.post("/assistants", json={"model": "gpt-4o", "tools": [{"type": "file_search"}, ranked]}).text
    spelled = [Adversary(3).shape(number).reshaped(text) for number in range(300)]
    answers = [json.loads(each) for each in spelled]
    assert {type(each["created_at"]) for each in answers} == {int, float}
    for field in ("name", "description", "instructions", "reasoning_effort"):
        assert {field in each for each in answers} == {True, False}
    for field in ("temperature", "metadata", "response_format", "tool_resources"):
        assert {None if field not in each else type(each[field]) for each in answers} > {None, type(None)}
    searches = [tool.get("file_search") for each in answers for tool in each.get("tools") or []]
    assert None in searches
    assert any(search and search.get("ranking_options") is None for search in searches)
    assert any("hybrid_search" in text for text in spelled)
    assert any("x_grown_" in text for text in spelled)


def test_the_same_seed_gives_the_same_bytes(start: Start) -> None:
    def bytes_of(seed: int) -> list[bytes]:
        wire = start(adversary=seed)
        id = wire.create(**BODY)["id"]
        return [wire.client.get(path).content for path in ("/assistants", f"/assistants/{id}") * 5]

    assert bytes_of(5) == bytes_of(5)
    assert bytes_of(5) != bytes_of(6)


def test_pages_are_shorter_than_asked_and_still_reach_everything(start: Start) -> None:
    wire = start(adversary=7)
    made = [wire.client.post("/assistants", json={"model": "gpt-4o"}).json()["id"] for _ in range(60)]
    sizes = set()
    for _ in range(5):
        wire.app.requests.clear()
        found = [each["id"] for each in wire.walk("limit=20&order=asc")]
        assert found == made
        sizes.add(len(wire.app.requests))
    assert max(sizes) > 3


def test_no_page_is_empty_that_promises_more(start: Start) -> None:
    wire = start(adversary=8)
    for _ in range(5):
        wire.create()
    for limit in itertools.islice(itertools.cycle((1, 2, 100)), 300):
        page = wire.client.get(f"/assistants?limit={limit}").json()
        assert page["data"]
        assert len(page["data"]) <= limit


def test_what_is_no_assistant_is_left_alone(start: Start) -> None:
    wire = start(adversary=1)
    for _ in range(20):
        id = wire.client.post("/assistants", json={"model": "gpt-4o"}).json()["id"]
        gone = wire.client.delete(f"/assistants/{id}").json()
        assert _plain(gone) == {"id": id, "object": "assistant.deleted", "deleted": True}
        assert error_of(wire.client.get(f"/assistants/{id}"))[0] == 404


def _stored(wire: Wire) -> dict[str, str]:
    """The text of an answer for each shape of object around vector stores."""
    file = wire.upload()
    attributes = {"whole": 3, "half": 0.5, "truth": True, "text": ""}
    week = {"anchor": "last_active_at", "days": 7}
    store = wire.store(name="n", metadata={"a": "1"}, expires_after=week, file_ids=[wire.upload(b"", "empty")])
    bare = wire.store()
    path = f"/vector_stores/{store}"
    batch = wire.post(f"{path}/file_batches", file_ids=[file], attributes=attributes)["id"]
    paths = {
        "file": f"/files/{file}",
        "files": "/files",
        "store": path,
        "bare": f"/vector_stores/{bare}",
        "stores": "/vector_stores",
        "attached": f"{path}/files",
        "batch": f"{path}/file_batches/{batch}",
    }
    texts = {name: wire.client.get(path).text for name, path in paths.items()}
    return texts | {"search": wire.client.post(f"{path}/search", json={"query": "text"}).text}


def _filled(shown: dict[str, Any]) -> Any:
    """An answer about vector stores without what an absent field means anyway."""
    plain = _plain(shown)
    for each in plain.get("data", [plain]):
        if each.get("object") == "vector_store":
            each.setdefault("metadata", {})
        if each.get("object") == "vector_store.file" or "score" in each:
            each.setdefault("attributes", {})
        if each.get("object") == "vector_store.file":
            auto = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
            each.setdefault("chunking_strategy", auto)
    return plain


def test_files_and_vector_stores_keep_their_meaning(wire: Wire) -> None:
    for name, text in _stored(wire).items():
        spellings = [Adversary(4).shape(number).reshaped(text) for number in range(200)]
        for spelling in spellings:
            assert _filled(json.loads(spelling)) == _filled(json.loads(text)), name
        assert len(set(spellings)) > 150, name


def test_files_and_vector_stores_are_respelled(wire: Wire) -> None:
    texts = _stored(wire)

    def seen(name: str, field: str) -> set[Any]:
        answers = [json.loads(Adversary(5).shape(number).reshaped(texts[name])) for number in range(200)]
        objects = [(answer.get("data") or [answer])[0] for answer in answers]
        return {type(each[field]) if field in each else "absent" for each in objects}

    nothing = {"absent", type(None)}
    for name, field in (
        ("file", "expires_at"), ("file", "status_details"), ("store", "description"), ("bare", "name"),
        ("bare", "expires_after"), ("bare", "expires_at"),
    ):  # fmt: skip
        assert seen(name, field) == nothing, (name, field)
    assert seen("bare", "metadata") == nothing | {dict}
    assert seen("attached", "chunking_strategy") == nothing | {dict}
    assert seen("files", "bytes") == seen("store", "usage_bytes") == {int, float}
    assert seen("store", "metadata") == {dict}


def test_files_have_shifting_pages(start: Start) -> None:
    wire = start(adversary=9)
    ids = [wire.upload() for _ in range(30)]
    wire.app.requests.clear()
    for _ in range(3):
        assert [each["id"] for each in wire.walk("limit=10&order=asc", "/files")] == ids
    assert len(wire.app.requests) > 9


def test_what_was_just_attached_comes_to_light_while_it_is_looked_for(start: Start) -> None:
    wire = start({"kind": "file_batch", "index_reads": 30}, adversary=10)
    store, files = wire.store(), [wire.upload() for _ in range(3)]
    wire.post(f"/vector_stores/{store}/file_batches", file_ids=files)
    path = f"/vector_stores/{store}/files"
    lengths = {len(wire.client.get(path).json()["data"]) for _ in range(20)}
    statuses = {wire.client.get(f"{path}/{files[0]}").status_code for _ in range(60)}
    assert {0, 3} <= lengths
    assert statuses == {200, 404}
    for _ in range(30):
        wire.get(f"/vector_stores/{store}")
    assert {each["id"] for each in wire.walk(path=path)} == set(files)
    assert {wire.client.get(f"{path}/{file}").status_code for file in files * 10} == {200}
