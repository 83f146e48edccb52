"""What the embedded server is sent by whoever reaches it: statements, ways out of a directory, other hosts."""

from __future__ import annotations

import http.client
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from reconciler.server import create_app
from reconciler.server.http import serve
from tests.conftest import Remote

TEXTS = (
    "' OR '1'='1",
    '" OR ""="',
    "x'; DROP TABLE objects; --",
    "1) UNION SELECT body FROM objects --",
    "%' ESCAPE '",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "file:///etc/passwd",
    "asst_1\r\nx-injected: 1",
    "\x00",
    "\u2028\u202e",
    "a" * 10_000,
)
HEADERS = {"OpenAI-Beta": "assistants=v2", "Content-Type": "application/json"}


def ask(remote: Remote, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """One request whose path goes out as it is, and its answer."""
    host, port = remote.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=300)
    try:
        content = None if body is None else json.dumps(body).encode()
        connection.request(method, path, content, HEADERS | headers)
        answer = connection.getresponse()
        assert "x-injected" not in answer.headers
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_text_is_a_text_wherever_it_stands(text: str, remote: Remote) -> None:
    kept = [ask(remote, "POST", "/v1/assistants", {"model": "m", "name": f"{n}"})[1]["id"] for n in range(3)]
    written = quote(text, safe="")
    for kind in ("assistants", "files", "vector_stores"):
        for method in ("GET", "DELETE"):
            status, answer = ask(remote, method, f"/v1/{kind}/{written}")
            assert (status, "error" in answer) == (404, True)
        for place in ("after", "before", "order", "limit"):
            status, answer = ask(remote, "GET", f"/v1/{kind}?{place}={written}")
            assert status in (200, 400, 404)
            assert not answer.get("data")
    status, answer = ask(remote, "POST", "/v1/assistants", {"model": "m", "instructions": text, "metadata": {"k": "v"}})
    assert (status, answer["instructions"]) == (200, text)
    ids = {each["id"] for each in remote.objects()}
    assert ids == {*kept, answer["id"]}


@pytest.mark.parametrize(
    "path",
    [
        "/../../../etc/passwd",
        "/v1/../../etc/passwd",
        "/v1/files/../../../etc/passwd/content",
        "/v1/files/..%2f..%2f..%2fetc%2fpasswd/content",
        "/v1/files//etc/passwd/content",
        "//etc/passwd",
        "http://127.0.0.1/etc/passwd",
    ],
)
def test_no_path_leads_to_a_file_of_the_machine(path: str, remote: Remote) -> None:
    status, answer = ask(remote, "GET", path)
    assert (status, "root:" in json.dumps(answer)) == (404, False)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_a_page_of_another_site_cannot_reach_it_by_another_name(host: str, remote: Remote) -> None:
    status, _ = ask(remote, "GET", "/v1/assistants", Host=host)
    assert status == 403


SITES = [
    "https://evil.example",
    "null",
    "http://localhost:1",
    "https://{host}",
    "http://{host}.evil.example",
    "file://",
    "",
]


@pytest.mark.parametrize("origin", SITES)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_a_page_of_another_site_can_ask_nothing(method: str, origin: str, remote: Remote) -> None:
    host = remote.url.removeprefix("http://")
    body = {"model": "m"} if method == "POST" else None
    status, _ = ask(remote, method, "/v1/assistants", body, Origin=origin.format(host=host))
    assert status == 403
    assert remote.objects() == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_nor_can_a_picture_or_a_form_of_one(site: str, remote: Remote) -> None:
    status, _ = ask(remote, "POST", "/v1/assistants", {"model": "m"}, **{"Sec-Fetch-Site": site})
    assert status == 403
    assert remote.objects() == []


def test_its_own_pages_and_programs_can(remote: Remote) -> None:
    for headers in ({}, {"Origin": remote.url}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin"}):
        assert ask(remote, "GET", "/v1/assistants", **headers)[0] == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("rebound.evil.example:8080", 403),
        ("10.0.0.7.evil.example", 403),
        ("127.0.0.1", 200),
        ("10.0.0.7:8080", 200),
        ("[::1]:8080", 200),
        ("reconciler:8080", 200),
    ],
)
def test_bound_to_every_address_it_answers_to_no_domain(host: str, status: int) -> None:
    with serve(create_app(), host="0.0.0.0") as server:
        connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=300)
        connection.request("GET", "/v1/assistants", headers=HEADERS | {"Host": host})
        assert connection.getresponse().status == status
        connection.close()


LARGE = {"model": "m", "instructions": "x" * 100_000}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/assistants", {}),
        ("/v1/assistants", {"Authorization": "Bearer wrong"}),
        ("/v1/nothing", {"Authorization": "Bearer right"}),
        ("/v1/vector_stores", {"Authorization": "Basic right"}),
        ("/v1/assistants", {"Authorization": "Bearer right", "OpenAI-Beta": "none"}),
    ],
)
def test_what_is_refused_at_the_door_is_not_remembered(
    path: str, headers: dict[str, str], start: Callable[..., Remote], tmp_path: Path
) -> None:
    record = tmp_path / "record.jsonl"
    remote = start(api_key="right", record=record)
    assert ask(remote, "POST", path, LARGE, **headers)[0] in (400, 401, 404)
    assert [each.body for each in remote.app.requests] == [None]
    assert record.stat().st_size < 2000


KEY = "sk-canary-0123456789abcdef0123456789"
PLACES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("/v1/assistants", {}, {"Authorization": f"Bearer {KEY}"}),
    ("/v1/assistants", {}, {"Cookie": f"session={KEY}; a=b"}),
    ("/v1/assistants", {}, {"Proxy-Authorization": f"Basic {KEY}"}),
    ("/v1/assistants", {}, {"x-goog-api-key": KEY}),
    ("/v1/assistants", {}, {"x-portkey-config": json.dumps({"provider": "openai", "api_key": KEY})}),
    ("/v1/assistants", {}, {"x-of-a-gateway-nobody-knows": KEY}),
    (f"/v1/assistants?api_key={KEY}", {}, {}),
    (f"/v1/assistants?limit=1&key={quote(KEY)}", {}, {}),
    (f"/v1/assistants?access_token={KEY}&after=x", {}, {}),
    ("/v1/assistants", {"metadata": {"api_key": KEY}}, {}),
    ("/v1/assistants", {"tools": [{"type": "mcp", "authorization": KEY}]}, {}),
    ("/v1/assistants", {"tools": [{"type": "mcp", "headers": {"X-Api-Key": KEY, "Authorization": KEY}}]}, {}),
    ("/v1/assistants", {"metadata": {"note": f"it is {KEY}!"}}, {"Authorization": f"Bearer {KEY}"}),
    (f"/v1/{KEY}", {}, {"api-key": KEY}),
]


@pytest.mark.parametrize(("path", "body", "headers"), PLACES, ids=range(len(PLACES)))
def test_a_record_holds_no_credential(
    path: str, body: dict[str, Any], headers: dict[str, str], start: Callable[..., Remote], tmp_path: Path
) -> None:
    record = tmp_path / "record.jsonl"
    remote = start(record=record)
    ask(remote, "POST", path, {"model": "gpt-4o", "instructions": "max_tokens, secret", **body}, **headers)
    (line,) = record.read_text(encoding="utf-8").splitlines()
    assert KEY not in line
    assert KEY[3:20] not in line
    document = json.loads(line)
    assert document["headers"]["openai-beta"] == "assistants=v2"
    if document["status"] != 404:
        assert (document["body"]["model"], document["body"]["instructions"]) == ("gpt-4o", "max_tokens, secret")
    assert stat.S_IMODE(record.stat().st_mode) == 0o600


def test_a_served_server_remembers_no_request(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reconciler", "-C", str(tmp_path), "serve", "--db", "x.db"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            url = serving.stdout.readline().split()[-1].removeprefix("http://").removesuffix("/v1")
            connection = http.client.HTTPConnection(url, timeout=300)
            before = None
            for _ in range(40):
                connection.request(
                    "POST", "/v1/assistants", json.dumps({"model": "m"} | {"x": "y" * 2_000_000}), HEADERS
                )
                answer = connection.getresponse()
                answer.read()
                resident = int(Path(f"/proc/{serving.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
                before = before or resident
            assert resident - before < 40_000_000
        finally:
            serving.kill()
