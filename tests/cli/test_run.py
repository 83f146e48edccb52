"""`run`: passes over targets, each by itself; what it never does; what it tells monitoring."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from reconciler.commands.running import LONGEST_PAUSE_SECONDS, Pace
from tests.conftest import Project, Remote

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
    assert project.run("run", "--passes", "1").code == 5
    assert remote.writes == []
    project.write("assistants.d/helpdesk.yaml", MANIFEST)
    project.ok("run", "--passes", "1")
    assert len(remote.objects()) == 1


def test_waits_grow_with_failures_up_to_a_limit_and_are_spread() -> None:
    pace = Pace(300, 0.1)
    assert [pace.wait(failures, 0.5) for failures in (0, 1, 2, 3)] == [300, 5, 10, 20]
    assert pace.wait(50, 0.5) == LONGEST_PAUSE_SECONDS
    assert (pace.wait(0, 0.0), pace.wait(0, 0.9999)) == (270, pytest.approx(330, abs=0.1))
    assert Pace(1, 0).wait(1, 0.5) == 1


@contextmanager
def running(project: Project, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], queue.Queue[dict[str, Any]]]]:
    """The real process, and its events as they come."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "run", *arguments]
    process = subprocess.Popen(command, env=project.environment | kept, stderr=subprocess.PIPE, text=True)
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    assert process.stderr
    reader = threading.Thread(target=lambda: [told.put(json.loads(line)) for line in process.stderr or ()])
    reader.start()
    try:
        yield process, told
    finally:
        process.kill()
        process.wait(300)
        reader.join(300)


def fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


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
