"""Expected failures: what they say to the user, and the exit code they end with."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from reconciler.commands.options import Options
from reconciler.core.codes import Code
from reconciler.core.model import Diagnostic, Severity
from reconciler.exits import Exit


def diagnostics_of(problem: Exception) -> tuple[tuple[Diagnostic, ...], Exit] | None:
    """The diagnostics and exit code of an expected failure; None for a bug.

    Looks only at modules that are loaded: an exception of a module that is not cannot have been raised.
    """
    for module, name, status in (
        ("reconciler.config.errors", "ConfigError", Exit.ERROR),
        ("reconciler.engine.apply", "StalePlan", Exit.STALE),
        ("reconciler.engine.planfile", "PlanFileError", Exit.ERROR),
        ("reconciler.engine.lockfile", "LockFileError", Exit.ERROR),
        ("reconciler.drivers.base", "RemoteError", Exit.ERROR),
    ):
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(problem, kind):
            found = getattr(problem, "diagnostics", None) or (problem.diagnostic,)
            return tuple(found), status
    if isinstance(problem, OSError):
        return (Diagnostic(Severity.ERROR, Code.UNREADABLE, str(problem)),), Exit.ERROR
    return None


def tell(problem: Exception, options: Options, formats: Sequence[str]) -> Exit | None:
    """Say an expected failure on stderr, and in those of `formats` that can hold problems; None for a bug."""
    from reconciler.commands.formats import write_problems
    from reconciler.commands.output import say
    from reconciler.config.errors import in_order

    if (said := diagnostics_of(problem)) is None:
        return None
    found, status = in_order(said[0]), said[1]
    say(options, found)
    try:
        write_problems(found, options, formats)
    except OSError as unwritten:
        say(options, [Diagnostic(Severity.ERROR, Code.UNREADABLE, str(unwritten))])
    return status
