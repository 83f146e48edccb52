"""Stores of locks as they are for real: PostgreSQL, and moto's S3 over HTTP."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from moto.server import ThreadedMotoServer

from reconciler.engine.locks.advisory import AdvisoryLock
from reconciler.engine.locks.lease import Lease
from reconciler.engine.locks.lock import Lock
from tests.conftest import Project
from tests.fleet.conftest import database_url, postgres

__all__ = ["database_url", "postgres"]
NAME = "acme/test"
_numbers = count()


@dataclass(frozen=True)
class Store:
    """Where locks are: a url, and what the environment says of it."""

    url: str
    environment: dict[str, str]
    open: Callable[[], Lock]

    def lock_target(self, project: Project, remote_url: str) -> None:
        """A project whose target has its lock here."""
        project.target(remote_url, more="    lock: {url: !env LOCK_URL}\n")
        project.environment |= self.environment | {"LOCK_URL": self.url}


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    name = f"locks{next(_numbers)}"
    urllib.request.urlopen(urllib.request.Request(f"{s3}/{name}", method="PUT")).close()
    environment = {
        "AWS_ENDPOINT_URL": s3,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    for each, value in environment.items():
        monkeypatch.setenv(each, value)
    url = f"s3://{name}/locks"
    return Store(url, environment, lambda: Lease(url, NAME, 60))


@pytest.fixture
def server(database_url: str) -> Store:
    return Store(database_url, {}, lambda: AdvisoryLock(database_url, NAME))


@pytest.fixture(params=["postgresql", "s3"])
def store(request: pytest.FixtureRequest) -> Store:
    found: Store = request.getfixturevalue("server" if request.param == "postgresql" else "bucket")
    return found


def environment_of(project: Project) -> dict[str, str]:
    """What a process of its own needs to run in a project."""
    return project.environment | {"PYTHONPATH": os.getcwd()}
