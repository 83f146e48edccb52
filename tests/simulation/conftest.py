"""A PostgreSQL for the fleets of the simulation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet.conftest import postgres
from tests.fleet.postgres import Postgres
from tests.simulation.store import URL

__all__ = ["postgres"]


@pytest.fixture(autouse=True, scope="session")
def _store(postgres: Postgres) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(URL, postgres.url)
        yield
