"""What the shell offers while a command is typed: quick, from files alone, and silent when anything is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, TypeAlias

import click

if TYPE_CHECKING:
    from reconciler.cli.options.global_options import Options
    from reconciler.config.source.file_source import ManifestFile
    from reconciler.config.source.project_files import ProjectFiles

Offer: TypeAlias = Callable[[click.Context, click.Parameter, str], list[str]]


def _quiet(offer: Callable[[Options, str], Iterable[str]]) -> Offer:
    """An offer that is empty where something is wrong: a broken file must not print into a half-typed line."""

    @wraps(offer)
    def offered(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
        with suppress(Exception):
            return [word for word in offer(_options(context), incomplete) if word.startswith(incomplete)]
        return []

    return offered


def _options(context: click.Context) -> Options:
    """The global options typed so far: the group itself is not run while a line is completed."""
    from reconciler.cli.options.global_options import Options, project_places

    parameters = context.find_root().params
    return Options(
        *project_places(parameters.get("directory"), parameters.get("dirs")),
        parameters.get("target"),
        quiet=True,
        color="never",
    )


@_quiet
def complete_targets(options: Options, incomplete: str) -> Iterable[str]:
    """The targets of the settings."""
    from reconciler.operations.project.project_target import ProjectTarget

    return sorted(ProjectTarget(options).settings.targets)


@_quiet
def complete_addresses(options: Options, incomplete: str) -> Iterable[str]:
    """The addresses of manifests, whether these are right or not; without those that a fleet or a layer adds."""
    from reconciler.config.source.project_files import ProjectFiles
    from reconciler.drivers.provider import default_kind
    from reconciler.operations.project.project_target import ProjectTarget

    target = ProjectTarget(options)
    project = ProjectFiles(target.root, options.dirs)
    kind = default_kind(target.provider)
    addresses: set[str] = set()
    for found in project.walk():
        with suppress(Exception):  # one bad file does not hide the others
            addresses.update(_addresses(project, found, kind))
    return sorted(addresses)


def _addresses(project: ProjectFiles, found: ManifestFile, kind: str) -> Iterator[str]:
    """The addresses in one file; it is parsed only where it may name them itself, for that takes the time."""
    from reconciler.config.syntax.document import BLOCK
    from reconciler.config.syntax.markdown import split
    from reconciler.config.syntax.yaml import MAX_BYTES, read_yaml

    content = project.read(found.path, MAX_BYTES)
    if found.suffix == ".md":
        parts = split(content.decode(), found.shown)
        if parts is None:
            return
        content = parts.front.encode()
    if BLOCK.encode() not in content:
        yield f"{kind}/{found.key}"
        return
    for document in read_yaml(content, found.shown)[0]:
        block = document.value.get(BLOCK) or {}
        if "for_each" not in block:
            yield f"{block.get('kind', kind)}/{block.get('key', found.key)}"


@_quiet
def complete_fields(options: Options, incomplete: str) -> Iterable[str]:
    """Kinds, and below a dot the fields there are."""
    from reconciler.config.schema.schema_fields import schema_root
    from reconciler.operations.project.project_target import ProjectTarget

    target = ProjectTarget(options)
    kind, *names = incomplete.split(".")
    if not names:
        return list(target.provider.kinds)
    place = schema_root(target.schemas.manifest_schema(target.provider.kinds[kind].schema))
    for name in names[:-1]:
        if (below := place.child(name)) is None:
            return []
        place = below
    return [".".join((kind, *place.path, name)) for name in place.names()]
