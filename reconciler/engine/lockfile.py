"""Marks beside the manifests instead of on the objects: for remotes without metadata, and for full metadata.

`assistants.lock.json` is committed with the files: a line for each object, sorted, so that a change of it is a small
diff. `LockFileDriver` stands between the engine and a remote: objects that come in carry the mark that the file has for
them, in a field of the file's name; what goes out leaves that field behind, in the file.

A create cannot be found again by its nonce then: where its answer is lost, it is reported and never sent again.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from reconciler.atomic import replace_file
from reconciler.core import marks
from reconciler.core.marks import Mark
from reconciler.core.model import Body, Json
from reconciler.core.semantics import MARK_ENTRY
from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity, Source
from reconciler.drivers.base import Ambiguous, Collection, Driver, RemoteError, Sending, Tally

try:
    import fcntl
except ImportError:  # Windows: two runs at once in one checkout are not noticed there
    fcntl = None  # type: ignore[assignment]

NAME: Final = "assistants.lock.json"
_FORMAT: Final = "1"


class LockFileError(ReconcilerError):
    """The lock file cannot be used; `diagnostic` says why and what to do."""

    def __init__(self, summary: str, hint: str, source: Source | None = None) -> None:
        super().__init__([Diagnostic(Severity.ERROR, Code.LOCK_FILE, summary, hint=hint, source=source)])


class LockFile:
    """The marks of one target, by kind and id. Each change is on disk when it returns.

    `path` is the file's, `guard` a file of this machine's that a run holds while it writes.
    """

    def __init__(self, path: Path, guard: Path, target: str) -> None:
        self._path = path
        self._guard = guard
        self._target = target
        self._lock = threading.Lock()
        self._document, self._text = _read(path)

    def of(self, kind: str) -> dict[str, str]:
        """The marks of a kind by the ids of their objects."""
        found = self._document["targets"].get(self._target, {}).get(kind, {})
        return dict(found)

    def put(self, kind: str, id: str, mark: str | None) -> None:
        """Keep a mark; None takes it away. Raises OSError."""
        with self._lock:
            entries = self._document["targets"].setdefault(self._target, {}).setdefault(kind, {})
            if mark is None:
                entries.pop(id, None)
            else:
                entries[id] = mark
            text = json.dumps(self._document, indent=2, sort_keys=True) + "\n"
            if text != self._text:
                replace_file(self._path, text.encode("ascii"))
                self._text = text

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs out. Raises LockFileError where one is at work, or was since the file was read."""
        with self._guard.open("a+b") as file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    hint = "wait until it is done, then start again"
                    raise LockFileError(f"another run is writing {NAME} ({_holder(self._guard)})", hint) from None
            file.truncate(0)
            file.write(f"process {os.getpid()}".encode())
            file.flush()
            if _read(self._path)[1] != self._text:
                raise LockFileError(f"{NAME} has changed since it was read: another run was at work", "start again")
            yield


def _holder(guard: Path) -> str:
    return guard.read_text("utf-8", "replace").strip() or "starting"


def _read(path: Path) -> tuple[dict[str, Json], str]:
    """The document, and its text; an empty one where there is no file. Raises LockFileError."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {"format_version": _FORMAT, "targets": {}}, ""
    except (OSError, UnicodeDecodeError) as error:
        raise LockFileError(f"{NAME} cannot be read: {error}", "restore it from git") from None
    if "<<<<<<<" in text:
        raise LockFileError(f"{NAME} has merge conflicts", "keep the lines of both sides, then start again")
    try:
        document = json.loads(text)
    except ValueError as error:
        place = Source(NAME, getattr(error, "lineno", 1), getattr(error, "colno", 1))
        raise LockFileError(f"{NAME} is not JSON: {error}", "restore it from git", place) from None
    if not _is_lock_file(document):
        raise LockFileError(f"{NAME} is not a lock file of format {_FORMAT}", "upgrade, or restore it from git")
    return document, text


def _is_lock_file(document: Json) -> bool:
    if not isinstance(document, dict) or document.get("format_version") != _FORMAT:
        return False
    targets = document.get("targets")
    return isinstance(targets, dict) and all(
        isinstance(kinds, dict)
        and all(
            isinstance(each, dict) and all(isinstance(mark, str) for mark in each.values()) for each in kinds.values()
        )
        for kinds in targets.values()
    )


class LockFileDriver:
    """A driver whose objects carry the marks of a lock file, in a field called like the file."""

    def __init__(self, driver: Driver, file: LockFile) -> None:
        self._driver = driver
        self._file = file
        self._seen: dict[str, set[str]] = {}

    def list(self, kind: str) -> Iterator[Body]:
        """Every object of a kind, with its mark. Raises when the list cannot be read to its end."""
        known, seen = self._file.of(kind), set()
        for body in self._driver.list(kind):
            seen.add(str(body["id"]))
            yield _with_mark(body, known.get(str(body["id"])))
        self._seen[kind] = seen

    def read(self, kind: str, id: str) -> Body:
        """One object, with its mark. Raises NotFound when it is absent."""
        return _with_mark(self._driver.read(kind, id), self._file.of(kind).get(id))

    def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
        """Make an object, then keep its mark. Raises Ambiguous when the answer, or the mark, is lost."""
        mark, rest = _without_mark(body)
        answer = self._driver.create(kind, rest, sending)
        id = str(answer["id"])
        if mark is None:
            return answer  # it carries its mark itself
        try:
            self._file.put(kind, id, mark)
            self._forget_former(kind, id, mark)
        except OSError as error:
            raise Ambiguous(f"{id} was made, but {NAME} could not be written: {error}") from error
        return _with_mark(answer, mark)

    def update(self, kind: str, id: str, patch: Body, seen: Body | None = None, sending: Sending | None = None) -> Body:
        """Change the fields in `patch`, and the mark if it is among them; answers with the whole object."""
        sent = patch

        def fresh() -> tuple[Body, Body] | None:
            nonlocal sent
            if sending is None or (now := sending()) is None:
                return None
            sent, looks = now
            return _without_mark(sent)[1], looks

        if rest := _without_mark(patch)[1]:
            answer = self._driver.update(kind, id, rest, seen, fresh)
        else:
            fresh()
            answer = self._driver.read(kind, id)
        if NAME in sent:
            self._keep(kind, id, _without_mark(sent)[0])
        return _with_mark(answer, self._file.of(kind).get(id))

    def delete(self, kind: str, id: str, sending: Callable[[], None] | None = None) -> None:
        """Remove an object and its mark."""
        self._driver.delete(kind, id, sending)
        self._keep(kind, id, None)

    def within(self, kind: str, id: str, field: str) -> Collection:
        """The collection that is a field of an object."""
        return self._driver.within(kind, id, field)

    def take_tally(self) -> Tally:
        """What this thread sent since it last asked."""
        return self._driver.take_tally()

    def _keep(self, kind: str, id: str, mark: str | None) -> None:
        try:
            self._file.put(kind, id, mark)
        except OSError as error:
            raise RemoteError(
                f"{NAME} could not be written: {error}", hint="free some disk, then apply again"
            ) from error

    def _forget_former(self, kind: str, id: str, mark: str | None) -> None:
        """Drop the marks of objects that are gone, and whose place the new one takes."""
        wanted = marks.read(mark)
        for other, text in self._file.of(kind).items():
            former = marks.read(text)
            if other == id or other in self._seen.get(kind, {other}) or not isinstance(former, Mark):
                continue
            if isinstance(wanted, Mark) and (former.owner, former.key) == (wanted.owner, wanted.key):
                self._file.put(kind, other, None)


def _with_mark(body: Body, mark: str | None) -> Body:
    return body if mark is None else {**body, NAME: {MARK_ENTRY: mark}}


def _without_mark(body: Body) -> tuple[str | None, Body]:
    carrier = body.get(NAME)
    mark = carrier.get(MARK_ENTRY) if isinstance(carrier, dict) else None
    return mark or None, {name: value for name, value in body.items() if name != NAME}
