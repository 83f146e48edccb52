"""Keeps marks in a file beside the manifests, for remotes without (enough) metadata.

`assistants.lock.json` is committed with the files: a line for each object, sorted, so that a change of it is a small
diff. It says of each target at which url, and in which account, its objects are.

Who proposes files can propose lines. A line that the file did not have at the base is a claim (see `marks.Proof`),
unless this machine wrote it, or a signature shows that one of ours did.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from reconciler.core.values import marks
from reconciler.core.values.marks import Mark, Proof
from reconciler.core.values.model import Address, Json
from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity, Source
from reconciler.drivers.base import RemoteError
from reconciler.drivers.transport.json_encoding import decoded, has_too_many_values
from reconciler.engine.state.journal import Journal
from reconciler.tree import Tree

try:
    import fcntl
except ImportError:  # Windows: two runs at once in one checkout are not noticed there
    fcntl = None  # type: ignore[assignment]

NAME: Final = "assistants.lock.json"
_FORMAT: Final = "2"
LARGEST: Final = 256 * 1024 * 1024
"""Bytes of the file: marks of some 100,000 objects have a tenth of that."""
_MOST_VALUES: Final = 2_000_000
_LONGEST_HOLDER: Final = 100
_EMPTY: Final[dict[str, Json]] = {"targets": {}}


class LockFileError(ReconcilerError):
    """The lock file cannot be used; `diagnostic` says why and what to do."""

    def __init__(self, summary: str, hint: str, source: Source | None = None) -> None:
        super().__init__([Diagnostic(Severity.ERROR, Code.LOCK_FILE, summary, hint=hint, source=source)])


class Unresolved(RemoteError):
    """A create whose answer was lost is not sent again before somebody says what became of the first one."""

    code = Code.UNRESOLVED_CREATE


class LockFile:
    """The marks of one target, by kind and id. Each change is on disk when it returns.

    It is in `files`, and so is `guard`, a file of this machine's that a run holds while it writes. Entries belong to a
    `url` and an `account` (which the remote tells once it was asked): those of another are neither used nor forgotten.
    Those of other targets at the same place are used, too. `journal` remembers the lines that this machine writes.
    """

    def __init__(
        self,
        files: Tree,
        guard: str,
        target: str,
        url: str = "",
        account: Callable[[], str | None] = lambda: None,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal
        self._base: dict[str, Json] | None = None
        self._files = files
        self._guard = guard
        self._target = target
        self._url = url
        self._account = account
        self._lock = threading.Lock()
        self._document, self._text = _read(files)

    def check(self) -> None:
        """Raise LockFileError where the target's entries are of another url or account."""
        block = self._targets.get(self._target)
        if block is None or self._is_here(block) or not _is_used(block):
            return
        summary = f"{NAME} has the marks of target {self._target} at {_place(block.get('url'), block.get('account'))}"
        hint = (
            "correct the url or the credential. If the same objects now have another url or account name, write it "
            f"into {NAME}; if this is another account, give its target another name"
        )
        raise LockFileError(f"{summary}, and this is {_place(self._url, self._account())}", hint)

    def compare(self, base: bytes | None) -> None:
        """Take lines for claims that the file of an earlier commit does not have; None where that has no file.

        One that cannot be read there is not known, and nothing is taken for a claim.
        """
        try:
            self._base = _EMPTY if base is None else _parsed(base.decode("utf-8"))
        except (LockFileError, UnicodeDecodeError):
            self._base = None

    def of(self, kind: str) -> dict[str, str]:
        """The marks of a kind by the ids of their objects. Raises LockFileError where they are of another place."""
        self.check()
        found = _marks_in(self._here(), kind)
        if self._base is None:
            return found
        before = _marks_in(self._here(self._base["targets"]), kind)
        return {id: self._as_believed(kind, id, text, marks.read(before.get(id))) for id, text in found.items()}

    def _as_believed(self, kind: str, id: str, text: str, before: object) -> str:
        """A mark as far as it is known to be ours. No line takes protection off: a manifest does, and its apply."""
        mark = marks.read(text)
        if not isinstance(mark, Mark) or (self._journal and self._journal.knows(kind, mark.nonce, id)):
            return text
        if not isinstance(before, Mark) or _identity(before) != _identity(mark):
            return marks.claimed(text)
        protect = before.protect and mark.proof is Proof.LABEL
        return marks.write(replace(mark, protect=True)) if protect else text

    def unresolved(self) -> frozenset[Address]:
        """The addresses of creates whose answer was lost. Raises LockFileError where they are of another place."""
        self.check()
        lost = (block.get("unresolved", {}).items() for block in self._here())
        return frozenset(Address(kind, key) for each in lost for kind, keys in each for key in keys)

    def put(self, kind: str, id: str, mark: str | None) -> None:
        """Keep a mark; None takes it away. A create that it answers is resolved. Raises OSError."""
        with self._lock:
            own, former = self._own(), None
            for block in self._here():
                former = block["marks"].get(kind, {}).pop(id, former)
            entries = own["marks"].setdefault(kind, {})
            if mark is not None:
                entries[id] = mark
                if self._journal and isinstance(written := marks.read(mark), Mark):
                    self._journal.entered(Address(kind, written.key), written.nonce, id)
                if key_of(former) != key_of(mark):
                    self._resolve(kind, key_of(mark))
            self._write()

    def attempt(self, kind: str, mark: str) -> None:
        """Remember that a create is about to be sent. Raises OSError, and Unresolved after one that has no answer."""
        key = key_of(mark)
        with self._lock:
            for block in self._here():
                if block.get("unresolved", {}).get(kind, {}).get(key, mark) != mark:
                    raise Unresolved(f"an earlier create of {kind}/{key} is not resolved: this one was not sent")
            self._own().setdefault("unresolved", {}).setdefault(kind, {})[key] = mark
            self._write()

    def forget(self, kind: str, key: str) -> None:
        """Forget a create: it made nothing, or nothing that is wanted. Raises OSError."""
        with self._lock:
            self._resolve(kind, key)
            self._write()

    @property
    def _targets(self) -> dict[str, Json]:
        found: dict[str, Json] = self._document["targets"]
        return found

    def _here(self, targets: dict[str, Json] | None = None) -> list[dict[str, Json]]:
        """The entries of every target at this place; those of this one come last."""
        targets = self._targets if targets is None else targets
        others = [block for name, block in targets.items() if name != self._target]
        own = targets.get(self._target)
        return [block for block in (*others, *([own] if own else [])) if self._is_here(block)]

    def _is_here(self, block: dict[str, Json]) -> bool:
        return block["url"] == self._url and block.get("account") in (None, self._account())

    def _own(self) -> dict[str, Json]:
        """The entries of this target, to be changed."""
        block = self._targets.setdefault(self._target, {"url": self._url, "marks": {}})
        if not _is_used(block):
            block["url"] = self._url
            block.pop("account", None)
        if (account := self._account()) is not None:
            block["account"] = account
        found: dict[str, Json] = block
        return found

    def _resolve(self, kind: str, key: str) -> None:
        for block in self._here():
            lost = block.get("unresolved", {})
            if lost.get(kind, {}).pop(key, None) is not None and not lost[kind]:
                del lost[kind]
            if not lost:
                block.pop("unresolved", None)

    def _write(self) -> None:
        text = json.dumps(self._document, indent=2, sort_keys=True) + "\n"
        if text != self._text:
            self._files.replace(NAME, text.encode("ascii"))
            self._text = text

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs out. Raises LockFileError where one is at work, or was since the file was read."""
        with os.fdopen(self._files.open(self._guard, os.O_RDWR | os.O_CREAT | os.O_APPEND), "a+b") as file:
            if fcntl is not None:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    hint = "wait until it is done, then start again"
                    raise LockFileError(f"another run is writing {NAME} ({self._holder()})", hint) from None
            file.truncate(0)
            file.write(f"process {os.getpid()}".encode())
            file.flush()
            if _read(self._files)[1] != self._text:
                raise LockFileError(f"{NAME} has changed since it was read: another run changed it", "start again")
            yield

    def _holder(self) -> str:
        return self._files.read(self._guard, _LONGEST_HOLDER).decode("utf-8", "replace").strip() or "starting"


def _read(files: Tree) -> tuple[dict[str, Json], str]:
    """The document, and its text; an empty one where there is no file. Raises LockFileError."""
    try:
        text = files.read(NAME, LARGEST).decode("utf-8")
    except FileNotFoundError:
        return {"format_version": _FORMAT, "targets": {}}, ""
    except (OSError, UnicodeDecodeError) as error:
        raise LockFileError(f"{NAME} cannot be read: {error}", "restore it from git") from None
    return _parsed(text), text


def _parsed(text: str) -> dict[str, Json]:
    """The document. Raises LockFileError."""
    if "<<<<<<<" in text:
        raise LockFileError(f"{NAME} has merge conflicts", "keep the lines of both sides, then start again")
    if has_too_many_values(text.encode(), _MOST_VALUES):
        raise LockFileError(f"{NAME} has more than {_MOST_VALUES:,} values", "restore it from git")
    try:
        document = decoded(text)
    except ValueError as error:
        place = Source(NAME, getattr(error, "lineno", 1), getattr(error, "colno", 1))
        raise LockFileError(f"{NAME} is not JSON: {error}", "restore it from git", place) from None
    if isinstance(document, dict) and document.get("format_version") == "1":
        hint = (
            'write `"format_version": "2"`, and for each target `"NAME": {"url": "URL", "marks": {…}}` around its kinds'
        )
        raise LockFileError(f"{NAME} is of format 1, which does not record the url of its marks", hint)
    if not _is_lock_file(document):
        raise LockFileError(f"{NAME} is not a lock file of format {_FORMAT}", "upgrade, or restore it from git")
    found: dict[str, Json] = document
    return found


def _is_lock_file(document: Json) -> bool:
    if not isinstance(document, dict) or document.get("format_version") != _FORMAT:
        return False
    targets = document.get("targets")
    return isinstance(targets, dict) and all(map(_is_block, targets.values()))


def _is_block(block: Json) -> bool:
    """Whether these are the entries of a target: `url`, `marks`, perhaps `account` and `unresolved`."""
    if not isinstance(block, dict) or not {"url", "marks"} <= block.keys() <= {"url", "marks", "account", "unresolved"}:
        return False
    texts = [block["url"], block.get("account", "")]
    for kinds in (block["marks"], block.get("unresolved", {})):
        if not isinstance(kinds, dict) or not all(isinstance(each, dict) for each in kinds.values()):
            return False
        texts += [text for each in kinds.values() for text in each.values()]
    return all(isinstance(text, str) for text in texts)


def _identity(mark: Mark) -> tuple[str, str, str]:
    return mark.owner, mark.key, mark.nonce


def _marks_in(blocks: list[dict[str, Json]], kind: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for block in blocks:
        found |= block["marks"].get(kind, {})
    return found


def _is_used(block: dict[str, Json]) -> bool:
    return bool(block.get("unresolved")) or any(block["marks"].values())


def _place(url: str, account: str | None) -> str:
    return url if account is None else f"{url} (account {account})"


def key_of(mark: str | None) -> str:
    """The key in a mark; empty where it has none that can be read."""
    found = marks.read(mark)
    return found.key if isinstance(found, Mark) else ""
