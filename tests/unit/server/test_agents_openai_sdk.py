"""OpenAI's own client, unchanged, over HTTP."""

from __future__ import annotations

import pytest

from tests.later import openai
from tests.unit.server.conftest import Connect

PROFILE = "agents-v1"


def test_the_life_of_an_agent(connect: Connect) -> None:
    client, app = connect(profile=PROFILE)
    agents = client.beta.agents
    made = agents.create(
        model="gpt-6",
        name="n",
        tools=[
            {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
            {"type": "mcp", "server_label": "m", "transport": {"type": "http", "server_url": "https://example.com"}},
        ],
        metadata={"a": "1"},
        compaction={"async_": True},
    )
    assert made.tools[0].type == "function"
    assert made.tools[0].defer_loading is False
    assert made.tools[1].type == "mcp"
    assert made.tools[1].connection_origin == "service"
    assert (made.text.verbosity, made.service_tier, made.reasoning.effort) == ("medium", "auto", None)
    assert made.compaction
    assert made.compaction.async_
    assert agents.retrieve(made.id) == made
    changed = agents.update(made.id, instructions="i", name=None, metadata={"b": "2"})
    assert (changed.instructions, changed.name, changed.metadata) == ("i", None, {"b": "2"})
    assert changed.tools == made.tools
    deleted = agents.delete(made.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (made.id, True, "agent.deleted")
    assert [(request.method, request.status) for request in app.requests] == [
        ("POST", 201),
        ("GET", 200),
        ("POST", 200),
        ("DELETE", 200),
    ]
    assert app.requests[2].body == {"instructions": "i", "name": None, "metadata": {"b": "2"}}


@pytest.mark.parametrize("adversary", [None, 1])
def test_lists_page_by_themselves(adversary: int | None, connect: Connect) -> None:
    client, _ = connect(profile=PROFILE, adversary=adversary)
    made = [client.beta.agents.create(model="gpt-6", name=str(number)).id for number in range(45)]
    assert [each.id for each in client.beta.agents.list(limit=20)] == made[::-1]
    assert [each.id for each in client.beta.agents.list(limit=20, order="asc")] == made


def test_errors_have_their_classes(connect: Connect) -> None:
    client, _ = connect(profile=PROFILE)
    with pytest.raises(openai.NotFoundError) as absent:
        client.beta.agents.retrieve("nobody")
    assert (absent.value.type, absent.value.code) == ("not_found_error", "not_found_error")
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.agents.create(model="gpt-6", metadata={"modified": True})  # type: ignore[dict-item]
    assert (refused.value.param, refused.value.code) == ("metadata.modified", "invalid_request_error")
    with pytest.raises(openai.BadRequestError) as unheard:
        client.beta.agents.list(extra_headers={"OpenAI-Beta": "agents=v0"}).data  # noqa: B018
    assert (unheard.value.type, unheard.value.code) == ("invalid_beta", "invalid_beta")
    stranger, _ = connect(profile=PROFILE, key="sk-wrong")
    with pytest.raises(openai.AuthenticationError) as unknown:
        stranger.beta.agents.list()
    assert unknown.value.code is None


def test_a_client_that_repeats_creates_makes_duplicates(connect: Connect) -> None:
    lost = {"on": "create", "drop": "after_commit", "times": 1}
    client, app = connect(lost, profile=PROFILE, retries=1)
    client.beta.agents.create(model="gpt-6", name="once")
    assert [request.dropped for request in app.requests] == [True, False]
    assert [each.name for each in client.beta.agents.list()] == ["once", "once"]
