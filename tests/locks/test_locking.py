"""The lock of a target, as users meet it, in both stores: one run at a time, and no write of a run that has lost it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from reconciler.engine.locks.lock_protocol import Holder, Lock, LockTaken, this_run
from reconciler.server import create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.locks.conftest import Store, environment_of

SOMEBODY = Holder("ann", "build-7", "0a1b2c3d", 1_760_000_000.0)
DESK = "name: Desk\nmodel: gpt-4o\n"


@pytest.fixture
def held(store: Store) -> Iterable[Lock]:
    lock = store.open()
    lock.acquire(SOMEBODY)
    yield lock
    lock.release()


def test_while_another_run_holds_the_lock_nothing_is_read_or_sent_and_its_holder_is_named(
    project: Project, remote: Remote, store: Store, held: Lock
) -> None:
    store.lock_target(project, remote.url)
    project.write("assistants.d/desk.yaml", DESK)
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert re.search(r"the target lock acme/test is held by ann on build-7 since 20\d\d-.* UTC, run 0a1b2c3d", ran.err)
    assert "RC0613" in ran.err
    assert "reconciler unlock" in ran.err
    assert not remote.app.requests
    ran = project.run("run", "--passes", "1")
    assert ran.code == 5
    assert "RC0613" in ran.err
    held.release()
    project.ok("apply", "--yes")
    assert len(remote.objects()) == 1


def test_reading_commands_need_no_lock(project: Project, remote: Remote, store: Store, held: Lock) -> None:
    store.lock_target(project, remote.url)
    project.write("assistants.d/desk.yaml", DESK)
    assert project.run("plan", "--detailed-exitcode").code == 2


def test_what_only_changes_marks_takes_the_lock_as_well(
    project: Project, remote: Remote, store: Store, held: Lock
) -> None:
    store.lock_target(project, remote.url)
    project.write("assistants.d/desk.yaml", DESK)
    id = remote.ask("POST", "/v1/assistants", {"name": "Desk", "model": "gpt-4o"})["id"]
    ran = project.run("adopt", "assistant/desk", id)
    assert (ran.code, "RC0613" in ran.err, remote.writes) == (1, True, [])


def test_the_lock_is_free_after_an_apply_whether_it_worked_or_not(
    project: Project, start: Callable[..., Remote], store: Store
) -> None:
    remote = start(chaos={"rules": [{"on": "create", "status": 400}]})
    store.lock_target(project, remote.url)
    project.write("assistants.d/desk.yaml", DESK)
    assert project.run("apply", "--yes").code == 1
    assert store.open().holder() is None
    project.write("assistants.d/desk.yaml", "no: manifest\n")
    assert project.run("apply", "--yes").code == 1
    assert project.run("unlock", "--yes").out == "test: the lock is free\n"


def test_unlock_names_the_holder_asks_and_takes_the_lock_away(
    project: Project, remote: Remote, store: Store, held: Lock
) -> None:
    store.lock_target(project, remote.url)
    ran = project.run("unlock")
    assert ran.code == 1
    assert "held by ann on build-7" in ran.out
    assert "RC0604" in ran.err
    assert store.open().holder()
    assert project.ok("unlock", "--yes").out.endswith("the lock was removed\n")
    project.ok("apply", "--yes")


def test_a_lock_is_not_taken_away_from_another_than_was_seen(store: Store, held: Lock) -> None:
    seen = held.holder()
    assert seen
    held.release()
    second = store.open()
    second.acquire(this_run())
    assert not store.open().remove(seen)
    assert second.seconds_left() > 0
    second.release()


def test_a_second_one_is_refused_and_two_names_are_two_locks(store: Store, held: Lock) -> None:
    with pytest.raises(LockTaken):
        store.open().acquire(this_run())
    other = store.open()
    other._name, other._path = "acme/other", "acme/other.lock"  # type: ignore[attr-defined]
    other.acquire(this_run())
    other.release()


def test_what_was_given_back_is_free_at_once(store: Store) -> None:
    """A server that only hears that a connection has ended frees its lock a moment later: the next run was refused."""
    watch = store.open()
    for _ in range(30):
        lock = store.open()
        lock.acquire(SOMEBODY)
        lock.release()
        assert watch.holder() is None
    watch.release()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_told_to_stop_gives_the_lock_back(project: Project, store: Store, number: signal.Signals) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    store.lock_target(project, f"http://127.0.0.1:{silent.getsockname()[1]}")
    project.write("assistants.d/desk.yaml", DESK)
    command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "apply", "--yes"]
    with silent, subprocess.Popen(command, env=environment_of(project), stderr=subprocess.DEVNULL) as run:
        silent.settimeout(300)
        silent.accept()[0].detach()  # it reads the target, and gets no answer
        watch = store.open()
        assert watch.holder()
        run.send_signal(number)
        assert run.wait(50) == 130  # it would wait for a minute for the answer
    assert watch.holder() is None
    watch.release()


def test_after_postgresql_has_lost_the_lock_nothing_more_is_sent(project: Project, server: Store) -> None:
    app = create_app()

    def losing(environ: dict[str, Any], start_response: Any) -> Any:
        """The lock is taken away while the first create is under way."""
        if environ["REQUEST_METHOD"] == "POST":
            other = server.open()
            if holder := other.holder():
                assert other.remove(holder)
            other.release()
        return app(environ, start_response)

    with serve(losing) as vendor:  # type: ignore[arg-type]
        server.lock_target(project, vendor.url)
        for number in range(3):
            project.write(f"assistants.d/desk{number}.yaml", DESK.replace("Desk", f"Desk {number}"))
        ran = project.run("apply", "--yes", "--parallelism", "1", "--format", "json")
    assert ran.code == 5
    results = [each["outcome"] for each in json.loads(ran.out)["outcomes"]]
    assert results == ["done", "failed", "failed"]
    assert ran.out.count("RC0613") == 2
    assert [request.method for request in app.requests].count("POST") == 1


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1", "RC0312"),
        ("postgresql://nobody:p@ss@127.0.0.1:1/none", "RC0312"),
        ("postgresql://nobody@127.0.0.1/none?nonsense=1", "RC0312"),
        ("s3://", "RC0312"),
        ("s3://no-such-bucket/locks", "RC0312"),
        ("sk-secret-of-another-thing", "RC0312"),
    ],
)
def test_a_lock_that_cannot_be_used_stops_an_apply_and_tells_no_secret(
    project: Project, remote: Remote, bucket: Store, url: str, code: str
) -> None:
    project.target(remote.url, more="    lock: {url: !env LOCK_URL}\n")
    project.environment |= bucket.environment
    project.environment["LOCK_URL"] = url
    ran = project.run("apply", "--yes")
    assert ran.code == 1
    assert code in ran.err
    assert not any(word in ran.err for word in ("secret", "p@ss", "ss@"))
    assert not remote.app.requests


def test_the_url_of_a_database_stands_in_the_environment_and_not_in_the_file(project: Project, remote: Remote) -> None:
    project.target(remote.url, more="    lock: {url: 'postgresql://ann@db/locks'}\n")
    ran = project.run("validate")
    assert (ran.code, "!env NAME" in ran.err) == (1, True)


def test_unlock_without_a_lock_says_how_to_have_one(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    ran = project.run("unlock")
    assert (ran.code, "RC0312" in ran.err) == (1, True)
