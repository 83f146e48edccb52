"""Files: uploaded as forms in any size, listed, downloaded where that is allowed, deleted."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.server import ConnectionDropped, create_app
from reconciler.server.http import Server, serve
from tests.unit.server.conftest import Clock, Start, Wire, error_of

TYPE = "invalid_request_error"


def test_a_file_is_shown_without_its_content(wire: Wire) -> None:
    answer = wire.client.post("/files", files={"file": ("a b.md", b"# hi")}, data={"purpose": "assistants"})
    body = answer.json()
    assert re.fullmatch("file-[0-9A-Za-z]{22}", body.pop("id"))
    assert body == {
        "object": "file",
        "purpose": "assistants",
        "filename": "a b.md",
        "bytes": 4,
        "created_at": 1_700_000_000,
        "expires_at": None,
        "status": "processed",
        "status_details": None,
    }
    assert wire.get(f"/files/{answer.json()['id']}") == answer.json()


def test_a_file_needs_no_beta_header(wire: Wire) -> None:
    client = httpx.Client(transport=httpx.WSGITransport(app=wire.app), base_url=wire.client.base_url)
    assert client.get("/files").status_code == 200
    assert client.get("/vector_stores").status_code == 200


def test_the_key_is_asked_for_here_too(start: Start) -> None:
    wire = start(api_key="right")
    for path in ("/files", "/vector_stores", "/vector_stores/vs_1/files"):
        assert error_of(wire.client.get(path))[0] == 401


@pytest.mark.parametrize("size", [0, 1, 255 * 1024, 3 * 1024 * 1024 + 1])
def test_what_is_uploaded_is_what_is_downloaded(size: int, wire: Wire) -> None:
    content = (bytes(range(256)) + b"\r\n--") * (size // 260 + 1)
    id = wire.upload(content[:size], purpose="user_data")
    answer = wire.client.get(f"/files/{id}/content")
    assert answer.content == content[:size]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert wire.get(f"/files/{id}")["bytes"] == size


def test_files_for_assistants_cannot_be_downloaded(wire: Wire) -> None:
    assert error_of(wire.client.get(f"/files/{wire.upload()}/content")) == (
        400, "Not allowed to download files of purpose: assistants", TYPE, None, None,
    )  # fmt: skip


def test_a_list_has_ten_thousand_at_most_newest_first(wire: Wire) -> None:
    ids = [wire.upload(name=f"{number}.md") for number in range(25)]
    page = wire.get("/files")
    assert [each["id"] for each in page["data"]] == ids[::-1]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[-1], ids[0], False)
    assert [each["id"] for each in wire.walk("limit=10&order=asc", "/files")] == ids
    for limit in (0, 10_001):
        assert error_of(wire.client.get(f"/files?limit={limit}"))[3] == "limit"
    assert wire.get("/files?limit=10000")["has_more"] is False


def test_a_list_may_be_of_one_purpose(start: Start) -> None:
    for rules in ([], [{"on": "list", "stale_list": 1}]):
        wire = start(*rules)
        wire.upload(purpose="vision")
        mine = [wire.upload(purpose="evals") for _ in range(5)]
        wire.upload(purpose="vision")
        wire.clock.now += 2
        assert [each["id"] for each in wire.walk("limit=2&order=asc&purpose=evals", "/files")] == mine
        assert wire.get("/files?purpose=batch")["data"] == []


def test_delete_says_so_once(wire: Wire) -> None:
    id = wire.upload()
    unknown = (404, f"No such File object: {id}", TYPE, "id", None)
    answer = wire.client.delete(f"/files/{id}")
    assert (answer.status_code, answer.json()) == (200, {"id": id, "object": "file", "deleted": True})
    assert error_of(wire.client.delete(f"/files/{id}")) == unknown
    assert error_of(wire.client.get(f"/files/{id}")) == unknown
    assert error_of(wire.client.get(f"/files/{id}/content")) == unknown
    assert wire.get("/files")["data"] == []


def test_a_deleted_file_leaves_every_vector_store_at_once(wire: Wire) -> None:
    one, other = wire.store(), wire.store()
    id = wire.attach(one)
    wire.post(f"/vector_stores/{other}/file_batches", file_ids=[id])
    wire.client.delete(f"/files/{id}")
    for store in (one, other):
        assert wire.get(f"/vector_stores/{store}/files")["data"] == []
        assert wire.get(f"/vector_stores/{store}")["file_counts"]["total"] == 0
        assert error_of(wire.client.get(f"/vector_stores/{store}/files/{id}"))[0] == 404


def test_a_file_may_expire(wire: Wire) -> None:
    def upload(**data: str) -> Any:
        return wire.client.post("/files", files={"file": ("a", b"x")}, data=data)

    short = {"purpose": "assistants", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    id = upload(**short).json()["id"]
    assert wire.get(f"/files/{id}")["expires_at"] == 1_700_003_600
    assert upload(purpose="batch").json()["expires_at"] == 1_702_592_000
    store = wire.store(file_ids=[id])
    wire.clock.now += 3600
    assert wire.get(f"/vector_stores/{store}")["file_counts"]["total"] == 0
    assert wire.get(f"/vector_stores/{store}/files")["data"] == []
    assert error_of(wire.client.get(f"/files/{id}"))[0] == 404
    assert [each["purpose"] for each in wire.get("/files")["data"]] == ["batch"]
    for seconds, code in (("3599", "integer_below_min_value"), ("x", "invalid_type"), ("9" * 99, "invalid_type")):
        assert error_of(upload(**short | {"expires_after[seconds]": seconds}))[4] == code


@pytest.mark.parametrize(
    ("files", "form", "param", "code"),
    [
        ({"other": ("a", b"")}, {"purpose": "assistants"}, "file", "missing_required_parameter"),
        ({"file": ("a", b"")}, {}, "purpose", "missing_required_parameter"),
        ({"file": ("a", b"")}, {"purpose": "fun"}, "purpose", "invalid_value"),
        ({"file": ("a", b"")}, {"purpose": "evals", "expires_after[anchor]": "created_at"}, "expires_after.seconds",
         "missing_required_parameter"),
    ],
)  # fmt: skip
def test_forms_that_say_too_little(
    files: dict[str, Any], form: dict[str, str], param: str, code: str, wire: Wire
) -> None:
    assert error_of(wire.client.post("/files", files=files, data=form))[3:] == (param, code)
    assert wire.get("/files")["data"] == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nno: \xff\r\n\r\nx\r\n--b--\r\n"),
    ],
    ids=["json", "no boundary", "empty", "cut", "no name", "bytes"],
)
def test_what_is_no_form(kind: str, content: bytes, wire: Wire) -> None:
    assert error_of(wire.client.post("/files", content=content, headers={"content-type": kind}))[0] == 400


def test_a_form_is_no_body_for_anything_else(wire: Wire) -> None:
    answer = wire.client.post("/assistants", files={"file": ("a", b"x")})
    assert error_of(answer)[1].startswith("We could not parse the JSON body")


def test_what_was_uploaded_is_remembered_by_name_and_size(wire: Wire, tmp_path: Path) -> None:
    wire.upload(b"x" * 10, "notes.md")
    assert wire.app.requests[-1].body == {"purpose": "assistants", "file": {"filename": "notes.md", "bytes": 10}}
    recording = Wire(create_app(record=tmp_path / "requests.jsonl"), Clock(), [])
    recording.upload("secret content")
    assert "secret content" not in (tmp_path / "requests.jsonl").read_text()


def test_files_outlive_the_server(tmp_path: Path) -> None:
    first = Wire(create_app(tmp_path / "a.db"), Clock(), [])
    id = first.upload(b"kept", purpose="vision")
    store = first.store(file_ids=[id])
    first.app.close()
    second = Wire(create_app(tmp_path / "a.db"), Clock(), [])
    assert second.client.get(f"/files/{id}/content").content == b"kept"
    assert second.get(f"/vector_stores/{store}")["status"] == "in_progress"
    assert second.get(f"/vector_stores/{store}")["status"] == "completed"


def test_a_database_of_before_vector_stores_is_brought_up_to_date(tmp_path: Path) -> None:
    import sqlite3

    Wire(create_app(tmp_path / "a.db"), Clock(), []).app.close()
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.executescript(
            "DROP TABLE contents; DROP TABLE attachments; DROP TABLE expiries; PRAGMA user_version = 1"
        )
    database.close()
    wire = Wire(create_app(tmp_path / "a.db"), Clock(), [])
    assert wire.store(file_ids=[wire.upload()])


# Over HTTP


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(create_app()) as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{server.url}/v1") as client:
        yield client


def test_a_file_larger_than_other_bodies_may_be(client: httpx.Client) -> None:
    content = bytes(range(256)) * 40 * 1024
    for name in ("first", "on the same connection"):
        answer = client.post("/files", files={"file": (name, content)}, data={"purpose": "user_data"})
        assert answer.json()["bytes"] == len(content)
        assert client.get(f"/files/{answer.json()['id']}/content").content == content


def test_a_form_of_no_known_length(client: httpx.Client) -> None:
    request = client.build_request("POST", "/files", files={"file": ("a", b"x" * 300_000)}, data={"purpose": "evals"})
    pieces = (request.read()[start : start + 1000] for start in range(0, len(request.read()), 1000))
    answer = client.post("/files", content=pieces, headers={"content-type": request.headers["content-type"]})
    assert answer.json()["bytes"] == 300_000
    assert client.get("/files").status_code == 200


def test_a_file_over_the_cap(client: httpx.Client, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.server.multipart.FILE_LIMIT", 1000)
    monkeypatch.setattr("reconciler.server.multipart.FORM_LIMIT", 100_000)
    for size in (1001, 200_000):
        files, form = {"file": ("a", b"x" * size)}, {"purpose": "evals"}
        for asked in (client, wire.client):
            assert error_of(asked.post("/files", files=files, data=form))[0] == 413
            assert asked.get("/files").json()["data"] == []
    request = client.build_request("POST", "/files", files=files, data=form)
    endless = client.post(
        "/files", content=iter([request.read()]), headers={"content-type": request.headers["content-type"]}
    )
    assert endless.status_code == 413
    answer = client.post("/files", files={"file": ("a", b"x" * 1000)}, data={"purpose": "evals"})
    assert answer.status_code == 200


def _raw(server: Server, content: bytes) -> bytes:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while read := connection.recv(65536):
            answer += read
        return answer


@pytest.mark.parametrize("length", [b"Content-Length: 99999", b"Transfer-Encoding: chunked"])
def test_an_upload_that_breaks_off_leaves_nothing(length: bytes, server: Server, client: httpx.Client) -> None:
    head = b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxyz'
    begun = b"%x\r\n%s" % (len(part) + 50, part) if length.startswith(b"T") else part
    answer = _raw(server, head + length + b"\r\n\r\n" + begun)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert client.get("/files").json()["data"] == []


def test_a_download_of_a_file_that_is_deleted_meanwhile_breaks_off() -> None:
    wire = Wire(create_app(), Clock(), [])
    id = wire.upload(b"x" * 1_000_000, purpose="user_data")
    with wire.client.stream("GET", f"/files/{id}/content") as answer:
        wire.client.delete(f"/files/{id}")
        with pytest.raises(ConnectionDropped):
            answer.read()


def test_a_truncated_download(start: Start) -> None:
    wire = start({"on": "content", "truncate": 300_000})
    id = wire.upload(b"x" * 1_000_000, purpose="user_data")
    with pytest.raises(ConnectionDropped), wire.client.stream("GET", f"/files/{id}/content") as answer:
        answer.read()
    assert answer.num_bytes_downloaded == 300_000
