"""How indexing goes: it takes reads or seconds, fails by name, or never ends; and attached files that show late."""

from __future__ import annotations

from tests.unit.server.conftest import Start, Wire, error_of


def _statuses(wire: Wire, path: str, count: int) -> list[str]:
    return [wire.get(path)["status"] for _ in range(count)]


def _counts(**counts: int) -> dict[str, int]:
    none = dict.fromkeys(("in_progress", "completed", "failed", "cancelled"), 0)
    return none | counts | {"total": sum(counts.values())}


def test_indexing_may_take_reads(start: Start) -> None:
    wire = start({"kind": "vector_store_file", "index_reads": 3})
    store, file = wire.store(), wire.upload()
    wire.post(f"/vector_stores/{store}/files", file_id=file)
    path = f"/vector_stores/{store}/files"
    wire.get("/vector_stores")
    wire.get(path)
    wire.get(f"/vector_stores/{store}")
    assert _statuses(wire, f"{path}/{file}", 3) == ["in_progress", "completed", "completed"]


def test_indexing_may_take_seconds(start: Start) -> None:
    wire = start({"index_seconds": 5})
    store = wire.store(file_ids=[wire.upload()])
    path = f"/vector_stores/{store}"
    assert _statuses(wire, path, 3) == ["in_progress"] * 3
    wire.clock.now += 5
    assert _statuses(wire, path, 1) == ["completed"]


def test_indexing_may_never_end(start: Start) -> None:
    wire = start({"index_never": True})
    store = wire.store()
    path = f"/vector_stores/{store}/files/{wire.attach(store)}"
    wire.clock.now += 10**8
    assert _statuses(wire, path, 2) == ["in_progress"] * 2


def test_indexing_may_fail_by_name_with_the_servers_reason(start: Start) -> None:
    wire = start(
        {"index_fails": "not a PDF", "code": "unsupported_file", "name": "*.pdf"},
        {"index_fails": "out of luck", "name": "b*"},
    )
    store = wire.store()
    files = [wire.upload(name=name) for name in ("a.pdf", "b.pdf", "b.md", "a.md")]
    batch = wire.post(f"/vector_stores/{store}/file_batches", file_ids=files)["id"]
    wire.get(f"/vector_stores/{store}")
    shown = [wire.get(f"/vector_stores/{store}/files/{file}") for file in files]
    assert [each["last_error"] for each in shown] == [
        {"code": "unsupported_file", "message": "not a PDF"},
        {"code": "unsupported_file", "message": "not a PDF"},
        {"code": "server_error", "message": "out of luck"},
        None,
    ]
    assert [each["usage_bytes"] for each in shown] == [0, 0, 0, 4]
    done = wire.get(f"/vector_stores/{store}/file_batches/{batch}")
    assert (done["status"], done["file_counts"]) == ("completed", _counts(failed=3, completed=1))
    for status, count in (("failed", 3), ("completed", 1), ("in_progress", 0), ("cancelled", 0)):
        found = wire.walk(f"limit=2&filter={status}", f"/vector_stores/{store}/files")
        assert [each["status"] for each in found] == [status] * count
    assert error_of(wire.client.get(f"/vector_stores/{store}/files?filter=done"))[3:] == ("filter", "invalid_value")


def test_a_failed_file_may_be_tried_again(start: Start) -> None:
    wire = start({"on": "create", "kind": "vector_store_file", "index_fails": "once", "times": 1})
    store, file = wire.store(), wire.upload()
    path = f"/vector_stores/{store}/files"
    for outcome in ("failed", "completed"):
        wire.post(path, file_id=file)
        assert _statuses(wire, f"{path}/{file}", 2) == ["in_progress", outcome]


def test_what_was_just_attached_may_not_be_found_yet(start: Start) -> None:
    wire = start({"on": ["retrieve", "list"], "kind": "vector_store_file", "slow_visibility": 5})
    store, file = wire.store(), wire.upload()
    path = f"/vector_stores/{store}/files"
    wire.post(path, file_id=file)
    assert error_of(wire.client.get(f"{path}/{file}"))[1].startswith("No file found with id")
    assert wire.get(path)["data"] == []
    wire.clock.now += 6
    assert wire.get(f"{path}/{file}")["id"] == file
    assert len(wire.get(path)["data"]) == 1


def test_a_list_of_files_may_lag(start: Start) -> None:
    wire = start({"on": "list", "stale_list": 5})
    store = wire.store()
    file = wire.attach(store)
    wire.clock.now += 6
    wire.client.delete(f"/vector_stores/{store}/files/{file}")
    assert [each["id"] for each in wire.get(f"/vector_stores/{store}/files")["data"]] == [file]
    wire.clock.now += 6
    assert wire.get(f"/vector_stores/{store}/files")["data"] == []


def test_a_store_may_limit_attaches(start: Start) -> None:
    wire = start({"attach_limit": 2})
    one, other, file = wire.store(), wire.store(), wire.upload()
    wire.post(f"/vector_stores/{one}/files", file_id=file)
    wire.post(f"/vector_stores/{one}/file_batches", file_ids=[file])
    refused = wire.client.post(f"/vector_stores/{one}/files", json={"file_id": file})
    assert error_of(refused)[::4] == (429, "rate_limit_exceeded")
    wire.post(f"/vector_stores/{other}/files", file_id=file)
    wire.clock.now += 60
    wire.post(f"/vector_stores/{one}/files", file_id=file)


def test_a_list_shows_the_indexing_of_those_on_other_pages_as_well(start: Start) -> None:
    wire = start({"index_reads": 1})
    store = wire.store(file_ids=[wire.upload() for _ in range(3)])
    first = wire.get(f"/vector_stores/{store}/files?filter=in_progress&limit=1")
    assert first["has_more"] is True
    assert wire.get(f"/vector_stores/{store}/files?filter=in_progress&limit=1")["data"] == []
