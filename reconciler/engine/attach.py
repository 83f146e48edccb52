"""Collections on the wire: what is in them, and the way from one state of them to another.

    put in → wait until the remote is done → change labels → take out

in this order, so that there is never a moment in which neither the old version of an entry nor the new one is ready.
What fails is told entry by entry, with the remote's reason; the rest is done all the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.index import Index
from reconciler.core.members import KEY
from reconciler.core.model import (
    Address,
    Body,
    Json,
    LiveObject,
)
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.drivers.base import Collection, Driver, Interrupted, NotFound
from reconciler.drivers.provider import MembersStyle

FIRST_LOOK_SECONDS: Final = 0.05
LAST_LOOK_SECONDS: Final = 5.0
GOES_ON: Final = "apply again: it goes on from there"
_FEW: Final = 10
"""Up to so many members are looked at one by one."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How to wait for a remote's work: how long, and with what. `pause` answers True when the user wants to stop.

    `tell` hears how many members of an address are waited for, at each look, from several threads.
    """

    seconds: float
    pause: Callable[[float], bool]
    clock: Callable[[], float] = time.monotonic
    tell: Callable[[Address, int], None] = lambda address, count: None


def entries_of(driver: Driver, kind: str, id: str, field: str, style: MembersStyle) -> list[Body]:
    """The members of an object as entries of its field. Raises RemoteError, also where the object is gone meanwhile."""
    return [_entry(body, style) for body in driver.within(kind, id, field).list()]


def _entry(body: Body, style: MembersStyle) -> Body:
    fields = (*style.sent, style.status_field, style.error_field)
    return {name: body[name] for name in fields if name in body} | {style.id_field: body["id"]}


def with_entries(live: LiveObject, field: str, entries: Iterable[Body], id_field: str, of: Index | None) -> LiveObject:
    """The object with those of its members that are ours, each with the key of its address; `of` has their objects."""
    keys = {} if of is None else {each.live.id: key for key in of.managed for each in of.candidates(key)}
    ours = [{**entry, KEY: keys[entry[id_field]]} for entry in entries if entry[id_field] in keys]
    return replace(live, body={**live.body, field: ours})


class Walk:
    """Goes one way (see `core.members`) in one collection."""

    def __init__(
        self, collection: Collection, style: MembersStyle, address: Address, way: Mapping[str, Json], wait: Waiting
    ) -> None:
        self._collection = collection
        self._style = style
        self._address = address
        self._way = way
        self._wait = wait
        self._names: dict[str, str] = {}
        self._failed: dict[str, Diagnostic] = {}

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """What is not ready, member by member."""
        return tuple(self._failed.values())

    @property
    def error(self) -> Diagnostic | None:
        """What to say of the whole; None where all was done."""
        late = sum(finding.code is Code.STILL_INDEXING for finding in self.findings)
        failed = len(self.findings) - late
        if failed:
            summary = f"{_counted(failed)} not indexed" + (f", and {late} still being indexed" if late else "")
            hint = "mend or remove what was not indexed, then apply again"
            return Diagnostic(Severity.ERROR, Code.NOT_INDEXED, f"not everything is in: {summary}", hint=hint)
        if late:
            summary = f"not everything is in: {_counted(late)} still being indexed"
            return Diagnostic(Severity.ERROR, Code.STILL_INDEXING, summary, hint=GOES_ON)
        return None

    def go(self, before: Sequence[Json]) -> list[Json]:
        """Go it; `before` are the entries as they were, the answer is what they are then.

        Raises RemoteError where a request fails, and Interrupted when the user wants to stop.
        """
        id_field = self._style.id_field
        attached = list(self._way.get("attach", ()))
        self._names = {entry[id_field]: str(entry.get(KEY, "")) for entry in (*before, *attached)}
        if attached:
            self._collection.attach(
                [{name: entry[name] for name in self._style.sent if name in entry} for entry in attached]
            )
        try:
            self._await([*(entry[id_field] for entry in attached), *self._way.get("await", ())])
        finally:
            self._wait.tell(self._address, 0)
        for entry in self._way.get("modify", ()):
            self._collection.modify(entry[id_field], {name: entry[name] for name in self._style.modifiable})
        out = [entry for entry in self._way.get("detach", ()) if entry.get("for") not in self._failed]
        for entry in out:
            self._collection.detach(entry[id_field])
        return self._after(before, attached, [entry[id_field] for entry in out])

    def _after(self, before: Sequence[Json], attached: Sequence[Json], out: Sequence[str]) -> list[Json]:
        id_field = self._style.id_field
        entries = {entry[id_field]: entry for entry in (*before, *attached)}
        return [entry for id, entry in entries.items() if id not in out]

    def _await(self, ids: Sequence[str]) -> None:
        """Wait until the remote is done with these, one way or the other, or the time is up."""
        pending, delay = set(ids), FIRST_LOOK_SECONDS
        deadline = self._wait.clock() + self._wait.seconds
        while pending:
            self._wait.tell(self._address, len(pending))
            left = deadline - self._wait.clock()
            # The last look is at each of them: while the remote is at work on one, others are done or have failed.
            if left <= 0 or len(pending) <= _FEW or not self._at_work(pending):
                pending -= self._settled(pending)
            if left <= 0 or not pending:
                break
            if self._wait.pause(min(delay, left)):
                raise Interrupted("stopped while waiting for files to be indexed")
            delay = min(delay * 2, LAST_LOOK_SECONDS)
        for id in sorted(pending):
            summary = f"{self._name(id)} is still being indexed after {self._wait.seconds:.0f} s"
            self._fail(id, Code.STILL_INDEXING, summary, "apply again later, or raise `limits.indexing_seconds`")

    def _at_work(self, pending: set[str]) -> bool:
        """Whether the remote is at work on any of these: mostly the first page tells."""
        lists = (self._collection.list(status) for status in self._style.waiting)
        return any(body["id"] in pending for bodies in lists for body in bodies)

    def _settled(self, pending: set[str]) -> set[str]:
        """Those of these that the remote is done with; failures are noted."""
        settled: set[str] = set()
        for body in self._bodies(pending):
            id, status = str(body["id"]), body.get(self._style.status_field)
            if status == self._style.done:
                settled.add(id)
            elif status in self._style.failed:
                settled.add(id)
                reason = body.get(self._style.error_field)
                said = reason.get("message") or reason.get("code") if isinstance(reason, dict) else None
                self._fail(
                    id, Code.NOT_INDEXED, f"{self._name(id)} was not indexed ({status}): {said or 'no reason given'}"
                )
        return settled

    def _bodies(self, pending: set[str]) -> Iterable[Body]:
        if len(pending) > _FEW:
            return [body for body in self._collection.list() if body["id"] in pending]
        return [body for id in sorted(pending) if (body := self._read(id)) is not None]

    def _read(self, id: str) -> Body | None:
        try:
            return self._collection.read(id)
        except NotFound:
            return None  # put in a moment ago, and not visible yet

    def _name(self, id: str) -> str:
        return f"{self._names[id]} ({id})" if self._names.get(id) else id

    def _fail(self, id: str, code: Code, summary: str, hint: str = "") -> None:
        self._failed[id] = Diagnostic(Severity.ERROR, code, summary, hint=hint, address=str(self._address))


def stopped() -> Diagnostic:
    """What to say of a way that the user's wish to stop cut short."""
    summary = "stopped before everything was in and indexed"
    return Diagnostic(Severity.ERROR, Code.STILL_INDEXING, summary, hint=GOES_ON)


def _counted(number: int) -> str:
    return "1 file is" if number == 1 else f"{number} files are"
