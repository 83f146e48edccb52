"""What is known to fall short: each as a test of what is wanted, expected to fail until it is built."""

from __future__ import annotations

import pytest

from reconciler.drivers.base import Unreachable
from reconciler.drivers.http import Connection, HttpClient
from reconciler.drivers.rest import RestDriver
from reconciler.server import create_app
from tests.faults.wire import Exchange, Wire
from tests.world import PROVIDER, Clock


@pytest.mark.xfail(strict=True, reason="the time limit of an answer begins with its body; its head may take for ever")
def test_a_head_that_comes_byte_by_byte_is_cut_off() -> None:
    clock = Clock()

    def dripping(exchange: Exchange) -> None:
        exchange.raw(b"HTTP/1.1 200 x\r\ncontent-length: 13\r\nx-slow: ")
        for _ in range(600):
            exchange.elapse(1)
            exchange.raw(b"x")
        exchange.raw(b'\r\n\r\n{"id": "asst"}')

    with Wire(create_app(), clock.pause).serving() as wire:
        wire.arm("read", dripping, 1, 10)
        connection = Connection(wire.url, PROVIDER.headers, (), 60, 10**6, 10**6)
        driver = RestDriver(PROVIDER, HttpClient(connection, pause=clock.pause, clock=clock))
        with pytest.raises(Unreachable):
            driver.read("assistant", "asst")
