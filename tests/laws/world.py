"""A small world for the laws: an account on the embedded server, a driver that sees it distorted, and a bare look at it."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from reconciler.core.model import ABSENT, Action, Body, Change, Manifest, Outcome, Plan, Source, TargetIdentity
from reconciler.core.model import Address as At
from reconciler.core.plan import Observation, Scope, make_plan
from reconciler.core.semantics import Kind, compile_schema
from reconciler.drivers.http import Connection, HttpClient
from reconciler.drivers.provider import ListStyle, Provider, ProviderKind
from reconciler.drivers.rest import RestDriver
from reconciler.engine.apply import ApplyOptions, apply_plan
from reconciler.engine.journal import Journal
from reconciler.engine.observe import KindOnTarget, observe
from reconciler.server import App, Chaos, create_app
from tests.strategies import bodies

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas/assistant.schema.json").read_text())
KIND = Kind(
    "assistant",
    compile_schema(SCHEMA),
    "metadata",
    "name",
    "unknown",
    (("model", "temperature", "top_p", "reasoning_effort"),),
)
ON_TARGET = KindOnTarget(KIND, "created_at")
PROVIDER = Provider(
    "openai-assistants",
    {
        "assistant": ProviderKind(
            "assistant.schema.json", "/assistants", "metadata", "name", list=ListStyle(query={"order": "desc"})
        )
    },
)
IDENTITY = TargetIdentity("test", "openai-assistants", "http://embedded/v1")
HEADERS = {"OpenAI-Beta": "assistants=v2"}
KEYS = ("a", "b", "c", "team/d")


def client(app: App) -> HttpClient:
    """A client of an application in this process that never waits."""
    connection = Connection("http://embedded/v1", HEADERS, (), 60, 10**6, 10**6)
    return HttpClient(connection, wsgi_app=app, pause=lambda seconds: False, chance=lambda: 0.0)


class World:
    """One account. `owner` applies manifests; `raw` is what the server really holds."""

    def __init__(self, directory: Path, *, adversary: int | None = None, chaos: dict[str, Any] | None = None) -> None:
        database = directory / "world.db"
        self.directory = directory
        self.app = create_app(database, adversary=adversary, chaos=Chaos.from_rules(chaos) if chaos else None)
        self._plain = RestDriver(PROVIDER, client(create_app(database)))
        self.driver = RestDriver(PROVIDER, client(self.app))

    def raw(self) -> dict[str, Body]:
        """Every object by id, undistorted."""
        return {body["id"]: body for body in self._plain.list("assistant")}

    def by_hand(self, body: Body) -> str:
        """Make an object as a person would."""
        return str(self._plain.create("assistant", body)["id"])

    def edit_by_hand(self, id: str, patch: Body) -> None:
        """Change an object as a person would."""
        self._plain.update("assistant", id, patch)

    def see(self) -> tuple[Observation, ...]:
        """The account as the tool sees it."""
        return observe(self.driver, [ON_TARGET], self._journal()).observed

    def plan(self, files: Sequence[Manifest], *, prune: bool = True, owner: str = "acme") -> Plan:
        """The plan for these files; the guard is told the right number."""
        seen = self.see()
        deletes = None
        for _ in range(2):
            plan = make_plan(IDENTITY, Scope(owner, prune, deletes), "sha256:0", files, seen)
            deletes = sum(1 for c in plan.changes if c.blocked and c.blocked.by == "guard") or None
            if deletes is None:
                break
        return plan

    def apply(self, plan: Plan) -> list[Outcome]:
        """Carry out a plan; what it sent is in `app.requests`."""
        seen = self.see()
        self.app.requests.clear()
        options = ApplyOptions(concurrency=1, settle_seconds=0, stop=threading.Event(), pause=lambda seconds: False)
        return apply_plan(plan, self.driver, [ON_TARGET], seen, self._journal(), options)

    def _journal(self) -> Journal:
        return Journal(self.directory / "journal", IDENTITY, 0, lambda: 0.0)


def due(plan: Plan) -> list[Change]:
    """What a plan would do."""
    return [change for change in plan.changes if change.action is not Action.NOOP and not change.blocked]


def without_nonce(body: Any) -> Any:
    """A request body with the nonce of its mark taken out."""
    if not isinstance(body, dict) or "reconciler" not in body.get("metadata", {}):
        return body
    words = body["metadata"]["reconciler"].split(" ")
    return {**body, "metadata": {**body["metadata"], "reconciler": " ".join([*words[:3], "~", *words[4:]])}}


@st.composite
def accepted(draw: st.DrawFn) -> Body:
    """A body that the server takes as well: only reasoning models reason, and they know no temperature."""
    body = draw(bodies(SCHEMA))
    if body.get("reasoning_effort") is not None:
        body["model"] = "o3-mini"
        return {name: value for name, value in body.items() if name not in ("temperature", "top_p")}
    return {**body, "model": draw(st.sampled_from(["gpt-4o", "gpt-4-turbo"]))}


@st.composite
def fleets(draw: st.DrawFn, keys: Sequence[str] = KEYS) -> list[Manifest]:
    """Some manifests with keys from a small set, so that two fleets share some."""
    chosen = draw(st.lists(st.sampled_from(keys), unique=True, max_size=len(keys)))
    return [
        Manifest(At("assistant", key), draw(accepted()), Source(f"{key}.yaml", 1, 1), same_name_allowed=True)
        for key in chosen
    ]


__all__ = ["ABSENT", "KIND", "World", "accepted", "due", "fleets", "without_nonce"]
