"""A project with pages, a vector store of them and an assistant, and the account they are on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.config.manifests.load import load
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.core.matching.index import Observation
from reconciler.core.plan import Plan, Scope, make_plan
from reconciler.core.values.model import Body, Manifest
from reconciler.drivers.filename_marks import codes
from reconciler.drivers.rest import RestDriver
from reconciler.engine.apply import ApplyOptions, apply_plan
from reconciler.engine.snapshot import observe, with_members
from reconciler.engine.state.filename_mark_driver import FilenameMarkDriver
from reconciler.engine.state.journal import Journal
from reconciler.formats.outcome import Outcome
from reconciler.operations.project.kinds import kinds_of
from reconciler.server import Chaos, create_app
from reconciler.tree import Tree
from tests.world import IDENTITY, PROVIDER, Clock, client

NAMES = ("a.txt", "b.txt", "c.md", "d d.txt")
KINDS = kinds_of(PROVIDER, shipped())
BOT = (
    "name: Bot\nmodel: gpt-4o\ntools: [{type: file_search}]\n"
    "tool_resources:\n  file_search:\n    vector_store_ids: [!ref vector_store/store]\n"
)


class Library:
    """One account, and a project whose files can be written anew."""

    def __init__(self, root: Path, *, adversary: int | None = None, rules: Sequence[Mapping[str, Any]] = ()) -> None:
        self.root = root
        self.clock = Clock()
        database = root / "library.db"
        chaos = Chaos.from_rules({"rules": list(rules)}) if rules else None
        self.app = create_app(database, adversary=adversary, chaos=chaos, clock=self.clock)
        keys = codes(["pages/" + name.replace(" ", "-") for name in NAMES])
        self.watch: Callable[[], None] = lambda: None  # called after every request
        rest = RestDriver(PROVIDER, client(self._watched), root=str(root))
        self.driver = FilenameMarkDriver(rest, PROVIDER, lambda: "acme", lambda: keys)
        self.files: Sequence[Manifest] = ()
        self.plain = RestDriver(PROVIDER, client(create_app(database, clock=self.clock)), root=str(root))

    def _watched(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        try:
            yield from self.app(environ, start_response)
        finally:
            self.watch()

    def write(self, texts: Mapping[str, str], said: Mapping[str, Any]) -> Sequence[Manifest]:
        folder = self.root / "assistants.d"
        (folder / "pages").mkdir(parents=True, exist_ok=True)
        for old in (folder / "pages").iterdir():
            old.unlink()
        for name, text in texts.items():
            (folder / "pages" / name).write_text(text, encoding="utf-8")
        entries = [{"source": f"pages/{name}", "attributes": dict(said)} for name in sorted(texts)]
        (folder / "store.yaml").write_text(f"reconciler: {{kind: vector_store}}\nname: Store\nfiles: {entries}\n")
        (folder / "bot.yaml").write_text(BOT)
        chosen = load_settings(self.root, [Path("assistants.d")])
        target = chosen.target("local")
        loaded = load(self.root, [Path("assistants.d")], settings=chosen, target=target, provider=PROVIDER)
        assert loaded.ok, loaded.diagnostics
        self.files = loaded.manifests
        return loaded.manifests

    def see(self) -> tuple[Observation, ...]:
        snapshot = observe(self.driver, KINDS, self.journal())
        return with_members(self.driver, KINDS, snapshot.observed, "acme", lambda kind, name, live: True, self.files)

    def plan(self, files: Sequence[Manifest]) -> Plan:
        seen = self.see()
        plan = make_plan(IDENTITY, Scope("acme", True), "sha256:0", files, seen)
        held = sum(1 for change in plan.changes if change.blocked and change.blocked.by == "guard")
        return make_plan(IDENTITY, Scope("acme", True, held), "sha256:0", files, seen) if held else plan

    def apply(self, plan: Plan, **options: Any) -> list[Outcome]:
        seen = self.see()
        self.app.requests.clear()
        usual = {"concurrency": 1, "settle_seconds": 0, "pause": self.clock.pause, "clock": self.clock}
        chosen = ApplyOptions(**{**usual, "stop": threading.Event(), **options})
        return apply_plan(plan, self.driver, KINDS, seen, self.journal(), chosen)

    def journal(self) -> Journal:
        return Journal(Tree(self.root, "journal"), IDENTITY.url, 0, self.clock)

    def uploads(self) -> dict[str, str]:
        """The readable name of every file, by id."""
        return {body["id"]: body["filename"].partition("~")[0] for body in self.plain.list("file")}

    def inside(self) -> dict[str, Body]:
        """What is in our vector store, by id."""
        ours = [body["id"] for body in self.plain.list("vector_store") if body["metadata"]]
        return {body["id"]: body for id in ours for body in self.plain.within("vector_store", id, "files").list()}

    def upload_by_hand(self, name: str) -> str:
        file = self.root / name
        file.write_text("by hand\n")
        digest = hashlib.sha256(b"by hand\n").hexdigest()
        body = {"source": name, "filename": name, "sha256": digest, "purpose": "assistants"}
        return str(self.plain.create("file", body)["id"])
