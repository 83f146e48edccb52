"""Which files each vector store has, and the progress of their indexing.

Nothing runs in the background. An attachment says when its indexing ends and how; whether that is now follows from the
clock and from how many reads have shown it, so a client that polls sees the same course every time.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from reconciler.server.store import Among, Store
from reconciler.server.wire import Indexing

_STATUS = "CASE WHEN reads_left > 0 OR ready_at > ? THEN 'in_progress' ELSE outcome END"
STATUSES = ("in_progress", "completed", "failed", "cancelled")


class AttachedFile(NamedTuple):
    """One file of one vector store, as it is now. `code` and `message` are those of a failure."""

    file: str
    filename: str
    status: str
    bytes: int
    attached_at: float
    code: str | None
    message: str | None


class Counts(NamedTuple):
    """How many files there are in each status, and the bytes of the completed ones."""

    files: dict[str, int]
    bytes: int


class Attachments:
    """The attachments of one server."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def attach(self, store: str, file: dict[str, Any], batch: str, indexing: Indexing) -> None:
        """Begin to index a file (the object on the wire); one that is attached already begins anew."""
        now, (code, message) = self._clock(), indexing.failure or (None, None)
        values = (store, file["id"], batch, file["filename"], file["bytes"], now, now + indexing.seconds)
        outcome = (indexing.reads, "failed" if indexing.failure else "completed", code, message)
        self._store.run("INSERT OR REPLACE INTO attachments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values + outcome)

    def of(self, store: str, files: Sequence[str]) -> dict[str, AttachedFile]:
        """Those of a store among these files, by the id of the file."""
        marks = ", ".join("?" * len(files))
        sql = (
            f"SELECT file, filename, {_STATUS}, bytes, attached_at, code, message "  # noqa: S608 — marks only
            f"FROM attachments WHERE store = ? AND file IN ({marks})"
        )
        rows = self._store.run(sql, (self._clock(), store, *files))
        return {row[0]: AttachedFile._make(row) for row in rows}

    def completed(self, store: str) -> list[AttachedFile]:
        """Those of a store that can be searched."""
        sql = (
            "SELECT file, filename, outcome, bytes, attached_at, code, message FROM attachments "
            "WHERE store = ? AND outcome = 'completed' AND reads_left = 0 AND ready_at <= ?"
        )
        return [AttachedFile._make(row) for row in self._store.run(sql, (store, self._clock()))]

    def counts(self, stores: Sequence[str]) -> dict[str, Counts]:
        """For each of these stores."""
        marks = ", ".join("?" * len(stores))
        return self._counts("store", f"store IN ({marks})", stores)

    def counts_of_batch(self, store: str, batch: str) -> Counts:
        """For the files that a batch attached and that still are."""
        return self._counts("batch", "store = ? AND batch = ?", (store, batch)).get(batch) or _none()

    def among(self, store: str, *, batch: str | None = None, status: str | None = None, indexed: bool = False) -> Among:
        """The files of a store: of one batch, in one status, without those still being indexed."""
        sql, values = "SELECT file FROM attachments WHERE store = ?", [store]
        for wanted, clause, parts in (
            (batch is not None, " AND batch = ?", (batch,)),
            (status is not None, f" AND {_STATUS} = ?", (self._clock(), status)),
            (indexed, f" AND {_STATUS} <> 'in_progress'", (self._clock(),)),
        ):
            if wanted:
                sql, values = sql + clause, [*values, *parts]
        return sql, tuple(values)

    def note_read(self, store: str, files: Sequence[str] | None = None, *, batch: str | None = None) -> None:
        """An answer has shown how far the indexing of these files is; of all files of the store or batch by default."""
        sql, values = "store = ? AND reads_left > 0", [store]
        if files is not None:
            sql, values = f"{sql} AND file IN ({', '.join('?' * len(files))})", [*values, *files]
        if batch is not None:
            sql, values = f"{sql} AND batch = ?", [*values, batch]
        if self._store.run(f"SELECT 1 FROM attachments WHERE {sql} LIMIT 1", values):  # noqa: S608
            self._store.run(f"UPDATE attachments SET reads_left = reads_left - 1 WHERE {sql}", values)  # noqa: S608

    def cancel(self, store: str, batch: str) -> None:
        """End the indexing of the files of a batch that are still being indexed."""
        ended = "outcome = 'cancelled', code = NULL, message = NULL, reads_left = 0, ready_at = 0"
        where = f"store = ? AND batch = ? AND {_STATUS} = 'in_progress'"
        self._store.run(f"UPDATE attachments SET {ended} WHERE {where}", (store, batch, self._clock()))  # noqa: S608

    def detach(self, store: str, file: str) -> None:
        """Take one file out of a store."""
        self._store.run("DELETE FROM attachments WHERE store = ? AND file = ?", (store, file))

    def stores_with(self, file: str) -> list[str]:
        """The stores that a file is attached to."""
        return [store for (store,) in self._store.run("SELECT store FROM attachments WHERE file = ?", (file,))]

    def files_in(self, store: str) -> list[str]:
        """The files that are attached to a store."""
        return [file for (file,) in self._store.run("SELECT file FROM attachments WHERE store = ?", (store,))]

    def _counts(self, by: str, where: str, values: Sequence[str]) -> dict[str, Counts]:
        sql = (
            f"SELECT {by}, {_STATUS}, COUNT(*), SUM(bytes) "  # noqa: S608
            f"FROM attachments WHERE {where} GROUP BY 1, 2"
        )
        found: dict[str, Counts] = {}
        for key, status, number, size in self._store.run(sql, (self._clock(), *values)):
            before = found.get(key, _none())
            before.files[status] = number
            found[key] = Counts(before.files, before.bytes + (size if status == "completed" else 0))
        return found


def _none() -> Counts:
    return Counts(dict.fromkeys(STATUSES, 0), 0)
