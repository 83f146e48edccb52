"""Where results go: `--format F[=FILE]`, repeated; results to stdout or files, everything else to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from reconciler.commands.options import Options
from reconciler.core.model import Diagnostic, Severity
from reconciler.render.visible import visible

DEFAULT_WIDTH = 100
FORMATS = ("text", "json", "markdown", "summary", "html", "sarif", "github", "gitlab", "gitlab-plan", "junit")
"""The formats of a plan: `markdown` fits a comment, `summary` is Markdown that fits a job's summary."""
OUTCOME_FORMATS = ("text", "json", "markdown", "summary")
"""The formats of what an apply did."""

formats_option = click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="F[=FILE]",
    callback=lambda context, option, formats: _known(formats),
    help=f"{', '.join(FORMATS)}; after an apply {', '.join(OUTCOME_FORMATS)}. markdown fits a comment, summary a job's "
    "summary. With =FILE into a file. Can be repeated.",
)


def _known(formats: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a format that no command has before anything is read or sent."""
    destinations(formats, FORMATS)
    return formats


def destinations(formats: Sequence[str], known: Sequence[str]) -> list[tuple[str, Path | None]]:
    """What to write where; text on stdout when nothing is asked for. Raises click.UsageError for an unknown format."""
    found: list[tuple[str, Path | None]] = []
    for wish in formats or ("text",):
        name, _, file = wish.partition("=")
        if name not in known:
            raise click.BadParameter(f"{name!r} is not a format; choose from {', '.join(known)}", param_hint="--format")
        found.append((name, Path(file) if file else None))
    return found


def write(options: Options, formats: Sequence[str], renderers: Mapping[str, Callable[[bool], str]]) -> None:
    """Render each format once, to stdout or its file. A renderer is told whether it writes to the terminal."""
    for name, file in destinations(formats, list(renderers)):
        if file is None:
            click.echo(renderers[name](True), nl=False, color=True)
        else:
            _own_file(options.directory, file).write_text(renderers[name](False), encoding="utf-8")


def _own_file(directory: Path, file: Path) -> Path:
    """Where a format goes. Raises click.ClickException for a link that leads out of the project.

    Links come with the files of a pull request, and what is written through one may be anything of this user's.
    """
    path = directory / file
    inside = Path(os.path.abspath(path)).is_relative_to(os.path.abspath(directory))
    if inside and not path.resolve().is_relative_to(directory.resolve()):
        raise click.ClickException(f"{visible(str(path))} is a link that leads outside the project: remove it")
    return path


def wants_color(options: Options) -> bool:
    """Whether stdout gets colour."""
    if options.color != "auto":
        return options.color == "always"
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Columns of the terminal; a readable width where there is none."""
    return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if sys.stdout.isatty() else DEFAULT_WIDTH


def say(options: Options, found: Sequence[Diagnostic]) -> None:
    """Diagnostics to stderr; `--quiet` leaves only errors."""
    from reconciler.render.diagnostics import diagnostics

    shown = [d for d in found if not options.quiet or d.severity is Severity.ERROR]
    if shown:
        click.echo(diagnostics(shown), err=True, nl=False)
