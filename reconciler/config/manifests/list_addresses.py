"""Lists the addresses of a project without making the manifests, so that large tables stay fast.

A hundred thousand rows take seconds this way instead of a quarter of a minute. What else is wrong with a row shows when
its manifest is made.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from pathlib import Path as FilePath

from reconciler.config.errors import ConfigError, has_errors, in_order
from reconciler.config.manifests.layers import FOR_EACH, ResolvedDocument, layers_of
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.manifests.manifest_collector import Manifests
from reconciler.config.manifests.tables.for_each import ForEach
from reconciler.config.schema.schemas import Schemas
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.syntax.document import BLOCK
from reconciler.config.targets import Settings, Target
from reconciler.core.values.model import Address
from reconciler.diagnostics import Diagnostic
from reconciler.drivers.provider import Provider, default_kind


def list_addresses(
    root: Path, dirs: Sequence[Path], *, settings: Settings, target: Target, provider: Provider, schemas: Schemas
) -> list[Address]:
    """The addresses of all manifests for the target, sorted by kind in the provider's order, then key.

    Raises ConfigError with every problem met on the way.
    """
    reading = ManifestContext(settings, target, provider, schemas)
    project = ProjectFiles(root, (*dirs, *(Path(each) for each in target.layers)))
    gathered = _AddressLister(project, reading, layers_of(root, target))
    for found in project.walk():
        gathered.add(found)
    gathered.finish()
    problems = [*project.problems, *gathered.problems]
    if has_errors(problems):
        raise ConfigError(in_order(problems))
    rank = {kind: place for place, kind in enumerate(provider.kinds)}
    return sorted({*gathered.accepted, *gathered.rows}, key=lambda address: (rank[address.kind], address.key))


class _AddressLister(Manifests):
    """The manifests that stand alone, and the keys of rows."""

    def __init__(self, project: ProjectFiles, reading: ManifestContext, layers: Sequence[str]) -> None:
        super().__init__(project, reading, layers)
        self.rows: set[Address] = set()

    def take(self, written: ResolvedDocument) -> None:
        """Make the manifest of a document, or take the keys of its rows."""
        if FOR_EACH not in written.block or written.document.tagged or self.layers.names or _differs(written):
            super().take(written)
            return
        options = written.document.value[BLOCK]
        if self.reading.target.name not in options.get("targets", (self.reading.target.name,)):
            return
        fleet = ForEach(written, self.project)
        kind = options.get("kind") or default_kind(self.reading.provider)
        if kind in self.reading.provider.kinds:
            self.rows.update(Address(kind, key) for key in fleet.keys())  # noqa: SIM118
        self.problems += fleet.problems


def _differs(written: ResolvedDocument) -> bool:
    """Whether rows of one fleet may be of different kinds, or for different targets."""
    options = written.document.value[BLOCK]
    return any("{" in str(options.get(word, "")) for word in ("kind", "targets"))


def other_target_addresses(root: FilePath, reading: ManifestContext) -> tuple[set[Address], Sequence[Diagnostic]]:
    """The addresses of documents in layers that other targets have, and this one has not; and what cannot be read."""
    found: set[Address] = set()
    problems: list[Diagnostic] = []
    for other in reading.settings.targets.values():
        layers = [FilePath(each) for each in other.layers if each not in reading.target.layers]
        if layers := [each for each in layers if os.path.isdir(root / each)]:
            project = ProjectFiles(root, layers)
            provider = reading.schemas.provider(other.provider, other.source)
            gathered = _LayerAddresses(project, replace(reading, target=other, provider=provider), ())
            for file in project.walk():
                gathered.add(file)
            found |= gathered.found
            problems += [*project.problems, *gathered.problems]
    return found, problems


class _LayerAddresses(Manifests):
    """The addresses that documents have, complete or not."""

    def __init__(self, project: ProjectFiles, reading: ManifestContext, layers: Sequence[str]) -> None:
        super().__init__(project, reading, layers)
        self.found: set[Address] = set()

    def take(self, written: ResolvedDocument) -> None:
        """Keep the address of a document, or those of its rows."""
        address = written.address(default_kind(self.reading.provider))
        if address is None:
            return
        if FOR_EACH in written.block:
            fleet = ForEach(written, self.project)
            self.found |= {Address(address.kind, key) for key in fleet.keys()}  # noqa: SIM118
            self.problems += fleet.problems
        else:
            self.found.add(address)
