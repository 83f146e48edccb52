"""The remote of a simulation: the embedded server, the faults on the way to it, and the witness of every commit."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from reconciler.server import App
from reconciler.server.wire import ConnectionDropped
from tests.simulation.scheduler import Scheduler
from tests.simulation.witness import Body, Run, Witness

FAULTS = ("refused", "lost before", "lost after", "late", "500", "500 after", "503", "408", "429", "garbage", "cut")
LATE_SECONDS = 12.0
"""How long after it was given up a create may still be carried out."""


@dataclass
class Remote:
    """The account. `rate` is the share of requests that meet a fault; `plain` shows what the server really holds."""

    app: App
    plain: App
    scheduler: Scheduler
    chance: random.Random
    rate: float
    witness: Witness
    faults: int = 0
    requests: int = 0
    events: list[str] = field(default_factory=list)

    def seen_by(self, run: Run) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
        """The WSGI application that answers this run."""
        self.witness.runs.append(run)
        return lambda environ, start_response: self._answer(run, environ, start_response)

    def _answer(self, run: Run, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        creates = method == "POST" and path.rpartition("/")[2] in self.witness.kinds
        fault = self._fault(creates)
        self.requests += 1
        run.process.boundary()
        if fault == "refused":
            self._tell(run.name, method, path, fault)
            raise httpx.ConnectError("refused")
        if method != "GET":
            run.sent.append((method, path, json.loads(body) if body else None))
            self.witness.arrives(run, path.rpartition("/")[2])
        if fault == "late":
            due = self.scheduler.now + self.chance.uniform(0, LATE_SECONDS)
            self.scheduler.at(due, lambda: self._commit(run, environ, body) and None)
        status, headers, content = 200, [("content-type", "application/json")], b"<html>"
        if fault not in ("lost before", "late", "500", "503", "408", "429"):
            status, headers, content = self._commit(run, environ, body)
        commits = self.witness.commits
        self._tell(run.name, method, path, f"{status} {fault or ''}")
        run.process.boundary(self.chance.choice((0.0, 0.05, 0.3, 2.0)))
        if fault in ("lost before", "lost after", "late", "cut"):
            raise ConnectionDropped(fault)
        if fault == "garbage":
            headers, content = [("content-type", "text/html")], b"<html>"
        elif fault:
            status, headers, content = int(fault[:3]), [("retry-after", "3")] if fault == "429" else [], b"{}"
        elif status == 200:
            self.witness.saw(run, self._shown(path, json.loads(content)), commits)
        start_response(f"{status} x", headers)
        return [content]

    def _fault(self, create: bool) -> str | None:
        if self.chance.random() >= self.rate:
            return None
        fault = self.chance.choice(FAULTS)
        self.faults += 1
        return "lost after" if fault == "late" and not create else fault

    def _commit(self, run: Run, environ: dict[str, Any], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        method, (collection, _, id) = environ["REQUEST_METHOD"], environ["PATH_INFO"].rpartition("/")
        kind = self.witness.kinds.get(collection.rpartition("/")[2])
        before = self.held(environ["PATH_INFO"]) if kind and method != "GET" else None
        status, headers, content = ask(self.app, environ, body)
        if status != 200 or method == "GET":
            return status, headers, content
        if id in self.witness.kinds:
            self.witness.made(run, json.loads(content))
        elif before is not None and kind is not None:
            after = self.held(environ["PATH_INFO"])
            if method == "DELETE":
                self.witness.gone(run, id, kind, before)
            elif after is not None:
                self.witness.changed(run, id, kind, before, after)
        return status, headers, content

    def _shown(self, path: str, answer: Body) -> list[str]:
        """The ids of the objects that an answer shows, and the kind that it lists."""
        kind = self.witness.kinds.get(path.rpartition("/")[2])
        listed = [kind.name] if kind and "data" in answer else []
        return [*listed, *(entry["id"] for entry in answer.get("data", [answer]) if "id" in entry)]

    def held(self, path: str) -> Body | None:
        """An object as the server really holds it; None where there is none."""
        status, _, content = ask(self.plain, {"REQUEST_METHOD": "GET", "PATH_INFO": path}, b"")
        return cast(Body, json.loads(content)) if status == 200 else None

    def by_hand(self, who: str, path: str, patch: Body) -> None:
        """Change an object as a person would."""
        collection, _, id = path.rpartition("/")
        before = self.held(path)
        status, _, _ = ask(self.app, {"REQUEST_METHOD": "POST", "PATH_INFO": path}, json.dumps(patch).encode())
        after = self.held(path)
        self._tell(who, "POST", path, f"{status} {json.dumps(patch)}")
        assert status == 200
        assert before is not None
        assert after is not None
        self.witness.changed(who, id, self.witness.kinds[collection.rpartition("/")[2]], before, after)

    def _tell(self, who: str, method: str, path: str, what: str) -> None:
        self.events.append(f"{self.scheduler.now:.2f} {who} {method} {path} {what}")


def ask(app: App, environ: dict[str, Any], body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    """What an application answers: status, headers, content."""
    heads: list[tuple[str, list[tuple[str, str]]]] = []
    usual = {"CONTENT_TYPE": "application/json", "HTTP_OPENAI_BETA": "assistants=v2"}
    asked = {**usual, "CONTENT_LENGTH": str(len(body)), **environ, "wsgi.input": io.BytesIO(body)}
    content = b"".join(app(asked, lambda *head: heads.append(head) or bytes))
    status, headers = heads[0]
    return int(status[:3]), headers, content
