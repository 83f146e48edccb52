"""Questions that a person has to answer before something is written or sent."""

from __future__ import annotations

import sys

import click

from reconciler.config.errors import ConfigError, error
from reconciler.diagnostics import Code


def ask_to_apply(question: str, nobody: str) -> bool:
    """Ask. Raises ConfigError, with the summary `nobody`, where nobody is there to be asked."""
    if not sys.stdin.isatty():
        raise ConfigError([error(Code.CONFIRMATION_REQUIRED, nobody, None, "", "add --yes")])
    return click.confirm(question, err=True)


def apply_confirmed() -> bool:
    """Ask whether to send what was shown."""
    return ask_to_apply(
        "Apply these changes?", "cannot ask for confirmation (stdin is not a terminal); nothing was sent"
    )
