"""How to recognise and treat other people's changes: `--base`, `--on-drift`, `--resolve`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])

base_option = click.option(
    "--base",
    default="auto",
    metavar="auto|git:REF|none",
    help="Commit that was last applied, if marks have no digests; auto: in CI, the previous commit.",
)


def drift_options(command: _Command) -> _Command:
    """Add `--base`, `--on-drift` and `--resolve`."""
    for option in (
        click.option(
            "--resolve",
            type=click.Choice(["ours", "theirs"]),
            help="Which side wins if both changed: ours (files) or theirs (live).",
        ),
        click.option(
            "--on-drift",
            type=click.Choice(["revert", "keep", "fail"]),
            default="revert",
            help="What to do with fields that were changed outside these files.",
        ),
        base_option,
    ):
        command = option(command)
    return command
