"""Uploads: streamed from disk, at a rate of their own, and never completed where the file is another."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.output.progress import ApplyProgress, format_bytes
from reconciler.core.values.model import Action, Address
from reconciler.drivers.base import NotFound
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.provider import Limits
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.drivers.upload_stream import FileChanged, form_fields
from reconciler.formats.outcome import Outcome, Result
from tests.conftest import Remote
from tests.world import PROVIDER, Clock


def driver(remote: Remote, root: Path, clock: Clock | None = None, **options: Any) -> RestDriver:
    connection = ConnectionSettings(f"{remote.url}/v1", PROVIDER.headers, (), 60, 10**6, 10**6)
    clock = clock or Clock()
    http = HttpClient(connection, pause=clock.pause, clock=clock, chance=lambda: 0.0)
    return RestDriver(PROVIDER, http, root=str(root), **options)


def body(root: Path, content: bytes, name: str = "page.txt", **more: Any) -> dict[str, Any]:
    (root / name).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return {"source": name, "filename": name, "sha256": digest, "purpose": "user_data", **more}


def test_all_of_a_file_arrives_with_the_fields_of_the_form(remote: Remote, tmp_path: Path) -> None:
    sent: list[int] = []
    content = bytes(range(256)) * 4096 * 3
    speaking = driver(remote, tmp_path, sent=sent.append)
    made = speaking.create("file", body(tmp_path, content, expires_after={"anchor": "created_at", "seconds": 3600}))
    assert (made["bytes"], made["expires_at"] - made["created_at"]) == (len(content), 3600)
    import urllib.request

    with urllib.request.urlopen(f"{remote.url}/v1/files/{made['id']}/content") as answer:
        assert answer.read() == content
    assert sum(sent) == len(content)
    assert max(sent) <= 1024 * 1024


@pytest.mark.parametrize("content", [b"longer than before", b"short", b"changed!!!"])
def test_a_file_that_is_another_by_now_is_not_taken(content: bytes, remote: Remote, tmp_path: Path) -> None:
    wanted = body(tmp_path, b"as planned")
    (tmp_path / "page.txt").write_bytes(content)
    with pytest.raises(FileChanged, match="has changed since the plan was made"):
        driver(remote, tmp_path).create("file", wanted)
    assert remote.ask("GET", "/v1/files")["data"] == []


@pytest.mark.parametrize("how", ["gone", "link", "directory", "outside"])
def test_a_file_that_is_no_file_of_the_project_any_more_is_not_opened(how: str, remote: Remote, tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    wanted = body(root, b"as planned")
    (root / "page.txt").unlink()
    if how == "link":
        (tmp_path / "secret").write_bytes(b"as planned")
        (root / "page.txt").symlink_to(tmp_path / "secret")
    elif how == "directory":
        (root / "page.txt").mkdir()
    elif how == "outside":
        wanted["source"] = "../secret"
    with pytest.raises(FileChanged, match="was not uploaded"):
        driver(remote, root).create("file", wanted)
    assert remote.writes == []


def test_uploads_and_attaches_have_rates_of_their_own(remote: Remote, tmp_path: Path) -> None:
    clock = Clock()
    began = clock.now
    speaking = driver(remote, tmp_path, clock, limits=Limits(uploads_per_minute=3, attaches_per_minute=2))
    ids = [speaking.create("file", body(tmp_path, b"text %d" % n))["id"] for n in range(4)]
    assert clock.now - began == 60
    stores = [speaking.create("vector_store", {"name": str(n)})["id"] for n in range(2)]
    began = clock.now
    for store in stores:
        collection = speaking.within("vector_store", store, "files")
        collection.attach([{"file_id": id} for id in ids])
        collection.detach(ids[0])
    assert clock.now == began
    collection.detach(ids[1])
    assert clock.now - began == 60


def test_members_of_all_objects_together_have_a_rate_and_a_batch_is_no_larger_than_it(
    remote: Remote, tmp_path: Path
) -> None:
    clock = Clock()
    speaking = driver(remote, tmp_path, clock, limits=Limits(members_per_minute=5))
    ids = [speaking.create("file", body(tmp_path, b"text %d" % n))["id"] for n in range(6)]
    one, other = (speaking.create("vector_store", {"name": name})["id"] for name in ("one", "other"))
    began = clock.now
    speaking.within("vector_store", one, "files").attach([{"file_id": id} for id in ids[:3]])
    speaking.within("vector_store", other, "files").attach([{"file_id": id} for id in ids[:2]])
    assert clock.now == began
    remote.forget()
    speaking.within("vector_store", other, "files").attach([{"file_id": id} for id in ids])
    assert [len(request.body["files"]) for request in remote.writes] == [5, 1]
    assert clock.now - began == 120


def test_2500_members_go_in_with_two_requests(start: Callable[..., Remote], tmp_path: Path) -> None:
    remote = start()
    entries = [{"file_id": f"file-{number}"} for number in range(2500)]
    collection = driver(remote, tmp_path, Clock()).within("vector_store", "vs_1", "files")
    with pytest.raises(NotFound):
        collection.attach(entries)
    collection._send = lambda *arguments, **options: sizes.append(len(options["body"]["files"]))  # type: ignore[attr-defined]
    sizes: list[int] = []
    collection.attach(entries)
    assert sizes == [2000, 500]


def test_a_nested_body_as_fields_of_a_form() -> None:
    assert form_fields({"a": {"b": {"c": 1}}, "d": "e", "f": None}) == {"a[b][c]": "1", "d": "e"}


def test_progress_says_how_much_and_how_fast() -> None:
    clock = Clock()
    lines: list[str] = []
    shown = ApplyProgress(3, lines.append, clock)
    shown.report(Outcome(Address("file", "a"), Action.CREATE, Result.DONE))
    shown.sent(1_500_000)
    clock.pause(3)
    shown.sent(1_500_000)
    assert lines == ["1/3 applied", "1/3 applied, 1.5 MB uploaded", "1/3 applied, 3.0 MB uploaded, 1.0 MB/s"]
    shown.awaiting(Address("vector_store", "a"), 40)
    shown.awaiting(Address("vector_store", "b"), 2)
    shown.awaiting(Address("vector_store", "a"), 0)
    assert lines[-2:] == [f"1/3 applied, 3.0 MB uploaded, {count} files being indexed" for count in (42, 2)]
    assert [format_bytes(count) for count in (0, 999, 1000, 5e12)] == ["0 B", "999 B", "1.0 kB", "5000.0 GB"]
