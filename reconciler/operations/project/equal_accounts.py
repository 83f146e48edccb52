"""Targets whose accounts turn out to be equal: by the credentials in the environment, or by an object both show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from reconciler.config.errors import ConfigError
from reconciler.config.shared_accounts import neighbours, shared
from reconciler.core.values.model import LiveObject
from reconciler.drivers.base import RemoteError
from reconciler.operations.project.session import Session


def refuse_equal_credentials(session: Session) -> None:
    """Raise ConfigError where another target with the same owner sends what this one sends. Nobody is asked."""
    for other in _others(session):
        if _sent(other) == _sent(session):
            raise _shared(session, other, "their credentials are the same in this environment")


def refuse_equal_accounts(session: Session, objects: Iterable[LiveObject]) -> None:
    """Raise ConfigError where another target with the same owner shows an object of this one.

    One request for each target at the same url whose credentials are in the environment. One that cannot be asked is
    passed over: nothing that has a manifest for it is removed here anyway.
    """
    found = {live.kind: live for live in objects}
    for other in _others(session) if found else ():
        if (live := _common(session, other, found.values())) and _shows(other, live):
            raise _shared(session, other, f"both show {live.id}")


def _others(session: Session) -> Iterator[Session]:
    """The targets that may share this one's account, as far as the environment has their credentials."""
    for target in neighbours(session.settings, session.target, session.schemas):
        with Session(replace(session.options, target=target.name), session.environment) as other:
            try:
                _ = other.connection
            except ConfigError:
                continue
            yield other


def _sent(session: Session) -> dict[str, str]:
    """The headers that may decide which account answers."""
    headers = {name.lower(): value for name, value in session.connection.headers.items()}
    beside = (*session.provider.headers, session.provider.trace_header or "")
    return {name: value for name, value in headers.items() if name not in {each.lower() for each in beside}}


def _common(session: Session, other: Session, objects: Iterable[LiveObject]) -> LiveObject | None:
    """An object of a kind that both targets have at the same place."""
    ours, theirs = session.provider.kinds, other.provider.kinds
    return next((o for o in objects if o.kind in theirs and theirs[o.kind].path == ours[o.kind].path), None)


def _shows(session: Session, live: LiveObject) -> bool:
    try:
        return bool(session.driver.read(live.kind, live.id))
    except RemoteError:
        return False


def _shared(session: Session, other: Session, why: str) -> ConfigError:
    return ConfigError([shared(session.settings, session.target, other.target, why)])
