"""The shared rate gate: evenly spaced places over all processes, on the database's clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from reconciler.engine.fleet.database import Database
from reconciler.engine.fleet.shared_rate_limiter import BURST, SharedRateLimiter


def take(url: str, key: str, per_minute: float, count: int) -> list[float]:
    """The moments, on the database's clock, of places that one process takes."""
    with Database(url) as database:
        gate = SharedRateLimiter(database, key, per_minute)
        row = database.one("SELECT extract(epoch FROM clock_timestamp())::float8")
        assert row
        now = float(row[0])
        return [now + gate.reserve() for _ in range(count)]


def test_processes_share_one_sequence_of_places_at_the_rate(database_url: str) -> None:
    with Database(database_url) as database:
        database.prepare()
    per_minute, each = 1.0, 50  # a place a minute: taking them is much faster
    with get_context("spawn").Pool(3) as pool:
        taken = pool.starmap(take, [(database_url, "key", per_minute, each)] * 3)
    with Database(database_url) as database:
        row = database.one("SELECT (due - extract(epoch FROM clock_timestamp())::float8) / 60 FROM reconciler_gate")
    assert row
    assert sum(map(len, taken)) == 3 * each
    assert 3 * each - BURST - 15 < row[0] < 3 * each


def test_keys_do_not_slow_one_another_and_a_closed_gate_is_closed_for_all(database_url: str) -> None:
    with Database(database_url) as database, Database(database_url) as elsewhere:
        database.prepare()
        for _ in range(20):
            SharedRateLimiter(database, "busy", 1).reserve()
        assert SharedRateLimiter(database, "idle", 1).reserve() == 0
        SharedRateLimiter(elsewhere, "idle", 600).close(10_000)
        assert 9_000 < SharedRateLimiter(database, "idle", 600).reserve() < 10_001


def test_many_threads_wait_for_places_with_one_connection_among_them(database_url: str) -> None:
    """A connection that was held while waiting would leave none to the others."""
    with Database(database_url, connections=1) as database:
        database.prepare()
        gate = SharedRateLimiter(database, "key", 1)
        with ThreadPoolExecutor(40) as pool:
            waits = sorted(pool.map(lambda _: gate.reserve(), range(40)))
        assert waits[-1] == pytest.approx(60 * (39 - BURST), abs=360)


def test_a_busy_process_takes_several_places_at_once_and_loses_those_it_does_not_come_for(database_url: str) -> None:
    with Database(database_url) as database:
        database.prepare()
        now = 0.0
        gate = SharedRateLimiter(database, "key", 6000, clock=lambda: now)  # a place each 10 ms
        row = "SELECT due FROM reconciler_gate"
        dues = []
        for _ in range(40):
            gate.reserve()
            dues.append(database.rows(row)[0][0])
        assert len(set(dues)) == 7  # statements, for 1, 2, 4, 8 and then 10 places
        now = 1000.0
        due = database.rows(row)[0][0]
        gate.reserve()
        assert database.rows(row)[0][0] != due  # the old places have gone by
