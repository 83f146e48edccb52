"""A lock in an object store is a lease: it ends by itself, and its holder knows before anybody else may have it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import obstore
import pytest
from obstore.store import ObjectStore, from_url

from reconciler.engine.locks import s3_lease
from reconciler.engine.locks.lock_protocol import Holder, LockLost, LockTaken, LockUnusable, this_run
from reconciler.engine.locks.s3_lease import Lease
from tests.locks.conftest import NAME, Store

DEAD = {"who": "ann", "host": "gone", "run": "0a1b2c3d", "since": 1.0, "free": False, "renewals": 3}


@pytest.fixture(autouse=True)
def only_the_test_renews(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes: a renewal in between would be one by a clock that the test has moved on."""
    monkeypatch.setattr(s3_lease, "RENEWAL_SECONDS", 3600.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def raw(url: str) -> ObjectStore:
    """What is in a store, past the lock."""
    return from_url(url, client_options={"allow_http": True})


def left_behind(bucket: Store, lease_seconds: float) -> None:
    """A lock whose holder was killed."""
    record = json.dumps({**DEAD, "lease_seconds": lease_seconds}).encode()
    obstore.put(raw(bucket.url), f"{NAME}.lock", record)


def test_the_lock_of_a_dead_run_is_free_once_its_lease_has_run_out_on_the_stores_clock(bucket: Store) -> None:
    left_behind(bucket, 91)
    with pytest.raises(LockTaken, match="ann on gone"):
        bucket.open().acquire(this_run())
    left_behind(bucket, 0)
    taken = bucket.open()
    taken.acquire(this_run())
    assert [entry["path"] for page in obstore.list(raw(bucket.url)) for entry in page] == [f"{NAME}.lock"]
    taken.release()


def test_a_holder_that_stood_still_past_its_lease_may_not_write(bucket: Store) -> None:
    clock = Clock()
    lock = Lease(bucket.url, NAME, 60, clock)
    lock.acquire(this_run())
    assert lock.seconds_left() == s3_lease.SPAN_SECONDS
    clock.now += s3_lease.SPAN_SECONDS
    with pytest.raises(LockLost):
        lock.seconds_left()
    lock.release()
    with pytest.raises(LockLost):
        lock.seconds_left()


def test_the_holder_ends_its_writing_a_whole_request_before_others_may_take_the_lock(bucket: Store) -> None:
    lock = Lease(bucket.url, NAME, 60)
    lock.acquire(this_run())
    record = json.loads(bytes(obstore.get(raw(bucket.url), f"{NAME}.lock").bytes()))
    assert record["lease_seconds"] >= lock.seconds_left() + 60 + s3_lease.RESOLUTION_SECONDS
    lock.release()


def test_a_renewal_makes_the_lease_last_and_one_that_fails_does_not_end_it(bucket: Store) -> None:
    clock = Clock()
    lock = Lease(bucket.url, NAME, 60, clock)
    lock.acquire(this_run())
    held = lock._held
    assert held
    clock.now += 20
    lock.renew_once(held)
    assert lock.seconds_left() == s3_lease.SPAN_SECONDS
    kept, lock._store = (
        lock._store,
        from_url(bucket.url, endpoint="http://127.0.0.1:1", retry_config={"max_retries": 0}),
    )
    with pytest.raises(LockUnusable):
        lock.renew_once(held)
    clock.now += 20
    assert lock.seconds_left() == s3_lease.SPAN_SECONDS - 20
    lock._store = kept
    lock.release()


def test_the_holder_hears_that_another_run_has_the_lock_or_that_it_was_removed(bucket: Store) -> None:
    for after in ("removed", "taken"):
        lock = Lease(bucket.url, NAME, 60)
        lock.acquire(this_run())
        held, other, holder = lock._held, bucket.open(), lock.holder()
        assert held
        assert holder
        assert other.remove(holder)
        if after == "taken":
            other.acquire(replace(holder, run="ffffffff", who="ben"))
        with pytest.raises(LockLost, match="ben" if after == "taken" else "removed"):
            lock.renew_once(held)
        with pytest.raises(LockLost):
            lock.seconds_left()
        lock.release()
        assert (other.holder() is not None) == (after == "taken")
        other.release()


def test_a_request_of_ours_whose_answer_was_lost_is_recognised(bucket: Store) -> None:
    me = this_run()
    first = Lease(bucket.url, NAME, 60)
    first.acquire(me)
    again = Lease(bucket.url, NAME, 60)
    again.acquire(me)
    held = first._held
    assert held
    assert again._held
    again.renew_once(again._held)  # as if it had been the first one's, without an answer
    first.renew_once(held)
    assert first.seconds_left() > 0
    first.release()
    again.release()


def test_of_many_that_come_at_once_one_gets_the_lock(bucket: Store) -> None:
    left_behind(bucket, 0)
    winners: list[Lease] = []

    def come(number: int) -> None:
        lock = Lease(bucket.url, NAME, 60)
        try:
            lock.acquire(Holder("ann", "here", f"run{number}", 0))
        except LockTaken:
            return
        winners.append(lock)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
    winners[0].release()


def test_another_programs_object_is_left_alone(bucket: Store) -> None:
    for content in (b"[]", b"nothing of ours"):
        obstore.put(raw(bucket.url), f"{NAME}.lock", content)
        with pytest.raises(LockUnusable, match="is not a lock"):
            bucket.open().acquire(this_run())
        assert bytes(obstore.get(raw(bucket.url), f"{NAME}.lock").bytes()) == content
