"""Addresses in the layers of other targets: their objects are no orphans of this one, whatever account they are in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path as FilePath

from reconciler.config.manifests.layers import FOR_EACH, Written
from reconciler.config.manifests.load import Manifests
from reconciler.config.manifests.manifest import Reading
from reconciler.config.manifests.tables.for_each import Fleet
from reconciler.config.source.project_files import Project
from reconciler.core.values.model import Address
from reconciler.diagnostics import Diagnostic
from reconciler.drivers.provider import default_kind


def in_layers_of_others(root: FilePath, reading: Reading) -> tuple[set[Address], Sequence[Diagnostic]]:
    """The addresses of documents in layers that other targets have, and this one has not; and what cannot be read."""
    found: set[Address] = set()
    problems: list[Diagnostic] = []
    for other in reading.settings.targets.values():
        layers = [FilePath(each) for each in other.layers if each not in reading.target.layers]
        if layers := [each for each in layers if os.path.isdir(root / each)]:
            project = Project(root, layers)
            provider = reading.schemas.provider(other.provider, other.source)
            gathered = _Addresses(project, replace(reading, target=other, provider=provider), ())
            for file in project.walk():
                gathered.add(file)
            found |= gathered.found
            problems += [*project.problems, *gathered.problems]
    return found, problems


class _Addresses(Manifests):
    """The addresses that documents have, complete or not."""

    def __init__(self, project: Project, reading: Reading, layers: Sequence[str]) -> None:
        super().__init__(project, reading, layers)
        self.found: set[Address] = set()

    def take(self, written: Written) -> None:
        """Keep the address of a document, or those of its rows."""
        address = written.address(default_kind(self.reading.provider))
        if address is None:
            return
        if FOR_EACH in written.block:
            fleet = Fleet(written, self.project)
            self.found |= {Address(address.kind, key) for key in fleet.keys()}  # noqa: SIM118
            self.problems += fleet.problems
        else:
            self.found.add(address)
