"""Expected failures: what they say to the user, and the exit code they end with."""

from __future__ import annotations

import sys

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
        ("reconciler.engine.fleet.database", "StoreError", Exit.ERROR),
        ("reconciler.drivers.base", "RemoteError", Exit.ERROR),
    ):
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(problem, kind):
            found = getattr(problem, "diagnostics", None) or (problem.diagnostic,)
            return tuple(found), status
    if isinstance(problem, OSError):
        return (Diagnostic(Severity.ERROR, Code.UNREADABLE, str(problem)),), Exit.ERROR
    return None
