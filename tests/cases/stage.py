"""Where a case plays: servers that remember what they were asked, projects, and people with a console."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reconciler.server import App, Chaos, create_app
from reconciler.server.http import serve
from tests.conftest import Project, Ran, Remote

READ_ONLY = ("id", "object", "created_at")
FLAGS = {"p": " protect", "d": " delete", "r": " release"}


class Interrupted:
    """Does something once, when the list is read and its answer is not out yet."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.act: Callable[[], None] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer = self.app(environ, start_response)
        if environ["REQUEST_METHOD"] == "GET" and self.act is not None:
            act, self.act = self.act, None
            act()
        return answer


class Stage:
    """The servers, the projects and the names of all objects of one case."""

    def __init__(self, root: Path, environment: Mapping[str, str], stack: ExitStack, case: Mapping[str, Any]) -> None:
        self.root = root
        self.environment = environment
        self.names: dict[str, str] = {}
        self._stack = stack
        self._chaos = case.get("chaos")
        self._remotes: dict[str, Remote] = {}
        self._doors: dict[str, Interrupted] = {}
        self._settings = {"us": {"owner": "acme", **case.get("settings", {})}}
        self._settings |= {name: {"owner": name, **settings} for name, settings in case.get("others", {}).items()}
        self._projects = {name: Project(root / name, environment) for name in self._settings}
        for name in self._settings:
            self.settle(name, {})

    def remote(self, who: str = "us") -> Remote:
        """The server of somebody's target. Its clock is a second later whenever it is looked at: no two are as old."""
        name = self._settings[who].get("server", "first")
        if name not in self._remotes:
            clock = itertools.count(1_700_000_000)
            chaos = Chaos.from_rules({"rules": self._chaos}) if self._chaos else None
            app = create_app(chaos=chaos, clock=lambda: float(next(clock)))
            self._doors[name] = Interrupted(app)
            self._remotes[name] = Remote(app, self._stack.enter_context(serve(self._doors[name])))
        return self._remotes[name]

    def settle(self, who: str, settings: Mapping[str, str]) -> None:
        """Write somebody's settings, changed by these. One request at a time, so that their order is known."""
        mine = self._settings[who] = {**self._settings[who], **settings}
        target = {
            "provider": "openai-assistants",
            "url": self.remote(who).url + "/v1",
            "marks": mine.get("marks", "names"),
            "limits": {
                "settle_seconds": 0,
                "concurrency": 1,
                "writes_per_minute": 100_000,
                "reads_per_minute": 100_000,
            },
        }
        text = {
            "owner": mine["owner"],
            "prune": mine.get("prune", "none"),
            "default_target": "test",
            "targets": {"test": target},
        }
        self._projects[who].write("assistants.d/reconciler.yaml", json.dumps(text, indent=2))

    def write(self, who: str, files: Mapping[str, Any]) -> None:
        """Write files below `assistants.d`: texts as they are, mappings as YAML; None takes a file away."""
        for path, content in files.items():
            place = f"assistants.d/{path}"
            if content is None:
                self._projects[who].remove(place)
            else:
                text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
                self._projects[who].write(place, self.with_ids(text))

    def by_hand(self, step: Mapping[str, Any]) -> None:
        """What people do in a console, which shows all of an object's metadata and sends it back whole."""
        remote = self.remote()
        for body in step.get("create", ()):
            remote.ask("POST", "/v1/assistants", body)
        for name, fields in step.get("edit", {}).items():
            path = f"/v1/assistants/{self.id_of(name)}"
            changed = dict(fields)
            if "metadata" in fields:
                entries = {**remote.ask("GET", path)["metadata"], **fields["metadata"]}
                changed["metadata"] = {entry: value for entry, value in entries.items() if value is not None}
            remote.ask("POST", path, changed)
        for name, copy in step.get("copy", {}).items():
            original = remote.ask("GET", f"/v1/assistants/{self.id_of(name)}")
            body = {field: value for field, value in original.items() if field not in READ_ONLY}
            remote.ask("POST", "/v1/assistants", {**body, "name": copy})
        for name in step.get("delete", ()):
            remote.ask("DELETE", f"/v1/assistants/{self.id_of(name)}")
        self.look()

    def commit(self, who: str, name: str) -> None:
        """Commit somebody's files, under a tag."""
        author = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
        fresh = [] if (self.root / who / ".git").exists() else [["init", "-q"]]
        for arguments in (*fresh, ["add", "-A"], ["commit", "-q", "--allow-empty", "-m", name], ["tag", name]):
            subprocess.run(["git", *author, *arguments], cwd=self.root / who, check=True, capture_output=True)

    def run(self, who: str, line: str, meanwhile: Mapping[str, Any] | None = None) -> tuple[Ran, Any, list[Any]]:
        """Run a command line: what it left, its JSON document (None without one), and what it sent."""
        remote, door = self.remote(who), self._doors[self._settings[who].get("server", "first")]
        if meanwhile:
            door.act = lambda: self.by_hand(meanwhile)
        arguments = shlex.split(self.with_ids(line))
        document = self.root / "document.json"
        document.unlink(missing_ok=True)
        if arguments[0] in ("plan", "apply", "drift"):
            arguments += ["--format", "text", "--format", f"json={document}"]
        remote.forget()
        ran = self._projects[who].run(*arguments)
        assert door.act is None, "nothing was read, so nothing happened meanwhile"
        writes = list(remote.writes)
        self.look()
        sent = [self._told(request) for request in writes]
        return ran, json.loads(document.read_text()) if document.exists() else None, sent

    def look(self) -> None:
        """Give every new object the name it has now; where that is taken, with a number."""
        for remote in self._remotes.values():
            for body in sorted(remote.objects(), key=lambda body: body["created_at"]):
                if body["id"] not in self.names:
                    name = str(body["name"])
                    before = sum(known.split("#")[0] == name for known in self.names.values())
                    self.names[body["id"]] = f"{name}#{before + 1}" if before else name

    def id_of(self, name: str) -> str:
        """The id of an object by its name."""
        (found,) = [id for id, known in self.names.items() if known == name]
        return found

    def with_ids(self, text: str) -> str:
        """A text with the ids for which it has `<id NAME>`."""
        return re.sub(r"<id ([^>]+)>", lambda found: self.id_of(found[1]), text)

    def without_ids(self, text: str) -> str:
        """A text with `<id NAME>` for the ids in it."""
        for id, name in self.names.items():
            text = text.replace(id, f"<id {name}>")
        return text

    def live(self) -> dict[str, dict[str, Any]]:
        """Every object there is, by name."""
        return {self.names[body["id"]]: legible(body) for remote in self._remotes.values() for body in remote.objects()}

    def _told(self, request: Any) -> Any:
        path = request.path.removeprefix("/v1")
        for id, name in self.names.items():
            path = path.replace(id, name)
        line = f"{request.method} {path}"
        return {line: legible(request.body)} if request.body is not None else line


def legible(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with `<mark OWNER KEY FLAGS>` in the place of a mark."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or not str(metadata.get("reconciler", "")).startswith("1 "):
        return dict(body)
    _, owner, key, _, flags, *_ = metadata["reconciler"].split(" ")
    flags = flags.partition("<")[0]  # what follows stands for the key it had before
    words = "".join(FLAGS.get(flag, "") for flag in flags)
    return {**body, "metadata": {**metadata, "reconciler": f"<mark {owner} {key}{words}>"}}
