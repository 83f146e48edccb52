"""The remote of a simulation: the embedded server, the faults on the way to it, and a witness of every commit."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from reconciler.server import App
from reconciler.server.wire import ConnectionDropped
from tests.simulation.scheduler import Process, Scheduler

FAULTS = ("refused", "lost before", "lost after", "late", "500", "500 after", "503", "408", "429", "garbage", "cut")
LATE_SECONDS = 12.0
"""How long after it was given up a create may still be carried out."""


class Violation(AssertionError):
    """A law was broken."""


@dataclass(eq=False)
class Run:
    """One run of `apply` as the remote sees it: on which machine, what its files name, when it began.

    Runs of the same `round` are at once.
    """

    process: Process
    machine: str
    keys: frozenset[str]
    began: float
    round: int
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    deleted: list[tuple[str, Made]] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """A live object of ours."""

    key: str
    nonce: str
    by: Run
    at: float


@dataclass
class Remote:
    """The account. `rate` is the share of requests that meet a fault; `lag` is how long lists hide what is new."""

    app: App
    scheduler: Scheduler
    chance: random.Random
    rate: float
    lag: float
    runs: list[Run] = field(default_factory=list)
    live: dict[str, Made] = field(default_factory=dict)
    faults: int = 0
    requests: int = 0
    events: list[str] = field(default_factory=list)

    def seen_by(self, run: Run) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
        """The WSGI application that answers this run."""
        self.runs.append(run)
        return lambda environ, start_response: self._answer(run, environ, start_response)

    def _answer(self, run: Run, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        fault = self._fault(method == "POST" and path.endswith("/assistants"))
        self.requests += 1
        run.process.boundary()
        if fault == "refused":
            self._tell(run, method, path, fault)
            raise httpx.ConnectError("refused")
        if method != "GET":
            run.sent.append((method, path, json.loads(body) if body else None))
        if fault == "late":
            due = self.scheduler.now + self.chance.uniform(0, LATE_SECONDS)
            self.scheduler.at(due, lambda: self._commit(run, environ, body) and None)
        status, headers, content = 200, [("content-type", "application/json")], b"<html>"
        if fault not in ("lost before", "late", "500", "503", "408", "429"):
            status, headers, content = self._commit(run, environ, body)
        self._tell(run, method, path, f"{status} {fault or ''}")
        run.process.boundary(self.chance.choice((0.0, 0.05, 0.3, 2.0)))
        if fault in ("lost before", "lost after", "late", "cut"):
            raise ConnectionDropped(fault)
        if fault == "garbage":
            headers, content = [("content-type", "text/html")], b"<html>"
        elif fault:
            status, headers, content = int(fault[:3]), [("retry-after", "3")] if fault == "429" else [], b"{}"
        start_response(f"{status} x", headers)
        return [content]

    def _fault(self, create: bool) -> str | None:
        if self.chance.random() >= self.rate:
            return None
        fault = self.chance.choice(FAULTS)
        self.faults += 1
        return "lost after" if fault == "late" and not create else fault

    def _commit(self, run: Run, environ: dict[str, Any], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        said: list[tuple[str, list[tuple[str, str]]]] = []
        parts = self.app({**environ, "wsgi.input": io.BytesIO(body)}, lambda *head: said.append(head) or bytes)
        content, (status, headers) = b"".join(parts), said[0]
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if status.startswith("200") and method == "POST" and path.endswith("/assistants"):
            self._made(run, json.loads(content))
        elif status.startswith("200") and method == "DELETE":
            self._gone(run, path.rpartition("/")[2])
        return int(status[:3]), headers, content

    def _made(self, run: Run, body: dict[str, Any]) -> None:
        """Nobody makes a second object of an address that its own machine has made, or that it could have seen."""
        key, nonce = mark_of(body)
        for id, other in self.live.items():
            if other.key != key:
                continue
            own = other.by is run or (other.by.machine == run.machine and other.by.round < run.round)
            if own or other.at + self.lag < run.began:
                raise Violation(f"{run.process.name} doubled {key}: {id} was there already")
        self.live[body["id"]] = Made(key, nonce, run, self.scheduler.now)

    def _gone(self, run: Run, id: str) -> None:
        """Nobody deletes what was never ours, or the last object of an address that everybody wants."""
        if (made := self.live.pop(id, None)) is None:
            raise Violation(f"{run.process.name} deleted {id}, which was not ours")
        run.deleted.append((id, made))
        wanted = all(made.key in each.keys for each in self.runs if each.round == run.round)
        if wanted and not any(other.key == made.key for other in self.live.values()):
            raise Violation(f"{run.process.name} deleted the last object of {made.key}")

    def _tell(self, run: Run, method: str, path: str, what: str) -> None:
        self.events.append(f"{self.scheduler.now:.2f} {run.process.name} {method} {path} {what}")


def mark_of(body: dict[str, Any]) -> tuple[str, str]:
    """Key and nonce of an object of ours."""
    words = body["metadata"]["reconciler"].split(" ")
    return words[2], words[3]
