"""The vendor's own client, unchanged, over HTTP."""

from __future__ import annotations

import pytest

from tests.later import openai
from tests.unit.server.conftest import Connect

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_the_life_of_an_assistant(connect: Connect) -> None:
    client, app = connect()
    assistants = client.beta.assistants
    made = assistants.create(
        model="gpt-4o",
        name="n",
        tools=[{"type": "file_search"}, {"type": "function", "function": {"name": "f"}}],
        metadata={"a": "1"},
    )
    assert made.id.startswith("asst_")
    assert made.tools[0].type == "file_search"
    assert made.temperature == 1.0
    assert assistants.retrieve(made.id) == made
    changed = assistants.update(made.id, instructions="i", name=None)
    assert (changed.instructions, changed.name, changed.metadata) == ("i", None, {"a": "1"})
    deleted = assistants.delete(made.id)
    assert (deleted.id, deleted.deleted, deleted.object) == (made.id, True, "assistant.deleted")
    assert [request.method for request in app.requests] == ["POST", "GET", "POST", "DELETE"]
    assert app.requests[2].body == {"instructions": "i", "name": None}


@pytest.mark.parametrize("adversary", [None, 1])
def test_lists_page_by_themselves(adversary: int | None, connect: Connect) -> None:
    client, _ = connect(adversary=adversary)
    made = [client.beta.assistants.create(model="gpt-4o", name=str(number)).id for number in range(45)]
    assert [each.id for each in client.beta.assistants.list(limit=20)] == made[::-1]
    assert [each.id for each in client.beta.assistants.list(limit=20, order="asc")] == made


def test_errors_have_their_classes(connect: Connect) -> None:
    client, _ = connect()
    with pytest.raises(openai.NotFoundError) as absent:
        client.beta.assistants.retrieve("abcd")
    assert absent.value.message.endswith("No assistant found with id 'abcd'.") or "abcd" in str(absent.value)
    assert absent.value.request_id
    assert absent.value.request_id.startswith("req_")
    with pytest.raises(openai.BadRequestError) as refused:
        client.beta.assistants.create(model="gpt-4o", metadata={"modified": True})  # type: ignore[dict-item]
    assert (refused.value.param, refused.value.code) == ("metadata.modified", "invalid_type")
    stranger, _ = connect(key="sk-wrong")
    with pytest.raises(openai.AuthenticationError) as unknown:
        stranger.beta.assistants.list()
    assert unknown.value.code == "invalid_api_key"


def test_faults_have_their_classes(connect: Connect) -> None:
    client, _ = connect(
        {"on": "list", "nth": 1, "status": 429},
        {"on": "list", "nth": 2, "status": 503},
        {"on": "list", "nth": 3, "drop": "before_commit"},
        {"on": "list", "nth": 4, "truncate": 5},
    )
    for kind in (openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError, Exception):
        with pytest.raises(kind):
            client.beta.assistants.list()
    assert client.beta.assistants.list().data == []


def test_a_client_that_repeats_creates_makes_duplicates(connect: Connect) -> None:
    lost = {"on": "create", "drop": "after_commit", "times": 1}
    client, app = connect(lost, retries=1)
    client.beta.assistants.create(model="gpt-4o", name="once")
    assert [request.dropped for request in app.requests] == [True, False]
    assert [each.name for each in client.beta.assistants.list()] == ["once", "once"]
