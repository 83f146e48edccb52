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
    help="What was last applied: marks with digests, then git; auto: the commit before, in CI.",
)


def drift_options(command: _Command) -> _Command:
    """Add `--base`, `--on-drift` and `--resolve`."""
    for option in (
        click.option("--resolve", type=click.Choice(["ours", "theirs"]), help="Who wins where both sides changed."),
        click.option(
            "--on-drift",
            type=click.Choice(["revert", "keep", "fail"]),
            default="revert",
            help="What to do with fields that somebody changed outside these files.",
        ),
        base_option,
    ):
        command = option(command)
    return command
