"""One random schedule: faults, kills and two applies at once, then quiet; and the laws that have to hold throughout.

With more `Parts`, people edit, protect and use objects meanwhile, applies wait at their question and at a rate limit,
and another target with an owner of its own is on the account.

5. In the end the objects of ours are those of the files, with their contents, and others' are untouched.
7. One live object for each address: no machine doubles what it made or could see, and twins of two applies at once are
   gone when the next apply has read the account.
8. Whatever is sent stands in the plan of the run that sent it (the nonce aside), or takes back a twin it made.
10. Nothing is overwritten or deleted that others changed, protected or began to use after it was last read.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from reconciler.cli.exits import Exit
from reconciler.config.schema.schemas import shipped
from reconciler.core.plan import Plan
from reconciler.core.values.model import Action, Address, Blocker, Change, Manifest
from reconciler.core.values.semantics import Kind
from reconciler.diagnostics import Source
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.operations.project.kinds import kinds_of
from reconciler.server import Chaos, create_app
from tests.faults.machine import Machine
from tests.simulation.hands import Hands
from tests.simulation.remote import LATE_SECONDS, Remote
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.witness import Body, Run, Violation, Witness
from tests.world import PROVIDER, client, without_nonce

KEYS = ("a", "b", "c")
STORES = ("s", "t")
OWNERS = ("acme", "beta")
"""They have objects of the same keys."""
ON_TARGET = tuple(each for each in kinds_of(PROVIDER, shipped()) if each.kind.name in ("vector_store", "assistant"))
Work: TypeAlias = tuple[Process, Callable[[], None]]
KINDS: Mapping[str, Kind] = {each.kind.name + "s": each.kind for each in ON_TARGET}
"""By the last part of their path."""
SETTLE_SECONDS = 30.0
"""Longer than lists lag, a create is late and a rate limit holds it up, taken together."""
RATES = (10**6, 10**6, 12, 6)
"""Writes a minute, where people are at work."""
QUESTIONS = (0.0, 0.0, 20.0, 60.0)
"""How long a question is open, where people are at work."""
STRANGER = {"name": "theirs", "model": "gpt-4o"}
CONNECTION = ConnectionSettings("http://embedded/v1", PROVIDER.headers, (), 60, 10**6, 10**6)


@dataclass(frozen=True)
class Parts:
    """What is played besides faults, kills and two applies at once.

    `hands`: people at work, stores for them to use, a question before each apply and a rate limit. `fresh`: the tenth
    law is held. `owners`: two targets with owners of their own. `fleet`: the files are carried out by a fleet.
    """

    hands: bool = False
    fresh: bool = False
    owners: bool = False
    fleet: bool = False


PLAYED = (Parts(), Parts(owners=True), Parts(hands=True, fresh=True))
FLEETS = tuple(replace(parts, fleet=True) for parts in PLAYED)
"""What is played by turns where nobody asks for more, by one machine and by a fleet."""
EVERY = 5
"""One in so many schedules is a fleet's."""


def parts_of(seed: int) -> Parts:
    """What a seed plays where nobody asks for more."""
    return (FLEETS if seed % EVERY == EVERY - 1 else PLAYED)[seed % len(PLAYED)]


class Schedule:
    """Everything that a seed decides. `directory` takes the journals and the account."""

    def __init__(self, seed: int, directory: Path, parts: Parts) -> None:
        self.seed = seed
        self.parts = parts
        self.chance = random.Random(seed)
        self.lag = self.chance.choice((0.0, 0.0, 1.0, 5.0, 15.0))
        self.scheduler = Scheduler(self.chance, 1_700_000_000.0)
        rules = [{"on": "list", "slow_visibility": self.lag}] if self.lag else []
        self.directory = directory / f"{seed}"
        self.directory.mkdir(exist_ok=True)
        database = self.directory / "account.db"
        app = create_app(
            database,
            chaos=Chaos.from_rules({"rules": rules}) if rules else None,
            adversary=seed,
            clock=lambda: self.scheduler.now,
            remember=0,
        )
        plain = create_app(database, clock=lambda: self.scheduler.now, remember=0)
        self._plain = RestDriver(PROVIDER, client(plain))
        witness = Witness(lambda: self.scheduler.now, self.lag, KINDS, self._held, fresh=parts.fresh)
        self.remote = Remote(app, plain, self.scheduler, self.chance, 0.0, witness)
        self.hands = Hands(self.remote, self.scheduler, self.chance)
        self.owners = OWNERS if parts.owners else OWNERS[:1]
        self.kills = self.rounds = self.fleets = 0
        self.at_once = False
        self.begin = self.scheduler.now

    def run(self) -> None:
        """Play it. Raises Violation."""
        stranger = RestDriver(PROVIDER, client(self.remote.app)).create("assistant", dict(STRANGER))["id"]
        self.scheduler.advance(self.scheduler.now + self.lag + 1)
        first, last, beta = self._files(), self._files(), self._files(OWNERS[1])
        if self.chance.random() < 0.4:
            self._together([self._process("one", "first", first)])
        self.remote.rate = self.chance.choice((0.05, 0.2, 0.4))
        self._storm(first, last, beta)
        self._recover(last, beta, stranger)

    def _storm(self, first: list[Manifest], last: list[Manifest], beta: list[Manifest]) -> None:
        self.at_once = self.chance.random() < 0.5
        if self.at_once:
            other = self.chance.choice(("one", "two"))
            files = self.chance.choice((first, last))
            left, right = self._process("one", "left", last, True), self._process(other, "right", files, True)
            self._together([left, right, *self._meanwhile("", beta)])
        else:
            for number in range(self.chance.choice((1, 2))):
                run = self._process("one", f"run {number}", last, True)
                self._together([run, *self._meanwhile(f" {number}", beta)])
                self.scheduler.advance(self.scheduler.now + self.chance.choice((0.0, 1.0, 20.0, 100.0)))

    def _meanwhile(self, number: str, beta: list[Manifest]) -> list[Work]:
        """What others do while applies run."""
        found = [self._process("three", f"beta{number}", beta, True, OWNERS[1])] if self.parts.owners else []
        return [*found, self.hands.process(f"hands{number}")] if self.parts.hands else found

    def _recover(self, files: list[Manifest], beta: list[Manifest], stranger: str) -> None:
        """The storm is over: the next apply, on the same machine at once, leaves the account as the files say.

        Duplicates of two applies at once may need one more, when lists show them: by the machine that made them, where
        they were made at different times.
        """
        self.remote.rate = 0.0
        self.hands.take_back()
        self._together([self._process("one", "soon after", files, waits=self.at_once)])
        if self.parts.owners:
            self._together([self._process("three", "beta soon after", beta, owner=OWNERS[1])])
        if self.at_once:
            self.scheduler.advance(self.scheduler.now + self.lag + LATE_SECONDS + 1)
            self._together([self._process("two", "next", files, waits=True)])
            self._together([self._process("one", "after that", files)])
        self.scheduler.advance(self.scheduler.now + self.lag + 1)
        self._check_world([*files, *(beta if self.parts.owners else [])], stranger)
        before = len(self.remote.witness.runs)
        self._together([self._process("one", "once more", files)])
        if self.parts.owners:
            self._together([self._process("three", "beta once more", beta, owner=OWNERS[1])])
        if any(run.sent for run in self.remote.witness.runs[before:]):
            raise Violation("the apply after the last one still had something to send")

    def _files(self, owner: str = OWNERS[0]) -> list[Manifest]:
        keys = [*KEYS, *STORES] if self.parts.hands else KEYS
        chosen = [key for key in keys if self.chance.random() < 0.75]
        return [self._manifest(key, self.chance.choice((0.25, 0.5, 0.75)), owner) for key in chosen]

    def _manifest(self, key: str, temperature: float, owner: str) -> Manifest:
        name = f"{key} {temperature}" + f" of {owner}" * (owner != OWNERS[0])
        if key in STORES:
            return Manifest(Address("vector_store", key), {"name": name}, Source(f"{key}.yaml", 1, 1))
        body: dict[str, Any] = {"name": name, "model": "gpt-4o", "temperature": temperature}
        if key == "c":
            body["metadata"] = {"team": str(temperature)}
        return Manifest(Address("assistant", key), body, Source(f"{key}.yaml", 1, 1))

    def _process(
        self,
        machine: str,
        name: str,
        files: list[Manifest],
        mortal: bool = False,
        owner: str = OWNERS[0],
        waits: bool = False,
    ) -> Work:
        """An apply. Where it `waits`, it may leave duplicates to the machine that made them."""
        kill_at = self.chance.randint(1, 25) if mortal and self.chance.random() < 0.5 else None
        process = Process(self.scheduler, name, kill_at)
        keys = frozenset(manifest.address.key for manifest in files)
        run = Run(process, machine, owner, keys, self.scheduler.now, self.rounds)
        slow = mortal and self.parts.hands
        http = HttpClient(
            self._connection(mortal),
            wsgi_app=self.remote.seen_by(run),
            pause=process.pause,
            clock=process.clock,
            chance=self.chance.random,
        )
        driver = RestDriver(PROVIDER, http)
        where = Machine(self.directory / machine, driver, process.clock, process.pause, SETTLE_SECONDS, owner)
        where.kinds = ON_TARGET if self.parts.hands else ON_TARGET[1:]
        questions = QUESTIONS if slow else (0.0,)

        def ask(plan: Plan) -> None:
            run.plans()
            if seconds := self.chance.choice(questions):
                process.boundary(seconds)

        where.ask = ask
        where.draw, where.agrees = self._draw, True

        def work() -> None:
            died = True
            try:
                code = where.apply(files)
                blocked = {change.blocked.by for change in where.plans[-1].changes if change.blocked} if waits else {}
                left = code is Exit.BLOCKED and blocked == {Blocker.DUPLICATE}
                if not mortal and code is not Exit.DONE and not left:
                    raise Violation(f"{name} met no fault and ended with {code!r}: {where.outcomes}")
                died = False
            finally:
                if died:
                    self._died()
                check_sent(run, where.plans)

        return process, work

    def _connection(self, mortal: bool) -> ConnectionSettings:
        slow = mortal and self.parts.hands
        return replace(CONNECTION, writes_per_minute=self.chance.choice(RATES)) if slow else CONNECTION

    def _died(self) -> None:
        self.kills += 1

    def _draw(self) -> str:
        return f"{self.chance.getrandbits(48):012x}"

    def _together(self, runs: list[Work]) -> None:
        self.rounds += 1
        self.scheduler.run(dict(runs))

    def _held(self) -> dict[str, tuple[Kind, Body]]:
        """Every object by its id, as the server really holds it."""
        kinds = [each.kind for each in (ON_TARGET if self.parts.hands else ON_TARGET[1:])]
        return {body["id"]: (kind, body) for kind in kinds for body in self._plain.list(kind.name)}

    def _check_world(self, files: list[Manifest], stranger: str) -> None:
        held = {id: body for id, (_, body) in self._held().items()}
        theirs = held.pop(stranger, None)
        if theirs is None or (theirs["name"], theirs.get("metadata") or {}) != (STRANGER["name"], {}):
            raise Violation(f"an object of others was touched: {theirs}")
        found = sorted((body["name"], float(body.get("temperature", 0))) for body in held.values())
        wanted = sorted((m.body["name"], float(m.body.get("temperature", 0))) for m in files)
        if found != wanted:
            raise Violation(f"the account holds {found}, the files say {wanted}")


def check_sent(run: Run, plans: list[Plan]) -> None:
    """See that a plan of this run shows all that it sent. Raises Violation."""
    changes = [change for plan in plans for change in plan.changes if change.is_due]
    deletes = {change.id for change in changes if change.action is Action.DELETE}
    for method, path, body in run.sent:
        if method == "POST" and not any(_is_planned(path, body, change) for change in changes):
            raise Violation(f"{run.process.name} sent what no plan shows: {body}")
    for id, made in run.deleted:
        if id not in deletes and made.by.machine != run.machine:
            raise Violation(f"{run.process.name} deleted {id}, which no plan shows and its machine did not make")


def _is_planned(path: str, body: Body, change: Change) -> bool:
    """Whether a request is that of a change; of what is already as wanted, or beside what is ours, it may say less."""
    sent, planned = without_nonce(body), without_nonce(change.patch) or {}
    if sent == planned:
        return True
    if path.rpartition("/")[2] != change.id or not sent.keys() <= planned.keys():
        return False
    entries = {unit[1] for unit in change.units if len(unit) > 1}
    ours, theirs = (_entries(each, entries) for each in (planned, sent))
    rest = all(sent[name] == planned[name] for name in sent if name != "metadata")
    return rest and all(ours.get(entry) == value for entry, value in theirs.items())


def _entries(body: Body, entries: Set[str]) -> Body:
    return {name: value for name, value in (body.get("metadata") or {}).items() if name in entries}
