"""The SQLite file: it is reopened, shared by processes, and survives one that is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reconciler.server import App, StoreError, create_app
from tests.unit.server.conftest import Clock, Wire

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


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
FOREIGN = {
    "an endless view": f"DROP TABLE objects; CREATE VIEW objects AS {ENDLESS} SELECT i AS seq, 'assistant' AS kind, "
    "'asst_' || i AS id, i AS created_at, 0 AS deleted, '{}' AS body FROM n",
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON objects BEGIN INSERT INTO expiries SELECT * FROM "
    f"({ENDLESS} SELECT i, i FROM n); END",
    "a computed column": "ALTER TABLE objects ADD COLUMN more TEXT AS (hex(zeroblob(100000000)))",
    "another index": "CREATE INDEX more ON objects (hex(body || body))",
    "one more view": f"CREATE VIEW more AS {ENDLESS} SELECT i FROM n",
}


@pytest.mark.parametrize("sql", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("version", [0, 2])
def test_a_file_with_tables_of_somebody_else_is_refused_and_left_alone(sql: str, version: int, tmp_path: Path) -> None:
    """A database that came with a project may hold anything: a list of it would never end."""
    file = tmp_path / "server.db"
    create_app(file).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(f"PRAGMA journal_mode = DELETE; {sql}; PRAGMA user_version = {version}")
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"server\.db cannot be used as a database: its tables are not those"):
        create_app(file)
    assert file.read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_what_was_sent_is_recorded_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    _over(create_app(record=file)).create(name="x")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_of_an_earlier_version_gets_the_tables_that_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "server.db"
    create_app(file).close()
    for version in (2, 1):
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(f"DROP TABLE IF EXISTS attachments; PRAGMA user_version = {version}")
        if version == 2:
            with pytest.raises(StoreError, match="its tables"):
                create_app(file)
    assert _over(create_app(file)).create(name="x")["name"] == "x"


def test_a_file_whose_pages_lead_in_circles_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "server.db"
    app = create_app(file)
    _over(app).create(name="x")
    app.close()
    with closing(sqlite3.connect(file)) as connection:
        body = connection.execute("SELECT body FROM objects").fetchone()[0] + " " * 3000
        rows = ((f"asst_{number}", number, body) for number in range(600))
        connection.executemany("INSERT INTO objects (kind, id, created_at, body) VALUES ('assistant', ?, ?, ?)", rows)
        connection.commit()
        connection.executescript("PRAGMA journal_mode = DELETE")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'objects'").fetchone()
    content = bytearray(file.read_bytes())
    page = memoryview(content)[(root - 1) * 4096 : root * 4096]
    assert page[0] == 5, "an inner page of a table: its cells begin with the number of a page below"
    for at in range(12, 12 + 2 * int.from_bytes(page[3:5]), 2):
        cell = int.from_bytes(page[at : at + 2])
        page[cell : cell + 4] = page[8:12]  # every way down leads to the last page
    file.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
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
