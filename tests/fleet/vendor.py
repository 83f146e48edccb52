"""A fast stand-in for a vendor: the wire of the Assistants API as far as a fleet uses it, in memory, one event loop.

It counts every request of each key by the moment it came in, and the objects of each address. `python -m
tests.fleet.vendor` serves it on a free port; GET /stats tells what it saw, GET /addresses how many addresses have
had an object.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Any


class Vendor:
    """Accounts by key."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.objects: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        self.moments: dict[str, list[float]] = defaultdict(list)
        self.methods: Counter[str] = Counter()
        self.complete = 0.0  # when an address got its first object for the last time
        self.addresses: set[tuple[str, str]] = set()  # that ever had an object
        self._number = 0

    def answer(self, method: str, path: str, key: str, body: Any) -> tuple[int, Any]:
        if path == "/stats":
            return 200, self.stats()
        if path == "/addresses":
            return 200, len(self.addresses)
        self.moments[key].append(time.monotonic())
        self.methods[method] += 1
        account, (place, _, query) = self.objects[key], path.partition("?")
        words = place.removeprefix("/v1/").split("/")
        if words[0] != "assistants":
            return 404, {"error": {"message": "Invalid URL", "type": "invalid_request_error"}}
        if len(words) == 1:
            return 200, self._create(key, body) if method == "POST" else _page(account, query)
        if words[1] not in account:
            return 404, {"error": {"message": f"No assistant found with id '{words[1]}'."}}
        if method == "DELETE":
            del account[words[1]]
            return 200, {"id": words[1], "object": "assistant.deleted", "deleted": True}
        if method == "POST":
            account[words[1]] |= body
        return 200, account[words[1]]

    def _create(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        defaults = {"description": None, "instructions": None, "tools": [], "tool_resources": {}, "metadata": {}}
        more = {"temperature": 1.0, "top_p": 1.0, "response_format": "auto", "name": None}
        made = {"id": f"asst_{self._number:08}", "object": "assistant", "created_at": int(time.time()), **defaults}
        self.objects[key][made["id"]] = made | more | body
        if (address := (key, _address(body))) not in self.addresses:
            self.addresses.add(address)
            self.complete = time.monotonic()
        return self.objects[key][made["id"]]

    def stats(self) -> dict[str, Any]:
        marks = Counter((key, _address(each)) for key, account in self.objects.items() for each in account.values())
        moments = sorted(moment for key in self.moments for moment in self.moments[key])
        return {
            "objects": sum(map(len, self.objects.values())),
            "addresses": len(marks),
            "doubled": sum(1 for times in marks.values() if times > 1),
            "requests": dict(self.methods),
            "seconds": moments[-1] - moments[0] if moments else 0,
            "complete_seconds": self.complete - moments[0] if moments else 0,
            "worst_second": max((_worst(each, 1.0) for each in self.moments.values()), default=0),
            "worst_minute": max((_worst(each, 60.0) for each in self.moments.values()), default=0),
            "by_key": {key: len(each) for key, each in self.moments.items()},
            "by_second": _by_second(moments),
            "cpu": time.process_time(),
        }


def _worst(moments: list[float], seconds: float) -> int:
    """The most requests in any window of so many seconds."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def _address(body: dict[str, Any]) -> str:
    """The owner and key in the mark of an object."""
    return " ".join(body.get("metadata", {}).get("reconciler", "? ? ?").split(" ")[1:3])


def _by_second(moments: list[float]) -> list[int]:
    """How many requests came in each second since the first."""
    counted = Counter(int(moment - moments[0]) for moment in moments)
    return [counted[second] for second in range(max(counted, default=-1) + 1)]


def _page(account: dict[str, dict[str, Any]], query: str) -> dict[str, Any]:
    asked = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
    limit = int(asked.get("limit", 20))
    ids = sorted(account, reverse=True)
    after = asked.get("after")
    if after is not None:
        ids = [id for id in ids if id < after]
    data = [account[id] for id in ids[:limit]]
    return {"object": "list", "data": data, "has_more": len(ids) > limit, "last_id": data[-1]["id"] if data else None}


async def serve(vendor: Vendor, port: int = 0) -> asyncio.Server:
    """Serve over HTTP/1.1, connections kept open."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                method, path, _ = lines[0].split(" ")
                pairs = (line.partition(":") for line in lines[1:])
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                content = await reader.readexactly(int(headers.get("content-length", 0)))
                body = json.loads(content) if content else None
                status, answer = vendor.answer(method, path, headers.get("authorization", ""), body)
                if path not in ("/stats", "/addresses"):
                    await asyncio.sleep(vendor.latency)
                text = json.dumps(answer).encode()
                head_text = (
                    f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
                )
                writer.write(head_text.encode() + text)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", port, limit=2**20, backlog=1000)


async def _main(latency: float) -> None:
    with suppress(PermissionError):  # it takes the time: it must not be the one that waits for a core
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    server = await serve(Vendor(latency))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.02))
