"""A total time for an answer: a timeout of each read alone lets a server that sends byte by byte go on for ever.

httpx offers no such limit, so it is put on the network streams that its `trace` extension shows as they are made.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any


class TooLate(Exception):
    """A request did not go out soon enough after it was announced; no whole request was sent."""


class Deadline:
    """How long the answers to the requests of one client may take, head and body together, in seconds.

    The time of an answer begins with the last piece of its request: sending a large body is not part of it.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._end = math.inf
        self._latest = math.inf

    def send_within(self, seconds: float) -> None:
        """Let no piece of the next request go out after so many seconds: others may act as if it never will."""
        self._latest = self._clock() + seconds

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear what httpx does; bind each stream to this deadline as it comes into being."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            stream = info["return_value"]
            stream.read, stream.write = self._bounded(stream.read), self._noted(stream.write)

    def _bounded(self, read: Callable[..., bytes]) -> Callable[..., bytes]:
        def bounded(max_bytes: int, timeout: float | None = None) -> bytes:
            found = read(max_bytes, min(self._left(), self._seconds if timeout is None else timeout))
            self._left()
            return found

        return bounded

    def _noted(self, write: Callable[..., None]) -> Callable[..., None]:
        def noted(buffer: bytes, timeout: float | None = None) -> None:
            if buffer:  # the end of a request is an empty piece, written when the answer may be coming
                if self._clock() > self._latest:
                    raise TooLate("the process stood still before the request was sent")
                self._end = self._clock() + self._seconds
            write(buffer, timeout)

        return noted

    def _left(self) -> float:
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        return left
