"""One random schedule: faults, kills and two applies at once, then quiet; and the laws that have to hold throughout.

5. In the end the objects of ours are those of the files, with their contents, and others' are untouched.
7. One live object for each address: no machine doubles what it made or could see, and twins of two applies at once are
   gone when the next apply has read the account.
8. Whatever is sent stands in the plan of the run that sent it (the nonce aside), or takes back a twin it made.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler.core.model import (
    Action,
    Address,
    Manifest,
    Plan,
)
from reconciler.diagnostics import Source
from reconciler.drivers.connection import Connection
from reconciler.drivers.http import HttpClient
from reconciler.drivers.rest import RestDriver
from reconciler.exits import Exit
from reconciler.server import Chaos, create_app
from tests.faults.machine import Machine
from tests.simulation.remote import LATE_SECONDS, Remote, Run, Violation
from tests.simulation.scheduler import Process, Scheduler
from tests.world import PROVIDER, without_nonce

KEYS = ("a", "b", "c")
SETTLE_SECONDS = 30.0
"""Longer than lists lag, a create is late and a rate limit holds it up, taken together."""
STRANGER = {"name": "theirs", "model": "gpt-4o"}
CONNECTION = Connection("http://embedded/v1", PROVIDER.headers, (), 60, 10**6, 10**6)


class Schedule:
    """Everything that a seed decides. `directory` takes the journals."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.lag = self.chance.choice((0.0, 0.0, 1.0, 5.0, 15.0))
        self.scheduler = Scheduler(self.chance, 1_700_000_000.0)
        rules = [{"on": "list", "slow_visibility": self.lag}] if self.lag else []
        app = create_app(
            chaos=Chaos.from_rules({"rules": rules}) if rules else None,
            adversary=seed,
            clock=lambda: self.scheduler.now,
            remember=0,
        )
        self.remote = Remote(app, self.scheduler, self.chance, 0.0, self.lag)
        self.directory = directory
        self.kills = self.rounds = 0
        self.at_once = False
        self.begin = self.scheduler.now

    def run(self) -> None:
        """Play it. Raises Violation."""
        stranger = self._stranger()
        first, last = self._files(), self._files()
        if self.chance.random() < 0.4:
            self._together([self._process("one", "first", first)])
        self.remote.rate = self.chance.choice((0.05, 0.2, 0.4))
        self.at_once = self.chance.random() < 0.5
        if self.at_once:
            other = self.chance.choice(("one", "two"))
            files = self.chance.choice((first, last))
            self._together([self._process("one", "left", last, True), self._process(other, "right", files, True)])
        else:
            for number in range(self.chance.choice((1, 2))):
                self._together([self._process("one", f"run {number}", last, True)])
                self.scheduler.advance(self.scheduler.now + self.chance.choice((0.0, 1.0, 20.0, 100.0)))
        self._recover(last, stranger)

    def _recover(self, files: list[Manifest], stranger: dict[str, Any]) -> None:
        """The storm is over: the next apply, on the same machine at once, leaves the account as the files say.

        Twins of two applies at once may need one more, when lists show them.
        """
        self.remote.rate = 0.0
        self._together([self._process("one", "soon after", files)])
        if self.at_once:
            self.scheduler.advance(self.scheduler.now + self.lag + LATE_SECONDS + 1)
            self._together([self._process("two", "next", files)])
        self.scheduler.advance(self.scheduler.now + self.lag + 1)
        self._check_world(files, stranger)
        before = len(self.remote.runs)
        self._together([self._process("one", "once more", files)])
        if any(run.sent for run in self.remote.runs[before:]):
            raise Violation("the apply after the last one still had something to send")

    def _files(self) -> list[Manifest]:
        chosen = [key for key in KEYS if self.chance.random() < 0.75]
        return [self._manifest(key, self.chance.choice((0.25, 0.5, 0.75))) for key in chosen]

    def _manifest(self, key: str, temperature: float) -> Manifest:
        body: dict[str, Any] = {"name": f"{key} {temperature}", "model": "gpt-4o", "temperature": temperature}
        if key == "c":
            body["metadata"] = {"team": str(temperature)}
        return Manifest(Address("assistant", key), body, Source(f"{key}.yaml", 1, 1))

    def _process(
        self, machine: str, name: str, files: list[Manifest], mortal: bool = False
    ) -> tuple[Process, Callable[[], None]]:
        kill_at = self.chance.randint(1, 25) if mortal and self.chance.random() < 0.5 else None
        process = Process(self.scheduler, name, kill_at)
        keys = frozenset(manifest.address.key for manifest in files)
        run = Run(process, machine, keys, self.scheduler.now, self.rounds)
        http = HttpClient(
            CONNECTION,
            wsgi_app=self.remote.seen_by(run),
            pause=process.pause,
            clock=process.clock,
            chance=self.chance.random,
        )
        place = self.directory / f"{self.seed}" / machine
        where = Machine(place, RestDriver(PROVIDER, http), process.clock, process.pause, SETTLE_SECONDS)
        where.draw, where.agrees = self._draw, True

        def work() -> None:
            died = True
            try:
                code = where.apply(files)
                if not mortal and code is not Exit.DONE:
                    raise Violation(f"{name} met no fault and ended with {code!r}: {where.outcomes}")
                died = False
            finally:
                self.kills += died
                _check_sent(run, where.plans)

        return process, work

    def _draw(self) -> str:
        return f"{self.chance.getrandbits(48):012x}"

    def _together(self, runs: list[tuple[Process, Callable[[], None]]]) -> None:
        self.rounds += 1
        self.scheduler.run(dict(runs))

    def _stranger(self) -> dict[str, Any]:
        from tests.world import client

        self._plain = RestDriver(PROVIDER, client(self.remote.app))
        return self._plain.read("assistant", self._plain.create("assistant", dict(STRANGER))["id"])

    def _check_world(self, files: list[Manifest], stranger: dict[str, Any]) -> None:
        held = {body["id"]: body for body in self._plain.list("assistant")}
        theirs = held.pop(stranger["id"], None)
        if theirs is None or (theirs["name"], theirs.get("metadata") or {}) != (stranger["name"], {}):
            raise Violation(f"an object of others was touched: {theirs}")
        found = sorted((body["name"], float(body["temperature"])) for body in held.values())
        wanted = sorted((m.body["name"], float(m.body["temperature"])) for m in files)
        if found != wanted:
            raise Violation(f"the account holds {found}, the files say {wanted}")


def _check_sent(run: Run, plans: list[Plan]) -> None:
    changes = [change for plan in plans for change in plan.changes if change.is_due]
    planned = [without_nonce(change.patch) for change in changes]
    deletes = {change.id for change in changes if change.action is Action.DELETE}
    for method, _, body in run.sent:
        if method == "POST" and without_nonce(body) not in planned:
            raise Violation(f"{run.process.name} sent what no plan shows: {body}")
    for id, made in run.deleted:
        if id not in deletes and made.by.machine != run.machine:
            raise Violation(f"{run.process.name} deleted {id}, which no plan shows and its machine did not make")
