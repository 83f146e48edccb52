"""A server that misbehaves at the level of bytes: it does the embedded server's work and answers it as a fault says."""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from werkzeug.test import EnvironBuilder, run_wsgi_app

from reconciler.server import App

REQUESTS = ("list", "read", "create", "update", "delete")


@dataclass
class Exchange:
    """One request that came in, and the connection to misbehave on. `elapse(seconds)` lets the client's time pass."""

    app: App
    connection: socket.socket
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    elapse: Callable[[float], object]

    def commit(self) -> tuple[int, dict[str, str], bytes]:
        """Do the work; status, headers and body of the honest answer."""
        environ = EnvironBuilder("/", method=self.method, headers=self.headers, data=self.body).get_environ()
        environ["PATH_INFO"], _, environ["QUERY_STRING"] = self.path.partition("?")
        parts, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        return int(status.split()[0]), {name.lower(): value for name, value in headers.items()}, b"".join(parts)

    def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Answer; the length of the body is said unless the headers say another."""
        lines = [f"{name}: {value}\r\n" for name, value in ({"content-length": str(len(body))} | headers).items()]
        self.raw(f"HTTP/1.1 {status} x\r\n{''.join(lines)}\r\n".encode() + body)

    def raw(self, content: bytes) -> None:
        """Write bytes."""
        self.connection.sendall(content)

    def reset(self) -> None:
        """End the connection as a server that died does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def hang(self) -> None:
        """Say nothing until the client has had enough."""
        with suppress(OSError):
            self.connection.recv(1)


Fault = Callable[[Exchange], bool | None]
"""What happens to one exchange; True keeps the connection open afterwards."""


class Wire:
    """The listening server. `sent` counts the requests of each kind that came in."""

    def __init__(
        self,
        app: App,
        elapse: Callable[[float], object] = lambda seconds: None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.app = app
        self.elapse = elapse
        self.sent: Counter[str] = Counter()
        self._faults: dict[str, tuple[Fault, range]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.wire = self  # type: ignore[attr-defined]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self._server.server_port}/v1"

    def arm(self, request: str, fault: Fault, nth: int, times: int) -> None:
        """Let `fault` happen to the nth request of a kind from now on, and to those after it, `times` in all."""
        self.sent.clear()
        self._faults = {request: (fault, range(nth, nth + times))}

    def disarm(self) -> None:
        """Behave from now on."""
        self._faults = {}

    def fault_for(self, request: str) -> Fault:
        """Count a request, and say what happens to it."""
        with self._lock:
            self.sent[request] += 1
            fault, when = self._faults.get(request, (honest, range(0)))
            return fault if self.sent[request] in when else honest

    @contextmanager
    def serving(self) -> Iterator[Wire]:
        """Listen until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def honest(exchange: Exchange) -> bool:
    """No fault."""
    exchange.send(*exchange.commit())
    return True


def self_signed(directory: Path, name: str = "localhost") -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate for a name that nobody vouches for, and the certificate."""
    key, certificate = directory / f"{name}.key", directory / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a connection that finds no room is tried again a second later

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that breaks off is what this is about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        wire: Wire = self.server.wire  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        exchange = Exchange(wire.app, self.connection, self.command, self.path, headers, body, wire.elapse)
        self.close_connection = True
        with suppress(OSError):  # the client left
            self.close_connection = not wire.fault_for(request_kind(self.command, self.path))(exchange)

    do_POST = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def request_kind(method: str, path: str) -> str:
    """What `REQUESTS` calls it, or an upload or an attach."""
    alone = path.partition("?")[0].count("/") == 2
    if method == "POST" and path.endswith(("/files", "/file_batches")):
        return "upload" if alone else "attach"
    if method == "GET":
        return "list" if alone else "read"
    if method == "POST":
        return "create" if alone else "update"
    return "delete"
