"""The lock of a target: taken before it is read, given back when everything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reconciler.config.env_values import resolve
from reconciler.config.errors import ConfigError, error, install_hint
from reconciler.config.targets import EnvRef
from reconciler.diagnostics import Code
from reconciler.operations.project.session import Session

if TYPE_CHECKING:
    from reconciler.engine.locks.lock_protocol import Lock

_SCHEMES = {"postgresql": "fleet", "postgres": "fleet", "s3": "lock"}
"""What a url begins with, and the extra that it needs."""


@contextmanager
def hold_lock(session: Session) -> Iterator[None]:
    """Hold the target's lock, where it has one and this session does not hold it already.

    Raises ConfigError, LockTaken and LockUnusable, before anything is read.
    """
    if session.target.lock is None or session.lock is not None:
        yield
        return
    from reconciler.engine.locks.lock_protocol import this_run

    lock = open_lock(session)
    try:
        lock.acquire(this_run())
        session.lock = lock
        yield
    finally:
        lock.release()  # from now on whoever asks it may not write
        session.lock = None


def open_lock(session: Session) -> Lock:
    """The target's lock, not taken. Raises ConfigError where it has none, its url says nothing, or an extra is missing;
    LockUnusable."""
    target = session.target
    if target.lock is None:
        hint = "add `lock: {url: …}` to the target"
        raise ConfigError([error(Code.LOCK_UNUSABLE, f"{target.name} has no lock", target.source, "", hint)])
    url = resolve(session.environment, target.lock) if isinstance(target.lock, EnvRef) else target.lock
    scheme, _, rest = url.partition("://")
    place = target.lock.source if isinstance(target.lock, EnvRef) else target.source
    if scheme not in _SCHEMES or not rest:
        hint = "s3://BUCKET/PREFIX or postgresql://USER@HOST/DATABASE"
        raise ConfigError([error(Code.LOCK_UNUSABLE, "the url of the lock is not supported", place, "", hint)])
    try:
        return _lock(scheme, url, f"{session.owner}/{target.name}", session.limits.timeout_seconds)
    except ModuleNotFoundError as missing:
        summary, extra = f"the lock needs {missing.name}, which is not installed", _SCHEMES[scheme]
        raise ConfigError([error(Code.MISSING_EXTRA, summary, place, "", install_hint(extra))]) from None


def _lock(scheme: str, url: str, name: str, timeout_seconds: float) -> Lock:
    if scheme == "s3":
        from reconciler.engine.locks.s3_lease import Lease

        return Lease(url, name, timeout_seconds)
    from reconciler.engine.locks.postgresql_lock import AdvisoryLock

    return AdvisoryLock(url, name)
