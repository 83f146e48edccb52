"""Where results go: `--format F[=FILE]`, repeated; results to stdout or files, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeAlias

import click

from reconciler.cli.options.global_options import REMEMBERED_FORMATS, Options

if TYPE_CHECKING:
    from reconciler.config.source.project_files import ProjectFiles
    from reconciler.diagnostics import Diagnostic
    from reconciler.render.terminal.excerpt import Lines

DEFAULT_WIDTH = 100
FORMATS = ("text", "json", "markdown", "summary", "html", "sarif", "github", "gitlab", "gitlab-plan", "junit")
"""The formats of a plan: `markdown` fits a comment, `summary` is Markdown that fits a job's summary."""
OUTCOME_FORMATS = ("text", "json", "markdown", "summary")
"""The formats of what an apply did."""
PROBLEM_FORMATS = ("text", "json", "sarif", "github", "gitlab")
"""The formats of problems, where there is no plan."""

Callback: TypeAlias = Callable[[click.Context, click.Parameter, tuple[str, ...]], tuple[str, ...]]


def checked_formats(known: Sequence[str]) -> Callback:
    """For an option: refuse a format that is not known before anything is read or sent; keep them for a failure."""

    def keep(context: click.Context, option: click.Parameter, formats: tuple[str, ...]) -> tuple[str, ...]:
        destinations(formats, known)
        context.meta[REMEMBERED_FORMATS] = formats
        return formats

    return keep


formats_option = click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="F[=FILE]",
    callback=checked_formats(FORMATS),
    help=f"Output format: {', '.join(FORMATS)}; after an apply: {', '.join(OUTCOME_FORMATS)}. markdown is for a "
    "comment, summary for a job's summary. F=FILE writes to a file. Can be repeated.",
)


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
    """Render each format once, to stdout or its file. The argument of a renderer is whether it writes to a terminal.

    One that cannot be written keeps no other from being written. Raises OSError or click.ClickException for the first.
    """
    failed: list[OSError | click.ClickException] = []
    for name, file in destinations(formats, list(renderers)):
        try:
            if file is None:
                click.echo(renderers[name](True), nl=False, color=True)
            else:
                _put(options.directory, file, renderers[name](False))
        except (OSError, click.ClickException) as problem:
            failed.append(problem)
    if failed:
        raise failed[0]


def _put(directory: Path, file: Path, text: str) -> None:
    """Write what a format gives. Raises OSError, also for a link inside the repository of the project.

    Links come with the files of a pull request, and what is written through one may be anything of this user's.
    """
    from reconciler.tree import in_boundary, tree_of

    tree, path = tree_of(directory, file)
    if in_boundary(directory, file) is not None:
        tree.replace(path, text.encode("utf-8"))
    else:
        path.write_text(text, encoding="utf-8")  # it may be a terminal, a pipe, or the summary of a job


def wants_color(options: Options, stream: TextIO | None = None) -> bool:
    """Whether a stream gets colour; stdout unless another is named."""
    if options.color != "auto":
        return options.color == "always"
    dumb = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
    return (stream or sys.stdout).isatty() and not dumb


def width(stream: TextIO | None = None) -> int:
    """Columns of the terminal that a stream is (stdout, unless another is named); a readable width where it is none."""
    import shutil

    at_terminal = (stream or sys.stdout).isatty()
    return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns if at_terminal else DEFAULT_WIDTH


def print_diagnostics(options: Options, found: Iterable[Diagnostic], files: ProjectFiles | None = None) -> None:
    """Diagnostics to stderr, by file and line, each once, with the lines they are about; only errors with `--quiet`.

    `files` are where the lines are read, unless that is the project on the disk.
    """
    if not (found := list(found)):
        return
    from reconciler.config.errors import has_errors, in_order
    from reconciler.render.terminal.diagnostic_lines import diagnostics, more_about

    shown = in_order(each for each in found if not options.quiet or has_errors([each]))
    if not shown:
        return
    text = diagnostics(shown, wants_color(options, sys.stderr), _file_lines(options, files), width(sys.stderr))
    click.echo(text + ("" if options.quiet else more_about(shown)), err=True, nl=False, color=True)


def _file_lines(options: Options, files: ProjectFiles | None) -> Lines:
    """The lines of the project's files, read again as carefully as the first time."""
    from reconciler.config.checks.source_lines import lines_of
    from reconciler.config.source.project_files import ProjectFiles

    project = files or ProjectFiles(options.directory.absolute(), options.dirs)
    return cache(partial(lines_of, project))


def print_file_change(name: str, old: bytes, new: bytes, diff: bool) -> None:
    """A file that changes, to stdout: its name, or every line that does."""
    import difflib

    from reconciler.render.escape import visible

    name = visible(name)
    if not diff:
        click.echo(name)
        return
    for line in difflib.unified_diff(_lines(old), _lines(new), name, name, lineterm=""):
        click.echo(line[:1] + visible(line[1:]))


def _lines(content: bytes) -> list[str]:
    text = content.decode("utf-8", "replace")
    return [*text.removesuffix("\n").split("\n"), *([] if text.endswith("\n") else ["(no line break at the end)"])]
