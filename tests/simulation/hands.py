"""People who work on the account while an apply runs: they edit units, protect objects, and begin to use stores."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.simulation.remote import Remote
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.witness import MARK, REFERENCE, Body, mark_text, protected, referred

WAITS = (0.0, 0.0, 0.3, 1.0, 4.0, 15.0)


@dataclass
class Hands:
    """What people do. They use objects only once every list shows them, so that an apply could have seen it."""

    remote: Remote
    scheduler: Scheduler
    chance: random.Random
    edits: int = 0

    def process(self, name: str) -> tuple[Process, Callable[[], None]]:
        """Somebody who edits now and then while others run."""
        process = Process(self.scheduler, name)
        times = self.chance.randint(2, 10)

        def work() -> None:
            for _ in range(times):
                process.boundary(self.chance.choice(WAITS))
                self._edit(name)

        return process, work

    def take_back(self) -> None:
        """Nothing is protected or used by hand any more."""
        for id, (kind, body) in self.remote.witness.holder().items():
            patch: Body = {}
            if text := mark_text(body):
                patch["metadata"] = {**body["metadata"], MARK[1]: protected(text, False)}
            if referred(body):
                patch["tool_resources"] = {"file_search": {"vector_store_ids": []}}
            if patch:
                self.remote.by_hand("hands", f"/v1/{kind.name}s/{id}", patch)

    def _edit(self, name: str) -> None:
        there = {id: found for id, found in self.remote.witness.holder().items() if id in self.remote.witness.live}
        if not there:
            return
        id = self.chance.choice(sorted(there))
        kind, body = there[id]
        acts = (self._change, self._change, self._note, self._protect)
        do = self.chance.choice((*acts, *(self._use,) * 4) if kind.name == "vector_store" else acts)
        do(name, id, kind.name, body)

    def _change(self, name: str, id: str, kind: str, body: Body) -> None:
        options: list[Body] = [{"name": f"by hand {self.edits}"}]
        if kind == "assistant":
            options += [{"temperature": self.chance.choice((0.25, 0.5, 0.75, 1.0))}, {"description": f"{self.edits}"}]
        self._send(name, id, kind, self.chance.choice(options))

    def _note(self, name: str, id: str, kind: str, body: Body) -> None:
        entry = self.chance.choice(("team", "note"))
        self._send(name, id, kind, {"metadata": {**(body["metadata"] or {}), entry: f"by hand {self.edits}"}})

    def _protect(self, name: str, id: str, kind: str, body: Body) -> None:
        if text := mark_text(body):
            self._send(name, id, kind, {"metadata": {**body["metadata"], MARK[1]: protected(text, True)}})

    def _use(self, name: str, id: str, kind: str, body: Body) -> None:
        """Let an assistant use this store."""
        witness = self.remote.witness
        seen = self.scheduler.now - witness.lag
        users = [
            each
            for each, (other, _) in sorted(witness.holder().items())
            if other.name == "assistant" and (each not in witness.live or witness.live[each].at < seen)
        ]
        if users:
            patch = {REFERENCE[0]: {"file_search": {"vector_store_ids": [id]}}}
            self._send(name, self.chance.choice(users), "assistant", patch)

    def _send(self, name: str, id: str, kind: str, patch: Body) -> None:
        self.edits += 1
        self.remote.by_hand(name, f"/v1/{kind}s/{id}", patch)
