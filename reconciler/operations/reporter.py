"""What an operation reports while it works. Results are not reported: operations return them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeAlias

from reconciler.core.values.model import Address
from reconciler.diagnostics import Diagnostic
from reconciler.formats.outcome import Outcome

Trace: TypeAlias = Callable[[str], None] | None
"""Takes a line for each request."""


class ApplyObserver(Protocol):
    """Hears of an apply as it goes on, from several threads."""

    def report(self, outcome: Outcome) -> None:
        """One more change is done."""

    def sent(self, count: int) -> None:
        """So many bytes of a file were sent; negative where they are sent again."""

    def awaiting(self, address: Address, count: int) -> None:
        """So many files of an address are being indexed."""


class Reporter:
    """Reports nothing. Whoever wants to hear what happens overrides what is of interest."""

    @property
    def trace(self) -> Trace:
        """What takes a line for each request; None where nobody wants any."""
        return None

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Problems that do not stop the operation."""

    def waiting(self, seconds: float, creates: int) -> None:
        """The operation waits, because creates of an earlier run may still show up."""

    def not_reloaded(self, problem: Diagnostic) -> None:
        """The files changed and have an error, so the operation goes on with what it read before."""

    def stopping(self) -> None:
        """A signal arrived. What is in flight is finished, and nothing else is sent."""

    def applying(self, total: int) -> AbstractContextManager[ApplyObserver]:
        """So many changes are about to be sent."""
        return nullcontext(SILENT_OBSERVER)


class _SilentObserver:
    def report(self, outcome: Outcome) -> None: ...

    def sent(self, count: int) -> None: ...

    def awaiting(self, address: Address, count: int) -> None: ...


SILENT_OBSERVER: ApplyObserver = _SilentObserver()
SILENT = Reporter()
