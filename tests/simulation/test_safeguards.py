"""Each safeguard is taken away, and something is found broken: none of them is there for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.exits import Exit
from reconciler.core import plan
from reconciler.core.matching.index import Managed
from reconciler.core.values.model import Address, Body
from reconciler.drivers.base import RemoteError
from reconciler.drivers.rest import RestDriver
from reconciler.engine import execute
from reconciler.engine.admission import Ticket
from reconciler.engine.create_settlement import CreateSettlement
from reconciler.engine.fleet.database_attempts import DatabaseAttempts
from reconciler.engine.state.journal import Journal
from reconciler.server import Chaos, create_app
from tests.faults.machine import Machine
from tests.faults.matrix import manifest
from tests.simulation import remote, schedule
from tests.simulation.play import play
from tests.simulation.schedule import Parts
from tests.world import PROVIDER, Clock, client

SEEDS = range(600)


def broken(
    monkeypatch: pytest.MonkeyPatch, owner: object, name: str, instead: object, parts: Parts | None = None
) -> str:
    """The law that is broken first when something else stands in the place of a safeguard; empty if none is."""
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, instead)
        tally = play(SEEDS, parts, until_first=True)
    return tally.violations[0][1] if tally.violations else ""


def test_without_a_nonce_of_their_own_twins_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    assert broken(monkeypatch, schedule.Schedule, "_draw", lambda self: "0" * 12)


def test_without_the_hold_off_objects_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "doubled" in broken(monkeypatch, schedule, "SETTLE_SECONDS", 0.0)


def test_without_the_journal_objects_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "doubled" in broken(monkeypatch, Journal, "recent", lambda self: [])


def test_with_lists_believed_though_they_broke_off_objects_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = RestDriver.list

    def as_far_as_it_goes(self: RestDriver, kind: str) -> Iterator[Body]:
        try:
            yield from whole(self, kind)
        except RemoteError:
            return

    monkeypatch.setattr(remote, "FAULTS", ("garbage",))
    assert "doubled" in broken(monkeypatch, RestDriver, "list", as_far_as_it_goes)


def test_with_creates_sent_again_as_a_vendor_s_client_does_objects_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    def blindly(self: RestDriver, kind: str, body: Body, sending: Any = None) -> Body:
        made: Body = self._send("POST", self._provider.kinds[kind].path, body=body).body
        return made

    assert "doubled" in broken(monkeypatch, RestDriver, "create", blindly)


def test_without_the_oldest_stays_rule_the_last_object_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    def mine_stays(self: CreateSettlement, outcome: Any, claims: list[Managed]) -> Any:
        mine_first = sorted(claims, key=lambda owned: owned.live.id != outcome.id)
        for extra in mine_first[1:]:
            self._delete(outcome, extra, mine_first[0])
        return outcome

    assert broken(monkeypatch, CreateSettlement, "_one", mine_stays)


def test_without_taking_down_creates_first_workers_double_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    def keeps_to_itself(self: DatabaseAttempts, address: Address, nonce: str) -> None:
        self._addresses[nonce] = address
        self.nonces.add(nonce)

    said = broken(monkeypatch, DatabaseAttempts, "attempt", keeps_to_itself, Parts(fleet=True))
    assert re.match(r"worker .* doubled", said)


def test_without_a_look_before_each_write_workers_overwrite_or_delete(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(hands=True, fresh=True, fleet=True)
    said = broken(monkeypatch, Ticket, "renew", lambda self: False, parts)
    assert re.match(r"(worker|apply) .* (overwrote|deleted) .* (meanwhile|protected|use)", said)


def machine(directory: Path, rules: list[dict[str, Any]]) -> tuple[Machine, RestDriver]:
    """A machine on an account in this process, and the account without its faults."""
    clock = Clock()
    app = create_app(directory / "world.db", chaos=Chaos.from_rules({"rules": rules}), clock=clock)
    plain = RestDriver(PROVIDER, client(create_app(directory / "world.db", clock=clock)))
    return Machine(directory / "journal", RestDriver(PROVIDER, client(app)), clock, clock.pause, 0.0), plain


def test_without_the_check_of_answers_an_overridden_field_passes_for_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overriding = [{"on": "create", "override": {"temperature": 0.1}}]
    for name, code in (("checked", Exit.PARTLY), ("unchecked", Exit.DONE)):
        (tmp_path / name).mkdir()
        at, plain = machine(tmp_path / name, overriding)
        if name == "unchecked":
            monkeypatch.setattr(execute, "verify", lambda *anything: ())
        assert at.apply([manifest("a", temperature=0.9)]) is code
        assert [body["temperature"] for body in plain.list("assistant")] == [0.1]


def test_without_the_guard_an_empty_directory_deletes_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, plain = machine(tmp_path, [])
    assert at.apply([manifest(key) for key in "abc"]) is Exit.DONE
    assert at.apply([]) is Exit.BLOCKED
    assert len(list(plain.list("assistant"))) == 3
    monkeypatch.setattr(plan, "guard", lambda changes, *anything: list(changes))
    at.apply([])
    assert list(plain.list("assistant")) == []


def test_every_safeguard_that_is_documented_has_its_test() -> None:
    root = Path(__file__).parents[2]
    named = set(re.findall(r"\| `(test_with\w+)` \|", (root / "docs" / "reliability.md").read_text(encoding="utf-8")))
    files = (Path(__file__), root / "tests" / "hostile" / "test_secrets.py")
    there = {name for file in files for name in re.findall(r"^def (test_with\w+)", file.read_text(), re.MULTILINE)}
    assert named == {
        name for name in there if name.startswith(("test_without_", "test_with_lists", "test_with_creates"))
    }
    assert len(named) == 11
