"""Manifests of one API rewritten for another; nothing is written unless it is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reconciler.config.edit.convert_files import convert
from reconciler.config.edit.overlay import FileOverlay
from reconciler.config.manifests.load import load
from reconciler.diagnostics import Diagnostic
from reconciler.operations.project.project_target import ProjectTarget
from reconciler.tree import rewrite


class ProjectConversion:
    """The files of a project as they are to be for another provider. Raises ConfigError."""

    def __init__(self, project: ProjectTarget, provider: str) -> None:
        self._project = project
        self._provider = provider
        self.drafts = FileOverlay(
            project.root, [*project.options.dirs, *(Path(layer) for layer in project.target.layers)]
        )
        self.files, self._refused = convert(self.drafts, project.reading, provider)

    @property
    def problems(self) -> list[Diagnostic]:
        """Why files cannot be read or converted."""
        return [*self.drafts.problems, *self._refused]

    def missing(self) -> list[Diagnostic]:
        """What the new provider's schema has against the files as they are to be. Raises ConfigError."""
        if not self.drafts.contents or self._refused:
            return []
        project = self._project
        loaded = load(
            project.root,
            project.options.dirs,
            settings=project.settings,
            target=replace(project.target, provider=self._provider),
            provider=project.schemas.provider(self._provider),
            schemas=project.schemas,
            files=self.drafts,
        )
        return [each for each in loaded.diagnostics if each not in self.drafts.problems]

    def write(self) -> None:
        """Write the files. Raises OSError."""
        for path, content in self.drafts.contents.items():
            rewrite(self._project.root, path, content)
