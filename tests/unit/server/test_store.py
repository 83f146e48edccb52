"""The SQLite file: it is reopened, shared by processes, and survives one that is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from reconciler.server import App, StoreError, create_app

from .conftest import Clock, Wire

WRITER = """
import io, json, sys
from reconciler.server import create_app

app = create_app(sys.argv[1])

def ask(method, path, body=None):
    content = b"" if body is None else json.dumps(body).encode()
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_OPENAI_BETA": "assistants=v2",
               "CONTENT_LENGTH": str(len(content)), "wsgi.input": io.BytesIO(content)}
    return json.loads(b"".join(app(environ, lambda status, headers: None)))

def create(number):
    name = f"{sys.argv[2]}{number}"
    id = ask("POST", "/v1/assistants", {"model": "m", "name": name, "instructions": "x" * 20000})["id"]
    ask("POST", f"/v1/assistants/{id}", {"instructions": "y" * 20000})
    return id
"""


def _over(app: App) -> Wire:
    return Wire(app, Clock(), [])


def _writer(file: Path, name: str, script: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER + script, str(file), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))


def test_a_file_is_reopened(tmp_path: Path) -> None:
    file = tmp_path / "server.db"
    first = _over(create_app(file))
    made = [first.create(name=name) for name in "abc"]
    first.client.delete(f"/assistants/{made[1]['id']}")
    first.app.close()
    first.app.close()
    second = _over(create_app(file))
    assert second.walk("order=asc") == [made[0], made[2]]
    assert second.names(f"order=asc&after={made[1]['id']}") == ["c"]


def test_a_seeded_server_on_a_written_file_draws_other_ids(tmp_path: Path) -> None:
    for _ in range(3):
        _over(create_app(tmp_path / "server.db", adversary=1)).client.post("/assistants", json={"model": "m"})
    assert len(_over(create_app(tmp_path / "server.db")).walk()) == 3


def test_two_processes_write_one_new_file(tmp_path: Path) -> None:
    file = tmp_path / "server.db"
    writers = [_writer(file, name, "\nfor number in range(40): create(number)") for name in "ab"]
    assert [writer.wait(600) for writer in writers] == [0, 0]
    names = sorted(each["name"] for each in _over(create_app(file)).walk())
    assert names == sorted(f"{name}{number}" for name in "ab" for number in range(40))


def test_a_killed_process_leaves_whole_objects(tmp_path: Path) -> None:
    file = tmp_path / "server.db"
    writer = _writer(file, "a", "\nfor number in range(10**6): print(create(number), flush=True)")
    assert writer.stdout is not None
    told = [writer.stdout.readline().strip() for _ in range(10)]
    writer.send_signal(signal.SIGKILL)
    told += writer.communicate()[0].split()
    found = {each["id"]: each for each in _over(create_app(file)).walk()}
    assert set(told) <= set(found)
    assert all(len(set(each["instructions"])) == 1 and len(each["instructions"]) == 20_000 for each in found.values())
    assert all(found[id]["instructions"][0] == "y" for id in told)


def test_threads_share_one_server(tmp_path: Path) -> None:
    for database in (tmp_path / "server.db", ":memory:"):
        wire = _over(create_app(database))
        id = wire.create(metadata={})["id"]

        def work(number: int, wire: Wire = wire, id: str = id) -> None:
            wire.create(name=str(number))
            wire.modify(id, name=str(number))
            wire.client.get("/assistants")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(100)))
        assert len(wire.walk()) == 101
        assert len(wire.app.requests) == 1 + 300 + 2


@pytest.mark.parametrize("content", [b"not a database, but long enough to be looked at" * 100, None])
def test_a_file_that_cannot_be_used(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "server.db"
    if content is None:
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
    else:
        file.write_bytes(content)
    with pytest.raises(StoreError, match=r"server\.db"):
        create_app(file)


def test_requests_are_recorded_without_their_secrets(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    wire = _over(create_app(record=file))
    secrets = {
        name: f"canary-{name}" for name in ("authorization", "api-key", "x-portkey-api-key", "x-portkey-virtual-key")
    }
    wire.client.post("/assistants?x=1", json={"model": "m"}, headers=secrets)
    wire.client.get("/assistants/nobody")
    text = file.read_text()
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert "canary" not in text
    assert [(line["method"], line["path"], line["body"], line["status"], line["dropped"]) for line in lines] == [
        ("POST", "/v1/assistants?x=***", {"model": "m"}, 200, False),
        ("GET", "/v1/assistants/nobody", None, 404, False),
    ]
    assert lines[0]["headers"]["openai-beta"] == "assistants=v2"
    assert wire.app.requests[0].headers["authorization"] == "canary-authorization"


def test_old_requests_are_forgotten() -> None:
    wire = _over(create_app(remember=5))
    for number in range(23):
        wire.client.get(f"/assistants/{number}")
    assert 5 <= len(wire.app.requests) <= 10
    assert wire.app.requests[-1].path == "/v1/assistants/22"


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(ValueError, match="unknown profile 'x'; known are assistants-v2"):
        create_app(profile="x")
