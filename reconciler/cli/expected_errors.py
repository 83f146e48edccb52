"""Expected failures: what they say to the user, and the exit code they end with."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Final

from reconciler.cli.options import Options
from reconciler.diagnostics import Code, Diagnostic, Severity
from reconciler.exits import Exit

_HINTS: Final = {
    errno.ENOENT: "check the path: its directory has to exist",
    errno.EACCES: "check who owns it and who may write there",
    errno.EROFS: "nothing can be written there: choose another place",
    errno.ENOSPC: "the disk is full: make room and run it again",
    errno.EISDIR: "name a file, not a directory",
}


def diagnostics_of(problem: Exception) -> tuple[tuple[Diagnostic, ...], Exit] | None:
    """The diagnostics and exit code of an expected failure; None for a bug."""
    from reconciler.diagnostics import ReconcilerError

    if isinstance(problem, ReconcilerError):
        # A module that is not loaded cannot have raised it.
        stale = getattr(sys.modules.get("reconciler.engine.stale_check"), "StalePlan", ())
        return problem.diagnostics, Exit.STALE if isinstance(problem, stale) else Exit.ERROR
    if isinstance(problem, OSError):
        return (_of_the_system(problem),), Exit.ERROR
    return None


def tell(problem: Exception, options: Options, formats: Sequence[str]) -> Exit | None:
    """Say an expected failure on stderr, and in those of `formats` that can hold problems; None for a bug."""
    from reconciler.cli.output import say
    from reconciler.cli.output_formats import write_problems
    from reconciler.config.errors import in_order

    if (said := diagnostics_of(problem)) is None:
        return None
    found, status = in_order(said[0]), said[1]
    say(options, found)
    try:
        write_problems(found, options, formats)
    except OSError as unwritten:
        if (again := _of_the_system(unwritten)) not in found:
            say(options, [again])
    return status


def _of_the_system(problem: OSError) -> Diagnostic:
    """What the system refused, and of which file where it says so."""
    said = problem.strerror or str(problem)
    summary = f"{problem.filename}: {said}" if problem.filename else said
    return Diagnostic(Severity.ERROR, Code.UNREADABLE, summary, hint=_HINTS.get(problem.errno or 0, ""))
