"""What operations report while they work, on stderr."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import partial

import click

from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import print_diagnostics
from reconciler.cli.output.progress import progress
from reconciler.diagnostics import Diagnostic
from reconciler.operations.reporter import ApplyObserver, Reporter, Trace
from reconciler.render.escape import visible


class TerminalReporter(Reporter):
    """Prints as much as the options ask for."""

    def __init__(self, options: Options) -> None:
        self._options = options

    @property
    def trace(self) -> Trace:
        """Prints a line for each request with `--verbose`."""
        return partial(click.echo, err=True) if self._options.verbose else None

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Print problems with the lines they are about."""
        print_diagnostics(self._options, found)

    def waiting(self, seconds: float, creates: int) -> None:
        """Print for how long, and why."""
        if not self._options.quiet:
            click.echo(f"waiting {seconds:.0f} s: {creates} creates of an earlier run may still appear", err=True)

    def not_reloaded(self, problem: Diagnostic) -> None:
        """Print the first error of the files."""
        click.echo(f"files not loaded: {visible(problem.summary)}", err=True)

    def stopping(self) -> None:
        """Print that a second signal ends the process."""
        click.echo("\nstopping after the requests in flight; interrupt again to stop immediately", err=True)

    def applying(self, total: int) -> AbstractContextManager[ApplyObserver]:
        """A line that shows how far it is."""
        return progress(self._options, total)
