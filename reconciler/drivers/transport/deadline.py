"""Limits the total time of a request and its response, also when a server sends byte by byte.

httpx offers no such limit, so it is put on the network streams that its `trace` extension shows as they are made.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

_PIECE: Final = 16 * 1024
"""How much is written before the time is looked at again: a record of TLS."""


class TooLate(Exception):
    """A request did not go out soon enough after it was announced; no whole request was sent."""


class Deadline:
    """How long the requests of one client may take to be sent, and as long again their answers, in seconds.

    Either time is for head and body together. That of an answer begins with the last piece of its request.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._sent_by = math.inf
        self._end = math.inf
        self._latest = math.inf
        self._layers = 0  # of TLS on the connection that is being made: two behind a proxy that is spoken to in TLS

    def send_by(self, moment: float) -> None:
        """Let no piece of the next request go out after this moment: others may act as if it never will."""
        self._latest = moment

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Hear what httpx does; bind each stream to this deadline as it comes into being."""
        if event.endswith(".send_request_headers.started"):
            self._sent_by = self._clock() + self._seconds
        elif event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._layers = self._layers + 1 if "start_tls" in event else 0
            stream = info["return_value"]
            connection = stream.get_extra_info("socket") if self._layers < 2 else None
            stream.read, stream.write = self._bounded(stream.read), self._noted(stream.write, connection)

    def _bounded(self, read: Callable[..., bytes]) -> Callable[..., bytes]:
        def bounded(max_bytes: int, timeout: float | None = None) -> bytes:
            found = read(max_bytes, self._within(timeout, self._answered_in()))
            self._answered_in()
            return found

        return bounded

    def _noted(self, write: Callable[..., None], connection: socket.socket | None) -> Callable[..., None]:
        def noted(buffer: bytes, timeout: float | None = None) -> None:
            for begin in range(0, len(buffer), _PIECE):  # the end of a request is an empty piece: nothing to write
                piece = buffer[begin : begin + _PIECE]
                left = _left(self._sent_by - self._clock(), "the request could not be sent in time")
                self._end = self._clock() + self._seconds
                if connection is not None and self._latest < math.inf:
                    piece = piece[self._taken_at_once(connection, piece) :]
                if piece:
                    self._not_too_late()
                    write(piece, self._within(timeout, left))

        return noted

    def _taken_at_once(self, connection: socket.socket, piece: bytes) -> int:
        """How much of a piece is taken without waiting: usually all of it.

        `write` waits for room first, and then for its turn among the threads, milliseconds in which a process can be
        made to stand still. Here nothing is between the look at the clock and the system call.
        """
        connection.settimeout(0)
        self._not_too_late()
        with suppress(OSError):  # no room, or no connection any more: `write` knows what to do
            return connection.send(piece)
        return 0

    def _not_too_late(self) -> None:
        if self._clock() > self._latest:
            raise TooLate("the process was suspended before the request was sent")

    def _within(self, timeout: float | None, left: float) -> float:
        return min(left, self._seconds if timeout is None else timeout)

    def _answered_in(self) -> float:
        return _left(self._end - self._clock(), "the response did not end in time")


def _left(seconds: float, otherwise: str) -> float:
    if seconds <= 0:
        raise TimeoutError(otherwise)
    return seconds
