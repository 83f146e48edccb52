"""Stores of locks as they are for real: PostgreSQL, and moto's S3 over HTTP."""

from __future__ import annotations

import os
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest

from reconciler.engine.locks.lock_protocol import Lock
from reconciler.engine.locks.postgresql_lock import AdvisoryLock
from reconciler.engine.locks.s3_lease import Lease
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


class OneAtATime:
    """An application that answers no two requests at once: moto looks at a condition first and writes then."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        with self._lock:
            return self._app(environ, start_response)


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    app = OneAtATime(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


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
