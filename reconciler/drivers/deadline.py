"""A total time for an answer: a timeout of each read alone lets a server that sends byte by byte go on for ever.

httpx offers no such limit, so it is put on the network streams that its `trace` extension shows as they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Deadline:
    """How long the answers to the requests of one thread may take, head and body together, in seconds.

    The time of an answer begins when it is first waited for: sending a large body is not part of it.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._end: float | None = None

    def begin(self) -> None:
        """The next request goes out."""
        self._end = None

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear what httpx does; bind each stream to this deadline as it comes into being."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            stream = info["return_value"]
            stream.read = self._bound(stream.read)

    def _bound(self, read: Callable[..., bytes]) -> Callable[..., bytes]:
        def bounded(max_bytes: int, timeout: float | None = None) -> bytes:
            return read(max_bytes, min(self._left(), self._seconds if timeout is None else timeout))

        return bounded

    def _left(self) -> float:
        now = self._clock()
        if self._end is None:
            self._end = now + self._seconds
        if now >= self._end:
            raise TimeoutError("the answer did not end in time")
        return self._end - now
