"""Renews a credential before it expires, so that a long apply can go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

EARLY_SECONDS: Final = 300
"""How long before its end a token is not used any more: a request may wait for its turn."""


class Token(NamedTuple):
    """A secret, and the Unix time it is good until."""

    secret: str
    expires: float


class ExpiringCredential:
    """The header of a credential that expires. Safe from several threads."""

    def __init__(
        self, header: str, form: str, ask: Callable[[], Token], clock: Callable[[], float] = time.time
    ) -> None:
        self._header = header
        self._form = form
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token = Token("", 0)
        self.secrets: tuple[str, ...] = ()  # every one there was: a late answer may quote one that has expired

    def headers(self) -> dict[str, str]:
        """The header as it has to be now. Raises what asking for a token raises."""
        with self._lock:
            if self._clock() > self._token.expires - EARLY_SECONDS:
                self._token = self._ask()
                self.secrets = (*self.secrets, self._token.secret)
            return {self._header: self._form.format(self._token.secret)}
