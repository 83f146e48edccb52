"""Creates on a remote whose lists lag behind: the hold-off, the journal, and what is said when nobody can know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.core.values.model import Action, Address, Manifest
from reconciler.diagnostics import Source
from reconciler.drivers.base import Ambiguous
from reconciler.formats.outcome import Result
from tests.world import World, due

A = Address("assistant", "a")
FILES = [Manifest(A, {"name": "a", "model": "gpt-4o"}, Source("a.yaml", 1, 1))]
LAG = {"on": "list", "slow_visibility": 5}


def lost(nth: int) -> dict[str, object]:
    return {"on": "create", "nth": nth, "drop": "after_commit"}


def test_a_lost_create_is_found_though_the_list_lags(tmp_path: Path) -> None:
    world = World(tmp_path, chaos={"rules": [lost(1), LAG]}, settle_seconds=30)
    (outcome,) = world.apply(world.plan(FILES))
    assert (outcome.result, outcome.id) == (Result.DONE, next(iter(world.raw())))
    assert len(world.raw()) == 1


def test_a_create_that_did_not_happen_is_sent_again_after_the_hold_off(tmp_path: Path) -> None:
    never = {"on": "create", "nth": 1, "drop": "before_commit"}
    world = World(tmp_path, chaos={"rules": [never, LAG]}, settle_seconds=30)
    begin = world.clock()
    (outcome,) = world.apply(world.plan(FILES))
    assert outcome.result is Result.DONE
    assert len(world.raw()) == 1
    assert world.clock() - begin >= 30


def test_a_hold_off_shorter_than_the_lag_makes_a_twin_and_the_next_apply_removes_it(tmp_path: Path) -> None:
    world = World(tmp_path, chaos={"rules": [lost(1), LAG]}, settle_seconds=0)
    world.apply(world.plan(FILES))
    assert len(world.raw()) == 2
    world.clock.pause(10)
    assert [change.action for change in due(world.plan(FILES))] == [Action.DELETE]
    world.apply(world.plan(FILES))
    assert len(world.raw()) == 1


def test_what_was_just_made_is_read_by_its_id_where_the_list_does_not_show_it(tmp_path: Path) -> None:
    world = World(tmp_path, chaos={"rules": [LAG]}, settle_seconds=30)
    world.apply(world.plan(FILES))
    assert due(world.plan(FILES)) == []
    assert len(world.raw()) == 1


def test_a_create_cut_off_by_a_kill_is_reported_as_unsettled_until_the_hold_off_is_over(tmp_path: Path) -> None:
    world = World(tmp_path, settle_seconds=30)
    world.journal().attempt(A, "killed123456")
    (attempt,) = world.look().unsettled
    assert attempt.address == A
    assert world.journal().seconds_to_settle([attempt]) == 30
    world.clock.pause(31)
    assert world.look().unsettled == ()


def test_a_refused_create_is_not_waited_for(tmp_path: Path) -> None:
    world = World(tmp_path, settle_seconds=30)
    journal = world.journal()
    journal.attempt(A, "refused12345")
    journal.refused("refused12345")
    assert world.look().unsettled == ()


def test_a_torn_line_of_the_journal_is_passed_over(tmp_path: Path) -> None:
    world = World(tmp_path, settle_seconds=30)
    journal = world.journal()
    journal.attempt(A, "whole1234567")
    (file,) = (tmp_path / "journal").rglob("*.jsonl")
    file.write_bytes(file.read_bytes() + b'{"nonce": "torn", "ki')
    assert [attempt.nonce for attempt in world.journal().recent()] == ["whole1234567"]
    assert json.loads(file.read_bytes().splitlines()[0])["key"] == "a"


def test_a_disk_that_fills_up_loses_no_attempt_and_stops_nothing_that_was_sent(tmp_path: Path) -> None:
    import resource

    world = World(tmp_path, settle_seconds=30)
    journal = world.journal()
    journal.attempt(A, "before123456")
    (file,) = (tmp_path / "journal").rglob("*.jsonl")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 10, before[1]))
    try:
        with pytest.raises(OSError, match="truncated"):
            journal.attempt(A, "during123456")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.attempt(A, "after1234567")
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        journal.made("after1234567", "asst_1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(attempt.nonce for attempt in world.journal().recent()) == ["after1234567", "before123456"]


def test_old_journals_are_cleared_away(tmp_path: Path) -> None:
    import os

    world = World(tmp_path, settle_seconds=30)
    journal = world.journal()
    journal.attempt(A, "old123456789")
    journal.close()
    (file,) = (tmp_path / "journal").rglob("*.jsonl")
    os.utime(file, (world.clock(), world.clock()))
    world.clock.pause(2 * 3600)
    assert world.journal().recent() == []
    assert not file.exists()


def test_when_lists_fail_after_a_lost_create_nothing_is_sent_again_and_it_is_said(tmp_path: Path) -> None:
    broken = [{"on": "list", "nth": nth, "status": 400} for nth in range(3, 60)]
    world = World(tmp_path, chaos={"rules": [lost(1), *broken]}, settle_seconds=30)
    (outcome,) = world.apply(world.plan(FILES))
    assert outcome.result is Result.UNKNOWN
    assert outcome.error is not None
    assert "nonce" in outcome.error.hint
    assert len(world.raw()) == 1


def test_a_journal_that_cannot_be_written_stops_the_create(tmp_path: Path) -> None:
    world = World(tmp_path, settle_seconds=30)
    plan = world.plan(FILES)
    (tmp_path / "journal").write_text("a file is in the way")
    with pytest.raises(OSError, match="journal"):
        world.journal().attempt(A, "x")
    (outcome,) = world.apply(plan)
    assert outcome.result is Result.FAILED
    assert world.raw() == {}


def test_an_ambiguous_create_is_an_error_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path, chaos={"rules": [lost(1)]})
    with pytest.raises(Ambiguous):
        world.driver.create("assistant", {"model": "m"})
