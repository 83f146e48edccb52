"""The store of a fleet in a simulation: PostgreSQL itself, on the simulation's clock.

The statements of the ledger and of the memory decide who may create what, so they are the real ones. Each process has a
schema of its own, in which `now` and `clock_timestamp` tell the simulated time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, LiteralString

import psycopg

from reconciler.engine.fleet.database import Database

URL = "RECONCILER_SIMULATION_DATABASE"
"""The variable of the environment that names the server: processes that play at once share one."""
TABLES = ("target", "object", "attempt", "result", "gate")
_SCHEMA = """
    DROP SCHEMA IF EXISTS {name} CASCADE;
    CREATE SCHEMA {name};
    SET search_path = {name}, pg_catalog;
    SET simulation.now = 0;
    CREATE FUNCTION {name}.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
        AS $$ SELECT to_timestamp(current_setting('simulation.now')::float8) $$;
    CREATE FUNCTION {name}.now() RETURNS timestamptz LANGUAGE sql STABLE
        AS $$ SELECT to_timestamp(current_setting('simulation.now')::float8) $$;
"""


class Store:
    """One connection to the server, in which one statement runs at a time."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._now = 0.0
        self._connection.execute(_SCHEMA.format(name=f"simulation_{os.getpid()}").encode())
        self._connection.execute(resources.files("reconciler.engine.fleet").joinpath("tables.sql").read_bytes())

    def clear(self) -> None:
        """Forget what the schedule before this one left."""
        self._connection.execute(";".join(f"DELETE FROM reconciler_{name}" for name in TABLES).encode())

    def rows(self, now: float, statement: LiteralString, values: Mapping[str, object] | None) -> list[tuple[Any, ...]]:
        """What a statement answers at a time."""
        if now != self._now:
            self._connection.execute("SELECT set_config('simulation.now', %s, false)", (repr(now),))
            self._now = now
        cursor = self._connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


class Statements(Database):
    """The store as one process sees it: before and after each statement, `boundary` lets others go on."""

    def __init__(self, store: Store, clock: Callable[[], float], boundary: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._clock = clock
        self._boundary = boundary

    def rows(self, statement: LiteralString, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and return what it answers."""
        self._boundary()
        found = self._store.rows(self._clock(), statement, values)
        self._boundary()
        return found


_stores: dict[int, Store] = {}


def cleared() -> Store:
    """The store of this process, with nothing in it."""
    if os.getpid() not in _stores:
        _stores[os.getpid()] = Store(os.environ[URL])
    store = _stores[os.getpid()]
    store.clear()
    return store
