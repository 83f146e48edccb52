"""The addresses of a project, without the manifests: of a fleet's rows only the keys are filled.

A hundred thousand rows take seconds this way instead of a quarter of a minute. What else is wrong with a row shows when
its manifest is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler.config.errors import ConfigError, has_errors, in_order
from reconciler.config.manifests.layers import FOR_EACH, Written, layers_of
from reconciler.config.manifests.load import Manifests
from reconciler.config.manifests.manifest import Reading
from reconciler.config.manifests.tables.for_each import Fleet
from reconciler.config.schema.schemas import Schemas
from reconciler.config.source.project_files import Project
from reconciler.config.syntax.document import BLOCK
from reconciler.config.targets import Settings, Target
from reconciler.core.values.model import Address
from reconciler.drivers.provider import Provider, default_kind


def list_addresses(
    root: Path, dirs: Sequence[Path], *, settings: Settings, target: Target, provider: Provider, schemas: Schemas
) -> list[Address]:
    """The addresses of all manifests for the target, sorted by kind in the provider's order, then key.

    Raises ConfigError with every problem met on the way.
    """
    reading = Reading(settings, target, provider, schemas)
    project = Project(root, (*dirs, *(Path(each) for each in target.layers)))
    gathered = _Addresses(project, reading, layers_of(root, target))
    for found in project.walk():
        gathered.add(found)
    gathered.finish()
    problems = [*project.problems, *gathered.problems]
    if has_errors(problems):
        raise ConfigError(in_order(problems))
    rank = {kind: place for place, kind in enumerate(provider.kinds)}
    return sorted({*gathered.accepted, *gathered.rows}, key=lambda address: (rank[address.kind], address.key))


class _Addresses(Manifests):
    """The manifests that stand alone, and the keys of rows."""

    def __init__(self, project: Project, reading: Reading, layers: Sequence[str]) -> None:
        super().__init__(project, reading, layers)
        self.rows: set[Address] = set()

    def take(self, written: Written) -> None:
        """Make the manifest of a document, or take the keys of its rows."""
        if FOR_EACH not in written.block or written.document.tagged or self.layers.names or _differs(written):
            super().take(written)
            return
        options = written.document.value[BLOCK]
        if self.reading.target.name not in options.get("targets", (self.reading.target.name,)):
            return
        fleet = Fleet(written, self.project)
        kind = options.get("kind") or default_kind(self.reading.provider)
        if kind in self.reading.provider.kinds:
            self.rows.update(Address(kind, key) for key in fleet.keys())  # noqa: SIM118
        self.problems += fleet.problems


def _differs(written: Written) -> bool:
    """Whether rows of one fleet may be of different kinds, or for different targets."""
    options = written.document.value[BLOCK]
    return any("{" in str(options.get(word, "")) for word in ("kind", "targets"))
