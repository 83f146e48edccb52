"""`reconciler doctor`: each thing that can be wrong is named, with what to do, and nothing secret is told."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.conftest import Project, Ran, Remote

SECRET = "sk-very-secret-0123456789"


def checks(ran: Ran) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for each in ran.json["checks"]:
        found.setdefault(each["check"], []).append(each)
    return found


def statuses(ran: Ran) -> dict[str, str]:
    ranked = ["skip", "fail", "warn", "ok"]
    return {name: min((each["status"] for each in found), key=ranked.index) for name, found in checks(ran).items()}


def diagnosed(project: Project) -> dict[str, list[dict[str, str]]]:
    return checks(project.run("doctor", "--format", "json"))


def example(project: Project) -> None:
    project.write("assistants.d/a.yaml", "name: a\nmodel: gpt-4o\n")


def test_all_is_well_with_the_embedded_server(project: Project) -> None:
    example(project)
    (project.root / ".git").mkdir()
    ran = project.ok("doctor")
    assert "\nAll required checks passed.\n" in ran.out
    assert "ok    marks        assistant: 0 objects; 0 managed here" in ran.out
    assert "fail" not in ran.out
    assert "warn" not in ran.out


def test_all_is_well_over_http(project: Project, remote: Remote) -> None:
    example(project)
    project.target(remote.url)
    project.environment["OPENAI_API_KEY"] = SECRET
    ran = project.ok("doctor", "--format", "json")
    found = checks(ran)
    assert [each["said"].partition(":")[0] for each in found["network"]] == ["name", "connection", "HTTP"]
    assert found["credentials"][0]["said"] == "api_key is set, by OPENAI_API_KEY"
    assert found["clock"][0]["said"] == "the clocks of this machine and of the target match"
    assert SECRET not in ran.out + ran.err
    assert not remote.writes


def test_nothing_is_sent_without_need_and_never_a_credential_before_the_host_is_known(
    project: Project, remote: Remote
) -> None:
    example(project)
    project.target(remote.url)
    project.environment["OPENAI_API_KEY"] = SECRET
    project.ok("doctor")
    first = remote.app.requests[0]
    assert (first.method, first.path) == ("GET", "/v1/")


def test_broken_files_do_not_hide_what_is_wrong_elsewhere(project: Project, remote: Remote) -> None:
    project.write("assistants.d/a.yaml", "name: a\nmodel: [\n")
    project.target(remote.url)
    ran = project.run("doctor", "--format", "json")
    assert ran.code == 1
    assert checks(ran)["files"][0]["said"].startswith("assistants.d/a.yaml:3:1: not valid YAML")
    assert statuses(ran)["marks"] == "ok"


def test_broken_settings_leave_only_what_needs_none(project: Project) -> None:
    project.write("assistants.d/reconciler.yaml", "default_target: nowhere\n")
    ran = project.run("doctor")
    assert ran.code == 1
    assert "fail  settings" in ran.out
    assert "skip  API          needs settings, which failed" in ran.out
    assert "ok    state" in ran.out
    assert "1 check failed." in ran.out


def test_a_credential_that_is_missing_or_malformed(project: Project) -> None:
    example(project)
    more = "    credentials: {api_key: !env THE_KEY}\n"
    project.target("http://127.0.0.1:9", more=more)
    (missing,) = diagnosed(project)["credentials"]
    assert missing["status"] == "fail"
    assert "THE_KEY is not set" in missing["said"]
    assert missing["remedy"] == "set it: export THE_KEY=…"
    project.environment["THE_KEY"] = SECRET + "\n"
    ran = project.run("doctor")
    assert "THE_KEY is malformed" in ran.out
    assert SECRET not in ran.out + ran.err


def test_no_credential_at_all_is_a_warning(project: Project, remote: Remote) -> None:
    example(project)
    project.target(remote.url)
    (found,) = diagnosed(project)["credentials"]
    assert (found["status"], found["remedy"]) == ("warn", "set OPENAI_API_KEY")


def test_a_host_that_may_get_no_credential_is_not_even_called(project: Project) -> None:
    example(project)
    project.target("https://elsewhere.invalid")
    project.environment["OPENAI_API_KEY"] = SECRET
    ran = project.run("doctor", "--format", "json")
    assert statuses(ran)["host"] == "fail"
    assert statuses(ran)["network"] == "skip"
    assert "RECONCILER_ALLOWED_HOSTS" in checks(ran)["host"][0]["remedy"]


def test_a_name_that_is_not_known(project: Project) -> None:
    example(project)
    project.target("https://elsewhere.invalid")
    project.environment["RECONCILER_ALLOWED_HOSTS"] = "elsewhere.invalid"
    (found,) = diagnosed(project)["network"]
    assert found["status"] == "fail"
    assert found["said"].startswith("name: https://elsewhere.invalid/v1 does not resolve")


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "https://127.0.0.1:99999"])
def test_a_port_that_cannot_be(project: Project, url: str) -> None:
    example(project)
    project.target(url)
    found = diagnosed(project)
    assert (found["host"][0]["status"], found["network"][0]["status"]) == ("fail", "skip")


def test_nobody_listens(project: Project) -> None:
    example(project)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        project.target(f"http://127.0.0.1:{taken.getsockname()[1]}")
        *_, found = diagnosed(project)["network"]
    assert found["said"].startswith("no connection to 127.0.0.1:")
    assert "HTTPS_PROXY" in found["remedy"]


def test_tls_where_none_is_spoken(project: Project, remote: Remote) -> None:
    example(project)
    project.target(remote.url.replace("http:", "https:"))
    *_, found = diagnosed(project)["network"]
    assert found["said"].startswith("TLS: ")
    assert "SSL_CERT_FILE" in found["remedy"]


def test_a_credential_that_is_not_set_is_named_where_it_is_missed(
    project: Project, start: Callable[..., Remote]
) -> None:
    example(project)
    project.target(start(api_key="right").url)
    project.environment.pop("OPENAI_API_KEY", None)
    ran = project.run("plan")
    assert ran.code == 1
    assert "OPENAI_API_KEY is not set, so no key was sent" in ran.err
    project.environment["OPENAI_API_KEY"] = SECRET
    assert "is not set" not in project.run("plan").err


def test_a_credential_that_is_refused(project: Project, start: Callable[..., Remote]) -> None:
    example(project)
    project.target(start(api_key="right").url)
    project.environment["OPENAI_API_KEY"] = SECRET
    ran = project.run("doctor", "--format", "json")
    assert ran.code == 1
    assert "refused the credential (401)" in checks(ran)["API"][0]["said"]
    assert statuses(ran)["marks"] == "skip"
    assert SECRET not in ran.out + ran.err


def marked(remote: Remote, mark: str) -> str:
    body = {"model": "gpt-4o", "metadata": {"reconciler": mark}}
    return str(remote.ask("POST", "/v1/assistants", body)["id"])


def test_marks_are_counted_and_odd_ones_named(project: Project, remote: Remote) -> None:
    example(project)
    project.target(remote.url)
    ours = {marked(remote, f"1 acme one {nonce} - -") for nonce in ("aaaa", "aaaa", "cccc")}
    marked(remote, "1 other two bbbb - -")
    newer = marked(remote, "9 acme three dddd whatever")
    damaged = marked(remote, "not a mark")
    remote.ask("POST", "/v1/assistants", {"model": "gpt-4o"})
    ran = project.ok("doctor", "--format", "json")
    said = [each["said"] for each in checks(ran)["marks"] if each["said"].startswith("assistant: ")]
    counts, new, unreadable, copy, twin = said
    assert counts == "assistant: 7 objects; 1 managed here, 1 of other owners (other), 1 without a mark"
    assert new == f"assistant: 1 marked by a newer version: {newer}"
    assert unreadable == f"assistant: 1 with a mark that cannot be read: {damaged}"
    # Made within one second, any of the three may be the oldest.
    assert copy.removeprefix("assistant: 1 copied, mark included: ") in ours
    assert twin.removeprefix("assistant: 1 created twice: ") in ours
    assert statuses(ran)["marks"] == "warn"


def test_a_lock_file_that_cannot_be_read(project: Project, remote: Remote) -> None:
    example(project)
    project.target(remote.url, more="    marks: lock-file\n")
    assert "created by the first apply" in diagnosed(project)["lock file"][0]["said"]
    project.write("assistants.lock.json", "{")
    (found,) = diagnosed(project)["lock file"]
    assert found["status"] == "fail"
    assert "assistants.lock.json" in found["said"]


def test_without_git_bases_are_said_to_be_missing(project: Project) -> None:
    example(project)
    project.environment["PATH"] = str(project.root)
    assert diagnosed(project)["git"][0]["said"] == "git is not installed"


def test_a_state_directory_that_is_a_file(project: Project) -> None:
    example(project)
    project.write(".reconciler", "")
    ran = project.run("doctor", "--format", "json")
    assert ran.code == 1
    assert statuses(ran)["state"] == "fail"


@contextmanager
def answering(status: int, headers: dict[str, str]) -> Iterator[str]:
    """A server that gives one answer to everything, with these headers and no date of its own."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"data": [], "has_more": False}).encode()
            self.send_response_only(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({"Date": "Thu, 01 Jan 2015 00:00:00 GMT"}, "warn", "s ahead of the target"),
        ({"Date": "Fri, 01 Jan 2100 00:00:00 GMT"}, "warn", "s behind the target"),
        ({"Date": "yesterday"}, "ok", "the target does not report its time"),
        ({}, "ok", "the target does not report its time"),
    ],
)
def test_the_clock(project: Project, headers: dict[str, str], status: str, said: str) -> None:
    example(project)
    with answering(200, headers) as url:
        project.target(url)
        (found,) = diagnosed(project)["clock"]
    assert found["status"] == status
    assert found["said"].endswith(said)


def test_a_redirect_is_not_followed(project: Project) -> None:
    example(project)
    with answering(301, {"Location": "http://127.0.0.1:9/"}) as url:
        project.target(url)
        ran = project.run("doctor", "--format", "json")
    assert "redirects (301)" in checks(ran)["network"][-1]["said"]
    assert statuses(ran)["API"] == "fail"


def test_through_a_proxy_the_proxy_is_what_is_looked_at(project: Project) -> None:
    example(project)
    with answering(200, {}) as proxy:
        project.target("https://elsewhere.invalid")
        project.environment |= {"RECONCILER_ALLOWED_HOSTS": "elsewhere.invalid", "https_proxy": proxy}
        name, connection, *_ = diagnosed(project)["network"]
    assert name["said"] == "name: proxy 127.0.0.1 resolves to 127.0.0.1"
    assert connection["said"] == f"connection: proxy {proxy.removeprefix('http://')} accepted"
