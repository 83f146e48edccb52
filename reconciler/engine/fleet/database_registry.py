"""What the workers on one target know together: live objects, addresses, and creates under way."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from reconciler.core.matching.index import content_of, folded, is_ours, mark_of, mark_text
from reconciler.core.matching.similarity import Sketch, sketch_of
from reconciler.core.values.marks import Mark, checked
from reconciler.core.values.model import Address, LiveObject
from reconciler.core.values.semantics import MARK_ENTRY, Kind
from reconciler.drivers.base import Driver
from reconciler.engine.fleet.database import Database, columns
from reconciler.engine.fleet.database_attempts import AttemptBatcher, DatabaseAttempts
from reconciler.engine.registry import KnownAddresses, LookalikeQuery
from reconciler.engine.snapshot import KindOnTarget, live_object

_ATTEMPTS: Final = """
    SELECT kind, key, id, extract(epoch FROM clock_timestamp() - at)::float8 FROM reconciler_attempt
    WHERE target = %(target)s AND (kind, key) IN (SELECT * FROM unnest(%(kinds)s::text[], %(keys)s::text[]))
"""
_OBJECTS: Final = """
    SELECT kind, key, id FROM reconciler_object
    WHERE target = %(target)s AND key IS NOT NULL
    AND (kind, key) IN (SELECT * FROM unnest(%(kinds)s::text[], %(keys)s::text[])) ORDER BY created, id
"""
_ALIKE: Final = """
    SELECT id, name, mark, created, content, frame, pieces FROM reconciler_object
    WHERE target = %(target)s AND kind = %(kind)s
    AND (folded = ANY(%(names)s) OR content = ANY(%(contents)s) OR other_key = ANY(%(keys)s) OR frame = ANY(%(frames)s))
"""
_OVERDUE: Final = """
    SELECT kind, key, nonce FROM reconciler_attempt
    WHERE target = %(target)s AND id IS NULL AND at < clock_timestamp() - make_interval(secs => %(hold_off)s)
"""
_FOUND: Final = """
    UPDATE reconciler_attempt SET id = found.id FROM unnest(%(nonces)s::text[], %(ids)s::text[]) AS found (nonce, id)
    WHERE target = %(target)s AND reconciler_attempt.nonce = found.nonce AND reconciler_attempt.id IS NULL
"""
_NOT_THERE: Final = """
    DELETE FROM reconciler_attempt WHERE target = %(target)s AND nonce = ANY(%(nonces)s) AND id IS NULL
"""
_SEEN: Final = """
    INSERT INTO reconciler_object
        (target, kind, id, key, name, mark, created, folded, content, other_key, submission)
    SELECT %(target)s, %(kind)s, seen.*, %(submission)s
    FROM unnest(%(ids)s::text[], %(keys)s::text[], %(names)s::text[], %(marks)s::text[], %(created)s::float8[],
        %(folded)s::text[], %(contents)s::text[], %(others)s::text[]) AS seen
    ON CONFLICT (target, kind, id) DO UPDATE SET key = excluded.key, name = excluded.name, mark = excluded.mark,
        created = excluded.created, folded = excluded.folded, content = excluded.content,
        other_key = excluded.other_key, frame = NULL, pieces = NULL,
        submission = greatest(reconciler_object.submission, excluded.submission)
"""
_SKETCHED: Final = """
    UPDATE reconciler_object SET frame = seen.frame, pieces = seen.pieces
    FROM unnest(%(ids)s::text[], %(frames)s::text[], %(pieces)s::text[]) AS seen (id, frame, pieces)
    WHERE target = %(target)s AND kind = %(kind)s AND reconciler_object.id = seen.id
"""
_GONE: Final = """
    DELETE FROM reconciler_object WHERE target = %(target)s AND kind = ANY(%(kinds)s) AND submission < %(submission)s
"""
_SETTLED: Final = """
    DELETE FROM reconciler_attempt WHERE target = %(target)s AND kind = ANY(%(kinds)s)
    AND at < to_timestamp(%(began)s) - make_interval(secs => %(hold_off)s)
"""


class DatabaseRegistry:
    """One target's part of what workers know. `hold_off` is in seconds: an answer's time and the lag of lists."""

    def __init__(
        self,
        database: Database,
        target: str,
        driver: Driver,
        kinds: Sequence[KindOnTarget],
        owner: str,
        hold_off: float,
        announced: AttemptBatcher | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._target = target
        self._driver = driver
        self._kinds = {each.kind.name: each for each in kinds}
        self._owner = owner
        self._hold_off = hold_off
        self._announced = announced or AttemptBatcher(database)
        self._clock = clock

    def known(self, addresses: Collection[Address], alike: Mapping[str, LookalikeQuery]) -> KnownAddresses:
        """What is known of these addresses. Creates that were held off long enough are looked up, in a whole list.

        Raises RemoteError and StoreError.
        """
        attempts = self._attempts(addresses)
        if any(id is None and age >= self._hold_off for id, age in attempts.values()):
            self._look_up()
            attempts = self._attempts(addresses)
        ids: dict[Address, list[str]] = {}
        for kind, key, id in self._database.rows(_OBJECTS, self._of(addresses)):
            ids.setdefault(Address(kind, key), []).append(id)
        for address, (made, _) in attempts.items():
            if made is not None and made not in ids.setdefault(address, []):
                ids[address].append(made)
        waits = {a: max(0.1, self._hold_off - age) for a, (id, age) in attempts.items() if id is None}
        found = (live for kind, wanted in alike.items() for live in self._alike(self._kinds[kind], wanted))
        return KnownAddresses({address: tuple(several) for address, several in ids.items()}, waits, tuple(found))

    def attempts(self) -> DatabaseAttempts:
        """Where one run takes down its creates."""
        return DatabaseAttempts(self._database, self._announced, self._target, self._hold_off, self._clock)

    def saw(self, submission: int, on_target: KindOnTarget, objects: Sequence[LiveObject]) -> dict[str, list[str]]:
        """Take down a part of a whole list; the ids of our objects by key. Raises StoreError."""
        kind = on_target.kind
        ours: dict[str, list[str]] = {}
        records = []
        for live in objects:
            mark, name = mark_of(kind, live), live.body.get(kind.name_field or "")
            key = mark.key if is_ours(mark, self._owner) else None
            other = mark.key if isinstance(mark, Mark) and key is None else None
            text = mark_text(kind, live)
            if key is not None:
                ours.setdefault(key, []).append(live.id)
            header = (live.id, key, _text(name), _text(text), live.created)
            records.append((*header, _text(folded(name)), content_of(kind, live.body).hex(), other))
        names = ("ids", "keys", "names", "marks", "created", "folded", "contents", "others")
        values = dict(zip(names, columns(records, len(names)), strict=True))
        here = {"target": self._target, "kind": kind.name, "submission": submission}
        self._database.run(_SEEN, here | values)
        return ours

    def saw_orphans(self, kind: Kind, orphans: Iterable[LiveObject]) -> None:
        """Take down what tells whether a new manifest says nearly the same as one of these. Raises StoreError.

        Only of orphans: nobody asks it of others, and it is as long as their texts.
        """
        sketches = ((live.id, sketch_of(kind, live.body)) for live in orphans)
        records = [(id, each.frame.hex(), _packed(each.pieces)) for id, each in sketches if each]
        if records:
            ids, frames, pieces = columns(records, 3)
            here = {"target": self._target, "kind": kind.name, "ids": ids}
            self._database.run(_SKETCHED, here | {"frames": frames, "pieces": pieces})

    def saw_all(self, submission: int, began: float, kinds: Iterable[str]) -> None:
        """The list of these kinds was read to its end: forget what it did not show, and creates that have settled.

        `began` is when reading it began, on the database's clock. Raises StoreError.
        """
        here = {"target": self._target, "kinds": list(kinds), "submission": submission}
        self._database.run(_GONE, here)
        self._database.run(_SETTLED, here | {"began": began, "hold_off": self._hold_off})

    def _attempts(self, addresses: Collection[Address]) -> dict[Address, tuple[str | None, float]]:
        rows = self._database.rows(_ATTEMPTS, self._of(addresses))
        return {Address(kind, key): (id, age) for kind, key, id, age in rows}

    def _of(self, addresses: Collection[Address]) -> dict[str, object]:
        kinds, keys = columns(addresses, 2)
        return {"target": self._target, "kinds": kinds, "keys": keys}

    def _look_up(self) -> None:
        """Look in complete lists for creates whose grace period is over; those that are missing may be sent again."""
        rows = self._database.rows(_OVERDUE, {"target": self._target, "hold_off": self._hold_off})
        overdue = {nonce: kind for kind, _, nonce in rows if kind in self._kinds}
        found: dict[str, str] = {}
        for name in sorted(set(overdue.values())):
            on_target = self._kinds[name]
            for body in self._driver.list(name):
                mark = mark_of(on_target.kind, live_object(on_target, body))
                if is_ours(mark, self._owner) and mark.nonce in overdue:
                    found.setdefault(mark.nonce, body["id"])
        if found.keys() < overdue.keys():
            self._driver.prove_whole()
        here = {"target": self._target}
        self._database.run(_FOUND, here | {"nonces": list(found), "ids": list(found.values())})
        self._database.run(_NOT_THERE, here | {"nonces": [nonce for nonce in overdue if nonce not in found]})

    def _alike(self, on_target: KindOnTarget, wanted: LookalikeQuery) -> list[LiveObject]:
        """The headers of objects that may be what is asked for."""
        kind, signing = on_target.kind, on_target.signing()
        here: dict[str, object] = {"target": self._target, "kind": kind.name, "keys": sorted(wanted.keys)}
        here |= {"names": [_text(name) for name in wanted.names], "contents": [each.hex() for each in wanted.contents]}
        here |= {"frames": [each.hex() for each in wanted.frames]}
        field = kind.name_field or ""
        return [
            LiveObject(
                kind.name,
                id,
                {field: name, kind.mark_field: {MARK_ENTRY: mark} if mark else {}},
                created,
                mark=checked(mark, signing) if signing else None,
                content=bytes.fromhex(content) if content else None,
                sketch=Sketch(bytes.fromhex(frame), _unpacked(pieces)) if frame else None,
            )
            for id, name, mark, created, content, frame, pieces in self._database.rows(_ALIKE, here)
        ]


def _packed(pieces: Sequence[int]) -> str:
    """Numbers of four bytes each as hexadecimal digits."""
    return "".join(f"{piece:08x}" for piece in pieces)


def _unpacked(text: str) -> tuple[int, ...]:
    return tuple(int(text[place : place + 8], 16) for place in range(0, len(text), 8))


def _text(value: object) -> str | None:
    """A text as PostgreSQL can hold it: without NUL and lone surrogates; None for anything else."""
    if not isinstance(value, str):
        return None
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
