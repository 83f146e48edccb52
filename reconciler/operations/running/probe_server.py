"""A small HTTP server for probes and metrics. It answers GET, knows no secrets, and binds to a given address.

Anybody who can reach it may ask, so nobody can take much: one thread, few connections, two seconds each. Where more
come, the oldest that has not finished asking has to leave: a probe asks at once, and is answered among any number that
idle.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeAlias

from reconciler.diagnostics import Code
from reconciler.operations.invalid_argument import InvalidArgument

MOST_CONNECTIONS: Final = 8
SECONDS: Final = 2.0
"""What one connection may take from its first moment to its last."""
LARGEST_REQUEST: Final = 8 * 1024
_POLL_SECONDS: Final = 0.1
_PIECE: Final = 64 * 1024
_BACKLOG: Final = 128

Page: TypeAlias = Callable[[str], tuple[int, str]]


@dataclass(eq=False, slots=True)
class _Visitor:
    """One connection: what it has sent, and what of the answer it has not taken yet."""

    connection: socket.socket
    end: float
    asked: bytearray = field(default_factory=bytearray)
    answer: memoryview | None = None


class Listener:
    """Serves `page(path)`, a status and a text, at HOST:PORT while it is entered.

    Raises OSError and InvalidArgument.
    """

    def __init__(self, place: str, page: Page) -> None:
        host, colon, port = place.rpartition(":")
        if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 65536):
            raise InvalidArgument("--listen", Code.INVALID_SETTINGS, f"{place!r} is not HOST:PORT")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._page = page
        self._listening = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=_BACKLOG)
        self._listening.setblocking(False)
        self._visitors: dict[_Visitor, None] = {}  # in the order in which they came
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="listener", daemon=True)
        self.url = f"http://{host}:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stop.set()
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            while not self._stop.is_set():
                for key, _ in selector.select(_POLL_SECONDS):
                    if key.data is None:
                        self._welcome(selector)
                    elif key.data in self._visitors:  # it may have had to leave meanwhile
                        self._attend(key.data, selector)
                now = time.monotonic()
                for visitor in [each for each in self._visitors if each.end <= now]:
                    self._dismiss(visitor, selector)
            for visitor in list(self._visitors):
                self._dismiss(visitor, selector)

    def _welcome(self, selector: selectors.BaseSelector) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:  # it has gone again, or the process has no descriptor left
            self._stop.wait(_POLL_SECONDS)
            return
        connection.setblocking(False)
        if len(self._visitors) >= MOST_CONNECTIONS:
            asking = [each for each in self._visitors if each.answer is None]
            self._dismiss((asking or list(self._visitors))[0], selector)
        visitor = _Visitor(connection, time.monotonic() + SECONDS)
        self._visitors[visitor] = None
        selector.register(connection, selectors.EVENT_READ, visitor)

    def _attend(self, visitor: _Visitor, selector: selectors.BaseSelector) -> None:
        """Take what has come of a request, or send what fits of its answer."""
        try:
            if visitor.answer is not None:
                visitor.answer = visitor.answer[visitor.connection.send(visitor.answer[:_PIECE]) :]
                over = not visitor.answer
            else:
                piece = visitor.connection.recv(LARGEST_REQUEST)
                visitor.asked += piece
                over = not piece
                if answer := self._answer(bytes(visitor.asked)):
                    visitor.answer, over = memoryview(answer), False
                    selector.modify(visitor.connection, selectors.EVENT_WRITE, visitor)
        except BlockingIOError:  # it is not ready after all
            return
        except OSError:
            over = True
        if over:
            self._dismiss(visitor, selector)

    def _answer(self, asked: bytes) -> bytes | None:
        """The whole answer to what was asked so far; None where the end of the request has not come yet."""
        if len(asked) > LARGEST_REQUEST:
            return _response(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too large\n")
        if b"\r\n\r\n" not in asked and b"\n\n" not in asked:
            return None
        method, _, rest = asked.partition(b"\n")[0].decode("latin-1").partition(" ")
        path, _, version = rest.partition(" ")
        if not version.startswith("HTTP/1."):
            return _response(HTTPStatus.BAD_REQUEST, "this is not HTTP/1.1\n")
        if method != "GET":
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, "only GET is answered\n")
        status, text = self._page(path.partition("?")[0])
        return _response(HTTPStatus(status), text)

    def _dismiss(self, visitor: _Visitor, selector: selectors.BaseSelector) -> None:
        del self._visitors[visitor]
        selector.unregister(visitor.connection)
        visitor.connection.close()


def _response(status: HTTPStatus, text: str) -> bytes:
    content = text.encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        f"Content-Length: {len(content)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + content
