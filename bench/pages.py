"""A remote that only lists: what an account of N assistants answers, prepared before it starts, N in steps of a page.

python -m bench.pages COUNT LATENCY_MS     prints its URL; ends with its input
"""

from __future__ import annotations

import json
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.manifests import TEAMS, body
from reconciler.config.schemas import shipped
from reconciler.core import marks
from reconciler.core.semantics import Kind, compile_schema, units

PAGE = 100
OWNER = "bench"
BORN = 1_700_000_000


def key_of(number: int) -> str:
    """The key a manifest has by its place."""
    return f"team{number % TEAMS:02}/group{number // (TEAMS * 100):03}/a{number:06}"


def shown(number: int, kind: Kind) -> dict[str, Any]:
    """One assistant as the API answers: its body, its mark, and all that nobody set."""
    found = body(number)
    mark = marks.Mark(OWNER, key_of(number), f"n{number:07}", units=marks.codes(units(kind, found)))
    return {
        "id": f"asst_{number:024}",
        "object": "assistant",
        "created_at": BORN + number,
        "description": None,
        **found,
        "metadata": {**found["metadata"], "reconciler": marks.write(mark)},
        "top_p": 1.0,
        "response_format": "auto",
        "tool_resources": {},
    }


class Account:
    """Pages of an account, newest first, each with the id of its last object."""

    def __init__(self, count: int) -> None:
        kind = Kind("assistant", compile_schema(shipped().schema("assistant.schema.json")), "metadata", "name")
        self._pages: dict[str, bytes] = {}
        after = ""
        for first in range(count, 0, -PAGE):
            numbers = range(first - 1, max(first - 1 - PAGE, -1), -1)
            objects = [shown(number, kind) for number in numbers]
            last = objects[-1]["id"]
            answer = {"object": "list", "data": objects, "first_id": objects[0]["id"], "last_id": last}
            self._pages[after] = json.dumps(answer | {"has_more": numbers[-1] > 0}).encode()
            after = last

    def page(self, query: str) -> bytes:
        """The page after the id that the query names."""
        return self._pages[parse_qs(query).get("after", [""])[0]]


def handler(account: Account, latency: float) -> type[BaseHTTPRequestHandler]:
    """Answers every request for a list after some time."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            answer = account.page(urlsplit(self.path).query)
            time.sleep(latency)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
            self.wfile.write(head.encode() + answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def main() -> None:
    """Serve until the input ends."""
    count, latency = int(sys.argv[1]), float(sys.argv[2]) / 1000
    server = _Server(("127.0.0.1", 0), handler(Account(count), latency))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
