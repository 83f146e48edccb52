"""Files in vector stores: attached alone or in batches, indexed while the client looks, changed, detached."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reconciler.server import create_app
from tests.unit.server.conftest import Clock, Start, Wire, error_of

TYPE = "invalid_request_error"
AUTO = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}


def _counts(**counts: int) -> dict[str, int]:
    none = dict.fromkeys(("in_progress", "completed", "failed", "cancelled"), 0)
    return none | counts | {"total": sum(counts.values())}


@pytest.mark.parametrize("sent", [{}, {"chunking_strategy": {"type": "auto"}, "attributes": None}])
def test_an_attach_is_answered_before_the_file_is_indexed(sent: dict[str, Any], wire: Wire) -> None:
    store, file = wire.store(), wire.upload("12345")
    made = wire.post(f"/vector_stores/{store}/files", file_id=file, **sent)
    assert made == {
        "id": file,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": 1_700_000_000,
        "vector_store_id": store,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": AUTO,
        "attributes": {},
    }
    path = f"/vector_stores/{store}/files/{file}"
    assert wire.get(path) == made
    assert wire.get(path) == made | {"status": "completed", "usage_bytes": 5}


def test_clients_are_told_to_come_back_soon(wire: Wire) -> None:
    store, file = wire.store(), wire.upload()
    answer = wire.client.post(f"/vector_stores/{store}/files", json={"file_id": file})
    assert int(answer.headers["openai-poll-after-ms"]) < 100
    path = f"/vector_stores/{store}/files/{file}"
    headers = [wire.client.get(path).headers for _ in range(2)]
    assert ["openai-poll-after-ms" in each for each in headers] == [True, False]


def test_settings_are_kept(wire: Wire) -> None:
    attributes = {"text": "x" * 512, "number": 1.5, "whole": 3, "truth": False}
    store, file = wire.store(), wire.upload()
    made = wire.post(f"/vector_stores/{store}/files", file_id=file, attributes=attributes, chunking_strategy=SMALL)
    assert (made["attributes"], made["chunking_strategy"]) == (attributes, SMALL)
    path = f"/vector_stores/{store}/files/{file}"
    assert wire.get(path) == made
    assert wire.post(path, attributes={"other": "y"})["attributes"] == {"other": "y"}
    assert wire.post(path, attributes=None)["attributes"] == {}
    assert wire.get(path)["chunking_strategy"] == SMALL


@pytest.mark.parametrize(
    ("attributes", "param", "code"),
    [
        ({str(n): "" for n in range(17)}, "attributes", "object_above_max_properties"),
        ({"k" * 65: ""}, "attributes", "property_name_above_max_length"),
        ({"k": "v" * 513}, "attributes.k", "string_above_max_length"),
        ({"k": None}, "attributes.k", "invalid_type"),
        ({"k": ["v"]}, "attributes.k", "invalid_type"),
        ([], "attributes", "invalid_type"),
    ],
)
def test_attributes_have_limits_wherever_they_are_sent(attributes: Any, param: str, code: str, wire: Wire) -> None:
    store, other = wire.store(), wire.upload()
    file = wire.attach(store)
    base = f"/vector_stores/{store}"
    for path, body, where in (
        ("files", {"file_id": other, "attributes": attributes}, param),
        (f"files/{file}", {"attributes": attributes}, param),
        ("file_batches", {"file_ids": [other], "attributes": attributes}, param),
        ("file_batches", {"files": [{"file_id": other, "attributes": attributes}]}, f"files[0].{param}"),
    ):
        assert error_of(wire.client.post(f"{base}/{path}", json=body))[3:] == (where, code)
    assert wire.get(base)["file_counts"]["total"] == 1


@pytest.mark.parametrize(
    ("path", "body", "param", "code"),
    [
        ("files", {}, "file_id", "missing_required_parameter"),
        ("files", {"file_id": "f", "x": 1}, "x", "unknown_parameter"),
        ("file_batches", {}, "file_ids", "missing_required_parameter"),
        ("file_batches", {"file_ids": []}, "file_ids", "empty_array"),
        ("file_batches", {"file_ids": ["f"] * 2001}, "file_ids", "array_above_max_length"),
        ("file_batches", {"files": [{"file_id": "f"}] * 2001}, "files", "array_above_max_length"),
        ("file_batches", {"files": [{"file_id": "f"}], "file_ids": ["f"]}, "files", "invalid_value"),
        ("file_batches", {"files": [{}]}, "files[0].file_id", "missing_required_parameter"),
        ("files", {"file_id": "file-0"}, "id", None),
        ("file_batches", {"file_ids": ["file-0"]}, "id", None),
    ],
)
def test_what_cannot_be_attached(path: str, body: dict[str, Any], param: str, code: str | None, wire: Wire) -> None:
    store = wire.store()
    assert error_of(wire.client.post(f"/vector_stores/{store}/{path}", json=body))[3:] == (param, code)
    assert wire.get(f"/vector_stores/{store}")["file_counts"] == _counts()


def test_attributes_are_all_that_can_be_changed(wire: Wire) -> None:
    store = wire.store()
    path = f"/vector_stores/{store}/files/{wire.attach(store)}"
    for body in ({"attributes": {}, "chunking_strategy": SMALL}, {"chunking_strategy": SMALL}, {}):
        assert error_of(wire.client.post(path, json=body))[0] == 400


def test_an_unknown_file_of_a_store(wire: Wire) -> None:
    store, file = wire.store(), wire.upload()
    path = f"/vector_stores/{store}/files/{file}"
    unknown = (404, f"No file found with id '{file}' in vector store '{store}'.", TYPE, None, None)
    for method, body in (("GET", None), ("POST", {"nonsense": 1}), ("DELETE", None)):
        assert error_of(wire.client.request(method, path, json=body)) == unknown
    assert error_of(wire.client.get(f"{path}/content")) == unknown
    assert error_of(wire.client.get(f"/vector_stores/{store}/files?after={file}")) == unknown


def test_detach_keeps_the_file_and_the_file_can_come_back(wire: Wire) -> None:
    store = wire.store()
    first, second = wire.attach(store, "12"), wire.attach(store, "345")
    path = f"/vector_stores/{store}/files/{first}"
    gone = wire.client.delete(path)
    assert (gone.status_code, gone.json()) == (
        200,
        {"id": first, "object": "vector_store.file.deleted", "deleted": True},
    )
    assert error_of(wire.client.delete(path))[0] == 404
    assert wire.get(f"/files/{first}")["bytes"] == 2
    assert wire.get(f"/vector_stores/{store}")["usage_bytes"] == 3
    wire.post(f"/vector_stores/{store}/files", file_id=first)
    listed = wire.get(f"/vector_stores/{store}/files?order=asc")["data"]
    assert [each["id"] for each in listed] == [second, first]


def test_a_file_that_is_attached_again_is_there_once_and_indexed_anew(wire: Wire) -> None:
    store = wire.store()
    file = wire.attach(store, attributes={"a": 1})
    again = wire.post(f"/vector_stores/{store}/files", file_id=file, attributes={"b": 2})
    assert (again["status"], again["attributes"]) == ("in_progress", {"b": 2})
    assert [each["id"] for each in wire.walk(path=f"/vector_stores/{store}/files")] == [file]


def test_the_content_is_the_parsed_text(wire: Wire) -> None:
    store = wire.store()
    for content, parts in (
        ("ä\n\nb", [{"type": "text", "text": "ä\n\nb"}]),
        ("\ufeffmarked".encode("utf-16"), [{"type": "text", "text": "\ufeffmarked"}]),
        ("\ufeffx".encode(), [{"type": "text", "text": "x"}]),
        (b"%PDF-1.7\n\xff\xfe\x00", []),
        (b"zero\x00byte", []),
    ):
        page = wire.get(f"/vector_stores/{store}/files/{wire.attach(store, content)}/content")
        assert page == {
            "object": "vector_store.file_content.page", "data": parts, "has_more": False, "next_page": None,
        }  # fmt: skip


def test_an_empty_file_cannot_be_indexed(wire: Wire) -> None:
    store = wire.store()
    shown = wire.get(f"/vector_stores/{store}/files/{wire.attach(store, b'')}")
    assert (shown["status"], shown["last_error"]["code"]) == ("failed", "invalid_file")


def test_threads_attach_to_one_store(tmp_path: Path) -> None:
    wire = Wire(create_app(tmp_path / "server.db"), Clock(), [])
    store = wire.store()
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda number: wire.attach(store, f"{number:05}"), range(80)))
    assert {each["id"] for each in wire.walk(path=f"/vector_stores/{store}/files")} == set(files)
    shown = wire.get(f"/vector_stores/{store}")
    assert (shown["file_counts"], shown["usage_bytes"]) == (_counts(completed=80), 400)


# Batches


def test_a_batch_attaches_many_and_is_done_when_they_are(wire: Wire) -> None:
    store, files = wire.store(), [wire.upload(name=f"{number}.md") for number in range(130)]
    made = wire.post(f"/vector_stores/{store}/file_batches", file_ids=files, attributes={"a": "1"})
    assert re.fullmatch("vsfb_[0-9a-f]{32}", made["id"])
    assert made == {
        "id": made["id"],
        "object": "vector_store.file_batch",
        "created_at": 1_700_000_000,
        "vector_store_id": store,
        "status": "in_progress",
        "file_counts": _counts(in_progress=130),
    }
    path = f"/vector_stores/{store}/file_batches/{made['id']}"
    assert wire.get(path) == made
    done = wire.get(path)
    assert (done["status"], done["file_counts"]) == ("completed", _counts(completed=130))
    listed = wire.walk("limit=100&order=asc", f"{path}/files")
    assert [each["id"] for each in listed] == files
    assert all(each["attributes"] == {"a": "1"} for each in listed)


def test_two_thousand_files_go_in_at_once(wire: Wire) -> None:
    store, file = wire.store(), wire.upload()
    files = [{"file_id": file}] * 2000
    made = wire.post(f"/vector_stores/{store}/file_batches", files=files)
    assert made["file_counts"]["total"] == 1


def test_files_of_a_batch_may_differ(wire: Wire) -> None:
    store, one, two = wire.store(), wire.upload(), wire.upload()
    files = [{"file_id": one, "attributes": {"n": 1}}, {"file_id": two, "chunking_strategy": SMALL}]
    wire.post(f"/vector_stores/{store}/file_batches", files=files, attributes={"ignored": True})
    shown = [wire.get(f"/vector_stores/{store}/files/{id}") for id in (one, two)]
    assert [each["attributes"] for each in shown] == [{"n": 1}, {}]
    assert [each["chunking_strategy"] for each in shown] == [AUTO, SMALL]


def test_a_batch_lists_only_its_own(wire: Wire) -> None:
    store = wire.store()
    wire.attach(store)
    batches = [wire.post(f"/vector_stores/{store}/file_batches", file_ids=[wire.upload()]) for _ in range(2)]
    for batch in batches:
        assert len(wire.get(f"/vector_stores/{store}/file_batches/{batch['id']}/files")["data"]) == 1
    assert len(wire.get(f"/vector_stores/{store}/files")["data"]) == 3


def test_a_cancelled_batch(start: Start) -> None:
    wire = start({"index_seconds": 10, "name": "slow*"})
    store, quick, slow = wire.store(), wire.upload(), wire.upload(name="slow.md")
    batch = wire.post(f"/vector_stores/{store}/file_batches", file_ids=[quick, slow])
    path = f"/vector_stores/{store}/file_batches/{batch['id']}"
    wire.get(path)
    cancelled = wire.post(f"{path}/cancel")
    assert (cancelled["status"], cancelled["file_counts"]) == ("cancelled", _counts(completed=1, cancelled=1))
    wire.clock.now += 100
    assert wire.get(path) == cancelled == wire.post(f"{path}/cancel")
    assert wire.get(f"/vector_stores/{store}/files/{slow}")["status"] == "cancelled"
    assert wire.get(f"/vector_stores/{store}")["status"] == "completed"


def test_an_unknown_batch(wire: Wire) -> None:
    store = wire.store()
    batch = wire.post(f"/vector_stores/{store}/file_batches", file_ids=[wire.upload()])["id"]
    for where, id in ((store, "vsfb_0"), (wire.store(), batch)):
        unknown = (404, f"No file batch found with id '{id}' in vector store '{where}'.", TYPE, None, None)
        for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/files")):
            answer = wire.client.request(method, f"/vector_stores/{where}/file_batches/{id}{path}")
            assert error_of(answer) == unknown
