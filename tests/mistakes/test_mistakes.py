"""The most likely mistakes, a file each: what is told names the file, the line and the remedy, and sends nothing.

files        path → text; `encoding` is theirs where it is not UTF-8
live         objects that somebody made by hand; `answers`: what a server that is no such API answers with
before, run  commands: those that go well, and the one that is the mistake (default: validate)
exit         its exit code (default: 1)
where        what the message starts with: file:line or file:line:column; empty where it is about no file
code         its stable code, or the word it is about where the command line itself was misspelt
remedy       words of what it says to do; empty where the message itself says what is expected
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Project, Remote

MISTAKES = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"))}
CANARY = "sk-mistake-0123456789"


@contextmanager
def answering(answer: dict[str, Any]) -> Iterator[str]:
    """A server that always answers the same."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = answer["body"].encode()
            self.send_response(answer["status"])
            self.send_header("Content-Type", answer["type"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def url_of(mistake: dict[str, Any], start: Callable[..., Remote]) -> Iterator[str]:
    if "answers" in mistake:
        with answering(mistake["answers"]) as url:
            yield url
        return
    yield start().url if "live" in mistake else ""


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_its_remedy(
    name: str, project: Project, start: Callable[..., Remote]
) -> None:
    mistake = yaml.safe_load(MISTAKES[name].read_text(encoding="utf-8"))
    project.environment |= mistake.get("environment", {})
    with url_of(mistake, start) as url:
        for path, text in mistake["files"].items():
            file = project.write(path, "")
            file.write_bytes(text.replace("SERVER", url).encode(mistake.get("encoding", "utf-8")))
        if "live" in mistake:
            project.target(url)
            for body in mistake["live"]:
                _make(url, body)
        for command in mistake.get("before", ()):
            project.ok(*shlex.split(command))
        ran = project.run(*shlex.split(mistake.get("run", "validate")))
    told = ran.out + ran.err
    assert ran.code == mistake.get("exit", 1), told
    assert mistake["code"] in told
    assert not mistake["where"] or mistake["where"] in told
    assert _remedy(told, mistake["remedy"]), told
    assert "Traceback" not in told
    assert CANARY not in told


def _remedy(told: str, words: str) -> bool:
    """Whether some line says what to do, in these words: a hint, an expectation, or a usage error's suggestion."""
    starts = ("hint:", "expected:", "Error:")
    advice = [line.strip() for line in told.splitlines() if line.startswith("    ") or line.startswith("Error:")]
    return any(words in line for line in advice if words or line.startswith(starts))


def _make(url: str, body: dict[str, Any]) -> None:
    import json
    import urllib.request

    headers = {"OpenAI-Beta": "assistants=v2", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/assistants", json.dumps(body).encode(), headers)
    urllib.request.urlopen(request).close()


def test_there_are_at_least_forty() -> None:
    assert len(MISTAKES) >= 40
