"""A small world for the laws: an account on the embedded server, seen distorted by a driver, and as it really is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from reconciler.config.schema.schemas import shipped
from reconciler.core.last_applied import BaseSource
from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan, Scope, TargetIdentity, make_plan
from reconciler.core.values.model import Action, Body, Change, Manifest
from reconciler.core.values.model import Address as At
from reconciler.diagnostics import Source
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.engine.apply import ApplyOptions, apply_plan
from reconciler.engine.snapshot import Snapshot, observe
from reconciler.engine.state.journal import Journal
from reconciler.formats.outcome import Outcome
from reconciler.operations.project.kinds import kinds_of
from reconciler.server import App, Chaos, create_app
from reconciler.tree import Tree
from tests.strategies import bodies

SCHEMA = shipped().schema("assistant.schema.json")
PROVIDER = shipped().provider("openai-assistants")
(ON_TARGET,) = (each for each in kinds_of(PROVIDER, shipped()) if each.kind.name == "assistant")
KIND = ON_TARGET.kind
IDENTITY = TargetIdentity("test", "openai-assistants", "http://embedded/v1")
KEYS = ("a", "b", "c", "team/d")


def client(app: App | Callable[..., Iterable[bytes]]) -> HttpClient:
    """A client of an application in this process that never waits."""
    connection = ConnectionSettings("http://embedded/v1", PROVIDER.headers, (), 60, 10**6, 10**6)
    return HttpClient(connection, wsgi_app=app, pause=lambda seconds: False, chance=lambda: 0.0)


class Clock:
    """Seconds since the epoch, which pass only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        return False


class World:
    """One account. `owner` applies manifests; `raw` is what the server really holds."""

    def __init__(
        self,
        directory: Path,
        *,
        adversary: int | None = None,
        chaos: dict[str, Any] | None = None,
        settle_seconds: float = 0,
        digests: bool = False,
    ) -> None:
        database = directory / "world.db"
        self.directory = directory
        self.clock = Clock()
        self.settle_seconds = settle_seconds
        self.digests = digests
        rules = Chaos.from_rules(chaos) if chaos else None
        self.app = create_app(database, adversary=adversary, chaos=rules, clock=self.clock)
        self._plain = RestDriver(PROVIDER, client(create_app(database, clock=self.clock)))
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
        return self.look().observed

    def look(self) -> Snapshot:
        """The same, with the creates that may still come to light."""
        return observe(self.driver, [ON_TARGET], self.journal())

    def plan(self, files: Sequence[Manifest], *, prune: bool = True, owner: str = "acme") -> Plan:
        """The plan for these files; the guard is told the right number."""
        seen = self.see()
        deletes = None
        for _ in range(2):
            scope = Scope(owner, prune, deletes, digests=self.digests, settle_seconds=self.settle_seconds)
            plan = make_plan(IDENTITY, scope, "sha256:0", files, seen, BaseSource())
            deletes = sum(1 for c in plan.changes if c.blocked and c.blocked.by == "guard") or None
            if deletes is None:
                break
        return plan

    def apply(self, plan: Plan) -> list[Outcome]:
        """Carry out a plan; what it sent is in `app.requests`."""
        seen = self.see()
        self.app.requests.clear()
        options = ApplyOptions(
            concurrency=1,
            settle_seconds=self.settle_seconds,
            stop=threading.Event(),
            pause=self.clock.pause,
            clock=self.clock,
        )
        return apply_plan(plan, self.driver, [ON_TARGET], seen, self.journal(), options)

    def journal(self) -> Journal:
        """What this machine remembers of its creates."""
        return Journal(Tree(self.directory, "journal"), IDENTITY.url, self.settle_seconds, self.clock)


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
