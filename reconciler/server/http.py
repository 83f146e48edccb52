"""Serves the embedded server over HTTP/1.1, for loopback."""

import io
import ipaddress
import json
import socket
import struct
import threading
import traceback
from types import TracebackType
from typing import IO, Any
from wsgiref.types import WSGIApplication, WSGIEnvironment

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from reconciler.server.multipart import is_form
from reconciler.server.request_reader import BODY_LIMIT
from reconciler.server.wire import ConnectionDropped

_DRAIN_LIMIT = 8 * BODY_LIMIT
_IDLE_SECONDS = 300.0  # an idle connection does not keep its thread for ever
_POLL_SECONDS = 0.05  # how long a stop may go unnoticed


class _BadRequest(Exception):
    """A request that does not get as far as the application. A garbled one has no end to read to."""

    def __init__(self, status: str, message: str, *, garbled: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.garbled = garbled


class _FormBody:
    """The body of a form, read by the application as it comes in: it may be too large to hold."""

    def __init__(self, stream: IO[bytes], length: int | None) -> None:
        self._stream = stream
        self._left = length
        self.ended = length == 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, none at the end; `OSError` where the client stops before it."""
        wanted = size if self._left is None else min(size, self._left)
        if not wanted:
            return b""
        read = self._stream.read(wanted)
        if self._left is None:
            self.ended = not read
        else:
            self._left -= len(read)
            self.ended = not self._left
            if not read:
                raise OSError("it ends too early")
        return read


class _Handler(WSGIRequestHandler):
    """Keeps connections open: Werkzeug's own handler closes each one after its answer.

    That is safe here, because a body has been read to its end before the application sees the request, or in the case
    of a form before the answer is sent; where it has not, the connection is closed.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    def setup(self) -> None:
        super().setup()
        _connections(self.server).add(self.connection)

    def finish(self) -> None:
        _connections(self.server).discard(self.connection)
        super().finish()

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: what was asked is for `record`."""

    def run_wsgi(self) -> None:
        """Serve one request of this connection."""
        if self.headers.get("Expect", "").strip().lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        environ = self.make_environ()
        try:
            self._admit(environ)
        except _BadRequest as refused:
            self.close_connection = True
            if not refused.garbled:
                self._drain(environ)
            self._write_error(refused.status, str(refused))
            return
        self._respond(environ)

    def _admit(self, environ: WSGIEnvironment) -> None:
        """Refuse what a browser was tricked into sending; read the body, so that the connection can be kept."""
        host = environ.get("HTTP_HOST", "")
        if host and not _is_own(_without_port(host), self.server.host):
            raise _BadRequest("403 Forbidden", "This server answers only requests for its own host.")
        if environ.get("HTTP_ORIGIN", f"http://{host}").lower() != f"http://{host}".lower():
            raise _BadRequest("403 Forbidden", "This server does not answer pages of other sites.")
        if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
            raise _BadRequest("403 Forbidden", "This server does not answer pages of other sites.")
        chunked = environ.get("wsgi.input_terminated", False)
        length = environ.get("CONTENT_LENGTH") or "0"
        if not chunked and not (length.isascii() and length.isdecimal()):
            raise _BadRequest("400 Bad Request", "Content-Length is not a number.")
        if is_form(environ):
            environ["wsgi.input"] = _FormBody(environ["wsgi.input"], None if chunked else int(length))
            return
        too_large = not chunked and int(length) > BODY_LIMIT
        try:
            body = b"" if too_large else environ["wsgi.input"].read(BODY_LIMIT + 1 if chunked else int(length))
        except OSError as error:
            raise _BadRequest(
                "400 Bad Request", f"The request body could not be read: {error}.", garbled=True
            ) from error
        if too_large or len(body) > BODY_LIMIT:
            raise _BadRequest("413 Content Too Large", f"The request body is larger than {BODY_LIMIT} bytes.")
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body)) if body else ""

    def _respond(self, environ: WSGIEnvironment) -> None:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:
            started.append((status, headers))

        try:
            parts = self.server.app(environ, start_response)
        except ConnectionDropped:
            self._reset()
            return
        except Exception:
            traceback.print_exc()
            self.close_connection = True
            self._write_error("500 Internal Server Error", "The embedded server failed; its log says where.")
            return
        body = environ["wsgi.input"]
        if isinstance(body, _FormBody) and not body.ended:
            self.close_connection = True
            self._drain(environ)
        waiting = self._head(*started[0])
        try:
            for part in parts:
                self.wfile.write(waiting + (part if self.command != "HEAD" else b""))
                waiting = b""
            self.wfile.write(waiting)  # of an answer without a body
        except ConnectionDropped:
            self.close_connection = True

    def _head(self, status: str, headers: list[tuple[str, str]]) -> bytes:
        closing = [("connection", "close")] if self.close_connection else []
        lines = [f"{name}: {value}\r\n" for name, value in (*headers, ("date", self.date_time_string()), *closing)]
        return f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode("latin-1")

    def _write_error(self, status: str, message: str) -> None:
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        content = json.dumps({"error": error}).encode()
        head = self._head(status, [("content-type", "application/json"), ("content-length", str(len(content)))])
        self.wfile.write(head + content)

    def _drain(self, environ: WSGIEnvironment) -> None:
        # A client that is still sending would see a reset in place of the answer.
        length = environ.get("CONTENT_LENGTH", "")
        left = int(length) if length.isascii() and length.isdecimal() else 0
        left = min(_DRAIN_LIMIT if environ.get("wsgi.input_terminated") else left, _DRAIN_LIMIT)
        try:
            while left > 0 and (read := environ["wsgi.input"].read(min(left, 65536))):
                left -= len(read)
        except OSError:
            return

    def _reset(self) -> None:
        # A lingering time of zero makes the close a reset, as of a server that died.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


class Server:
    """A listening server. Either `start` (or `with`) and `stop`, or `run_forever`."""

    def __init__(self, app: WSGIApplication, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Bound here, because Werkzeug ends the process when it cannot bind.
        with socket.create_server((host, port), family=family, backlog=128) as listening:
            self._server: BaseWSGIServer = make_server(
                host, port, app, threaded=True, request_handler=_Handler, fd=listening.fileno()
            )
        self._server.connections = set()  # type: ignore[attr-defined]
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Scheme, host and port; the API's base URL is this and `/v1`."""
        host = f"[{self._server.host}]" if ":" in self._server.host else self._server.host
        return f"http://{host}:{self._server.port}"

    def start(self) -> "Server":
        """Serve from a thread of its own. Requests are accepted when this returns."""
        self._thread = threading.Thread(target=self.run_forever, name="embedded-server", daemon=True)
        self._thread.start()
        return self

    def run_forever(self) -> None:
        """Serve from this thread, until interrupted."""
        self._server.serve_forever(poll_interval=_POLL_SECONDS)

    def stop(self) -> None:
        """Stop listening, and end the connections that are open."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self.close()

    def close(self) -> None:
        """The same for one that runs in no other thread."""
        self._server.server_close()
        for connection in list(_connections(self._server)):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it ended by itself

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def serve(app: WSGIApplication, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Listen, with port 0 on a free one; `OSError` where that is not possible. The server is not started yet."""
    return Server(app, host, port)


def _connections(server: Any) -> set[socket.socket]:
    connections: set[socket.socket] = server.connections
    return connections


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def _is_own(name: str, bound: str) -> bool:
    """Whether a request names this server, and not a domain that somebody has led here.

    Bound to another address than loopback, it is known by addresses too, and by names of one word, which no public
    domain is: those of a machine, or of a container.
    """
    if _is_loopback(bound):
        return _is_loopback(name)
    return _is_loopback(name) or _is_address(name) or "." not in name or name.lower() == bound.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
