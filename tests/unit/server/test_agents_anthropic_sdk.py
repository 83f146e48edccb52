"""Anthropic's own client, unchanged, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from reconciler.server import App, create_app
from reconciler.server.http import serve
from tests.later import anthropic

Connected = Callable[..., "tuple[anthropic.Anthropic, App]"]


@pytest.fixture
def connected() -> Iterator[Connected]:
    """The vendor's client, and the server it talks to."""
    with ExitStack() as stack:

        def connecting(key: str = "sk-right", **options: Any) -> tuple[anthropic.Anthropic, App]:
            app = create_app(profile="anthropic-agents", api_key="sk-right", **options)
            server = stack.enter_context(serve(app))
            client = anthropic.Anthropic(base_url=server.url, api_key=key, max_retries=0)
            return stack.enter_context(client), app

        yield connecting


def test_the_life_of_an_agent(connected: Connected) -> None:
    client, app = connected()
    agents = client.beta.agents
    made = agents.create(
        model={"id": "claude-opus-5-5", "effort": "low"},
        name="n",
        tools=[
            {"type": "agent_toolset_20260401", "configs": [{"name": "bash", "enabled": False}]},
            {"type": "custom", "name": "f", "description": "d", "input_schema": {"type": "object"}},
        ],
        metadata={"a": "1"},
    )
    assert (made.version, made.archived_at, made.execution_identity.type) == (1, None, "service_account")
    assert made.model.effort
    assert made.model.effort.type == "low"
    assert made.tools[0].type == "agent_toolset_20260401"
    assert made.tools[0].configs[0].type == "bash"
    assert made.tools[0].default_config.permission_policy.type == "always_allow"
    assert agents.retrieve(made.id) == made
    changed = agents.update(made.id, version=1, system="s", metadata={"a": None, "b": "2"})
    assert (changed.version, changed.system, changed.metadata) == (2, "s", {"b": "2"})
    assert changed.tools == made.tools
    assert agents.retrieve(made.id, version=1) == made
    assert list(agents.versions.list(made.id, limit=1)) == [changed, made]
    archived = agents.archive(made.id)
    assert archived.archived_at
    assert list(agents.list()) == []
    assert list(agents.list(include_archived=True, created_at_gte=made.created_at)) == [archived]
    assert {request.status for request in app.requests} == {200}
    assert app.requests[2].body == {"version": 1, "system": "s", "metadata": {"a": None, "b": "2"}}


@pytest.mark.parametrize("adversary", [None, 1])
def test_lists_page_by_themselves(adversary: int | None, connected: Connected) -> None:
    client, _ = connected(adversary=adversary)
    made = [client.beta.agents.create(model="claude-opus-5-5", name=str(number)).id for number in range(45)]
    assert [each.id for each in client.beta.agents.list(limit=20)] == made[::-1]


def test_errors_have_their_classes(connected: Connected) -> None:
    client, _ = connected()
    made = client.beta.agents.create(model="claude-opus-5-5", name="n")
    with pytest.raises(anthropic.ConflictError) as conflict:
        client.beta.agents.update(made.id, version=7, name="m")
    assert conflict.value.type == "invalid_request_error"
    assert conflict.value.request_id
    assert conflict.value.request_id == conflict.value.body["request_id"]  # type: ignore[index]
    with pytest.raises(anthropic.NotFoundError) as absent:
        client.beta.agents.retrieve("agent_01x")
    assert absent.value.type == "not_found_error"
    with pytest.raises(anthropic.BadRequestError):
        client.beta.agents.create(model="claude-opus-5-5", name="")
    stranger, _ = connected(key="sk-wrong")
    with pytest.raises(anthropic.AuthenticationError):
        stranger.beta.agents.list()
