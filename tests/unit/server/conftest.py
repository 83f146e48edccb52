"""The embedded server in process, and a client that says what the vendor wants to hear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from reconciler.server import App, Chaos, create_app
from reconciler.server.http import serve
from tests.later import openai

BETA = {"OpenAI-Beta": "assistants=v2"}
URL = "http://embedded/v1"
Start = Callable[..., "Wire"]
Connect = Callable[..., "tuple[openai.OpenAI, App]"]


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.25

    def __call__(self) -> float:
        return self.now


class Wire:
    """An application in process, a client of it, and its clock."""

    def __init__(self, app: App, clock: Clock, slept: list[float]) -> None:
        self.app = app
        self.clock = clock
        self.slept = slept
        self.client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url=URL, headers=BETA)

    def create(self, **body: Any) -> Any:
        answer = self.client.post("/assistants", json={"model": "gpt-4o", **body})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def modify(self, id: str, **body: Any) -> Any:
        answer = self.client.post(f"/assistants/{id}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def retrieve(self, id: str) -> Any:
        return self.client.get(f"/assistants/{id}").json()

    def names(self, query: str = "limit=100") -> list[str]:
        return [each["name"] for each in self.client.get(f"/assistants?{query}").json()["data"]]

    def post(self, path: str, **body: Any) -> Any:
        """The answer to a request that is done."""
        answer = self.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def upload(self, content: bytes | str = "text", name: str = "a.md", purpose: str = "assistants") -> str:
        """The id of a new file."""
        answer = self.client.post("/files", files={"file": (name, content)}, data={"purpose": purpose})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def store(self, **body: Any) -> str:
        """The id of a new vector store."""
        return str(self.post("/vector_stores", **body)["id"])

    def attach(self, store: str, content: bytes | str = "text", name: str = "a.md", **settings: Any) -> str:
        """The id of a new file that is attached, and as indexed as it gets by being looked at twice."""
        id = self.upload(content, name)
        self.post(f"/vector_stores/{store}/files", file_id=id, **settings)
        self.get(f"/vector_stores/{store}/files/{id}")
        return id

    def walk(self, query: str = "limit=100", path: str = "/assistants") -> list[Any]:
        """Every object, page after page."""
        found: list[Any] = []
        after = ""
        while True:
            page = self.client.get(f"{path}?{query}{after}").json()
            found += page["data"]
            if not page["has_more"]:
                return found
            after = f"&after={page['last_id']}"


@pytest.fixture
def start() -> Start:
    """Starts servers: `start(*rules of chaos, adversary=..., api_key=...)`."""

    def starting(*rules: dict[str, Any], **options: Any) -> Wire:
        clock, slept = Clock(), []
        chaos = Chaos.from_rules({"rules": list(rules)}, sleep=slept.append) if rules else None
        return Wire(create_app(chaos=chaos, clock=clock, **options), clock, slept)

    return starting


@pytest.fixture
def wire(start: Start) -> Wire:
    return start()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """The vendor's own client, and the server it talks to over HTTP."""
    with ExitStack() as stack:

        def connecting(*rules: dict[str, Any], key: str = "sk-right", retries: int = 0, **options: Any) -> Any:
            chaos = Chaos.from_rules({"rules": list(rules)}) if rules else None
            app = create_app(api_key="sk-right", chaos=chaos, **options)
            server = stack.enter_context(serve(app))
            client = openai.OpenAI(base_url=f"{server.url}/v1", api_key=key, max_retries=retries)
            return stack.enter_context(client), app

        yield connecting


def error_of(answer: httpx.Response) -> tuple[int, Any, Any, Any, Any]:
    """Status, message, type, param and code; the envelope has no more and no fewer keys."""
    body = answer.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["message", "type", "param", "code"]
    return (answer.status_code, *body["error"].values())
