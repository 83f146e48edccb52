"""How far an apply is, on stderr: changes done, and bytes of files with their rate."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from reconciler.cli.options.global_options import Options
from reconciler.core.values.model import Address
from reconciler.formats.outcome import Outcome
from reconciler.operations.reporter import SILENT_OBSERVER, ApplyObserver

_REDRAWN_SECONDS = 0.1
_UNITS = ("B", "kB", "MB", "GB")


@dataclass(slots=True)
class ApplyProgress:
    """What has been done so far of `total` changes. `write` takes a line that replaces the one before."""

    total: int
    write: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    bytes: int = 0
    awaited: dict[Address, int] = field(default_factory=dict)
    _began: float | None = None
    _drawn: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def report(self, outcome: Outcome) -> None:
        """One change more is done."""
        with self._lock:
            self.done += 1
            self.write(self.line())

    def sent(self, count: int) -> None:
        """So many bytes of a file went out; negative where they go out again."""
        with self._lock:
            now = self.clock()
            self._began = now if self._began is None else self._began
            self.bytes += count
            if now - self._drawn >= _REDRAWN_SECONDS:
                self._drawn = now
                self.write(self.line())

    def awaiting(self, address: Address, count: int) -> None:
        """So many files of an address are being indexed, as far as is known."""
        with self._lock:
            self.awaited[address] = count
            self.write(self.line())

    def line(self) -> str:
        """`3/12 applied, 1.2 MB uploaded, 0.8 MB/s`, or `3/12 applied, 1.2 MB uploaded, 40 files being indexed`."""
        text, indexed = f"{self.done}/{self.total} applied", sum(self.awaited.values())
        if self._began is not None:
            text += f", {format_bytes(self.bytes)} uploaded"
        if indexed:
            return f"{text}, {indexed} files being indexed"
        seconds = 0.0 if self._began is None else self.clock() - self._began
        return f"{text}, {format_bytes(self.bytes / seconds)}/s" if seconds > 0 else text


def format_bytes(count: float) -> str:
    """A number of bytes in the unit that fits: `1.2 MB`."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.0f} B" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


@contextmanager
def progress(options: Options, total: int) -> Iterator[ApplyObserver]:
    """A line on stderr while requests go out, on a terminal only."""
    if options.quiet or not sys.stderr.isatty():
        yield SILENT_OBSERVER
        return
    shown = ApplyProgress(total, lambda line: click.echo(f"\r\x1b[K{line}", nl=False, err=True))
    yield shown
    click.echo("\r\x1b[K" if shown.done or shown.bytes else "", nl=False, err=True)
