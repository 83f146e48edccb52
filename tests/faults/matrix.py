"""One cell of the fault matrix: an account, an apply with one fault in its way, and a clean apply after it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.cli.exits import Exit
from reconciler.core.values.model import Address, Body, Manifest
from reconciler.diagnostics import Source
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.drivers.transport.response import Response
from reconciler.server import create_app
from tests.faults.machine import Machine
from tests.faults.misbehaviour import TIME_OUT_SECONDS
from tests.faults.wire import Fault, Wire, request_kind
from tests.world import PROVIDER, Clock, client

ASSISTANT = PROVIDER.kinds["assistant"]
PAGED = replace(PROVIDER, kinds={"assistant": replace(ASSISTANT, list=replace(ASSISTANT.list, limit=2))})
SETTLE_SECONDS = 30.0
ALWAYS = 10**6
NTH = {"list": 2}
"""The fault hits the second page of the first list, and the first request of every other kind."""


def manifest(key: str, **body: Any) -> Manifest:
    """A manifest with a name and a model."""
    return Manifest(Address("assistant", key), {"name": key, "model": "gpt-4o", **body}, Source(f"{key}.yaml", 1, 1))


BEFORE = [manifest("kept"), manifest("changed", metadata={"team": "one"}), manifest("removed")]
AFTER = [manifest("kept"), manifest("changed", metadata={"team": "two"}, temperature=0.5), manifest("added")]
STRANGERS = ({"name": "theirs", "model": "gpt-4o"}, {"name": "added elsewhere", "model": "gpt-4o"})


@dataclass
class Account:
    """A server, what it really holds, and a machine that applies to it over the wire."""

    wire: Wire
    machine: Machine
    raw: Callable[[], dict[str, Body]]
    clock: Clock

    def others(self) -> list[Body]:
        """The objects that were never ours."""
        return [body for body in self.raw().values() if "reconciler" not in body["metadata"]]

    def ours(self) -> dict[str, list[str]]:
        """The ids of the objects that carry our mark, by key."""
        found: dict[str, list[str]] = {}
        for id, body in self.raw().items():
            if "reconciler" in body["metadata"]:
                found.setdefault(body["metadata"]["reconciler"].split(" ")[2], []).append(id)
        return found

    def contents(self) -> dict[str, tuple[str, Any, Any]]:
        """What the objects of ours say, by key, in the fields of these tests."""
        raw = self.raw()
        return {
            key: (raw[id]["name"], raw[id]["temperature"], raw[id]["metadata"].get("team"))
            for key, ids in self.ours().items()
            for id in ids
        }


CONVERGED = {"kept": ("kept", 1.0, None), "changed": ("changed", 0.5, "two"), "added": ("added", 1.0, None)}


class Impatient(HttpClient):
    """Waits shortly for the answer to one kind of request, and long for all others: the machine may be busy."""

    def __init__(self, request: str, connection: ConnectionSettings, **more: Any) -> None:
        super().__init__(connection, **more)
        self._request = request
        self._short = HttpClient(replace(connection, timeout_seconds=TIME_OUT_SECONDS), **more)

    def send(self, method: str, path: str, **how: Any) -> Response:
        short = request_kind(method, f"/v1{path}") == self._request
        return self._short.send(method, path, **how) if short else super().send(method, path, **how)


def http_client(url: str, clock: Clock, impatient: str) -> HttpClient:
    """A client that waits for hardly anything but answers, and for those to a kind of request only shortly."""
    connection = ConnectionSettings(url, PROVIDER.headers, (), 60, 10**6, 10**6)
    return Impatient(impatient, connection, pause=clock.pause, clock=clock, chance=lambda: 0.5)


@contextmanager
def account(provider: Any = PAGED, *, impatient: str = "") -> Iterator[Account]:
    """An account that has the files of `BEFORE` applied, and objects of others."""
    with tempfile.TemporaryDirectory() as scratch:
        clock = Clock()
        app = create_app(clock=clock)
        plain = RestDriver(PROVIDER, client(app))
        for body in STRANGERS:
            plain.create("assistant", body)
        with Wire(app, clock.pause).serving() as wire:
            http = http_client(wire.url, clock, impatient)
            machine = Machine(Path(scratch), RestDriver(provider, http), clock, clock.pause, SETTLE_SECONDS)
            assert machine.apply(BEFORE) == Exit.DONE
            clock.pause(60)
            yield Account(wire, machine, lambda: {body["id"]: body for body in plain.list("assistant")}, clock)


@dataclass(frozen=True)
class Seen:
    """What one cell showed: the exit code, how often the request was sent, and the exit code of the clean apply."""

    exit: Exit
    sent: int
    after: Exit


def hit(fault: Fault, request: str, *, times: int, hanging: bool) -> Seen:
    """Apply with the fault in the way, then once more without. Raises AssertionError where anything was harmed."""
    with account(impatient=request if hanging else "") as at:
        ids, others = at.ours(), at.others()
        at.wire.arm(request, fault, NTH.get(request, 1), times)
        code = at.machine.apply(AFTER, allow_deletes=1)
        sent = at.wire.sent[request]
        at.wire.disarm()
        unharmed(at, ids, others)
        if code is Exit.DONE:
            assert at.contents() == CONVERGED, "exit 0, and the account is not as the files say"
        at.clock.pause(SETTLE_SECONDS)
        after = at.machine.apply(AFTER, allow_deletes=1)
        unharmed(at, ids, others)
        assert at.contents() == CONVERGED
        assert {key: len(found) for key, found in at.ours().items()} == dict.fromkeys(CONVERGED, 1)
        assert at.machine.due(AFTER) == []
        return Seen(code, sent, after)


def unharmed(at: Account, ids: dict[str, list[str]], others: list[Body]) -> None:
    """Nothing of others changed, and what was to stay is the same object."""
    assert at.others() == others
    ours = at.ours()
    for key in ("kept", "changed"):
        assert ours[key] == ids[key]
