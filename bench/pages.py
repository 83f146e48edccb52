"""A server that does as little work a request as possible, so that what is measured is the client.

python -m bench.pages COUNT MILLISECONDS [managed] prints its URL. It lists and modifies; `POST /churn` deletes and
adds a tenth. `managed` objects are as the manifests of `bench.manifests` want them, marks included.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

PROMPT = " ".join(f"Rule {number}: answer politely and cite article KB-{number:04}." for number in range(90))
GONE = json.dumps({"error": {"message": "No assistant found.", "type": "invalid_request_error", "code": None}})


class Pages:
    """Objects of about 5 KB, oldest first; each is kept as the text it is sent as."""

    def __init__(self, count: int, made: Callable[[int], dict[str, Any]]) -> None:
        self.body = made
        self.chance = random.Random(1)
        self.made = 0
        self.texts: dict[str, str] = {}
        self.requests = 0
        for _ in range(count):
            self.make()
        self.sort()

    def make(self) -> None:
        """Add one, seven seconds after the one before."""
        id = f"asst_{self.made:08}"
        body = {"id": id, "object": "assistant", "created_at": 1_700_000_000 + 7 * self.made, "name": id}
        self.texts[id] = json.dumps(body | self.body(self.made))
        self.made += 1

    def churn(self) -> None:
        """Delete a tenth, and add as many."""
        tenth = len(self.texts) // 10
        for id in self.chance.sample(self.ids, tenth):
            del self.texts[id]
        for _ in range(tenth):
            self.make()
        self.sort()

    def sort(self) -> None:
        """Where each one stands."""
        self.ids = list(self.texts)
        self.places = {id: place for place, id in enumerate(self.ids)}

    def page(self, order: str, after: str | None, limit: int) -> tuple[int, str]:
        """Status and text of one list request."""
        self.requests += 1
        if after is not None and after not in self.places:
            return 404, GONE
        if order == "asc":
            begin = 0 if after is None else self.places[after] + 1
            ids, more = self.ids[begin : begin + limit], begin + limit < len(self.ids)
        else:
            end = len(self.ids) if after is None else self.places[after]
            ids, more = self.ids[max(0, end - limit) : end][::-1], end > limit
        inside = ",".join(self.texts[id] for id in ids)
        return 200, f'{{"object":"list","data":[{inside}],"has_more":{"true" if more else "false"}}}'

    def write(self, path: str) -> tuple[int, str]:
        """A modify request is answered with the object as it is."""
        if not path.endswith("/churn"):
            return 200, self.texts[path.rpartition("/")[2]]
        self.churn()
        return 200, "{}"

    def answer(self, method: str, target: str) -> tuple[int, str]:
        """Status and text of any request."""
        url = urlsplit(target)
        if method == "POST":
            return self.write(url.path)
        if url.path.endswith("/requests"):
            count, self.requests = self.requests, 0
            return 200, str(count)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        return self.page(query.get("order", "desc"), query.get("after"), int(query.get("limit", "20")))


def plain(number: int) -> dict[str, Any]:
    """An object that nobody manages."""
    return {"model": "gpt-4o", "instructions": PROMPT, "tools": [{"type": "file_search"}], "metadata": {}}


def managed() -> Callable[[int], dict[str, Any]]:
    """What makes objects as they are after an apply: with marks, and with what the remote adds by itself."""
    from bench.manifests import OWNER, body, key_of
    from reconciler.config.schema.schemas import shipped
    from reconciler.core.values import marks
    from reconciler.core.values.semantics import Kind, units
    from reconciler.formats.dialect import compile_schema

    kind = Kind("assistant", compile_schema(shipped().schema("assistant.schema.json")), "metadata", "name")
    added = {"description": None, "top_p": 1.0, "response_format": "auto", "tool_resources": {}}

    def made(number: int) -> dict[str, Any]:
        found = body(number)
        mark = marks.Mark(OWNER, key_of(number), f"n{number:07}", units=marks.codes(units(kind, found)))
        return {**added, **found, "metadata": {**found["metadata"], "reconciler": marks.write(mark)}}

    return made


async def main(count: int, milliseconds: float, made: Callable[[int], dict[str, Any]]) -> None:
    """Serve for ever."""
    pages = Pages(count, made)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, target, fields = head.decode().split(" ", 2)
                length = re.search(r"content-length: (\d+)", fields, re.IGNORECASE)
                await reader.readexactly(int(length[1]) if length else 0)
                await asyncio.sleep(milliseconds / 1000)
                status, text = pages.answer(method, target)
                body = text.encode()
                head_ = f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head_.encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), managed() if sys.argv[3:] == ["managed"] else plain))
