"""The driver of a session's target, over the network or in this process: a module of its own, because httpx costs a
tenth of a second that what only reads files is not to pay.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import click

from reconciler.config.errors import ConfigError, error
from reconciler.diagnostics import Code
from reconciler.drivers.lists.page_boundaries import Boundaries
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.operations.project.state_directory import database_in, database_of, made
from reconciler.operations.project.target_connection import credential_name

if TYPE_CHECKING:
    from reconciler.operations.project.session import Session
    from reconciler.server import App


def remote_of(session: Session) -> RestDriver:
    """A driver for the target. Raises ConfigError for a missing or misdirected credential, or a database that fails."""
    provider, limits = session.provider, session.limits
    app = _embedded_server(session) if provider.embedded else None
    client = HttpClient(
        session.connection,
        channel=session.kept.channel(session.connection, app),
        trace=partial(click.echo, err=True) if session.options.verbose else None,
        pause=session.stop.wait,
        gates=session.kept.gates(credential_name(session.connection), limits),
        fence=lambda: session.lock.seconds_left() if session.lock else math.inf,
    )

    def sent(count: int) -> None:
        session.sent(count)  # whoever hears of it comes later

    speaking = partial(
        RestDriver,
        provider,
        client,
        root=str(session.root),
        directories=[*map(str, session.options.dirs), *session.target.layers],
        limits=limits,
        sent=sent,
        route=session.target.route,
    )
    if provider.embedded:
        return speaking()  # in this process there is no way to wait for
    prepare = partial(made, session.state)
    boundaries = Boundaries(session.state.within("lists"), session.url, prepare, session.owner)
    return speaking(reads_at_once=limits.concurrency, boundaries=boundaries)


def _embedded_server(session: Session) -> App:
    from reconciler.server import StoreError

    database = database_in(made(session.state), database_of(session.target.name))
    try:
        return session.kept.app(database, session.provider.embedded or "")
    except StoreError as wrong:
        hint = "it holds the objects of the embedded server: see that there is room and that it may be written"
        raise ConfigError([error(Code.UNREADABLE, str(wrong), None, hint=hint)]) from wrong
