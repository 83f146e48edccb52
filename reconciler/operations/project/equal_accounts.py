"""Targets whose accounts turn out to be equal: by the credentials in the environment, or by an object both show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from reconciler.config.errors import ConfigError
from reconciler.config.shared_accounts import shared
from reconciler.config.targets import Settings, Target
from reconciler.core.values.model import LiveObject
from reconciler.drivers.base import Driver, RemoteError
from reconciler.drivers.credentials.connection_settings import ConnectionSettings
from reconciler.drivers.provider import Provider


class Access(Protocol):
    """A target and what it is asked with."""

    @property
    def settings(self) -> Settings:
        """The settings that the target is in."""

    @property
    def target(self) -> Target:
        """The target itself."""

    @property
    def provider(self) -> Provider:
        """How it speaks."""

    @property
    def connection(self) -> ConnectionSettings:
        """Where requests go and with what. Raises ConfigError."""

    @property
    def driver(self) -> Driver:
        """What sends them. Raises ConfigError."""


def refuse_equal_credentials(access: Access, others: Iterable[Access]) -> None:
    """Raise ConfigError where another target with the same owner sends what this one sends. Nobody is asked."""
    for other in _reachable(others):
        if _sent(other) == _sent(access):
            raise _shared(access, other, "their credentials are the same in this environment")


def refuse_equal_accounts(access: Access, others: Iterable[Access], objects: Iterable[LiveObject]) -> None:
    """Raise ConfigError where another target with the same owner shows an object of this one.

    One request for each target at the same url whose credentials are in the environment. One that cannot be asked is
    passed over: nothing that has a manifest for it is removed here anyway.
    """
    found = {live.kind: live for live in objects}
    for other in _reachable(others) if found else ():
        if (live := _common(access, other, found.values())) and _shows(other, live):
            raise _shared(access, other, f"both show {live.id}")


def _reachable(others: Iterable[Access]) -> Iterator[Access]:
    """Those whose credentials the environment has."""
    for other in others:
        try:
            _ = other.connection
        except ConfigError:
            continue
        yield other


def _sent(access: Access) -> dict[str, str]:
    """The headers that may decide which account answers."""
    headers = {name.lower(): value for name, value in access.connection.headers.items()}
    beside = (*access.provider.headers, access.provider.trace_header or "")
    return {name: value for name, value in headers.items() if name not in {each.lower() for each in beside}}


def _common(access: Access, other: Access, objects: Iterable[LiveObject]) -> LiveObject | None:
    """An object of a kind that both targets have at the same place."""
    ours, theirs = access.provider.kinds, other.provider.kinds
    return next((o for o in objects if o.kind in theirs and theirs[o.kind].path == ours[o.kind].path), None)


def _shows(access: Access, live: LiveObject) -> bool:
    try:
        return bool(access.driver.read(live.kind, live.id))
    except RemoteError:
        return False


def _shared(access: Access, other: Access, why: str) -> ConfigError:
    return ConfigError([shared(access.settings, access.target, other.target, why)])
