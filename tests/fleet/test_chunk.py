"""A chunk: run again, run twice at once, cut off, overtaken. PostgreSQL and the embedded server are real."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.schema.schemas import shipped
from reconciler.core.plan import Scope
from reconciler.core.values.model import Address, Body, Manifest
from reconciler.diagnostics import Code, Source
from reconciler.drivers.rest import RestDriver
from reconciler.engine.chunk import ChunkTarget, Report, RequestBudget, reconcile_chunk
from reconciler.engine.fleet.database import Database, DatabaseError
from reconciler.engine.fleet.database_attempts import AttemptBatcher
from reconciler.engine.fleet.database_registry import DatabaseRegistry
from reconciler.engine.snapshot import KindOnTarget, live_object
from reconciler.formats.outcome import Result
from reconciler.operations.project.kinds import kinds_of
from reconciler.server import Chaos, create_app
from tests.simulation.witness import protected
from tests.world import IDENTITY, KIND, ON_TARGET, PROVIDER, Clock, client

HOLD_OFF = 600.0


def at(key: str) -> Address:
    return Address("assistant", key)


class Account:
    """An account, and workers on it that share a database."""

    def __init__(self, directory: Path, url: str) -> None:
        self.file = directory / "account.db"
        self.url = url
        self.plain = RestDriver(PROVIDER, client(create_app(self.file)))
        self.bodies: dict[str, Body] = {}

    def worker(
        self, database: Database, chaos: dict[str, Any] | None = None, kinds: Sequence[KindOnTarget] = (ON_TARGET,)
    ) -> ChunkTarget:
        app = create_app(self.file, chaos=Chaos.from_rules(chaos) if chaos else None)
        self.app = app
        driver = RestDriver(PROVIDER, client(app))
        memory = DatabaseRegistry(database, "test", driver, kinds, "acme", HOLD_OFF)
        return ChunkTarget(IDENTITY, Scope("acme"), driver, kinds, self.manifests, memory, settle_seconds=0)

    def manifests(self, addresses: Any) -> list[Manifest]:
        return [
            Manifest(address, self.bodies[address.key], Source(f"{address.key}.yaml", 1, 1))
            for address in addresses
            if address.key in self.bodies
        ]

    def names(self) -> Counter[str]:
        return Counter(str(body["name"]) for body in self.plain.list("assistant"))

    def fill(self, count: int) -> list[Address]:
        self.bodies = {f"a{number}": {"name": f"a{number}", "model": "gpt-4o"} for number in range(count)}
        return [at(key) for key in self.bodies]


@pytest.fixture
def account(tmp_path: Path, database_url: str) -> Account:
    return Account(tmp_path, database_url)


def writes(account: Account) -> list[Any]:
    return [request for request in account.app.requests if request.method != "GET"]


def test_it_creates_and_run_again_it_reads_each_object_and_sends_nothing(account: Account, database: Database) -> None:
    addresses = account.fill(5)
    report = reconcile_chunk(account.worker(database), addresses)
    assert [outcome.result for outcome in report.outcomes] == [Result.DONE] * 5
    again = reconcile_chunk(account.worker(database), addresses)
    assert (again.again, again.trouble, again.requests) == ({}, None, 5)
    assert [request.method for request in account.app.requests] == ["GET"] * 5


def test_only_what_differs_is_sent_whoever_changed_it(account: Account, database: Database) -> None:
    addresses = account.fill(2)
    made = reconcile_chunk(account.worker(database), addresses)
    account.plain.update("assistant", made.outcomes[0].id or "", {"model": "gpt-4-turbo", "description": "by hand"})
    account.bodies["a1"] = {**account.bodies["a1"], "temperature": 0.5}
    reconcile_chunk(account.worker(database), addresses)
    sent = {key: request.body for request in writes(account) for key in request.body if key != "metadata"}
    assert sent == {"model": {"model": "gpt-4o"}, "temperature": sent["temperature"]}
    assert sent["temperature"]["temperature"] == 0.5


@pytest.mark.parametrize("runs", [2, 4])
def test_run_several_times_at_once_each_address_gets_one_object(
    runs: int, account: Account, database: Database
) -> None:
    addresses = account.fill(30)
    targets = [account.worker(database) for _ in range(runs)]
    barrier = threading.Barrier(runs)

    def one(target: ChunkTarget) -> Report:
        barrier.wait(300)
        return reconcile_chunk(target, addresses)

    with ThreadPoolExecutor(runs) as pool:
        reports = list(pool.map(one, targets))
    assert account.names() == {f"a{number}": 1 for number in range(30)}
    done = Counter(o.address for report in reports for o in report.outcomes if o.action == "create")
    assert set(done.values()) == {1}
    assert all(report.trouble is None for report in reports)
    final = reconcile_chunk(account.worker(database), addresses)
    assert final.again == {}


def age(database: Database) -> None:
    """Let an hour pass for the creates under way."""
    database.run("UPDATE reconciler_attempt SET at = at - interval '1 hour' WHERE id IS NULL")


def in_flight(account: Account, database: Database, address: Address, nonce: str) -> None:
    """What a worker leaves that was killed right before its create went out."""
    account.worker(database).memory.attempts().attempt(address, nonce)


def test_of_creates_of_one_address_that_are_taken_down_at_once_one_goes_out(
    account: Account, database: Database
) -> None:
    """They share a statement, with those of other addresses, which go out all the same."""
    announced = AttemptBatcher(database)
    wanted = [(at("same"), f"nonce{number}") for number in range(6)]
    wanted += [(at(f"other{number}"), f"other{number}") for number in range(6)]
    barrier = threading.Barrier(len(wanted))

    def one(each: tuple[Address, str]) -> bool:
        barrier.wait(300)
        return announced.take_down("test", *each)

    with ThreadPoolExecutor(len(wanted)) as pool:
        taken = list(pool.map(one, wanted))
    assert (sum(taken[:6]), taken[6:]) == (1, [True] * 6)
    (winner,) = [nonce for (_, nonce), one in zip(wanted[:6], taken[:6], strict=True) if one]
    assert database.rows("SELECT nonce FROM reconciler_attempt WHERE key = 'same'") == [(winner,)]
    assert announced.take_down("test", at("same"), winner)  # sent again, it is the same create


def test_all_who_wait_for_a_statement_hear_that_the_database_is_lost(account: Account, database: Database) -> None:
    announced = AttemptBatcher(database)
    database.run("DROP TABLE reconciler_attempt")
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(announced.take_down, "test", at(f"a{number}"), f"n{number}") for number in range(5)]
        problems = [each.exception(300) for each in asked]
    assert [type(problem) for problem in problems] == [DatabaseError] * 5


def test_what_is_told_of_a_create_that_was_overtaken_is_nothing(account: Account, database: Database) -> None:
    addresses = account.fill(25)
    slow = account.worker(database)

    def others_take(address: Address) -> None:
        values = {"key": address.key}
        database.run("UPDATE reconciler_attempt SET nonce = 'another', id = 'theirs' WHERE key = %(key)s", values)

    class Overtaken(_StandsStill):
        def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
            made: Body = self._driver.create(kind, body, sending)
            if made["name"] == "a7":
                others_take(at("a7"))
            return made

    late = ChunkTarget(
        slow.identity, slow.scope, Overtaken(slow.driver, lambda: None), slow.kinds, slow.manifests, slow.memory
    )
    told: list[Address] = []
    report = reconcile_chunk(late, addresses, tell=lambda outcomes: told.extend(o.address for o in outcomes))
    assert at("a7") not in told
    assert set(told) < set(addresses)
    assert list(report.again) == [at("a7")]
    assert "a7" not in account.names()


def test_a_create_that_another_run_began_is_left_alone_until_its_hold_off_is_over(
    account: Account, database: Database
) -> None:
    addresses = account.fill(1)
    in_flight(account, database, addresses[0], "nonce00000aa")
    report = reconcile_chunk(account.worker(database), addresses)
    assert 0 < report.again[addresses[0]] <= HOLD_OFF
    assert (report.outcomes, account.app.requests) == ((), [])
    age(database)
    reconcile_chunk(account.worker(database), addresses)
    assert account.names() == {"a0": 1}


def test_a_create_that_happened_although_its_run_was_killed_is_found_by_its_nonce(
    account: Account, database: Database
) -> None:
    addresses = account.fill(2)
    reconcile_chunk(account.worker(database), addresses[:1])
    database.run("UPDATE reconciler_attempt SET id = NULL")  # killed before the answer was taken down
    age(database)
    report = reconcile_chunk(account.worker(database), addresses)
    assert account.names() == {"a0": 1, "a1": 1}
    assert report.again == {}


@pytest.mark.parametrize("when", ["before_commit", "after_commit"])
def test_a_create_whose_answer_was_lost_is_settled_by_a_later_run(
    when: str, account: Account, database: Database
) -> None:
    addresses = account.fill(1)
    rules = {"rules": [{"on": "create", "nth": 1, "drop": when}]}
    first = reconcile_chunk(account.worker(database, rules), addresses)
    assert list(first.again) == addresses
    assert len(writes(account)) == 1
    held = reconcile_chunk(account.worker(database), addresses)
    assert (list(held.again), writes(account)) == (addresses, [])
    age(database)
    assert reconcile_chunk(account.worker(database), addresses).again == {}
    assert account.names() == {"a0": 1}


def test_a_run_that_comes_back_after_others_made_its_object_removes_its_own(
    account: Account, database: Database
) -> None:
    """A worker stood still between taking its create down and sending it, for longer than the hold-off."""
    addresses = account.fill(1)
    slow = account.worker(database)

    def others_finish() -> None:
        age(database)
        reconcile_chunk(account.worker(database), addresses)

    late = ChunkTarget(
        slow.identity, slow.scope, _StandsStill(slow.driver, others_finish), slow.kinds, slow.manifests, slow.memory
    )
    report = reconcile_chunk(late, addresses)
    assert account.names() == {"a0": 1}
    assert list(report.again) == addresses
    assert reconcile_chunk(account.worker(database), addresses).again == {}
    assert account.names() == {"a0": 1}


@pytest.mark.parametrize("act", ["uses", "protects"])
def test_what_was_made_too_much_stays_where_somebody_uses_or_protects_it_by_now(
    act: str, account: Account, database: Database
) -> None:
    store = next(each for each in kinds_of(PROVIDER, shipped()) if each.kind.name == "vector_store")
    address = Address("vector_store", "s")
    worker = account.worker(database, kinds=[store, ON_TARGET])

    class Overtaken(_StandsStill):
        def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
            made: Body = self._driver.create(kind, body, sending)
            database.run("UPDATE reconciler_attempt SET nonce = 'another', id = 'theirs'")
            if act == "uses":
                uses = {"file_search": {"vector_store_ids": [made["id"]]}}
                account.plain.create("assistant", {"name": "theirs", "model": "gpt-4o", "tool_resources": uses})
            else:
                mark = protected(made["metadata"]["reconciler"], True)
                account.plain.update("vector_store", made["id"], {"metadata": {"reconciler": mark}})
            return made

    manifest = Manifest(address, {"name": "s"}, Source("s.yaml", 1, 1))
    late = replace(worker, driver=Overtaken(worker.driver, lambda: None), manifests=lambda addresses: [manifest])
    report = reconcile_chunk(late, [address])
    assert len(list(account.plain.list("vector_store"))) == 1
    assert list(report.again) == [address]


class _StandsStill:
    """A driver that, once a create is taken down, stands still while others work."""

    def __init__(self, driver: Any, meanwhile: Callable[[], None]) -> None:
        self._driver = driver
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def create(self, kind: str, body: Body, sending: Callable[[], None] | None = None) -> Body:
        assert sending
        sending()
        self._meanwhile()
        made: Body = self._driver.create(kind, body)
        return made


class _Slow:
    """A driver whose reads take longer than what they show is fresh; others act before the last one is answered."""

    def __init__(self, driver: Any, clock: Clock, meanwhile: Callable[[], object]) -> None:
        self._driver = driver
        self._clock = clock
        self._acts = [lambda: None, meanwhile]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def read(self, kind: str, id: str) -> Body:
        found: Body = self._driver.read(kind, id)
        self._clock.now += 6
        if self._acts:
            self._acts.pop(0)()
        return found


def test_what_was_changed_while_a_chunk_was_still_reading_is_not_overwritten(
    account: Account, database: Database
) -> None:
    """A rate limit spreads the reads of a chunk over a minute: the first one is old when the last one is there."""
    addresses = account.fill(2)
    made = reconcile_chunk(account.worker(database), addresses)
    first = made.outcomes[0].id or ""
    account.bodies = {key: {**body, "model": "gpt-4-turbo"} for key, body in account.bodies.items()}
    worker, clock = account.worker(database), Clock()
    slow = _Slow(worker.driver, clock, lambda: account.plain.update("assistant", first, {"model": "gpt-4.1"}))
    target = replace(worker, driver=slow, concurrency=1, clock=clock)
    report = reconcile_chunk(target, addresses)
    assert account.plain.read("assistant", first)["model"] == "gpt-4.1"
    assert list(report.again) == addresses[:1]
    assert [outcome.address for outcome in report.outcomes] == addresses[1:]


def test_a_run_that_learned_nothing_before_a_survey_forgot_the_creates_still_makes_no_second_object(
    account: Account, database: Database
) -> None:
    addresses = account.fill(1)
    slow = account.worker(database)

    class Stale:
        """What was known before anybody created anything."""

        def known(self, *asked: Any) -> Any:
            before = slow.memory.known(*asked)
            made = reconcile_chunk(account.worker(database), addresses)
            live = list(account.plain.list("assistant"))
            surveyor = account.worker(database).memory
            surveyor.saw(7, ON_TARGET, [live_object(ON_TARGET, body) for body in live])  # type: ignore[attr-defined]
            database.run("DELETE FROM reconciler_attempt")
            assert made.outcomes
            return before

        def attempts(self) -> Any:
            return slow.memory.attempts()

    stale = ChunkTarget(slow.identity, slow.scope, slow.driver, slow.kinds, slow.manifests, Stale())
    report = reconcile_chunk(stale, addresses)
    assert list(report.again) == addresses
    assert account.names() == {"a0": 1}


def test_an_object_that_is_gone_is_not_made_again_before_a_whole_list_says_so(
    account: Account, database: Database
) -> None:
    addresses = account.fill(1)
    made = reconcile_chunk(account.worker(database), addresses)
    account.plain.delete("assistant", made.outcomes[0].id or "")
    report = reconcile_chunk(account.worker(database), addresses)
    assert report.outcomes[0].error is not None
    assert report.outcomes[0].error.code is Code.BLOCKED
    assert account.names() == {}


def test_what_is_over_the_budget_is_left_for_another_run(account: Account, database: Database) -> None:
    addresses = account.fill(10)
    report = reconcile_chunk(account.worker(database), addresses, RequestBudget(requests=4))
    assert (len(report.outcomes), len(report.again)) == (4, 6)
    assert len(account.app.requests) == 4


def test_a_target_that_cannot_be_reached_is_trouble_and_not_the_manifests_fault(
    account: Account, database: Database
) -> None:
    addresses = account.fill(3)
    rules = {"rules": [{"on": "create", "status": 401}]}
    report = reconcile_chunk(account.worker(database, rules), addresses)
    assert report.trouble is not None
    assert report.trouble.code is Code.REFUSED_CREDENTIAL
    assert set(report.again) == set(addresses)


def test_an_address_without_a_manifest_here_is_told_and_nothing_is_sent(account: Account, database: Database) -> None:
    report = reconcile_chunk(account.worker(database), [at("elsewhere")])
    assert report.outcomes[0].error is not None
    assert report.outcomes[0].error.code is Code.NO_SUCH_ADDRESS
    assert account.app.requests == []
    assert KIND.name == "assistant"
