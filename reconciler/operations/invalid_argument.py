"""The failures of operations that are expected: what they report. Everything else is a bug."""

from __future__ import annotations

import errno
from typing import Final

from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity

_HINTS: Final = {
    errno.ENOENT: "check the path: its directory must exist",
    errno.EACCES: "check its owner and permissions",
    errno.EROFS: "the file system is read-only: choose another location",
    errno.ENOSPC: "the disk is full: free some space and run it again",
    errno.EISDIR: "give a file, not a directory",
}


class InvalidArgument(ReconcilerError):
    """A value that an operation cannot take. `argument` is its name on the command line."""

    def __init__(self, argument: str, code: Code, summary: str) -> None:
        super().__init__([Diagnostic(Severity.ERROR, code, summary)])
        self.argument = argument


def diagnostics_of(problem: Exception) -> tuple[Diagnostic, ...] | None:
    """The diagnostics of an expected failure; None for a bug."""
    if isinstance(problem, ReconcilerError):
        return problem.diagnostics
    if isinstance(problem, OSError):
        return (_of_the_system(problem),)
    return None


def _of_the_system(problem: OSError) -> Diagnostic:
    """What the system refused, and of which file where it says so."""
    reason = problem.strerror or str(problem)
    summary = f"{problem.filename}: {reason}" if problem.filename else reason
    return Diagnostic(Severity.ERROR, Code.UNREADABLE, summary, hint=_HINTS.get(problem.errno or 0, ""))
