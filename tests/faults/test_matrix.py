"""Every kind of request meets every fault, once and for ever: the table in docs/reliability.md, cell by cell.

A cell is the exit code of the apply and, in brackets, how often the request was sent. Whatever the cell says, a clean
apply afterwards converges, nothing is there twice, and nothing that was to stay is gone (`matrix.hit` sees to that).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.cli.exits import Exit
from reconciler.drivers.base import Driver
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.server import create_app
from tests.faults.matrix import AFTER, ALWAYS, CONVERGED, PAGED, account, hit, unharmed
from tests.faults.misbehaviour import FAULTS
from tests.faults.wire import REQUESTS, Wire, self_signed

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
HEAD = "| fault | list | read | create | update | delete |"


def rows() -> dict[str, dict[str, str]]:
    """The cells of the documented table by fault and request."""
    lines = iter(PAGE.read_text(encoding="utf-8").split(HEAD)[1].splitlines()[2:])
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        fault, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        found[fault] = dict(zip(REQUESTS, cells, strict=True))
    return found


TABLE = rows()


def test_every_fault_has_its_row() -> None:
    assert set(TABLE) == {*FAULTS, *UNREACHABLE}


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_on_one_request_ends_as_the_table_says(fault: str, request_: str) -> None:
    expected = TABLE[fault][request_].split(" / ")
    for times, cell in zip((1, ALWAYS), expected, strict=False):
        seen = hit(FAULTS[fault], request_, times=times, hanging=fault.startswith("timeout"))
        assert f"{int(seen.exit)} ({seen.sent})" == cell
        assert seen.after is Exit.DONE


class Routed:
    """A driver that sends one kind of request to another address than all others."""

    def __init__(self, usual: Driver, other: Driver, request: str) -> None:
        self._usual = usual
        self._other = other
        self._request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._other if name == self._request else self._usual, name)


@contextmanager
def dead_port(scratch: Path) -> Iterator[str]:
    """A port that nobody listens on, taken so that nobody else does."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


@contextmanager
def no_such_name(scratch: Path) -> Iterator[str]:
    """A name that the standards promise to nobody."""
    yield "https://nowhere.invalid/v1"


@contextmanager
def unknown_certificate(scratch: Path) -> Iterator[str]:
    """A server whose certificate nobody vouches for."""
    context, _ = self_signed(scratch)
    with Wire(create_app(), tls=context).serving() as wire:
        yield wire.url


UNREACHABLE: dict[str, Callable[[Path], Any]] = {
    "connection refused": dead_port,
    "name that does not resolve": no_such_name,
    "certificate nobody vouches for": unknown_certificate,
}


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("fault", UNREACHABLE)
def test_a_remote_that_is_not_reached_is_told_and_nothing_is_doubled(fault: str, request_: str, tmp_path: Path) -> None:
    with account() as at, UNREACHABLE[fault](tmp_path) as url:
        ids, others, usual = at.ours(), at.others(), at.machine.driver
        lines: list[str] = []
        connection, clock = ConnectionSettings(url, {}, (), 10, 10**6, 10**6), at.clock
        http = HttpClient(connection, trace=lines.append, pause=clock.pause, clock=clock, chance=lambda: 0.5)
        at.machine.driver = cast(Driver, Routed(usual, RestDriver(PAGED, http), request_))
        code = at.machine.apply(AFTER, allow_deletes=1)
        unharmed(at, ids, others)
        assert f"{int(code)} ({len(lines)})" == TABLE[fault][request_]
        at.machine.driver = usual
        assert at.machine.apply(AFTER, allow_deletes=1) is Exit.DONE
        assert at.contents() == CONVERGED
        unharmed(at, ids, others)
