"""Starting a project: what it can be started with, and its first files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from reconciler.config.edit.write_manifests import create_file
from reconciler.config.errors import ConfigError, has_errors
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.message_text import slug
from reconciler.config.schema.schema_messages import schema_diagnostics
from reconciler.config.schema.schemas import Schemas, shipped
from reconciler.config.settings import SCHEMA
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.source.referenced_file import MAX_FILE_BYTES
from reconciler.config.syntax.yaml import read_yaml
from reconciler.config.targets import Settings, Target
from reconciler.diagnostics import Diagnostic
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.pulling.json_export import exported_manifests
from reconciler.operations.starting.scaffold import ProjectChoices, settings_text
from reconciler.tree import Tree

IGNORED: Final = ".reconciler/"


def default_owner(directory: Path) -> str:
    """The owner that a project has unless another is named: the name of its directory."""
    return slug(directory.absolute().name)[:32].strip("-") or "me"


def check(start: ProjectChoices, schemas: Schemas) -> None:
    """Raises ConfigError where the settings would not be accepted: an owner that cannot be one, a url that is none."""
    documents, problems = read_yaml(settings_text(start).encode(), "reconciler.yaml")
    for document in documents:
        problems += schema_diagnostics(schemas.failures(SCHEMA, document.value), document, schemas.schema(SCHEMA))
    if has_errors(problems):
        raise ConfigError(problems)


def exported_files(
    options: ProjectOptions, start: ProjectChoices, export: Path
) -> tuple[dict[str, bytes], list[Diagnostic]]:
    """Manifests for exported objects, by their path below the directory, and what was left out. Raises ConfigError."""
    target = Target("start", start.provider.name)
    reading = ManifestContext(Settings(targets={"start": target}), target, start.provider, shipped())
    return exported_manifests(export, options.directory, start.directory, reading)


def has_manifests(options: ProjectOptions) -> bool:
    """Whether the project has any file of a manifest."""
    directories = [each for each in options.dirs if (options.directory / each).is_dir()]
    return any(True for _ in ProjectFiles(options.directory.absolute(), directories).walk())


def create_files(directory: Path, files: Mapping[str, bytes]) -> Iterator[tuple[str, bool]]:
    """Write the files that do not exist: the path of each, and whether it was written. Raises OSError."""
    root = directory.absolute()
    for path, content in files.items():
        try:
            create_file(root, str(root / path), content)
        except FileExistsError:
            yield path, False
        else:
            yield path, True


def ignore_state(directory: Path) -> str:
    """Have git ignore what belongs to this machine; a line is added below those of a file that exists.

    Returns `+` for a new file, `~` for a line that was added, and nothing where git ignores it already.
    """
    files, name = Tree(directory), ".gitignore"
    text = files.read(name, MAX_FILE_BYTES).decode("utf-8") if name in files.names() else ""
    if IGNORED in text.splitlines():
        return ""
    files.replace(name, f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{IGNORED}\n".encode())
    return "~" if text else "+"
