"""An account with pages in a vector store, and what one fault on the way of a change of them does."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reconciler.cli.exits import Exit
from reconciler.config.manifests.load import load
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.core.values.model import Manifest
from reconciler.drivers.filename_marks import codes
from reconciler.drivers.rest import RestDriver
from reconciler.engine.state.filename_mark_driver import FilenameMarkDriver
from reconciler.operations.project.kinds import kinds_of
from reconciler.server import create_app
from tests.faults.machine import Machine
from tests.faults.matrix import SETTLE_SECONDS, Seen, http_client
from tests.faults.wire import Fault, Wire
from tests.world import PROVIDER, Clock, client

STORE = "reconciler: {kind: vector_store}\nname: Pages\nfiles: [pages/*.txt]\n"
BEFORE = {"kept": "kept\n", "changed": "one\n", "removed": "removed\n"}
AFTER = {"kept": "kept\n", "changed": "two\n", "added": "added\n"}


@dataclass
class Pages:
    """A server, a project on disk, and a machine that applies it over the wire."""

    wire: Wire
    machine: Machine
    plain: RestDriver
    clock: Clock
    root: Path

    def files(self, pages: dict[str, str]) -> Sequence[Manifest]:
        """The manifests, with these pages on disk."""
        folder = self.root / "assistants.d" / "pages"
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for name, text in pages.items():
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        (folder.parent / "store.yaml").write_text(STORE, encoding="utf-8")
        settings = load_settings(self.root, [Path("assistants.d")])
        loaded = load(
            self.root, [Path("assistants.d")], settings=settings, target=settings.target("local"), provider=PROVIDER
        )
        assert loaded.ok
        return loaded.manifests

    def uploads(self) -> Counter[str]:
        """How many files there are of each readable name."""
        return Counter(body["filename"].partition("~")[0] for body in self.plain.list("file"))

    def ready(self) -> Counter[str]:
        """The pages that can be searched, by their readable name."""
        names = {body["id"]: body["filename"].partition("~")[0] for body in self.plain.list("file")}
        stores = [body["id"] for body in self.plain.list("vector_store")]
        inside = [body for id in stores for body in self.plain.within("vector_store", id, "files").list()]
        return Counter(names[body["id"]] for body in inside if body["status"] == "completed")


@contextmanager
def pages(*, impatient: str = "") -> Iterator[Pages]:
    """An account that has the pages of `BEFORE`."""
    with tempfile.TemporaryDirectory() as scratch:
        root, clock = Path(scratch), Clock()
        app = create_app(clock=clock)
        with Wire(app, clock.pause).serving() as wire:
            http = http_client(wire.url, clock, impatient)
            keys = codes(f"pages/{name}.txt" for name in {**BEFORE, **AFTER})
            driver = FilenameMarkDriver(
                RestDriver(PROVIDER, http, root=scratch), PROVIDER, lambda: "acme", lambda: keys
            )
            machine = Machine(root / "journal", driver, clock, clock.pause, SETTLE_SECONDS, agrees=True)
            machine.kinds = [each for each in kinds_of(PROVIDER, shipped()) if each.kind.name != "assistant"]
            at = Pages(wire, machine, RestDriver(PROVIDER, client(app)), clock, root)
            assert machine.apply(at.files(BEFORE)) == Exit.DONE
            clock.pause(60)
            yield at


def hit(fault: Fault, request: str, *, times: int, hanging: bool) -> Seen:
    """Apply with the fault in the way, then once more without. Raises AssertionError where anything was harmed."""
    with pages(impatient=request if hanging else "") as at:
        files = at.files(AFTER)
        at.wire.arm(request, fault, 1, times)
        code = at.machine.apply(files)
        sent = at.wire.sent[request]
        at.wire.disarm()
        assert at.ready()["kept"] == 1
        assert at.ready()["changed"] >= 1, "a moment with neither version"
        if code is Exit.DONE:
            assert at.uploads() == at.ready() == Counter(AFTER.keys())
        at.clock.pause(SETTLE_SECONDS)
        after = at.machine.apply(files)
        assert at.uploads() == at.ready() == Counter(AFTER.keys())
        assert at.machine.due(files) == []
        return Seen(code, sent, after)
