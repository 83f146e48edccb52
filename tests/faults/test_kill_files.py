"""2,500 pages in one vector store: `kill -9` amid the uploads, then between the batches, then to the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import Any

from reconciler.server import create_app
from reconciler.server.http import serve
from tests.conftest import Project, Remote
from tests.faults.test_kill import Killing

PAGES = 2500
MOST_AT_ONCE = 2000
STORE = "reconciler: {kind: vector_store}\nname: Handbook\nfiles: [pages/*.txt]\n"


def killed(project: Project, killing: Killing, remote: Remote, nth: int, after: bool) -> None:
    """Apply in a process of its own, which is killed at the nth write."""
    killing.seen, killing.nth, killing.after = 0, nth, after
    command = [sys.executable, "-m", "reconciler", "-C", str(project.root), "apply", "--yes", "--parallelism", "16"]
    environment = project.environment | {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    killing.victim = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    killing.started.set()
    assert killing.victim.wait(900) == -9
    killing.nth = 0
    remote.quiet()
    killing.started.clear()


def listed(remote: Remote, path: str) -> list[dict[str, Any]]:
    """Every object of a list."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = remote.ask("GET", f"{path}?limit=100{after}")
        found += page["data"]
        if not page["has_more"]:
            return found
        after = f"&after={page['last_id']}"


def test_no_page_is_there_twice_and_none_is_missing(project: Project) -> None:
    app = create_app()
    killing = Killing(app, 0, after=True)
    with serve(killing) as server:
        remote = Remote(app, server)
        project.target(server.url)
        project.write("assistants.d/store.yaml", STORE)
        for number in range(PAGES):
            project.write(f"assistants.d/pages/{number}.txt", f"page {number}\n")
        killed(project, killing, remote, PAGES // 2, after=True)
        uploads = sum(request.path == "/v1/files" for request in remote.writes)
        killed(project, killing, remote, PAGES - uploads + 2, after=True)  # all uploads, the store, one batch of two
        killing.started.set()
        remote.forget()
        project.ok("apply", "--yes")
        batches = [len(request.body["files"]) for request in remote.writes if request.path.endswith("/file_batches")]
        assert len(remote.writes) <= 2
        assert all(size <= MOST_AT_ONCE for size in batches)
        names = Counter(each["filename"].partition("~")[0] for each in listed(remote, "/v1/files"))
        assert names == {str(number): 1 for number in range(PAGES)}
        (store,) = listed(remote, "/v1/vector_stores")
        assert store["file_counts"] == {
            "in_progress": 0,
            "completed": PAGES,
            "failed": 0,
            "cancelled": 0,
            "total": PAGES,
        }
        remote.forget()
        project.ok("plan", "--detailed-exitcode")
        assert len(app.requests) <= 3 + PAGES // 100 + 1
        assert remote.writes == []
