"""A small HTTP server for probes and metrics. It answers GET, knows no secrets, and binds where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click


class Listener:
    """Serves `page(path)`, a status and a text, at HOST:PORT while it is entered. Raises OSError and BadParameter."""

    def __init__(self, place: str, page: Callable[[str], tuple[int, str]]) -> None:
        host, colon, port = place.rpartition(":")
        if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 65536):
            raise click.BadParameter(f"{place!r} is not HOST:PORT", param_hint="--listen")
        self._server = ThreadingHTTPServer((host.strip("[]"), int(port)), _handler(page))
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> Listener:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="listener", daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(page: Callable[[str], tuple[int, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            """Answer one request."""
            status, text = page(self.path.partition("?")[0])
            content = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: probes come every few seconds."""

    return Handler
