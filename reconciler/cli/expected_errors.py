"""Expected failures: how they are printed, and the exit code they end with."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options


def report_failure(problem: Exception, options: Options, formats: Sequence[str]) -> Exit | None:
    """Say an expected failure on stderr, and in those of `formats` that can hold problems; None for a bug."""
    from reconciler.cli.output.destinations import print_diagnostics
    from reconciler.cli.output.formats import write_problems
    from reconciler.config.errors import in_order
    from reconciler.operations.invalid_argument import diagnostics_of

    if (diagnostics := diagnostics_of(problem)) is None:
        return None
    found = in_order(diagnostics)
    print_diagnostics(options, found)
    try:
        write_problems(found, options, formats)
    except OSError as unwritten:
        print_diagnostics(options, [each for each in diagnostics_of(unwritten) or () if each not in found])
    return error_exit(problem)


def error_exit(problem: Exception) -> Exit:
    """The exit code of an expected failure."""
    # A module that is not loaded cannot have raised it.
    stale = getattr(sys.modules.get("reconciler.engine.stale_check"), "StalePlan", ())
    return Exit.STALE if isinstance(problem, stale) else Exit.ERROR
