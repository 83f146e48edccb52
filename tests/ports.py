"""Ports for servers that are told one and cannot say which they took."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

ASKED_FOR = range(20_000, 30_000)
"""Below those that the kernel gives to whoever names none, and the machine is full of tests that name none."""


def free_port() -> int:
    """A port of loopback that nobody listens on, and that nobody else gets by chance before the server starts."""
    for port in random.sample(ASKED_FOR, 100):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")
