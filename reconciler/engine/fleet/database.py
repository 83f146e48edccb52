"""Connects to PostgreSQL and runs statements. Only `engine.locks.advisory` imports psycopg as well.

A connection is held for one statement and never while anything waits: a fleet has more threads than connections.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from logging import CRITICAL, getLogger
from typing import Any, Final, LiteralString

import psycopg
import psycopg_pool

from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity

CONNECTIONS: Final = 8
PATIENCE_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 0.2
_FORM: Final = "it looks like postgresql://USER@HOST/NAME"
_INIT_HINT: Final = "run `reconciler fleet init` once, with a role that may create tables"


class DatabaseError(ReconcilerError):
    """The database cannot be used; `diagnostic` says why and what to do. `lost` says that it may come back."""

    def __init__(self, diagnostic: Diagnostic, *, lost: bool) -> None:
        super().__init__([diagnostic])
        self.lost = lost


class Database:
    """A pool of connections to one database, safe from several threads. Every statement commits by itself.

    `on_loss` hears first of a database that is gone: a worker has many threads that would each wait for it. To begin
    with, one that is not there is waited for as long as `patience` says, in seconds.
    """

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        self.url = url
        self.patience = 0.0
        self.on_loss: Callable[[DatabaseError], None] = lambda problem: None
        getLogger("psycopg.pool").setLevel(CRITICAL)  # what it has to say is in the error as well
        self._pool = psycopg_pool.ConnectionPool(
            url,
            min_size=1,
            max_size=connections,
            timeout=PATIENCE_SECONDS,
            kwargs={"autocommit": True, "connect_timeout": 10},
            open=False,
        )

    def __enter__(self) -> Database:
        end = time.monotonic() + self.patience
        while True:
            try:
                with DedicatedConnection(self.url):  # it says what is wrong, where the pool only says that nothing came
                    break
            except DatabaseError:
                if time.monotonic() > end:
                    raise
            time.sleep(RETRY_SECONDS)
        self._pool.open()
        return self

    def __exit__(self, *problem: object) -> None:
        self._pool.close(timeout=2)

    def rows(self, statement: LiteralString, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and return what it answers. Raises StoreError."""
        with self._guarded(), self._pool.connection() as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def run(self, statement: LiteralString, values: Mapping[str, object] | None = None) -> None:
        """Run a statement for its effect. Raises StoreError."""
        self.rows(statement, values)

    def one(self, statement: LiteralString, values: Mapping[str, object] | None = None) -> tuple[Any, ...] | None:
        """The first row of an answer, if there is any. Raises StoreError."""
        return next(iter(self.rows(statement, values)), None)

    def prepare(self) -> None:
        """Create our tables where they are missing. Raises StoreError."""
        script = resources.files("reconciler.engine.fleet").joinpath("tables.sql").read_text("utf-8")
        with self._guarded(), self._pool.connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtext('reconciler fleet init'))")
            connection.execute(script.encode())

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with _raising_store_errors():
                yield
        except DatabaseError as error:
            if error.lost:
                self.on_loss(error)
            raise


class DedicatedConnection:
    """One connection of its own, for what lasts as long as it does. Safe from several threads."""

    def __init__(self, url: str) -> None:
        try:
            psycopg.conninfo.conninfo_to_dict(url)
        except psycopg.ProgrammingError:  # what it says quotes the address, which may hold a password
            diagnostic = Diagnostic(
                Severity.ERROR, Code.FLEET_DATABASE, "the url of the database is malformed", hint=_FORM
            )
            raise DatabaseError(diagnostic, lost=False) from None
        with _raising_store_errors():
            self._connection = psycopg.connect(url, autocommit=True, connect_timeout=10)

    def __enter__(self) -> DedicatedConnection:
        return self

    def __exit__(self, *problem: object) -> None:
        self._connection.close()

    def rows(self, statement: LiteralString, values: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement and return what it answers. Raises StoreError."""
        with _raising_store_errors():
            return self._connection.execute(statement, values).fetchall()


@contextmanager
def _raising_store_errors() -> Iterator[None]:
    """What psycopg has to say, as a StoreError."""
    try:
        yield
    except psycopg.Error as problem:  # the pool's own among them
        raise _store_error(problem) from problem


def columns(records: Iterable[Sequence[object]], width: int) -> list[list[object]]:
    """Records turned into columns, as `unnest` takes them."""
    listed = list(records)
    return [[record[place] for record in listed] for place in range(width)]


def _store_error(problem: psycopg.Error) -> DatabaseError:
    """What went wrong, without the database's address: it may hold a password."""
    if isinstance(problem, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        summary, code, hint = "the database has no tables of this version", Code.FLEET_DATABASE, _INIT_HINT
    elif _is_refusal(problem):
        summary, code = f"PostgreSQL refused the connection: {_first_line(problem)}", Code.FLEET_DATABASE
        hint = "check user, password and database in its url"
    elif isinstance(problem, psycopg.OperationalError):
        summary, code = f"PostgreSQL does not respond: {_first_line(problem)}", Code.STORE_LOST
        hint = "check that it runs; workers end without it, and their supervisor restarts them"
    else:
        summary, code = f"PostgreSQL refused a statement: {_first_line(problem)}", Code.FLEET_DATABASE
        hint = "check that the role may read and write the tables; `reconciler fleet init` creates them"
    lost = isinstance(problem, psycopg.OperationalError)
    return DatabaseError(Diagnostic(Severity.ERROR, code, summary, hint=hint), lost=lost)


def _is_refusal(problem: psycopg.Error) -> bool:
    """Whether a server is there that does not want us; one that is starting or stopping will."""
    message = str(problem)
    return (
        isinstance(problem, psycopg.OperationalError)
        and "FATAL:" in message
        and "the database system is" not in message
    )


def _first_line(problem: psycopg.Error) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]
