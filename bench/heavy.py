"""The peak of memory of a plan over objects whose prompts are as long as they may be (256,000 characters).

python -m bench.heavy COUNT [COUNT...] prints it for accounts of that many objects that nobody manages, and as many that
are as the files want them. The server makes every object when it is asked for: 20,000 of them are 5 GB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bench.measure import Cost, python

OWNER = "bench"
LONGEST = 256_000


def prompt(name: str, length: int = LONGEST) -> str:
    """A text of `length` characters that no other object has; it ends with no blank, which files would not keep."""
    line = "Answer politely, in short sentences, and cite the article that decides it.\n"
    return (f"You are {name}.\n" + line * (length // len(line))).ljust(length, ".")[: length - 1] + "."


def main() -> None:
    """Measure, and say what came of it."""
    for count in map(int, sys.argv[1:]):
        for managed in (False, True):
            cost = planned(count, managed=managed)
            print(
                f"{count:>6} {'managed' if managed else 'foreign'}: {cost.peak:.0f} MB, {cost.wall:.0f} s", flush=True
            )


def planned(count: int, *, managed: bool, at_once: int = 8) -> Cost:
    """What a plan costs over so many objects, managed as the rows of one file, or by nobody.

    `at_once`: how many pages of 25 MB may be on their way.
    """
    with tempfile.TemporaryDirectory() as scratch, account(count, managed=managed) as url:
        write_files(Path(scratch) / "assistants.d", count if managed else 0, url, at_once)
        plan = ("-m", "reconciler", "-C", scratch, "plan", "--detailed-exitcode")
        return python(*plan, environment={"XDG_STATE_HOME": f"{scratch}/state"})


def write_files(directory: Path, rows: int, url: str, at_once: int) -> None:
    """Settings, and a fleet of so many rows."""
    directory.mkdir(parents=True)
    (directory / "reconciler.yaml").write_text(
        f"owner: {OWNER}\ndefault_target: t\ntargets:\n  t: {{provider: openai-assistants, url: '{url}',"
        f" limits: {{settle_seconds: 0, reads_per_minute: 1000000, concurrency: {at_once}}}}}\n",
        encoding="utf-8",
    )
    if rows:
        (directory / "names.csv").write_text(
            "bot\n" + "".join(f"{name_of(n)}\n" for n in range(rows)), encoding="utf-8"
        )
        text = prompt(name_of(0)).replace("\n", "\n  ").replace(name_of(0), "{{ bot }}")
        block = 'reconciler:\n  for_each: !csv names.csv\n  key: "{{ bot }}"\n'
        (directory / "fleet.yaml").write_text(
            f'{block}name: "{{{{ bot }}}}"\nmodel: gpt-4o\ninstructions: |-\n  {text}\n', encoding="utf-8"
        )


def name_of(number: int) -> str:
    """Always as long, so that all prompts are."""
    return f"b{number:06}"


@contextmanager
def account(count: int, *, managed: bool) -> Iterator[str]:
    """The URL of a server in a process of its own."""
    command = [sys.executable, "-m", "bench.heavy", "serve", str(count), "managed" if managed else "foreign"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def serve(count: int, *, managed: bool) -> None:
    """List the objects, newest first or oldest first, for ever."""
    mark = _mark() if managed else None

    @lru_cache(maxsize=64)
    def text(number: int) -> str:
        metadata = {} if mark is None else {"reconciler": mark.replace("KEY", name_of(number))}
        body: dict[str, Any] = {
            "id": f"asst_{number:06}", "object": "assistant", "created_at": 1_700_000_000 + number,
            "name": name_of(number), "description": None, "model": "gpt-4o", "instructions": prompt(name_of(number)),
            "tools": [], "metadata": metadata, "temperature": 1.0, "top_p": 1.0, "response_format": "auto",
        }  # fmt: skip
        return json.dumps(body)

    def page(query: dict[str, str]) -> bytes:
        limit, ascending = int(query.get("limit", "20")), query.get("order") == "asc"
        after = int(query["after"].removeprefix("asst_")) if "after" in query else (-1 if ascending else count)
        numbers = range(after + 1, min(after + 1 + limit, count)) if ascending else range(after - 1, -1, -1)[:limit]
        more = bool(numbers) and (numbers[-1] < count - 1 if ascending else numbers[-1] > 0)
        inside = ",".join(map(text, numbers))
        return f'{{"object":"list","data":[{inside}],"has_more":{json.dumps(more)}}}'.encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = page({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})
            with suppress(ConnectionError):  # a client that has seen enough leaves
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


def _mark() -> str:
    """The mark of a row's object; KEY stands for its key, and for a nonce that no other has."""
    from reconciler.core.values import marks

    managed = marks.codes([("name",), ("model",), ("instructions",)])
    return marks.write(marks.Mark(OWNER, "KEY", "KEY", units=managed))


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(int(sys.argv[2]), managed=sys.argv[3] == "managed")
    else:
        main()
