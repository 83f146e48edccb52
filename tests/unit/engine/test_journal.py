"""The journal of creates: whose it is, how long it holds a create off, and when a file of it is removed."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.core.values.model import Address
from reconciler.engine.snapshot import observe
from reconciler.engine.state.journal import Journal, seconds_up
from reconciler.tree import Tree
from tests.world import ON_TARGET, World

A, B = Address("assistant", "a"), Address("assistant", "b")
DAY = 86_400.0


class Times:
    """A machine: a clock that somebody may set, and seconds since its start."""

    def __init__(self) -> None:
        self.clock, self.up = 1_700_000_000.0, 500.0

    def pass_by(self, seconds: float) -> None:
        self.clock += seconds
        self.up += seconds

    def journal(self, directory: Path, **more: object) -> Journal:
        url = str(more.pop("url", "http://x/v1"))
        return Journal(Tree(directory), url, 30, lambda: self.clock, ticks=lambda: self.up, **more)  # type: ignore[arg-type]


def files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.jsonl"))


def test_a_clock_that_is_set_does_not_end_a_hold_off(tmp_path: Path) -> None:
    for jump in (DAY, -DAY, 31.0):
        times, directory = Times(), tmp_path / str(jump)
        directory.mkdir()
        times.journal(directory).attempt(A, "killed123456")
        times.clock += jump
        (attempt,) = times.journal(directory).recent()
        assert times.journal(directory).seconds_to_settle([attempt]) == 30
        times.pass_by(10)
        assert times.journal(directory).seconds_to_settle([attempt]) == 20
        times.pass_by(21)
        assert times.journal(directory).recent() == []


def test_after_another_start_of_the_machine_the_clock_counts(tmp_path: Path) -> None:
    times = Times()
    times.journal(tmp_path).attempt(A, "killed123456")
    times.clock, times.up = times.clock + 20, 3.0
    (attempt,) = times.journal(tmp_path).recent()
    assert times.journal(tmp_path).seconds_to_settle([attempt]) == 10


def test_seconds_since_the_start_only_grow() -> None:
    assert 0 < seconds_up() <= seconds_up()


def test_what_was_sent_before_a_jump_is_not_created_again(tmp_path: Path) -> None:
    world, times = World(tmp_path, settle_seconds=30), Times()
    times.journal(tmp_path).attempt(A, "killed123456")
    times.clock += DAY
    assert [a.address for a in observe(world.driver, [ON_TARGET], times.journal(tmp_path)).unsettled] == [A]


def test_the_file_of_a_run_that_goes_on_is_never_removed(tmp_path: Path) -> None:
    times = Times()
    running = times.journal(tmp_path)
    running.attempt(A, "running12345")
    (file,) = files(tmp_path)
    times.pass_by(DAY)
    os.utime(file, (1, 1))
    times.journal(tmp_path).recent()  # a plan
    other = times.journal(tmp_path)
    other.attempt(B, "another12345")  # an apply
    assert file in files(tmp_path)
    running.made("running12345", "asst_1")
    assert "asst_1" in file.read_text()
    running.close()
    other.close()
    times.journal(tmp_path).recent()
    assert file not in files(tmp_path)


def test_a_file_of_a_run_that_ended_stays_until_its_creates_have_long_settled(tmp_path: Path) -> None:
    times = Times()
    ended = times.journal(tmp_path)
    ended.attempt(A, "ended1234567")
    ended.close()
    times.clock += DAY
    times.journal(tmp_path).attempt(B, "another12345")
    assert len(files(tmp_path)) == 2
    later = times.journal(tmp_path)
    assert {"ended1234567", "another12345"} == {a.nonce for a in later.recent()}
    assert "ended1234567" in later.nonces


def test_a_journal_is_of_one_url_one_owner_and_one_account(tmp_path: Path) -> None:
    times = Times()
    times.journal(tmp_path, owner="acme", account=lambda: "org-1").attempt(A, "killed123456")
    assert times.journal(tmp_path, owner="acme", url="http://y/v1").recent() == []
    assert times.journal(tmp_path, owner="other").recent() == []
    (attempt,) = times.journal(tmp_path, owner="acme").recent()
    world = World(tmp_path, settle_seconds=30)
    for account, here in (("org-1", True), ("org-2", False), (None, True)):
        journal = times.journal(tmp_path, owner="acme", account=lambda account=account: account)
        assert journal.is_here(attempt) is here
        assert len(observe(world.driver, [ON_TARGET], journal).unsettled) == here
