"""The session of the verb that runs: closed when it ends, and its lock is given back when it is interrupted."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.output.terminal_reporter import TerminalReporter
from reconciler.operations.applying.signals import on_signals
from reconciler.operations.applying.target_lock import hold_lock
from reconciler.operations.project.session import Session


def session_of(options: Options) -> Session:
    """The session of the verb that runs, closed when it ends: whatever it did, and however that went."""
    return click.get_current_context().with_resource(Session(options, reporter=TerminalReporter(options)))


@contextmanager
def hold_lock_until_signal(session: Session) -> Iterator[None]:
    """Hold the target's lock from before it is read. A signal gives the lock back at once, whatever is waited for.

    In the main thread only.
    """
    with hold_lock(session):
        if session.lock is None:
            yield
            return
        lock = session.lock

        def leave() -> None:
            lock.release()
            print("interrupted", file=sys.stderr, flush=True)
            os._exit(Exit.INTERRUPTED)

        # In a thread: here, what the lock itself waits for could not go on.
        with on_signals(lambda: threading.Thread(target=leave).start()):
            yield
