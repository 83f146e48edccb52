"""What is asked right before a request, on a remote that takes its time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from reconciler.config.schema.schemas import shipped
from reconciler.core.changes import delete_change
from reconciler.core.matching.index import index
from reconciler.core.rules.world import World
from reconciler.core.values.model import Address, Body, Reason, Removal
from reconciler.drivers.rest import RestDriver
from reconciler.engine.admission import Admission, NotAdmitted, Step, Ticket
from reconciler.engine.snapshot import live_object
from reconciler.operations.project.kinds import kinds_of
from reconciler.server import App, create_app
from tests.world import PROVIDER, Clock, client

STORE, USER = (
    next(each for each in kinds_of(PROVIDER, shipped()) if each.kind.name == name)
    for name in ("vector_store", "assistant")
)


class Account:
    """A store of ours, and an assistant that this run has written; `meanwhile` is called when that one is read."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.app: App = create_app(directory / "account.db", clock=self.clock)
        self.plain = RestDriver(PROVIDER, client(self.app))
        self.store = self.plain.create("vector_store", {"name": "s", "metadata": {"reconciler": "1 acme s n1 - -"}})
        self.user = self.plain.create("assistant", {"name": "u", "model": "gpt-4o"})
        self.meanwhile: Callable[[], object] = lambda: None
        self.reads = 0

    def ticket(self, *, written: bool = True) -> Ticket:
        """A delete of the store, which the assistant is known to have used where this run has written it."""
        live = live_object(STORE, self.store)
        found = {"vector_store": index(STORE.kind, [live], "acme"), "assistant": index(USER.kind, [], "acme")}
        driver = RestDriver(PROVIDER, client(self._served))
        admission = Admission(driver, [STORE, USER], World(found), self.clock(), 5, self.clock)
        uses: Body = {"tool_resources": {"file_search": {"vector_store_ids": [live.id]}}}
        if written:
            admission.note_written("assistant", str(self.user["id"]), uses)
        self.admission = admission
        change = delete_change(STORE.kind, Address("vector_store", "s"), live, Reason.ORPHAN, Removal.ORPHAN)
        return Ticket(admission, Step(change, STORE.kind, None, live.body))

    def _served(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith(str(self.user["id"])):
            self.reads += 1
            self.meanwhile()
        return self.app(environ, start_response)


def test_what_grew_old_while_its_users_were_asked_is_read_again(tmp_path: Path) -> None:
    account = Account(tmp_path)

    def slow() -> None:
        account.clock.pause(10)
        account.plain.update("vector_store", str(account.store["id"]), {"name": "theirs"})

    account.meanwhile = slow
    with pytest.raises(NotAdmitted, match="has changed since the plan was made"):
        account.ticket().renew()


def test_what_was_read_just_now_is_not_read_again(tmp_path: Path) -> None:
    account = Account(tmp_path)
    assert account.ticket().renew() is False
    assert account.reads == 1


def test_what_this_run_has_deleted_uses_nothing_and_is_not_read(tmp_path: Path) -> None:
    account = Account(tmp_path)
    ticket = account.ticket(written=False)
    uses = {"tool_resources": {"file_search": {"vector_store_ids": [account.store["id"]]}}}
    account.admission.note_list("assistant", [live_object(USER, account.user | uses)])  # a list that lags behind
    account.admission.note_deleted("assistant", str(account.user["id"]))
    assert ticket.renew() is False
    assert account.reads == 0
