"""A real LangGraph server, in memory and offline, from a virtual environment of its own (`.ci/run` makes it)."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from functools import cache
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ROOT / ".venv-langgraph/bin/langgraph"
PROJECT = Path(__file__).parent / "langgraph"
# Nothing leaves this machine: no tracing, no analytics, no browser.
QUIET = {
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGGRAPH_CLI_NO_ANALYTICS": "1",
    "LANGSMITH_LANGGRAPH_API_VARIANT": "local_dev",
}


@cache
def url() -> str:
    """Its base URL. It is started once, and ends with this process."""
    if not COMMAND.is_file():
        missing = pytest.fail if "CI" in os.environ else pytest.skip
        missing("LangGraph is not installed: see CONTRIBUTING.md")
    directory = Path(tempfile.mkdtemp(prefix="langgraph-"))
    shutil.copytree(PROJECT, directory / "app")
    port = free_port()
    command = [str(COMMAND), "dev", "--no-browser", "--no-reload", "--host", "127.0.0.1", "--port", str(port)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), **QUIET}
    log = (directory / "log").open("wb")
    process = subprocess.Popen(command, cwd=directory / "app", env=environment, stdout=log, stderr=log)
    atexit.register(_end, process, directory)
    _wait_for(f"http://127.0.0.1:{port}/ok", process, directory / "log")
    return f"http://127.0.0.1:{port}"


def _end(process: subprocess.Popen[bytes], directory: Path) -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
    shutil.rmtree(directory, ignore_errors=True)


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=30):
                return
        except OSError:
            time.sleep(0.2)  # until the port answers; the process is not ours to be told by
    raise RuntimeError(f"LangGraph did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
