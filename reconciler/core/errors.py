"""How an expected failure looks from outside: one exception that carries what to tell.

ReconcilerError
├── ConfigError       the files, settings or environment: every problem of them at once
├── PlanFileError     a plan file that cannot be read, or is not what was written
├── LockFileError     the lock file of marks cannot be used
├── StoreError        the database of a fleet cannot be used
├── Unusable          a target of a fleet that cannot be set up
├── StalePlan         the target or the files changed since the plan was made; nothing was sent
└── RemoteError       anything between us and the remote; see `drivers.base` for what there is below it
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.model import Diagnostic


class ReconcilerError(Exception):
    """Something expected went wrong; `diagnostics` say what, where and what to do, and hold no secret."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(each.summary for each in diagnostics))
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)

    @property
    def diagnostic(self) -> Diagnostic:
        """The first of them."""
        return self.diagnostics[0]
