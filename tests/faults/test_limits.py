"""A limit of the remote is kept by all threads together, a refusal slows all of them, and retries have a budget.

Time is played: it passes only when every thread waits, and then to the moment when the first of them goes on.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reconciler.drivers.base import RemoteError
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.drivers.transport.rate_limiter import WINDOW_SECONDS
from reconciler.drivers.transport.retry import MAX_TRIES, RetryBudget
from tests.world import PROVIDER

THREADS = 16


class PlayedTime:
    """A clock for several threads, `pause` to wait on it, and `leave` for one that has nothing more to do."""

    def __init__(self, threads: int) -> None:
        self.now = 0.0
        self._running = threads
        self._due: list[float] = []
        self._changed = threading.Condition()

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> bool:
        with self._changed:
            due = self.now + seconds
            self._due.append(due)
            self._changed.notify_all()
            self._changed.wait_for(lambda: due <= self.now or self._is_first(due))
            self.now = max(self.now, due)
            self._due.remove(due)
            self._changed.notify_all()
        return False

    def leave(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def _is_first(self, due: float) -> bool:
        return len(self._due) == self._running and due == min(self._due)


class Limited:
    """Takes so many requests in any minute, and refuses the rest with the time to wait."""

    def __init__(self, per_minute: int, clock: Callable[[], float], *, status: int = 200) -> None:
        self.taken: deque[float] = deque()
        self.refused: list[float] = []
        self._per_minute = per_minute
        self._clock = clock
        self._status = status
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with self._lock:
            now = self._clock()
            window = [each for each in self.taken if each > now - WINDOW_SECONDS]
            if len(window) >= self._per_minute:
                self.refused.append(now)
                wait = window[0] + WINDOW_SECONDS - now
                start_response("429 x", [("retry-after", f"{wait:.3f}")])
                return [b"{}"]
            self.taken.append(now)
        start_response(f"{self._status} x", [])
        return [json.dumps({"id": "asst_1"}).encode()]


def write(count: int, remote: Limited, time: PlayedTime, believed: int) -> int:
    """Send so many updates from all threads, believing in a limit; how many failed."""
    connection = ConnectionSettings("http://embedded/v1", {}, (), 60, 10**6, believed)
    client = HttpClient(connection, wsgi_app=remote, pause=time.pause, clock=time, chance=lambda: 0.5)
    driver = RestDriver(PROVIDER, client)
    left = iter(range(count))
    failed: list[int] = []

    def work() -> None:
        for number in left:
            try:
                driver.update("assistant", "asst_1", {"name": str(number)})
            except RemoteError:
                failed.append(number)
        time.leave()

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(work) for _ in range(THREADS)]:
            future.result()
    return len(failed)


def test_a_limit_of_300_writes_a_minute_is_used_to_the_full_and_never_exceeded() -> None:
    time = PlayedTime(THREADS)
    remote = Limited(300, time)
    assert write(1200, remote, time, believed=300) == 0
    assert remote.refused == []
    assert len(remote.taken) == 1200
    assert time.now == 3 * WINDOW_SECONDS


def test_a_lower_limit_than_believed_ends_in_patience_and_not_in_a_storm() -> None:
    time = PlayedTime(THREADS)
    remote = Limited(100, time)
    assert write(400, remote, time, believed=100_000) == 0
    minutes = time.now / WINDOW_SECONDS
    assert 3 <= minutes <= 5
    # What is on its way when the first is refused is refused as well, once each; then all wait.
    assert len(remote.refused) <= THREADS * (minutes + 1)


def test_retries_stop_when_nothing_succeeds_any_more() -> None:
    time = PlayedTime(THREADS)
    remote = Limited(10**6, time, status=503)
    assert write(300, remote, time, believed=10**6) == 300
    retries = RetryBudget().tokens // RetryBudget().cost
    assert len(remote.taken) == 300 + retries < 300 * MAX_TRIES
