"""Makes diagnostics for bad files, and the one exception of this package that carries them."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.diagnostics import Code, Diagnostic, ReconcilerError, Severity, Source


class ConfigError(ReconcilerError):
    """The files, settings or environment are such that the command cannot go on."""


def error(code: Code, summary: str, source: Source | None, detail: str = "", hint: str = "") -> Diagnostic:
    """A problem that stops the command."""
    return Diagnostic(Severity.ERROR, code, summary, detail, hint, source)


def warning(code: Code, summary: str, source: Source | None, detail: str = "", hint: str = "") -> Diagnostic:
    """A problem worth telling that stops nothing."""
    return Diagnostic(Severity.WARNING, code, summary, detail, hint, source)


def info(code: Code, summary: str, source: Source | None, detail: str = "", hint: str = "") -> Diagnostic:
    """Something worth knowing that is no problem."""
    return Diagnostic(Severity.INFO, code, summary, detail, hint, source)


def install_hint(extra: str) -> str:
    """The command that installs what an extra brings: the distribution is not called like the command."""
    return f"pip install 'assistants-as-code[{extra}]'"


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sorted by file, line and column, each once; those without a place come first."""

    def place(diagnostic: Diagnostic) -> tuple[str, int, int]:
        return diagnostic.source or ("", 0, 0)

    return tuple(sorted(dict.fromkeys(diagnostics), key=place))


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of these stops the command."""
    return any(each.severity is Severity.ERROR for each in diagnostics)
