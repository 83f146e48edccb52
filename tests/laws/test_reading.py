"""A list is read whole whatever happens meanwhile: the real driver, the embedded server at its most adversarial."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.schema.schemas import shipped
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.lists.page_boundaries import Boundaries
from reconciler.drivers.provider import Provider
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.server import App, Chaos, create_app
from reconciler.tree import Tree
from tests.strategies import law

LIMIT = 3
TROUBLES = (
    {"on": "list", "deleted_cursor": "unknown"},
    {"on": "list", "every": 4, "empty_page": True},
    {"on": "list", "every": 5, "times": 3, "status": 503},
)


def small_pages() -> Provider:
    """The provider, with pages so small that a few objects are a long list."""
    provider = shipped().provider("openai-assistants")
    kind = provider.kinds["assistant"]
    return replace(provider, kinds={"assistant": replace(kind, list=replace(kind.list, limit=LIMIT))})


PROVIDER = small_pages()


class Account:
    """An account that changes while it is read."""

    def __init__(self, scratch: Path, adversary: int, troubles: list[dict], per_second: int) -> None:
        ticks = itertools.count()
        chaos = Chaos.from_rules({"rules": troubles})
        self.app: App = create_app(
            chaos=chaos, adversary=adversary, clock=lambda: 1_700_000_000.0 + next(ticks) // per_second
        )
        self.boundaries = Boundaries(Tree(scratch, "lists"), "http://embedded/v1", lambda: None)
        self.writer = self.driver(1)
        self.ids: list[str] = []

    def driver(self, at_once: int) -> RestDriver:
        connection = ConnectionSettings("http://embedded/v1", PROVIDER.headers)
        http = HttpClient(connection, wsgi_app=self.app, pause=lambda seconds: False)
        return RestDriver(PROVIDER, http, reads_at_once=at_once, boundaries=self.boundaries)

    def make(self) -> None:
        self.ids.append(self.writer.create("assistant", {"name": "a", "model": "gpt-4o"})["id"])

    def delete(self, place: int) -> None:
        self.writer.delete("assistant", self.ids.pop(place % len(self.ids)))

    def change(self, steps: Iterator[int]) -> None:
        """Make something where the next step is even, delete something where it is odd; -1 leaves all as it is."""
        step = next(steps, -1)
        if step < 0:
            return
        if step % 2 == 0 or not self.ids:
            self.make()
        else:
            self.delete(step)

    def read(self, at_once: int, steps: Iterator[int]) -> list[str]:
        found = []
        for body in self.driver(at_once).list("assistant"):
            found.append(body["id"])
            self.change(steps)
        return found


@law
@given(
    size=st.integers(0, 60),
    adversary=st.integers(0, 2**32),
    troubles=st.lists(st.sampled_from(TROUBLES), unique_by=str),
    per_second=st.sampled_from((1, 4, 10_000)),
    at_once=st.sampled_from((1, 2, 4, 8)),
    between=st.lists(st.integers(0, 200), max_size=12),
    meanwhile=st.lists(st.integers(-3, 200), max_size=40),
)
def test_everything_that_stays_is_found_once(
    size: int,
    adversary: int,
    troubles: list[dict],
    per_second: int,
    at_once: int,
    between: list[int],
    meanwhile: list[int],
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        account = Account(Path(scratch), adversary, troubles, per_second)
        for _ in range(size):
            account.make()
        steps = iter(meanwhile)
        for _ in range(2):
            before = set(account.ids)
            found = account.read(at_once, steps)
            assert len(set(found)) == len(found)
            assert before & set(account.ids) <= set(found)
            for step in between:
                account.change(iter([step]))
