"""PostgreSQL for the tests of the fleet: one server for each test process, a database for each test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from reconciler.engine.fleet.database import Database
from tests.fleet.postgres import Postgres

_numbers = count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres(durable=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database_url(postgres: Postgres) -> str:
    name = f"test{next(_numbers)}"
    with Database(postgres.url, 1) as database:
        database.run(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return postgres.url.replace("/postgres", f"/{name}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A connection to a database that has the tables of the fleet."""
    with Database(database_url) as opened:
        opened.prepare()
        yield opened
