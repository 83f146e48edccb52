"""Records creates in the database before they are sent, so that no two workers create one address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from reconciler.core.values.model import Address
from reconciler.engine.fleet.batching import CallBatcher
from reconciler.engine.fleet.database import Database, columns
from reconciler.engine.registry import Overtaken

GATHER_SECONDS: Final = 0.02
"""How long a create that is to be taken down waits for others: a fraction of what a request takes."""
# In the order of the keys: two that take down the same addresses wait for one another, and never in a circle.
_ATTEMPT: Final = """
    INSERT INTO reconciler_attempt AS known (target, kind, key, nonce, at)
    SELECT sent.*, clock_timestamp()
    FROM unnest(%(targets)s::text[], %(kinds)s::text[], %(keys)s::text[], %(nonces)s::text[])
        AS sent (target, kind, key, nonce)
    WHERE NOT EXISTS (SELECT FROM reconciler_object AS object
        WHERE object.target = sent.target AND object.kind = sent.kind AND object.key = sent.key)
    ORDER BY sent.target, sent.kind, sent.key
    ON CONFLICT (target, kind, key) DO UPDATE SET at = clock_timestamp() WHERE known.nonce = excluded.nonce
    RETURNING nonce
"""
_MADE: Final = """
    INSERT INTO reconciler_attempt AS known (target, kind, key, nonce, at, id)
    SELECT %(target)s, made.kind, made.key, made.nonce, clock_timestamp(), made.id
    FROM unnest(%(kinds)s::text[], %(keys)s::text[], %(nonces)s::text[], %(ids)s::text[])
        AS made (kind, key, nonce, id)
    ORDER BY made.kind, made.key
    ON CONFLICT (target, kind, key) DO UPDATE SET id = excluded.id WHERE known.nonce = excluded.nonce
    RETURNING nonce
"""
_REFUSED: Final = "DELETE FROM reconciler_attempt WHERE target = %(target)s AND nonce = %(nonce)s AND id IS NULL"


class AttemptBatcher:
    """Where a process takes down its creates of all targets, those of one moment (`seconds`) with one statement."""

    def __init__(self, database: Database, seconds: float = GATHER_SECONDS) -> None:
        self._database = database
        self._batching = CallBatcher(self._take_down, seconds)

    def take_down(self, target: str, address: Address, nonce: str) -> bool:
        """Whether the create was taken down; it was not where the address has another nonce, or an object.

        Raises StoreError.
        """
        return self._batching((target, address, nonce))

    def _take_down(self, asked: Sequence[tuple[str, Address, str]]) -> list[bool]:
        first: dict[tuple[str, Address], str] = {}
        for target, address, nonce in asked:
            first.setdefault((target, address), nonce)
        records = [(target, *address, nonce) for (target, address), nonce in first.items()]
        targets, kinds, keys, nonces = columns(records, 4)
        values = {"targets": targets, "kinds": kinds, "keys": keys, "nonces": nonces}
        taken = {nonce for (nonce,) in self._database.rows(_ATTEMPT, values)}
        return [nonce in taken for _, _, nonce in asked]


class DatabaseAttempts:
    """The creates of one run. A nonce goes out only where the database has it down for the address, and no other.

    Answers are taken down several at once: until then, others hold the address off as if there was none yet.
    """

    def __init__(
        self, database: Database, announced: AttemptBatcher, target: str, hold_off: float, clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._database = database
        self._announced = announced
        self._target = target
        self._hold_off = hold_off
        self._addresses: dict[str, Address] = {}
        self._made: dict[str, str] = {}
        self._settling = threading.Lock()
        self.nonces: set[str] = set()
        self.overtaken: dict[str, str] = {}

    def attempt(self, address: Address, nonce: str) -> None:
        """Take down a create that is about to be sent. Raises Overtaken and StoreError."""
        began = self._clock()
        self._addresses[nonce] = address
        self.nonces.add(nonce)
        if not self._announced.take_down(self._target, address, nonce):
            raise Overtaken(f"another run is creating {address}")
        if self._clock() - began > self._hold_off / 4:
            # This process was stopped: by the time the request is out, others may have looked for it in vain.
            raise Overtaken(f"recording the create of {address} took too long")

    def made(self, nonce: str, id: str) -> None:
        """Keep the answer to a create for `settle`."""
        self._made[nonce] = id

    def settle(self) -> None:
        """Take down all answers that were kept. Raises StoreError."""
        with self._settling:
            made = {nonce: self._made[nonce] for nonce in list(self._made)}
            if not made:
                return
            records = [(*self._addresses[nonce], nonce, id) for nonce, id in made.items()]
            kinds, keys, nonces, ids = columns(records, 4)
            values = {"target": self._target, "kinds": kinds, "keys": keys, "nonces": nonces, "ids": ids}
            taken = {nonce for (nonce,) in self._database.rows(_MADE, values)}
            self.overtaken |= {nonce: id for nonce, id in made.items() if nonce not in taken}
            for nonce in made:
                del self._made[nonce]

    def refused(self, nonce: str) -> None:
        """Record that a create certainly made nothing. Raises StoreError."""
        self._database.run(_REFUSED, {"target": self._target, "nonce": nonce})

    def close(self) -> None:
        """Nothing is held between statements."""
