"""Adds and removes members of an object, such as the files of a vector store.

    put in → wait until the remote is done → change labels → take out

in this order, so that there is never a moment in which neither the old version of an entry nor the new one is ready.
Failures are reported per entry, with the remote's reason; the other entries are still processed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from reconciler.core.matching.index import Index
from reconciler.core.matching.match import match
from reconciler.core.values.model import Address, Body, Json, LiveObject, Manifest
from reconciler.core.values.semantics import FREE, Meaning, same
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.drivers.base import Collection, Driver, Interrupted, NotFound
from reconciler.drivers.provider import MembersStyle

FIRST_LOOK_SECONDS: Final = 0.05
LAST_LOOK_SECONDS: Final = 5.0
GOES_ON: Final = "apply again to continue"
KEY: Final = "key"
"""The field of a live entry that is another version of the one that has its key."""
_FEW: Final = 10
"""Up to so many members are looked at one by one."""


def unmanaged_members_field(field: str) -> str:
    """The field of ours for the ids of what is in an object's collection and is not managed here."""
    return f"{field} of others"


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """How to wait for a remote's work: how long, and with what. `pause` answers True when the user wants to stop.

    `tell` hears how many members of an address are waited for, at each look, from several threads.
    """

    seconds: float
    pause: Callable[[float], bool]
    clock: Callable[[], float] = time.monotonic
    tell: Callable[[Address, int], None] = lambda address, count: None


@dataclass(frozen=True, slots=True)
class MemberKeys:
    """The keys of objects that are ours and can be put into others, by id: of their manifests, or else of their marks.

    Of several versions of one key, the one that has a manifest is the one that is wanted.
    """

    wanted: Mapping[str, str] = field(default_factory=dict)
    marked: Mapping[str, str] = field(default_factory=dict)

    def of(self, ids: Iterable[str]) -> list[tuple[str, str]]:
        """Those of these objects that are ours, with their keys: what is wanted first."""
        keys = {
            id: self.wanted.get(id) or self.marked.get(id)
            for id in sorted(ids, key=lambda id: (id not in self.wanted, id))
        }
        return [(id, key) for id, key in keys.items() if key]


def keys_of(found: Index, manifests: Iterable[Manifest]) -> MemberKeys:
    """The keys of the objects of one kind."""
    marked = {each.live.id: key for key in found.managed for each in found.candidates(key)}
    of_kind = {m.address.key: m for m in manifests if m.address.kind == found.kind.name}
    wanted = {id: address.key for address, id in match(found, of_kind).ids.items() if id in marked}
    return MemberKeys(wanted, marked)


def known_keys(entries: Mapping[str, Json], style: MembersStyle) -> MemberKeys:
    """The keys that the entries of a map have already, so that the same members get them again."""
    wanted = {entry[style.id_field]: key for key, entry in entries.items() if KEY not in entry}
    return MemberKeys(wanted, {entry[style.id_field]: entry[KEY] for entry in entries.values() if KEY in entry})


def with_entries(driver: Driver, live: LiveObject, field: str, style: MembersStyle, keys: MemberKeys) -> LiveObject:
    """The object with the map of its members that are ours, and the ids of the others.

    A second version of one key has its id for a key. Raises RemoteError, also where the object is gone meanwhile.
    """
    bodies = {str(body["id"]): body for body in driver.within(live.kind, live.id, field).list()}
    shown = (*style.sent, style.status_field, style.error_field)
    entries: dict[str, Json] = {}
    for id, key in keys.of(bodies):
        entry = {style.id_field: id} | {name: bodies[id][name] for name in shown if name in bodies[id]}
        entries[id if key in entries else key] = entry | ({KEY: key} if key in entries else {})
    others = sorted(bodies.keys() - {entry[style.id_field] for entry in entries.values()})
    return replace(live, body={**live.body, field: entries, unmanaged_members_field(field): others})


class MemberWriter:
    """Writes entries to one collection; `meaning` is that of an entry."""

    def __init__(
        self, collection: Collection, style: MembersStyle, meaning: Meaning, address: Address, wait: WaitPolicy
    ) -> None:
        self._collection = collection
        self._style = style
        self._meaning = meaning
        self._address = address
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
            hint = "fix or remove the files that were not indexed, then apply again"
            return Diagnostic(Severity.ERROR, Code.NOT_INDEXED, f"not all files are indexed: {summary}", hint=hint)
        if late:
            summary = f"not all files are indexed: {_counted(late)} still being indexed"
            return Diagnostic(Severity.ERROR, Code.STILL_INDEXING, summary, hint=GOES_ON)
        return None

    def write(self, before: Mapping[str, Json], patch: Mapping[str, Json]) -> dict[str, Json]:
        """Write a merge patch of the map: an entry is put in or changed, null takes one out. Gives the map after that.

        Raises RemoteError where a request fails, and Interrupted when the user wants to stop.
        """
        id_field, style = self._style.id_field, self._style
        there = {entry[id_field]: entry for entry in before.values()}
        wanted = {key: entry for key, entry in sorted(patch.items()) if entry is not None}
        self._names = {entry[id_field]: entry.get(KEY, key) for key, entry in (*before.items(), *wanted.items())}
        new: list[Body] = []
        kept: list[Body] = []
        for entry in wanted.values():
            (kept if self._is_in(there.get(entry[id_field]), entry) else new).append(entry)
        if new:
            self._collection.attach([{name: entry[name] for name in style.sent if entry.get(name)} for entry in new])
        busy = [entry for entry in kept if there[entry[id_field]].get(style.status_field) in style.waiting]
        try:
            self._await([entry[id_field] for entry in (*new, *busy)])
        finally:
            self._wait.tell(self._address, 0)
        for entry in kept:
            if not all(self._agrees(name, entry, there[entry[id_field]]) for name in style.modifiable):
                values = {name: entry.get(name) or {} for name in style.modifiable}
                self._collection.modify(entry[id_field], values)
        return self._taken_out(before, patch)

    def _taken_out(self, before: Mapping[str, Json], patch: Mapping[str, Json]) -> dict[str, Json]:
        """Take out what has no entry any more; an old version stays where the one in its place has failed."""
        id_field = self._style.id_field
        after = {key: entry for key, entry in {**before, **patch}.items() if entry is not None}
        held = {entry[id_field] for entry in after.values()}
        gone = {entry[id_field]: (entry.get(KEY, key), entry) for key, entry in before.items() if key in patch}
        for id, (key, entry) in sorted(gone.items()):
            if id in held:
                continue
            if key in after and after[key][id_field] in self._failed:
                after[id] = entry
            else:
                self._collection.detach(id)
        return after

    def _is_in(self, live: Json | None, wanted: Json) -> bool:
        """Whether an entry is in, or on its way, in the way that is wanted: then it is not put in anew."""
        style = self._style
        if live is None or live.get(style.status_field, style.done) not in (style.done, *style.waiting):
            return False
        fixed = (name for name in style.sent if name in wanted and name not in style.modifiable)
        return all(self._agrees(name, wanted, live) for name in fixed)

    def _agrees(self, name: str, one: Json, other: Json) -> bool:
        return same(self._meaning.properties.get(name, FREE), one.get(name), other.get(name))

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
                message = reason.get("message") or reason.get("code") if isinstance(reason, dict) else None
                self._fail(
                    id, Code.NOT_INDEXED, f"{self._name(id)} was not indexed ({status}): {message or 'no reason given'}"
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


def interrupted_diagnostic() -> Diagnostic:
    """What to say of a way that the user's wish to stop cut short."""
    summary = "stopped before all files were added and indexed"
    return Diagnostic(Severity.ERROR, Code.STILL_INDEXING, summary, hint=GOES_ON)


def _counted(number: int) -> str:
    return "1 file is" if number == 1 else f"{number} files are"
