"""Tokens of Entra ID by the real azure-identity, from an endpoint such as Azure gives to an application."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import pytest

from reconciler.server.http import serve
from tests.conftest import Project
from tests.contract.mock import Mock
from tests.contract.sites import described


class Endpoint:
    """Gives tokens to applications of this machine; what `secret-1` is to the mock of the vendor."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.asked += parse_qs(environ["QUERY_STRING"])["resource"]
        content = json.dumps(
            {"access_token": "secret-1", "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
        ).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]


@pytest.fixture
def there(project: Project) -> Project:
    project.write("assistants.d/desk.yaml", "name: Desk\nmodel: gpt-4o\n")
    return project


def point(project: Project, url: str) -> None:
    project.write(
        "assistants.d/reconciler.yaml",
        f"owner: acme\ndefault_target: there\ntargets: {{there: {{provider: azure-foundry-classic, url: '{url}'}}}}\n",
    )


def test_a_token_is_asked_for_where_the_environment_has_none(there: Project) -> None:
    mock, endpoint = Mock(described()["azure-foundry-classic"][0]), Endpoint()
    with serve(mock) as server, serve(endpoint) as tokens:
        there.environment |= {"IDENTITY_ENDPOINT": f"{tokens.url}/token", "IDENTITY_HEADER": "x"}
        point(there, server.url)
        ran = there.ok("apply", "--yes", "--verbose")
        assert "token is requested: a token for https://ai.azure.com/.default" in there.ok("doctor").out
    assert endpoint.asked == ["https://ai.azure.com"] * 2  # one for each command
    assert len(mock.shelves["assistant"].objects) == 1
    assert "secret-1" not in ran.out + ran.err


def test_what_asks_for_it_is_an_extra(there: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "reconciler.drivers.credentials.entra", raising=False)
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    point(there, "http://127.0.0.1:9")
    ran = there.run("plan")
    assert ran.code == 1
    assert "assistants.d/reconciler.yaml:3:11: error: target 'there' has no credential" in ran.err
    assert "pip install 'assistants-as-code[azure]'" in ran.err


def test_a_token_goes_to_no_host_that_only_a_file_names(there: Project) -> None:
    point(there, "https://desk.services.ai.azure.com/api/projects/desk")
    ran = there.run("plan")
    assert ran.code == 1
    assert "RC0305" in ran.err
    assert "RECONCILER_ALLOWED_HOSTS=desk.services.ai.azure.com" in ran.err
