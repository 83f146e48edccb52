"""Putting files into the canonical layout."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from reconciler.config.edit.formatter import canonical_bytes, manifest_places, settings_place
from reconciler.config.edit.yaml_formatter import PlaceOf
from reconciler.config.errors import ConfigError, error
from reconciler.config.source.file_source import ManifestFile
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.source.referenced_file import MAX_FILE_BYTES
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.drivers.provider import default_kind
from reconciler.operations.invalid_argument import InvalidArgument
from reconciler.operations.project.project_target import ProjectTarget
from reconciler.tree import rewrite

_SETTINGS_KEY = "/"  # no manifest's key starts with a slash


class Reformatted(NamedTuple):
    """A file that is not in the layout: its name for people, its path, and what it holds now and is to hold."""

    name: str
    path: str
    old: bytes
    new: bytes


class Formatter:
    """The manifests, what they extend, and the settings of a project.

    `settings_problems` are why the layout of some kinds may be unknown, `problems` are of files that are left alone.
    """

    def __init__(self, target: ProjectTarget) -> None:
        self._target = target
        self._layouts, self.settings_problems = _layouts(target)
        self._project = ProjectFiles(target.root, _directories(target), skipped=".")
        self._refused: list[Diagnostic] = []

    @property
    def problems(self) -> list[Diagnostic]:
        """What was wrong with files that were read so far."""
        return [*self._project.problems, *self._refused]

    def changes(self, paths: Sequence[Path] = ()) -> Iterator[Reformatted]:
        """The files that are not in the layout, of some paths or of all. Raises InvalidArgument and OSError."""
        for found in _files(self._target, self._project, paths):
            try:
                old = self._project.read(found.path, MAX_FILE_BYTES)
                new = canonical_bytes(old, found.shown, found.suffix, self._layouts[found.key == _SETTINGS_KEY])
            except UnreadableFile as problem:
                self._refused.append(problem.diagnostic)
                continue
            if new != old:
                yield Reformatted(found.shown, found.path, old, new)

    def write(self, change: Reformatted) -> None:
        """Write a file in the layout. Raises OSError."""
        rewrite(self._target.root, change.path, change.new)


def _layouts(target: ProjectTarget) -> tuple[dict[bool, PlaceOf], Sequence[Diagnostic]]:
    """The schemas that say the order of fields (of manifests, and of the settings), and what is wrong with these."""
    problems: Sequence[Diagnostic] = ()
    kinds: dict[str, str] = {}
    default = "assistant"
    try:
        providers = [target.schemas.provider(each.provider) for each in target.settings.targets.values()]
        default = default_kind(target.provider)
        for provider in (target.provider, *providers):
            kinds = {**{name: spec.schema for name, spec in provider.kinds.items()}, **kinds}
    except ConfigError as problem:
        # Their layout is what helps to see what is wrong with the settings.
        problems = problem.diagnostics
    places = {False: manifest_places(target.schemas, kinds, default), True: settings_place(target.schemas)}
    return places, problems


def _directories(target: ProjectTarget) -> list[Path]:
    """The directories of manifests, and the layers of all targets; without these where the settings are broken."""
    layers: list[Path] = []
    with suppress(ConfigError):
        layers = [Path(layer) for each in target.settings.targets.values() for layer in each.layers]
    return list(dict.fromkeys((*target.options.dirs, *layers)))


def _files(target: ProjectTarget, project: ProjectFiles, paths: Sequence[Path]) -> Iterator[ManifestFile]:
    """The files that were asked for. Raises InvalidArgument for a path that is none of the project's."""
    everything = [*_settings(project), *project.walk()]
    if not paths:
        yield from everything
    for path in paths:
        wanted = os.path.abspath(target.root / path)
        inside = [each for each in everything if _is_in(wanted, target.root, each)]
        if not inside:
            is_there = os.path.lexists(wanted)
            why = f"is not a manifest of {_names(target)} and contains none" if is_there else "does not exist"
            raise InvalidArgument("PATHS", Code.NO_SUCH_FILES, f"{path} {why}")
        yield from inside


def _settings(project: ProjectFiles) -> Iterator[ManifestFile]:
    """The settings files, links followed; one that leads elsewhere is a problem of the project."""
    for path in project.settings():
        try:
            yield ManifestFile(project.followed(path), project.name(path), _SETTINGS_KEY, ".yaml")
        except (OSError, ValueError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else f"it {wrong}"
            place = Source(project.name(path), 1, 1)
            project.problems.append(error(Code.FILE_REFUSED, f"cannot read the settings: {why}", place))


def _is_in(wanted: str, root: Path, found: ManifestFile) -> bool:
    named = os.path.abspath(root / found.shown)
    return named == wanted or named.startswith(wanted.rstrip(os.sep) + os.sep)


def _names(target: ProjectTarget) -> str:
    return ", ".join(each.as_posix() for each in target.options.dirs)
