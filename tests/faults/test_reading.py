"""Long lists over the wire: read from several places at once, whole, in few requests, and given up as one."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.schema.schemas import shipped
from reconciler.drivers.base import CredentialRefused, Rejected
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.lists.page_boundaries import Boundaries
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.server import App, Chaos, create_app
from reconciler.server.http import serve
from reconciler.tree import Tree
from tests.conftest import Project, Remote

AT_ONCE = 6
PAGES = 11
COUNT = 1050
INTERRUPTIBLE = (  # also where a shell started the tests in the background, and has all of them ignore the signal
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from reconciler.cli.main import main; main(sys.argv[1:])"
)
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account of 1,050 assistants, each made a second after the one before."""
    path = tmp_path_factory.mktemp("account") / "account.db"
    seconds = itertools.count(1_700_000_000)
    app = create_app(path, clock=lambda: float(next(seconds)))
    client = driver(app, 1)
    for number in range(COUNT):
        client.create("assistant", {"name": f"a{number}", "model": "gpt-4o"})
    app.close()
    return path


def driver(app: Wsgi, at_once: int = AT_ONCE, remembered: Path | None = None) -> RestDriver:
    provider = shipped().provider("openai-assistants")
    connection = ConnectionSettings("http://embedded/v1", provider.headers)
    http = HttpClient(connection, wsgi_app=app, pause=lambda seconds: False)
    boundaries = Boundaries(Tree(remembered, "lists"), "http://embedded/v1", lambda: None) if remembered else None
    return RestDriver(provider, http, reads_at_once=at_once, boundaries=boundaries)


def names(driver: RestDriver) -> list[str]:
    """What is found, in order of the names."""
    return sorted((body["name"] for body in driver.list("assistant")), key=lambda name: int(name[1:]))


ALL = [f"a{number}" for number in range(COUNT)]


def test_the_first_read_goes_from_both_ends_and_takes_two_requests_more_at_most(database: Path) -> None:
    app = create_app(database)
    reader = driver(app)
    assert names(reader) == ALL
    assert PAGES < reader.take_request_count().requests <= PAGES + 2
    assert {request.path.count("order=asc") for request in app.requests} == {0, 1}


def test_the_next_read_starts_where_pages_ended_and_takes_one_request_more_for_each_place(
    database: Path, tmp_path: Path
) -> None:
    app = create_app(database)
    assert names(driver(app, remembered=tmp_path)) == ALL
    app.requests.clear()
    reader = driver(app, remembered=tmp_path)
    assert names(reader) == ALL
    assert reader.take_request_count().requests <= PAGES + AT_ONCE
    cursors = {request.path.partition("after=")[2] for request in app.requests if "order=asc" in request.path}
    places = {id for path in (tmp_path / "lists").iterdir() for id, _ in json.loads(path.read_bytes())["boundaries"]}
    assert len(cursors & places) >= AT_ONCE - 2


def test_a_provider_that_vouches_for_no_order_is_read_serially(database: Path) -> None:
    app = create_app(database)
    reader = driver(app, 1)
    assert names(reader) == ALL
    assert reader.take_request_count().requests == PAGES


FOREIGN = [[f"asst_{number:024}", 1_700_000_000 + number] for number in range(20)]


@pytest.mark.parametrize("twist", ["foreign", "backwards", "wrong times", "damaged", "gone"])
def test_what_is_remembered_never_changes_what_is_found(twist: str, database: Path, tmp_path: Path) -> None:
    app = create_app(database)
    assert names(driver(app, remembered=tmp_path)) == ALL
    (path,) = (tmp_path / "lists").iterdir()
    places = json.loads(path.read_bytes())["boundaries"]
    changed = {
        "foreign": FOREIGN,
        "backwards": places[::-1],
        "wrong times": [[id, time] for (id, _), (_, time) in zip(places, places[3:] + places[:3], strict=True)],
        "damaged": "?",
        "gone": [],
    }[twist]
    path.write_text(json.dumps({"format": 1, "boundaries": changed}))
    assert names(driver(app, remembered=tmp_path)) == ALL


def rewritten(app: App, old: str, new: str) -> Wsgi:
    """The server behind something that changes queries."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return app({**environ, "QUERY_STRING": environ["QUERY_STRING"].replace(old, new)}, start_response)

    return answer


@pytest.mark.parametrize(("old", "new"), [("order=asc", "order=desc"), ("order=desc", "order=asc"), ("asc", "up")])
def test_a_server_that_ignores_or_refuses_the_order_is_read_serially(
    old: str, new: str, database: Path, tmp_path: Path
) -> None:
    app = rewritten(create_app(database), old, new)
    for _ in range(2):
        reader = driver(app, remembered=tmp_path)
        assert names(reader) == ALL
        assert reader.take_request_count().requests <= PAGES + AT_ONCE


def test_objects_of_one_second_are_all_found(tmp_path: Path) -> None:
    app = create_app(clock=lambda: 1_700_000_000.0)
    reader = driver(app, remembered=tmp_path)
    for number in range(700):
        reader.create("assistant", {"name": f"a{number}", "model": "gpt-4o"})
    for _ in range(2):
        reader.take_request_count()
        assert names(reader) == ALL[:700]
        assert reader.take_request_count().requests <= 7 + AT_ONCE


@pytest.mark.parametrize("nth", [1, 3, 7, 9, 10])
def test_an_error_in_any_request_ends_the_whole_read(nth: int, database: Path) -> None:
    rules = {"rules": [{"on": "list", "nth": nth, "status": 401}]}
    app = create_app(database, chaos=Chaos.from_rules(rules))
    with pytest.raises(CredentialRefused):
        names(driver(app))


def test_a_refusal_in_the_middle_ends_the_whole_read(database: Path) -> None:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        query = environ["QUERY_STRING"]
        refused = "order=asc" in query and "after=" in query
        return app(
            {**environ, "QUERY_STRING": query.replace("limit=100", "limit=0") if refused else query}, start_response
        )

    app = create_app(database)
    with pytest.raises(Rejected):
        names(driver(answer))


def test_requests_that_are_limited_or_fail_for_a_moment_are_sent_again(database: Path) -> None:
    rules = {
        "rules": [
            {"on": "list", "every": 3, "times": 5, "status": 429, "headers": {"Retry-After": "1"}},
            {"on": "list", "every": 4, "times": 5, "status": 503},
        ]
    }
    app = create_app(database, chaos=Chaos.from_rules(rules))
    assert names(driver(app)) == ALL


def test_a_reader_that_stops_early_leaves_nothing_behind(database: Path, tmp_path: Path) -> None:
    reader = driver(create_app(database), remembered=tmp_path)
    assert len(list(itertools.islice(reader.list("assistant"), 700))) == 700
    assert not (tmp_path / "lists").exists()


def test_a_plan_whose_list_fails_halfway_plans_nothing(database: Path, project: Project) -> None:
    rules = {"rules": [{"on": "list", "nth": 9, "status": 401}]}
    with serve(create_app(database, chaos=Chaos.from_rules(rules))) as server:
        project.target(server.url)
        project.write("assistants.d/a.yaml", "name: new\nmodel: gpt-4o\n")
        ran = project.run("plan")
        assert ran.code == 1
        assert "create" not in ran.out
        assert "RC0502" in ran.err


class Holding:
    """Answers only first pages before it is told to go on; `held` is set once two others are waited for.

    Those from the newest end as well: alone they are the whole list, in the time that a signal may take.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.go_on, self.held = threading.Event(), threading.Event()
        self.waiting = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if "after=" in environ["QUERY_STRING"]:
            with self._lock:
                self.waiting += 1
                if self.waiting >= 2:
                    self.held.set()
            self.go_on.wait(600)
        return self.app(environ, start_response)


def test_an_interrupt_does_not_wait_for_pages_that_are_on_their_way(database: Path, project: Project) -> None:
    app = create_app(database)
    holding = Holding(app)
    holding.go_on.set()
    with serve(holding) as server:
        remote = Remote(app, server)
        project.target(server.url)
        command = [sys.executable, "-c", INTERRUPTIBLE, "-C", str(project.root), "plan"]
        subprocess.run(command, env=project.environment, check=True, capture_output=True)
        remote.quiet()  # pages that the first one did not need any more are not those of the second
        holding.waiting = 0
        holding.held.clear()
        holding.go_on.clear()
        client = subprocess.Popen(command, env=project.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            assert holding.held.wait(300)
            client.send_signal(signal.SIGINT)
            assert client.wait(50) == 130  # the pages are held for longer than the minute that it waits for each
        finally:
            client.kill()
            client.communicate()
            holding.go_on.set()
