"""The vendor's own client on files and vector stores, unchanged, over HTTP."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tests.later import openai
from tests.unit.server.conftest import Connect


def test_the_life_of_a_file(connect: Connect, tmp_path: Path) -> None:
    client, app = connect()
    (tmp_path / "notes.md").write_bytes(b"x" * 2_000_000)
    made = client.files.create(
        file=tmp_path / "notes.md", purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert (made.filename, made.bytes, made.purpose) == ("notes.md", 2_000_000, "user_data")
    assert made.expires_at == made.created_at + 3600
    assert client.files.retrieve(made.id) == made
    assert client.files.content(made.id).content == b"x" * 2_000_000
    assert client.files.wait_for_processing(made.id).status == "processed"
    other = client.files.create(file=("b.md", io.BytesIO(b"y")), purpose="assistants")
    assert [each.id for each in client.files.list(limit=1, order="asc")] == [made.id, other.id]
    assert [each.id for each in client.files.list(purpose="assistants")] == [other.id]
    with pytest.raises(openai.BadRequestError, match="Not allowed to download files of purpose: assistants"):
        client.files.content(other.id)
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match="No such File object"):
        client.files.retrieve(made.id)
    assert "openai-beta" not in app.requests[0].headers


def test_the_life_of_a_vector_store(connect: Connect) -> None:
    client, _ = connect()
    stores = client.vector_stores
    week = {"anchor": "last_active_at", "days": 7}
    made = stores.create(name="n", description="d", expires_after=week, metadata={"a": "1"})  # type: ignore[arg-type]
    assert (made.name, made.status, made.metadata) == ("n", "completed", {"a": "1"})
    assert made.expires_at == made.created_at + 7 * 86_400
    assert stores.retrieve(made.id) == made
    changed = stores.update(made.id, name="m", expires_after=None, metadata=None)
    assert (changed.name, changed.expires_after, changed.expires_at, changed.metadata) == ("m", None, None, {})
    more = [stores.create().id for _ in range(3)]
    assert [each.id for each in stores.list(limit=2, order="asc")] == [made.id, *more]
    assert stores.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError, match="No vector store found with id"):
        stores.retrieve(made.id)


def test_files_are_attached_polled_changed_and_detached(connect: Connect) -> None:
    client, _ = connect()
    store, files = client.vector_stores.create().id, client.vector_stores.files
    first = files.upload_and_poll(vector_store_id=store, file=("a.md", b"annual leave"), attributes={"n": 1})
    assert (first.status, first.usage_bytes, first.attributes) == ("completed", 12, {"n": 1})
    second = client.files.create(file=("b.md", b"travel"), purpose="assistants").id
    chunking = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 100}}
    done = files.create_and_poll(second, vector_store_id=store, chunking_strategy=chunking)  # type: ignore[arg-type]
    assert done.chunking_strategy is not None
    assert done.chunking_strategy.to_dict() == chunking
    assert files.update(second, vector_store_id=store, attributes={"b": True}).attributes == {"b": True}
    assert [each.id for each in files.list(store, limit=1, filter="completed")] == [second, first.id]
    assert [each.text for each in files.content(first.id, vector_store_id=store)] == ["annual leave"]
    assert files.delete(first.id, vector_store_id=store).deleted
    assert [each.id for each in files.list(store)] == [second]
    assert client.files.retrieve(first.id).id == first.id


def test_batches_are_uploaded_polled_listed_and_cancelled(connect: Connect) -> None:
    client, _ = connect({"index_never": True, "name": "endless*"}, {"index_fails": "no", "name": "*.pdf"})
    store, batches = client.vector_stores.create().id, client.vector_stores.file_batches
    uploads = [(f"{number}.{'pdf' if number == 7 else 'md'}", b"some text") for number in range(12)]
    done = batches.upload_and_poll(store, files=uploads)
    assert (done.status, done.file_counts.completed, done.file_counts.failed) == ("completed", 11, 1)
    assert len(list(batches.list_files(done.id, vector_store_id=store, limit=5))) == 12
    (failed,) = batches.list_files(done.id, vector_store_id=store, filter="failed")
    assert failed.last_error is not None
    assert failed.last_error.message == "no"
    again = batches.create_and_poll(store, files=[{"file_id": failed.id, "attributes": {"a": "b"}}])
    assert again.file_counts.failed == 1
    endless = client.files.create(file=("endless.md", b"x"), purpose="assistants").id
    begun = batches.create(store, file_ids=[endless])
    assert batches.retrieve(begun.id, vector_store_id=store).status == "in_progress"
    assert batches.cancel(begun.id, vector_store_id=store).status == "cancelled"
    assert batches.poll(begun.id, vector_store_id=store).file_counts.cancelled == 1


@pytest.mark.parametrize("adversary", [None, 1, 2])
def test_search(adversary: int | None, connect: Connect) -> None:
    client, _ = connect({"index_reads": 0}, adversary=adversary)
    store = client.vector_stores.create().id
    for name, content in (("leave.md", b"annual leave"), ("travel.md", b"annual travel")):
        file = client.files.create(file=(name, content), purpose="assistants").id
        client.vector_stores.files.create(store, file_id=file, attributes={"name": name})
    results = client.vector_stores.search(store, query="annual leave", ranking_options={"ranker": "auto"})
    assert [(each.filename, each.content[0].text) for each in results] == [
        ("leave.md", "annual leave"), ("travel.md", "annual travel"),
    ]  # fmt: skip
    only = {"type": "eq", "key": "name", "value": "travel.md"}
    found = client.vector_stores.search(store, query=["annual"], filters=only, max_num_results=5)  # type: ignore[arg-type]
    assert [each.filename for each in found] == ["travel.md"]


def test_an_expired_store_has_its_error(connect: Connect) -> None:
    now = [1_700_000_000.0]
    client, _ = connect(clock=lambda: now[0])
    store = client.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 1}).id
    now[0] += 86_400
    assert client.vector_stores.retrieve(store).status == "expired"
    with pytest.raises(openai.BadRequestError, match="has expired"):
        client.vector_stores.search(store, query="x")
