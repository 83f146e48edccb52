"""What the embedded server is sent by whoever reaches it: statements, ways out of a directory, other hosts."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote

import pytest

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


def test_a_page_of_another_site_cannot_reach_it_by_another_name(remote: Remote) -> None:
    status, _ = ask(remote, "GET", "/v1/assistants", Host="evil.example")
    assert status == 403
