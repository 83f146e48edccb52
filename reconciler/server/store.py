"""Stores objects in SQLite: one table for every kind, safe across threads and processes.

Beside them lie the bytes of files (`contents.py`) and who is attached where (`attachments.py`).

A file is in WAL mode: readers and one writer at a time, from any number of processes, and a process killed
at any moment leaves the last committed state. Deleted rows stay as tombstones, because their ids may still
anchor a page of a list.
"""

import sqlite3
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX IF NOT EXISTS listing ON objects (kind, deleted, created_at, seq);
CREATE TABLE IF NOT EXISTS contents (
    file TEXT NOT NULL,
    part INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (file, part)
);
CREATE TABLE IF NOT EXISTS expiries (at REAL NOT NULL, file TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS attachments (
    store TEXT NOT NULL,
    file TEXT NOT NULL,
    batch TEXT NOT NULL,
    filename TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    attached_at REAL NOT NULL,
    ready_at REAL NOT NULL,
    reads_left INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT,
    message TEXT,
    PRIMARY KEY (store, file)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_file ON attachments (file);
"""
_TABLES = "SELECT type, name, tbl_name, sql FROM sqlite_master"
_COLUMNS = "seq, id, created_at, deleted, body"
_BUSY_SECONDS = 30.0
_LONGEST = 64 * 1024 * 1024
"""Bytes of one value: a body has at most 8 MiB, and the bytes of files come in parts."""


class StoredObject(NamedTuple):
    """One stored object; `body` is its JSON text as it goes over the wire."""

    seq: int
    id: str
    created_at: int
    deleted: int
    body: str

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in a list: creation time has whole seconds, so insertion order breaks ties."""
        return self.created_at, self.seq


Among = tuple[str, tuple[Any, ...]]
"""A query for ids, and its values: the objects that a list is about."""


class StoreError(Exception):
    """The file cannot be used as a store."""


class Store:
    """The objects of one server. Every method may be called from any thread."""

    def __init__(
        self, path: str | Path = ":memory:", *, clock: Callable[[], float] = time.time, history_seconds: float = 0.0
    ) -> None:
        self._lock = threading.RLock()
        self._clock = clock
        # (when, kind, id, the row before): kept only when something wants to look back (lagging lists).
        self._undo: deque[tuple[float, str, str, StoredObject | None]] = deque()
        self._history_seconds = history_seconds
        self._connection = _connect(path)
        # Closed with its owner: property tests open stores by the hundred thousand.
        self._finalizer = weakref.finalize(self, self._connection.close)

    def close(self) -> None:
        """Close the file. Closing twice is fine."""
        with self._lock:
            self._finalizer()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock, so that what was read is still true when it is written back."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def find(self, kind: str, id: str) -> StoredObject | None:
        """The object with this id, deleted ones included."""
        sql = f"SELECT {_COLUMNS} FROM objects WHERE kind = ? AND id = ?"  # noqa: S608 — constants only
        with self._lock:
            found = self._connection.execute(sql, (kind, id)).fetchone()
        return StoredObject._make(found) if found else None

    def get(self, kind: str, id: str) -> StoredObject | None:
        """The object with this id, unless it was deleted."""
        row = self.find(kind, id)
        return None if row is None or row.deleted else row

    def insert(self, kind: str, id: str, created_at: int, body: str) -> None:
        """Add an object; `sqlite3.IntegrityError` when the id was ever used."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO objects (kind, id, created_at, body) VALUES (?, ?, ?, ?)", (kind, id, created_at, body)
            )
            self._remember(kind, id, None)

    def replace(self, kind: str, before: StoredObject, body: str) -> None:
        """Put a new body in place of the one that was read."""
        with self._lock:
            self._connection.execute("UPDATE objects SET body = ? WHERE seq = ?", (body, before.seq))
            self._remember(kind, before.id, before)

    def delete(self, kind: str, before: StoredObject) -> None:
        """Turn an object into a tombstone."""
        with self._lock:
            self._connection.execute("UPDATE objects SET deleted = 1, body = '' WHERE seq = ?", (before.seq,))
            self._remember(kind, before.id, before)

    def forget(self, kind: str, id: str) -> None:
        """Remove a tombstone, so that its id can be used again."""
        self.run("DELETE FROM objects WHERE kind = ? AND id = ? AND deleted = 1", (kind, id))

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """One statement on the tables beside the objects, and the rows it gives."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def page(
        self,
        kind: str,
        limit: int,
        *,
        descending: bool,
        above: tuple[int, int] | None = None,
        below: tuple[int, int] | None = None,
        among: Among | None = None,
    ) -> list[StoredObject]:
        """At most `limit` live objects whose place lies strictly between `above` and `below`, in order."""
        ids, of_ids = among or ("", ())
        where, values = "kind = ? AND deleted = 0", [kind, *(above or ()), *(below or ()), *of_ids, limit]
        where += " AND (created_at, seq) > (?, ?)" if above else ""
        where += " AND (created_at, seq) < (?, ?)" if below else ""
        where += f" AND id IN ({ids})" if ids else ""
        way = "DESC" if descending else "ASC"
        sql = f"SELECT {_COLUMNS} FROM objects WHERE {where} ORDER BY created_at {way}, seq {way} LIMIT ?"  # noqa: S608
        with self._lock:
            return [StoredObject._make(found) for found in self._connection.execute(sql, values)]

    def looking_back(self, kind: str, *, age: float, creates_hidden: float) -> list[StoredObject]:
        """The live objects of `age` seconds ago, without those created in the last `creates_hidden` seconds."""
        sql = f"SELECT {_COLUMNS} FROM objects WHERE kind = ? AND deleted = 0"  # noqa: S608
        with self._lock:
            rows = {row.id: row for row in map(StoredObject._make, self._connection.execute(sql, (kind,)))}
            now = self._clock()
            for when, of_kind, id, before in reversed(self._undo):
                hidden = before is None and when > now - creates_hidden
                if of_kind != kind or not (hidden or when > now - age):
                    continue
                if before is None:
                    rows.pop(id, None)
                else:
                    rows[id] = before
        return sorted(rows.values(), key=lambda row: row.place)

    def _remember(self, kind: str, id: str, before: StoredObject | None) -> None:
        if not self._history_seconds:
            return
        now = self._clock()
        while self._undo and self._undo[0][0] < now - self._history_seconds:
            self._undo.popleft()
        self._undo.append((now, kind, id, before))


def _connect(path: str | Path) -> sqlite3.Connection:
    connection = sqlite3.connect(str(path), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        if str(path) != ":memory:":
            _patiently(connection, partial(_refuse_foreign, connection, path))
            _patiently(connection, partial(connection.executescript, "PRAGMA journal_mode = WAL"))
            # Survives a killed process; only a power cut may cost the last commits, never the file.
            connection.execute("PRAGMA synchronous = NORMAL")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise StoreError(f"{path} was written by a newer version (format {version}, this one reads {_VERSION})")
        if version < _VERSION:
            script = f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;"
            _patiently(connection, partial(connection.executescript, script))
    except sqlite3.DatabaseError as error:
        connection.close()
        raise StoreError(f"{path} cannot be used as a database: {error}") from error
    except StoreError:
        connection.close()
        raise
    return connection


def _refuse_foreign(connection: sqlite3.Connection, path: str | Path) -> None:
    """Refuse a file that somebody else made: what a view, a trigger or a computed column of it does may never end.

    Nothing of the file is run here, and nothing is written. Raises StoreError.
    """
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    connection.execute("PRAGMA trusted_schema = OFF")
    version = connection.execute("PRAGMA user_version").fetchone()[0]  # first: it is written last
    found = connection.execute(f"{_TABLES} LIMIT {len(_own_tables()) + 1}").fetchall()
    if version > _VERSION:
        return  # the caller reports a newer format
    if not _own_tables().issuperset(found) or (version == _VERSION and len(found) < len(_own_tables())):
        raise StoreError(f"{path} cannot be used as a database: its tables are not those that this server makes")
    if (damage := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":  # pages that lead in circles
        raise StoreError(f"{path} cannot be used as a database: it is damaged: {damage}")


@cache
def _own_tables() -> frozenset[tuple[str, ...]]:
    """The tables and indexes of a new file, with the statements that made them."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(_SCHEMA)
        return frozenset(connection.execute(_TABLES))


def _patiently(connection: sqlite3.Connection, act: Callable[[], object]) -> None:
    # Two processes that open a new file at once: SQLite does not wait by itself while the journal mode changes.
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            act()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            time.sleep(0.01)
