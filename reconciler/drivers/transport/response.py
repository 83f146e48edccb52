"""A response, and what it says about retrying the request."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property
from json import JSONDecodeError
from typing import Final

from reconciler.core.values.model import Json
from reconciler.drivers.base import Unreachable
from reconciler.drivers.credentials.credential_masking import LONGEST, MARGIN, without_secrets
from reconciler.drivers.transport.json_encoding import decoded, mapped
from reconciler.drivers.transport.retry import FailedAttempt

TEXT_BYTES: Final = 2000


@dataclass(frozen=True)
class Response:
    """One answer. No `secrets` are in its text, nor in the body of an error, in whatever spelling."""

    status: int
    headers: Mapping[str, str]
    raw: bytes = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    @cached_property
    def text(self) -> str:
        """The beginning of what came, without secrets."""
        return without_secrets(self.raw[: TEXT_BYTES + MARGIN].decode(errors="replace"), self.secrets, TEXT_BYTES)

    @property
    def body(self) -> Json:
        """The parsed JSON, or None where there is none to parse; parsed on the thread that asks first."""
        return self._read[0]

    @property
    def flaw(self) -> str:
        """Why JSON was not parsed; empty where it was, and where the answer is none."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[Json, str]:
        if self.status >= 400 and len(self.raw) > LONGEST:
            return None, ""  # no error is that long
        try:
            body = decoded(self.raw)
        except (JSONDecodeError, UnicodeDecodeError):
            return None, ""
        except ValueError as wrong:
            return None, str(wrong)
        return (mapped(body, self.mask) if self.status >= 400 else body), ""

    def mask(self, text: str) -> str:
        """A text out of the answer without secrets, for an error that quotes it."""
        return without_secrets(text, self.secrets)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds the remote asks us to wait: `retry-after-ms`, or `retry-after` in seconds or as a date."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return _positive(float(milliseconds) / 1000)
        if not (text := headers.get("retry-after")):
            return None
        try:
            return _positive(float(text))
        except ValueError:
            return _positive(parsedate_to_datetime(text).timestamp() - now())
    except (ValueError, OverflowError, TypeError):
        return None


def _positive(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def failure_of(tries: int, repeatable: bool, response: Response | None, error: Unreachable | None) -> FailedAttempt:
    """What a try that did not succeed tells about trying again."""
    if response is None:
        return FailedAttempt(tries, repeatable, reached=error is None or error.reached)
    advice = {"true": True, "false": False}.get(response.headers.get("x-should-retry", ""))
    return FailedAttempt(tries, repeatable, response.status, True, retry_after(response.headers), advice)
