"""The real Portkey gateway, on loopback."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

GATEWAY = Path(__file__).parent.parent / "gateway"
START = GATEWAY / "node_modules/@portkey-ai/gateway/build/start-server.js"


@contextmanager
def running(*preload: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """The gateway on a free port; its base URL. `preload` names modules beside this package's `loopback.mjs`."""
    if not START.is_file() or shutil.which("node") is None:
        missing = pytest.fail if "CI" in os.environ else pytest.skip
        missing("the gateway is not installed: npm ci --prefix tests/gateway --ignore-scripts")
    port = free_port()
    modules = [word for name in ("loopback.mjs", *preload) for word in ("--import", str(GATEWAY / name))]
    process = subprocess.Popen(
        ["node", *modules, str(START), f"--port={port}", "--headless"],
        cwd=GATEWAY,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(300)


def headers_it_knows() -> list[str]:
    """Every header of its own that the gateway's source names; none where it is not installed."""
    source = START.read_text("utf-8") if START.is_file() else ""
    found = set(re.findall(r"`x-\$\{\w+\}-([a-z0-9-]+)`", source)) | set(
        re.findall(r'"x-portkey-([a-z0-9-]+)"', source)
    )
    return sorted(f"x-portkey-{name}" for name in found)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=30):
            return
        time.sleep(0.1)  # until the port answers; the process is not ours to be told by
    raise RuntimeError(f"the gateway did not start at {url}")
