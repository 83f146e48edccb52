"""The driver of a target, over the network or in this process: a module of its own, because httpx costs a tenth of a
second that what only reads files is not to pay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from reconciler.config.errors import ConfigError, error
from reconciler.diagnostics import Code
from reconciler.drivers.lists.page_boundaries import Boundaries
from reconciler.drivers.rest import RestDriver
from reconciler.drivers.transport.http import HttpClient
from reconciler.operations.project.credentials import credential_name
from reconciler.operations.project.project_target import ProjectTarget
from reconciler.operations.project.shared_connections import SharedConnections
from reconciler.operations.project.state_directory import database_in, database_of, ensure_state
from reconciler.operations.reporter import Trace

if TYPE_CHECKING:
    from reconciler.server import App


def open_driver(
    project: ProjectTarget,
    kept: SharedConnections,
    *,
    trace: Trace,
    pause: Callable[[float], bool],
    fence: Callable[[], float],
    sent: Callable[[int], None],
) -> RestDriver:
    """A driver for the target, over connections that are `kept`.

    `trace` takes a line for each request, `pause` waits, `fence` gives the seconds for which writes are allowed, `sent`
    hears of the bytes of files. Raises ConfigError for a missing or misdirected credential, or a database that fails.
    """
    provider, limits = project.provider, project.limits
    app = _embedded_server(project, kept) if provider.embedded else None
    client = HttpClient(
        project.connection,
        pool=kept.channel(project.connection, app),
        trace=trace,
        pause=pause,
        gates=kept.gates(credential_name(project.connection), limits),
        fence=fence,
    )
    speaking = partial(
        RestDriver,
        provider,
        client,
        root=str(project.root),
        directories=[*map(str, project.options.dirs), *project.target.layers],
        limits=limits,
        sent=sent,
        route=project.target.route,
    )
    if provider.embedded:
        return speaking()  # it runs in this process: without a network, concurrent reads save nothing
    prepare = partial(ensure_state, project.state)
    boundaries = Boundaries(project.state.within("lists"), project.url, prepare, project.owner)
    return speaking(reads_at_once=limits.concurrency, boundaries=boundaries)


def _embedded_server(project: ProjectTarget, kept: SharedConnections) -> App:
    from reconciler.server import StoreError

    database = database_in(ensure_state(project.state), database_of(project.target.name))
    try:
        return kept.app(database, project.provider.embedded or "")
    except StoreError as wrong:
        hint = "it holds the objects of the embedded server: check free space and permissions"
        raise ConfigError([error(Code.UNREADABLE, str(wrong), None, hint=hint)]) from wrong
