"""`reconciler fmt`: the canonical layout of manifests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Options
from reconciler.cli.output import say, tell_file
from reconciler.cli.verbs import verb
from reconciler.exits import Exit

if TYPE_CHECKING:
    from reconciler.config.edit.yaml_formatter import PlaceOf
    from reconciler.config.source.file_source import Found
    from reconciler.config.source.project_files import Project
    from reconciler.diagnostics import Diagnostic
    from reconciler.operations.project.session import Session


@verb
@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 2 when a file is not in the layout.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.pass_obj
def command(options: Options, paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Fields in the order of the schema, two spaces a step, texts of several lines as blocks, no blanks at the ends of
    lines. Comments stay with what they belong to, and values stay exactly what they are: a file for which that cannot
    be promised is left as it is, and said.
    """
    from reconciler.config.edit.formatter import canonical_bytes
    from reconciler.config.source.project_files import Project
    from reconciler.config.source.referenced_file import MAX_FILE_BYTES
    from reconciler.config.syntax.document_builder import Refused
    from reconciler.operations.project.session import Session
    from reconciler.tree import rewrite

    session = Session(options)
    layouts = _layouts(session)
    project = Project(session.root, _directories(session), skipped=".")
    refused: list[Diagnostic] = []
    changed = 0
    for found in _files(session, project, paths):
        try:
            old = project.read(found.path, MAX_FILE_BYTES)
            new = canonical_bytes(old, found.shown, found.suffix, layouts[found.key == _SETTINGS_KEY])
        except Refused as problem:
            refused.append(problem.diagnostic)
            continue
        if new != old:
            changed += 1
            tell_file(found.shown, old, new, diff)
            if not (check or diff):
                rewrite(session.root, found.path, new)
    say(options, [*project.problems, *refused])
    if refused or project.problems:
        return Exit.ERROR
    return Exit.CHANGES if check and changed else Exit.DONE


_SETTINGS_KEY = "/"  # no manifest's key starts with a slash


def _layouts(session: Session) -> dict[bool, PlaceOf]:
    """The schemas that say the order of fields: of manifests, and of the settings."""
    from reconciler.config.edit.formatter import manifest_places, settings_place
    from reconciler.config.errors import ConfigError
    from reconciler.drivers.provider import default_kind

    kinds: dict[str, str] = {}
    default = "assistant"
    try:
        providers = [session.schemas.provider(each.provider) for each in session.settings.targets.values()]
        default = default_kind(session.provider)
        for provider in (session.provider, *providers):
            kinds = {**{name: spec.schema for name, spec in provider.kinds.items()}, **kinds}
    except ConfigError as problem:
        # Their layout is what helps to see what is wrong with the settings.
        say(session.options, problem.diagnostics)
    return {False: manifest_places(session.schemas, kinds, default), True: settings_place(session.schemas)}


def _directories(session: Session) -> list[Path]:
    """The directories of manifests, and the layers of all targets; without these where the settings are broken."""
    from reconciler.config.errors import ConfigError

    layers: list[Path] = []
    with suppress(ConfigError):
        layers = [Path(layer) for target in session.settings.targets.values() for layer in target.layers]
    return list(dict.fromkeys((*session.options.dirs, *layers)))


def _files(session: Session, project: Project, paths: tuple[Path, ...]) -> Iterator[Found]:
    """The files that were asked for. Raises click.BadParameter for a path that is none of the project's."""
    everything = [*_settings(project), *project.walk()]
    if not paths:
        yield from everything
    for path in paths:
        wanted = os.path.abspath(session.root / path)
        inside = [each for each in everything if _is_in(wanted, session.root, each)]
        if not inside:
            is_there = os.path.lexists(wanted)
            why = f"is no manifest of {_names(session)}, and has none" if is_there else "does not exist"
            raise click.BadParameter(f"{path} {why}", param_hint="PATHS")
        yield from inside


def _settings(project: Project) -> Iterator[Found]:
    """The settings files, links followed; one that leads elsewhere is a problem of the project."""
    from reconciler.config.errors import error
    from reconciler.config.source.file_source import Found
    from reconciler.diagnostics import Code, Source

    for path in project.settings():
        try:
            yield Found(project.followed(path), project.name(path), _SETTINGS_KEY, ".yaml")
        except (OSError, ValueError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else f"it {wrong}"
            place = Source(project.name(path), 1, 1)
            project.problems.append(error(Code.FILE_REFUSED, f"cannot read the settings: {why}", place))


def _is_in(wanted: str, root: Path, found: Found) -> bool:
    named = os.path.abspath(root / found.shown)
    return named == wanted or named.startswith(wanted.rstrip(os.sep) + os.sep)


def _names(session: Session) -> str:
    return ", ".join(each.as_posix() for each in session.options.dirs)
