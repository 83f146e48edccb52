"""A driver that keeps the marks of objects in the lock file, and shows them as fields.

Objects that come in carry the mark that the file has for them, in a field of the file's name; what goes out leaves that
field behind, in the file. A create cannot be found again by its nonce then: where its answer is lost, the file keeps it
as unresolved, and it is never sent again before somebody adopts the object, or forgets the create.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from reconciler.core.values import marks
from reconciler.core.values.marks import Mark
from reconciler.core.values.model import Body
from reconciler.core.values.semantics import MARK_ENTRY
from reconciler.drivers.base import Ambiguous, Driver, DriverInFront, RemoteError, Sending
from reconciler.engine.state.lockfile import NAME, LockFile, Unresolved, key_of


class LockFileDriver(DriverInFront):
    """A driver whose objects carry the marks of a lock file, in a field called like the file."""

    def __init__(self, driver: Driver, file: LockFile) -> None:
        super().__init__(driver)
        self._file = file
        self._seen: dict[str, set[str]] = {}

    def list(self, kind: str) -> Iterator[Body]:
        """Every object of a kind, with its mark.

        Raises when the list cannot be read to its end, and LockFileError where the file is of another account.
        """
        known: dict[str, str] | None = None
        seen: set[str] = set()
        for body in self._driver.list(kind):
            known = self._file.of(kind) if known is None else known  # only now: the response names the account
            seen.add(str(body["id"]))
            yield _with_mark(body, known.get(str(body["id"])))
        self._file.check()
        self._seen[kind] = seen

    def read(self, kind: str, id: str) -> Body:
        """One object, with its mark. Raises NotFound when it is absent."""
        return _with_mark(self._driver.read(kind, id), self._file.of(kind).get(id))

    def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
        """Make an object, then keep its mark. The file has it as unresolved from before it is sent.

        Raises Ambiguous when the answer, or the mark, is lost, and Unresolved where an earlier answer was.
        """
        mark, rest = _without_mark(body)
        if mark is None:
            return self._driver.create(kind, rest, sending)  # it carries its mark itself

        def recorded() -> None:
            if sending is not None:
                sending()
            self._file.attempt(kind, mark)

        try:
            answer = self._driver.create(kind, rest, recorded)
        except (Ambiguous, Unresolved):
            raise
        except RemoteError:
            with suppress(OSError):
                self._file.forget(kind, key_of(mark))
            raise
        id = str(answer["id"])
        if id in self._seen.get(kind, ()):
            raise Ambiguous(f"the response to the create has the id {id}, which existed before")
        if kind in self._seen:
            self._seen[kind].add(id)
        try:
            self._file.put(kind, id, mark)
            self._forget_former(kind, id, mark)
        except OSError as error:
            raise Ambiguous(f"{id} was created, but {NAME} could not be written: {error}") from error
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
