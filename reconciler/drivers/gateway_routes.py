"""Checks which upstream of a gateway answered: another upstream holds other objects."""

from __future__ import annotations

import json
from threading import Lock
from typing import Any, Final

from reconciler.drivers.base import RouteChanged
from reconciler.drivers.provider import Provider

_HINT: Final = "a gateway that balances or falls back between accounts cannot be reconciled: pin one upstream"


def has_several_routes(provider: Provider, header: str, value: str) -> bool:
    """Whether the header of a request, as it is sent, holds a gateway's routing to several upstreams.

    A routing that is saved at the gateway tells nothing.
    """
    if provider.route_config is None or header.lower() != provider.route_config.lower():
        return False
    waiting: list[Any] = [json.loads(value)] if value.lstrip()[:1] == "{" else []
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            options = found.get(provider.route_options or "")
            if isinstance(options, list) and len(options) > 1:
                return True
            waiting += found.values()
        elif isinstance(found, list):
            waiting += found
    return False


class Routes:
    """The routes of one target's answers: all the same, and none that is one of several unless the target names it.

    `named` is the route that the target is for. Safe from several threads.
    """

    def __init__(self, provider: Provider, named: str | None) -> None:
        self._header = provider.route_header
        self._options = provider.route_options
        self._named = named
        self._first = named
        self._lost: RouteChanged | None = None
        self._lock = Lock()

    def refuse(self) -> None:
        """Raise RouteChanged where an answer came by another route: nothing more is to be sent."""
        if self._lost is not None:
            raise self._lost

    def check(self, status: int, route: str | None) -> None:
        """Raise RouteChanged where an answer came by another route than the ones before, or than the target names.

        An answer that says nothing was done (or nobody knows what) may come from anywhere.
        """
        if self._header is None or status >= 500 or status in (408, 429):
            return
        with self._lock:
            first, self._first = self._first, self._first or route
        if route is None and (self._named is None or status >= 300):
            return
        if first is not None and route != first:
            why = "the target is for" if self._named else "the previous one from"
            raise self._refused(f"the gateway response came from {route or 'an unknown route'}, {why} {first}", _HINT)
        if first is None and self._options and f"{self._options}[" in (route or ""):
            hint = f"pin one upstream; if this one is always used, write `route: {route}` into the target"
            raise self._refused(f"the gateway chose {route} from a list, and may choose another next time", hint)

    def _refused(self, summary: str, hint: str) -> RouteChanged:
        self._lost = RouteChanged(summary, hint=hint)
        return self._lost
