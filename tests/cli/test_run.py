"""`run`: passes over targets, each by itself; what it never does; what it tells monitoring."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.operations.running.target_loop import LONGEST_PAUSE_SECONDS, PassSchedule
from reconciler.server import create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.running import fetch, running, under, until

MANIFEST = "name: Helpdesk\nmodel: gpt-4o\ntemperature: 0.2\n"


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_pass_creates_and_the_next_one_puts_a_hand_edit_back(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", MANIFEST)
    ran = project.ok("run", "--passes", "1")
    assert [event["event"] for event in events(ran.err)] == ["change", "pass", "stopped"]
    id = remote.named("Helpdesk")["id"]
    remote.ask("POST", f"/v1/assistants/{id}", {"temperature": 0.9})
    remote.forget()
    project.ok("run", "--passes", "2", "--interval", "0.1")
    assert [request.body for request in remote.writes] == [{"temperature": 0.2}]


@pytest.mark.parametrize(("prune", "left"), [("none", 6), ("owned", 5)])
def test_it_deletes_only_with_prune_and_within_the_guard(
    prune: str, left: int, project: Project, remote: Remote
) -> None:
    project.target(remote.url, prune=prune)
    for number in range(6):
        project.write(f"assistants.d/a{number}.yaml", f"name: a{number}\nmodel: gpt-4o\n")
    project.ok("run", "--passes", "1")
    project.remove("assistants.d/a0.yaml")
    project.ok("run", "--passes", "1")
    assert len(remote.objects()) == left
    for number in (1, 2, 3):
        project.remove(f"assistants.d/a{number}.yaml")
    ran = project.ok("run", "--passes", "1")
    assert len(remote.objects()) == left
    if prune == "owned":
        assert any("--allow-deletes" in text for event in events(ran.err) for text in event.get("blocked", ()))


def test_a_target_that_fails_holds_up_no_other(project: Project, remote: Remote, start: Callable[..., Remote]) -> None:
    other = start()
    limits = "limits: {settle_seconds: 0}"
    project.write(
        "assistants.d/reconciler.yaml",
        f"owner: acme\ntargets:\n"
        f"  broken: {{provider: openai-assistants, url: 'http://127.0.0.1:9/v1', {limits}}}\n"
        f"  one: {{provider: openai-assistants, url: '{remote.url}/v1', {limits}}}\n"
        f"  two: {{provider: openai-assistants, url: '{other.url}/v1', {limits}}}\n",
    )
    project.write("assistants.d/helpdesk.yaml", MANIFEST)
    ran = project.run("run", "--passes", "1")
    assert ran.code == 5
    assert len(remote.objects()) == len(other.objects()) == 1
    (failed,) = [event for event in events(ran.err) if event["event"] == "pass failed"]
    assert failed["target"] == "broken"
    assert "RC0501" in failed["problems"][0]


def test_files_that_do_not_load_change_nothing_and_are_read_again(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", "name: [\n")
    ran = project.run("run", "--passes", "1")
    assert ran.code == 5
    (failed,) = [event for event in events(ran.err) if event["event"] == "pass failed"]
    assert re.match(r"assistants\.d/helpdesk\.yaml:\d+:\d+: .* \[RC0\d+\]$", failed["problems"][0])
    assert remote.writes == []
    project.write("assistants.d/helpdesk.yaml", MANIFEST)
    project.ok("run", "--passes", "1")
    assert len(remote.objects()) == 1


def test_waits_grow_with_failures_up_to_a_limit_and_are_spread() -> None:
    pace = PassSchedule(300, 0.1)
    assert [pace.wait(failures, 0.5) for failures in (0, 1, 2, 3)] == [300, 5, 10, 20]
    assert pace.wait(50, 0.5) == LONGEST_PAUSE_SECONDS
    assert (pace.wait(0, 0.0), pace.wait(0, 0.9999)) == (270, pytest.approx(330, abs=0.1))
    assert PassSchedule(1, 0).wait(1, 0.5) == 1


def test_it_tells_probes_and_prometheus_how_it_goes_and_ends_when_told_to(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", MANIFEST)
    with running(project, "--listen", "127.0.0.1:0", "--interval", "3600") as (process, told):
        url = told.get(timeout=300)["url"]
        while told.get(timeout=300)["event"] != "pass":
            pass
        assert fetch(f"{url}/healthz") == (200, "ok\n")
        assert fetch(f"{url}/else")[0] == 404
        samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(fetch(f"{url}/metrics")[1])
            for sample in family.samples
        }
        assert samples[("reconciler_changes_total", ("result", "done"), ("target", "test"))] == 1
        assert samples[("reconciler_planned", ("action", "create"), ("target", "test"))] == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0


class Switched:
    """A remote that fails while `failing`, and answers no list before `free` is set."""

    def __init__(self) -> None:
        self.app = create_app()
        self.failing = False
        self.free = threading.Event()
        self.free.set()
        self.waiting = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not self.free.is_set():
            self.waiting.set()
            self.free.wait(600)
        if self.failing:
            said = b"the key sk-canary0123456789abcdef is not known"
            start_response("403 Forbidden", [("content-type", "text/plain"), ("content-length", str(len(said)))])
            return [said]
        return self.app(environ, start_response)


@pytest.fixture
def switched(project: Project) -> Iterator[Switched]:
    remote = Switched()
    with serve(remote) as server:
        project.target(server.url)
        project.write("assistants.d/helpdesk.yaml", MANIFEST)
        yield remote
        remote.free.set()


def test_healthz_is_red_after_failures_in_a_row_and_green_after_a_good_pass(
    project: Project, switched: Switched
) -> None:
    project.environment["OPENAI_API_KEY"] = "sk-canary0123456789abcdef"
    with running(project, "--listen", "127.0.0.1:0", "--interval", "0.1") as (_, told):
        url = until(told, "listening")["url"]
        until(told, "pass")
        switched.failing = True
        while (failures := until(told, "pass failed")["failures"]) < 4:
            if failures == 1:
                assert fetch(f"{url}/healthz") == (200, "ok\n")
        status, text = fetch(f"{url}/healthz")
        assert status == 503
        assert re.fullmatch(r"test: \d+ passes failed in a row, the last with RC0\d+ \([a-z ]+\)\n", text)
        assert fetch(f"{url}/livez") == (200, "ok\n")  # a restart would mend nothing
        switched.failing = False
        until(told, "pass")
        until(told, "pass")
        assert fetch(f"{url}/healthz") == (200, "ok\n")


def test_healthz_is_red_while_a_pass_takes_longer_than_it_may(project: Project, switched: Switched) -> None:
    arguments = ("--listen", "127.0.0.1:0", "--interval", "0.1", "--pass-limit", "0.1")
    with running(project, *arguments) as (_, told):
        url = until(told, "listening")["url"]
        until(told, "pass")
        switched.free.clear()
        assert switched.waiting.wait(300)
        while fetch(f"{url}/healthz")[0] == 200:
            pass
        for path in ("healthz", "livez"):
            status, text = fetch(f"{url}/{path}")
            assert status == 503
            assert re.fullmatch(r"test: a pass has been running for \d+ s, and may take 0.1\n", text)
        switched.free.set()
        while fetch(f"{url}/healthz") != (200, "ok\n"):
            pass


def test_a_target_is_asked_over_the_same_connection_pass_after_pass(project: Project) -> None:
    app, ports = create_app(), set()

    def remote(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        ports.add(environ["REMOTE_PORT"])
        return app(environ, start_response)

    with serve(remote) as server:
        project.target(server.url)
        project.write("assistants.d/helpdesk.yaml", MANIFEST)
        project.ok("run", "--passes", "10", "--interval", "0.1")
    assert 0 < len(ports) < 5


def test_an_embedded_target_keeps_its_database_and_finds_one_that_was_removed(project: Project) -> None:
    project.write("assistants.d/reconciler.yaml", "targets:\n  local: {provider: local}\n")
    project.write("assistants.d/helpdesk.yaml", MANIFEST)
    with running(project, "--target", "local", "--interval", "0.1") as (process, told):
        until(told, "change")
        until(told, "pass")
        files = Path(f"/proc/{process.pid}/fd")
        until(told, "pass")
        assert [os.readlink(each) for each in files.iterdir()].count(f"{project.root}/.reconciler/local.db") == 1
        for name in ("local.db", "local.db-wal", "local.db-shm"):
            (project.root / ".reconciler" / name).unlink(missing_ok=True)
        assert until(told, "change")["action"] == "create"


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS)
def test_told_to_stop_between_passes_it_ends_with_0(number: signal.Signals, project: Project, remote: Remote) -> None:
    project.target(remote.url)
    with running(project, "--interval", "3600") as (process, told):
        until(told, "pass")
        process.send_signal(number)
        assert until(told, "stopping")
        assert process.wait(300) == 0


class Stopping:
    """Carries out creates; sends its client a signal during the third one, and answers once `heard` is set."""

    def __init__(self, number: signal.Signals) -> None:
        self.app = create_app()
        self.number = number
        self.creates = 0
        self.client: subprocess.Popen[str] | None = None
        self.there = threading.Event()
        self.heard = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            self.creates += 1
            if self.creates == 3:
                assert self.there.wait(300)
                assert self.client
                self.client.send_signal(self.number)
                self.heard.wait(50)  # less than the client waits
        return self.app(environ, start_response)


@pytest.mark.parametrize("number", SIGNALS)
def test_told_to_stop_in_a_pass_it_finishes_what_is_in_flight_and_skips_the_rest(
    number: signal.Signals, project: Project
) -> None:
    remote = Stopping(number)
    with serve(remote) as server:
        project.target(server.url, more="")
        settings = (project.root / "assistants.d/reconciler.yaml").read_text()
        project.write("assistants.d/reconciler.yaml", settings.replace("limits: {", "limits: {concurrency: 1, "))
        for count in range(8):
            project.write(f"assistants.d/a{count}.yaml", f"name: a{count}\nmodel: gpt-4o\n")
        with running(project, "--interval", "3600") as (process, told):
            remote.client = process
            remote.there.set()
            until(told, "stopping")
            remote.heard.set()
            ended = until(told, "pass")
            assert (ended["done"], ended["skipped"]) == (3, 5)
            assert process.wait(300) == 130
        assert len(Remote(remote.app, server).objects()) == 3
        project.ok("run", "--passes", "1")
        assert len(Remote(remote.app, server).objects()) == 8


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_it_at_once(number: signal.Signals, project: Project, switched: Switched) -> None:
    switched.free.clear()
    with running(project, "--interval", "3600") as (process, told):
        assert switched.waiting.wait(300)
        process.send_signal(number)
        until(told, "stopping")
        process.send_signal(number)
        assert process.wait(50) == -number  # the request is held for longer


def test_a_terminal_that_goes_away_does_not_end_what_nohup_started(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    ignoring = under("signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    with running(project, "--interval", "0.1", through=ignoring) as (process, told):
        until(told, "pass")
        process.send_signal(signal.SIGHUP)
        for _ in range(3):
            until(told, "pass")
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) in (0, 130)


def test_a_crash_leaves_no_core(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if not hard:
        pytest.skip("no process here may leave a core")
    raised = under(f"resource.setrlimit(resource.RLIMIT_CORE, ({hard}, {hard}))")
    with running(project, "--interval", "3600", through=raised) as (process, told):
        until(told, "pass")
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 ", limits, re.MULTILINE)


class _Collector(BaseHTTPRequestHandler):
    """Takes traces as an OTLP collector does."""

    taken: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        self.taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_traces_go_to_the_collector_that_the_environment_names(project: Project, remote: Remote) -> None:
    project.target(remote.url)
    project.write("assistants.d/helpdesk.yaml", MANIFEST)
    handler = type("Collector", (_Collector,), {"taken": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as collector:
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        project.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{collector.server_port}"
        project.ok("run", "--passes", "1", "--traces")
        collector.shutdown()
    assert {path for path, _ in handler.taken} == {"/v1/traces"}
    content = b"".join(each for _, each in handler.taken)  # in several parts, if the pass took its time
    for name in (b"reconciler.pass", b"reconciler.plan", b"reconciler.apply"):
        assert name in content
