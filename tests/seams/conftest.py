"""What the tests of the seams share: others who act between two requests, a terminal, a fleet that works once."""

from __future__ import annotations

import itertools
import json
import os
import pty
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reconciler.engine.fleet.database import Database
from reconciler.server import Chaos, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Ran, Remote
from tests.fleet.conftest import database_url, postgres
from tests.fleet.scenario import FleetProject

__all__ = ["database_url", "postgres"]

MARK = ("version", "owner", "key", "nonce", "flags", "units")


class Door:
    """A WSGI application in front of another: somebody acts right before the first request that matches goes in."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app
        self._acts: list[tuple[str, str, bool, Callable[[], object]]] = []

    def before(self, method: str, path: str, act: Callable[[], object], *, exactly: bool = False) -> None:
        """Act once, before the first request with this method whose path begins like this, or is exactly this."""
        self._acts.append((method, path, exactly, act))

    @property
    def waiting(self) -> bool:
        """Whether somebody has not acted yet."""
        return bool(self._acts)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        due = [
            each
            for each in self._acts
            if each[0] == method and (path == each[1] if each[2] else path.startswith(each[1]))
        ]
        self._acts = [each for each in self._acts if each not in due]
        for *_, act in due:
            act()
        return self.app(environ, start_response)


@pytest.fixture
def behind() -> Iterator[Callable[..., tuple[Remote, Door]]]:
    """Starts an embedded server behind a door; its clock is a second later whenever it is asked."""
    running = []

    def starting(rules: list[Mapping[str, Any]] | None = None, **options: Any) -> tuple[Remote, Door]:
        clock = itertools.count(1_700_000_000)
        chaos = Chaos.from_rules({"rules": rules}) if rules else None
        app = create_app(chaos=chaos, **{"clock": lambda: next(clock), **options})
        door = Door(app)
        server = serve(door)
        running.append(server)
        return Remote(app, server.__enter__()), door

    yield starting
    for server in running:
        server.__exit__(None, None, None)


def setting(project: Project, text: str, new: str) -> None:
    """Replace a text in the settings, which have to have it."""
    file = project.root / "assistants.d/reconciler.yaml"
    before = file.read_text()
    assert text in before
    file.write_text(before.replace(text, new))


def read_again_always(project: Project) -> None:
    """Let every update and delete be preceded by a read of its object, as after a long wait."""
    setting(project, "limits: {", "limits: {fresh_seconds: 0, ")


def colleague(project: Project, name: str = "colleague") -> Project:
    """Another checkout of the same files, on another machine."""
    root = Path(f"{project.root}-{name}")
    shutil.copytree(project.root, root, ignore=shutil.ignore_patterns(".reconciler"))
    return Project(root, project.environment | {"XDG_STATE_HOME": f"{root}-state"})


def mark_of(body: Mapping[str, Any]) -> dict[str, str]:
    """The words of an object's mark, by what they are; empty where it has none."""
    text = (body.get("metadata") or {}).get("reconciler", "")
    return dict(zip(MARK, text.split(" "), strict=False)) if text else {}


def with_mark(body: Mapping[str, Any], **words: str) -> dict[str, Any]:
    """The metadata of an object with some words of its mark replaced."""
    text = " ".join((mark_of(body) | words).values())
    return {**(body.get("metadata") or {}), "reconciler": text}


def sent(remote: Remote) -> list[tuple[str, str, Any]]:
    """What was written: method, path and body of each request."""
    return [(each.method, each.path.removeprefix("/v1"), each.body) for each in remote.writes]


def units_sent(remote: Remote) -> list[tuple[str, set[str]]]:
    """What was written: method, and the names of the fields in the body."""
    return [(method, set(body or {})) for method, _, body in sent(remote)]


def by_hand(remote: Remote, name: str, **fields: Any) -> None:
    """Change an assistant as a person would, by its name."""
    remote.ask("POST", f"/v1/assistants/{remote.named(name)['id']}", fields)


def assistants(project: Project, count: int, first: int = 0) -> None:
    """So many manifests `n0`, `n1`, … that no test is about: they keep the guard quiet."""
    for number in range(first, first + count):
        project.write(f"assistants.d/n{number}.yaml", f"name: n{number}\nmodel: gpt-4o\n")


def duplicate(remote: Remote, body: Mapping[str, Any], path: str = "assistants", **changes: Any) -> dict[str, Any]:
    """Make a second object of the same address, as another run would that did not see the first one."""
    metadata = with_mark(body, nonce="another12345")
    keep = ("name", "model", "instructions", "tools", "tool_resources")
    fields = {name: body[name] for name in keep if body.get(name)}
    made: dict[str, Any] = remote.ask("POST", f"/v1/{path}", {**fields, **changes, "metadata": metadata})
    return made


def at_terminal(project: Project, *arguments: str, meanwhile: Callable[[], object], answer: str = "y") -> Ran:
    """Run a command line at a terminal; others act while its question waits, then it is answered."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "reconciler", "-C", str(project.root), *arguments]
    streams = {"stdin": slave, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        with subprocess.Popen(command, env=project.environment, **streams) as process:  # type: ignore[call-overload]
            os.close(slave)
            shown = b""
            while not shown.endswith(b"[y/N]:"):
                byte = process.stderr.read(1)
                assert byte, f"it ended without a question: {shown.decode()}"
                shown += byte
            meanwhile()
            rest: list[bytes] = []
            reader = threading.Thread(target=lambda: rest.append(process.stderr.read()))
            reader.start()
            os.write(master, f"{answer}\n".encode())
            out = process.stdout.read()
            process.wait(300)
            reader.join(300)
    finally:
        os.close(master)
    return Ran(process.returncode, out.decode(), (shown + b"".join(rest)).decode())


def _hurried(database: Database) -> bool:
    """Let a target that rests after failures be tried again at once: no test is about how long."""
    database.run("UPDATE reconciler_target SET paused_until = now() WHERE failures > 0")
    database.run(
        "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' AND scheduled_at > now() + '2 s'"
    )
    return True


class OneFleet:
    """The fleet of a project: everything is submitted, and worked on until it is finished."""

    def __init__(self, project: Project, database: str) -> None:
        self._database = database
        self._fleet = FleetProject(project.root, "", database)
        self._fleet.environment |= {name: project.environment[name] for name in ("XDG_STATE_HOME",)}
        self.environment = self._fleet.environment
        self._commands = Project(project.root, {})

    def work(self) -> dict[str, str]:
        """What is reported of the addresses that were not done, by address: what was said of each."""
        for verb in ("init", "submit"):
            ran = self._run("fleet", verb)
            assert ran.code == 0, ran.err
        with self._fleet.workers(1), Database(self._database, 1) as database:
            self._fleet.wait_until(lambda found: _hurried(database) and all(each.finished for each in found))
        status = json.loads(self.status("--format", "json"))
        return {each["address"]: f"{each['code']} {each['said']}" for each in status["problems"]}

    def status(self, *words: str) -> str:
        """What `fleet status` prints."""
        return self._run("fleet", "status", *words).out

    def _run(self, *words: str) -> Ran:
        """A command in this process: only the worker is one of its own."""
        self._commands.environment = self.environment
        return self._commands.run(*words)


@pytest.fixture
def fleet(project: Project, database_url: str) -> OneFleet:
    return OneFleet(project, database_url)
