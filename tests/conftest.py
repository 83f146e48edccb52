"""A scratch project, the command line on it, and the embedded server over real HTTP."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from reconciler.cli.main import main
from reconciler.server import App, Chaos, create_app
from reconciler.server.http import Server, serve

unhurried = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=unhurried)
hypothesis.settings.load_profile("house")  # no clock takes part in a verdict: machines of others are busy


gc.disable()  # until the tests are collected: nothing of them goes before the end


def pytest_collection_finish() -> None:
    """Thousands of tests stay as they are: nobody looks through them again for what can go."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests of fleets, of retries and of servers wait for much of their time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each worker has whole folders, with what their tests share, and takes over from one that is behind."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


@pytest.fixture(autouse=True, scope="session")
def _no_power_cuts() -> Iterator[None]:
    """No file of a test has to outlive a power cut, and disks of busy machines take long to promise that."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: None)
        yield


VARIABLES = "KEY,THE_KEY,MY_PORTKEY_KEY,UPSTREAM_KEY,OTHER,ROUTING,LOCK_URL"
"""Those that the settings of tests read, as the job of somebody who names variables of their own allows them."""


@dataclass(frozen=True)
class Ran:
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Project:
    """A directory with manifests, and the command line run in it."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self.environment = dict(environment)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def remove(self, path: str) -> None:
        (self.root / path).unlink()

    def run(self, *arguments: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            _environment(self.environment),
            pytest.raises(SystemExit) as left,
        ):
            main(["-C", str(self.root), *arguments])
        return Ran(int(str(left.value.code or 0)), out.getvalue(), err.getvalue())

    def ok(self, *arguments: str) -> Ran:
        ran = self.run(*arguments)
        assert ran.code == 0, f"{arguments}: exit {ran.code}\n{ran.out}\n{ran.err}"
        return ran

    def target(self, url: str, *, prune: str = "owned", provider: str = "openai-assistants", more: str = "") -> None:
        """Settings with one target, `test`, which is the default."""
        self.write(
            "assistants.d/reconciler.yaml",
            f"owner: acme\nprune: {prune}\ndefault_target: test\ntargets:\n"
            f"  test:\n    provider: {provider}\n    url: {url}/v1\n"
            "    limits: {settle_seconds: 0, writes_per_minute: 100000, reads_per_minute: 100000, "
            f"uploads_per_minute: 100000, members_per_minute: 100000}}\n{more}",
        )


@contextlib.contextmanager
def _environment(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return Project(tmp_path, kept | {"XDG_STATE_HOME": f"{tmp_path}-state", "RECONCILER_ALLOWED_ENV": VARIABLES})


def _handlers() -> set[threading.Thread]:
    """The threads in which servers of this process serve a connection each."""
    return {thread for thread in threading.enumerate() if "process_request_thread" in thread.name}


@dataclass
class Remote:
    """The embedded server over HTTP, and what it was asked."""

    app: App
    server: Server
    _of_others: set[threading.Thread] = field(default_factory=_handlers)
    """Of servers that were there before: a client of theirs may keep its connection for as long as it likes."""

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def writes(self) -> list[Any]:
        return [request for request in self.app.requests if request.method != "GET"]

    def forget(self) -> None:
        self.app.requests.clear()

    def objects(self) -> list[dict[str, Any]]:
        """Every assistant there is, straight from the server."""
        found: list[dict[str, Any]] = []
        query = ""
        while True:
            page = self.ask("GET", f"/v1/assistants?limit=100{query}")
            found += page["data"]
            if not page["has_more"]:
                return found
            query = f"&after={page['last_id']}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request as a person with another tool would send it; not among the recorded ones."""
        import urllib.request

        content = None if body is None else json.dumps(body).encode()
        headers = {"OpenAI-Beta": "assistants=v2", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, content, headers, method=method)
        with urllib.request.urlopen(request) as response:
            answer = json.loads(response.read())
        self.app.requests.pop()
        return answer

    def quiet(self) -> None:
        """Wait until all is carried out that clients sent which are gone: the last of it may be on its way still."""
        host, port = self.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as last:  # taken in its turn: after all of theirs
            last.shutdown(socket.SHUT_WR)
            assert last.recv(1) == b""
        for thread in _handlers() - self._of_others:
            thread.join(300)
            assert not thread.is_alive(), "a client is still connected"

    def named(self, name: str) -> dict[str, Any]:
        (found,) = [each for each in self.objects() if each["name"] == name]
        return found


@pytest.fixture
def start() -> Iterator[Callable[..., Remote]]:
    """Starts embedded servers: `start(chaos={...}, adversary=1, api_key=...)`."""
    with contextlib.ExitStack() as stack:

        def starting(*, chaos: dict[str, Any] | None = None, **options: Any) -> Remote:
            app = create_app(chaos=Chaos.from_rules(chaos) if chaos else None, **options)
            return Remote(app, stack.enter_context(serve(app)))

        yield starting


@pytest.fixture
def remote(start: Callable[..., Remote]) -> Remote:
    return start()
