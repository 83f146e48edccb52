"""The witness of the simulation notices what it is there for: each law is broken by hand once, and just kept once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.core.values.semantics import Kind
from tests.simulation.schedule import KINDS
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.witness import FRESH_SECONDS, Body, Run, Violation, Witness, protected

MARK = "1 acme a nonce0000001 - -"
ASSISTANT, STORE = KINDS["assistants"], KINDS["vector_stores"]
SOON, LATE = FRESH_SECONDS - 1, FRESH_SECONDS + 1


class Account:
    """One object of acme, `x`, and who looks at it and changes it."""

    def __init__(self, kind: Kind = ASSISTANT) -> None:
        self.now = 0.0
        self.kind = kind
        self.objects: dict[str, tuple[Kind, Body]] = {}
        self.witness = Witness(lambda: self.now, 0.0, KINDS, lambda: self.objects, fresh=True)
        self.maker = self.run("maker")
        body = {"id": "x", "name": "x", "metadata": {"reconciler": MARK}}
        self.witness.made(self.maker, body)
        self.objects["x"] = (kind, body)
        self.objects["user"] = (ASSISTANT, {"id": "user", "name": "theirs", "metadata": {}})

    def run(self, name: str, owner: str = "acme", round: int = 1) -> Run:
        process = Process(Scheduler(random.Random(0), 0.0), name)
        run = Run(process, name, owner, frozenset(), self.now, round)
        self.witness.runs.append(run)
        return run

    def look(self, run: Run) -> None:
        self.witness.saw(run, ["assistant", "vector_store", *self.objects], self.witness.commits)

    def plan(self, run: Run) -> None:
        self.look(run)
        run.plans()

    def edit(self, by: Run | str, id: str = "x", **fields: object) -> None:
        kind, before = self.objects[id]
        after = {**before, **fields}
        self.objects[id] = (kind, after)
        if isinstance(by, Run):
            self.witness.arrives(by, id)
        self.witness.changed(by, id, kind, before, after)

    def delete(self, run: Run) -> None:
        self.witness.arrives(run, "x")
        _, before = self.objects.pop("x")
        self.witness.gone(run, "x", self.kind, before)


@contextmanager
def noticed(words: str) -> Iterator[None]:
    with pytest.raises(Violation, match=words):
        yield


def protect(account: Account) -> None:
    account.edit("somebody", metadata={"reconciler": protected(MARK, True)})


def use(account: Account) -> None:
    account.edit("somebody", "user", tool_resources={"file_search": {"vector_store_ids": ["x"]}})


def test_a_unit_that_somebody_changed_after_it_was_read_is_not_overwritten() -> None:
    account = Account()
    late = account.run("late")
    account.plan(late)
    account.edit("somebody", name="theirs")
    account.now += LATE
    with noticed("overwrote name of x, which somebody had changed"):
        account.edit(late, name="mine")


def test_another_apply_is_somebody_too() -> None:
    account = Account()
    late, other = account.run("late"), account.run("other")
    account.plan(late)
    account.plan(other)
    account.edit(other, name="theirs")
    account.now += LATE
    with noticed("which other had changed"):
        account.edit(late, name="mine")


@pytest.mark.parametrize("how", ["soon", "another unit", "read before it was planned", "the same value"])
def test_what_may_be_overwritten(how: str) -> None:
    account = Account()
    late = account.run("late")
    account.plan(late)
    account.edit("somebody", **({"description": "theirs"} if how == "another unit" else {"name": "theirs"}))
    if how == "read before it was planned":
        account.plan(late)
    account.now += SOON if how == "soon" else LATE
    account.edit(late, name="theirs" if how == "the same value" else "mine")


def test_what_was_read_again_and_is_not_what_the_plan_knows_is_not_overwritten() -> None:
    account = Account()
    late = account.run("late")
    account.plan(late)
    account.now += LATE
    account.edit("somebody", name="theirs")
    account.look(late)
    with noticed("overwrote name"):
        account.edit(late, name="mine")


def test_what_was_read_again_and_changed_once_more_is_of_the_window() -> None:
    account = Account()
    late = account.run("late")
    account.plan(late)
    account.edit("somebody", name="theirs")
    account.now += LATE
    account.look(late)
    account.edit("somebody", name="theirs, too")
    account.now += SOON
    account.edit(late, name="theirs")


def test_what_somebody_changed_back_may_be_written_again_where_the_answer_was_lost() -> None:
    account = Account()
    late = account.run("late")
    before = account.objects["x"][1]["name"]
    account.plan(late)
    account.edit(late, name="mine")
    account.edit("somebody", name=before)
    account.now += LATE
    account.look(late)
    account.edit(late, name="mine")


def test_a_request_that_is_repeated_counts_from_when_it_came_first() -> None:
    account = Account()
    late = account.run("late")
    account.plan(late)
    account.now += SOON
    account.witness.arrives(late, "x")
    account.edit("somebody", name="theirs")
    account.now += LATE
    account.edit(late, name="mine")


@pytest.mark.parametrize("act", [protect, lambda account: account.edit("somebody", description="theirs")])
def test_an_object_that_somebody_changed_or_protected_is_not_deleted(act: object) -> None:
    account = Account()
    late = account.run("late")
    account.plan(late)
    assert callable(act)
    act(account)
    account.now += LATE
    with noticed("deleted x, of which somebody had changed"):
        account.delete(late)


def test_an_object_that_was_changed_and_changed_back_may_go() -> None:
    account = Account()
    late = account.run("late")
    before = account.objects["x"][1].get("name")
    account.plan(late)
    account.edit("somebody", name="theirs")
    account.edit("somebody", name=before)
    account.now += LATE
    account.delete(late)


def test_an_object_that_was_seen_protected_is_not_deleted_however_soon() -> None:
    account = Account()
    late = account.run("late")
    protect(account)
    account.plan(late)
    with noticed("which it had seen protected"):
        account.delete(late)


@pytest.mark.parametrize("when", ["seen", "meanwhile", "soon"])
def test_a_store_that_somebody_uses_is_not_deleted(when: str) -> None:
    account = Account(STORE)
    late = account.run("late")
    if when == "seen":
        use(account)
    account.plan(late)
    if when != "seen":
        use(account)
    account.now += SOON if when == "soon" else LATE
    if when == "soon":
        account.delete(late)
        return
    with noticed("seen assistant user use" if when == "seen" else "assistant user had begun to use meanwhile"):
        account.delete(late)


def test_a_store_may_go_whose_user_was_read_lately_and_used_another_then() -> None:
    account = Account(STORE)
    late = account.run("late")
    account.plan(late)
    account.edit("somebody", "user", tool_resources={"file_search": {"vector_store_ids": ["another"]}})
    account.now += LATE
    account.look(late)
    use(account)
    account.now += SOON
    account.delete(late)


@pytest.mark.parametrize("act", ["change", "delete"])
def test_an_object_of_another_owner_is_not_touched(act: str) -> None:
    account = Account()
    beta = account.run("beta", "beta")
    account.plan(beta)
    with noticed("which is of acme"):
        account.edit(beta, name="mine") if act == "change" else account.delete(beta)


def test_an_object_of_nobody_is_not_touched() -> None:
    account = Account()
    run = account.run("run")
    account.plan(run)
    with noticed("changed user, which is of nobody here"):
        account.edit(run, "user", name="mine")


@pytest.mark.parametrize("shared", [True, False])
def test_workers_of_a_fleet_know_what_others_made_at_the_same_moment(shared: bool) -> None:
    account = Account()
    first, second = (account.run(name) for name in ("first", "second"))
    for run in (first, second):
        run.machine, run.shared = "fleet", shared
    account.witness.made(first, {"id": "y", "metadata": {"reconciler": MARK.replace(" a ", " b ")}})
    twin = {"id": "z", "metadata": {"reconciler": MARK.replace(" a ", " b ")}}
    if shared:
        with noticed("second doubled b: y was there already"):
            account.witness.made(second, twin)
    else:
        account.witness.made(second, twin)


def test_two_owners_may_have_an_object_of_the_same_key() -> None:
    account = Account()
    beta = account.run("beta", "beta")
    account.now += LATE
    account.witness.made(beta, {"id": "y", "metadata": {"reconciler": MARK.replace("acme", "beta")}})
    with noticed("doubled a: x was there already"):
        account.witness.made(account.run("late"), {"id": "z", "metadata": {"reconciler": MARK}})
