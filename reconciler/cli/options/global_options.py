"""What the global options say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.operations.project.project_options import ProjectOptions

REMEMBERED_FORMATS: Final = "reconciler.formats"
"""The key for the `--format` values in click's context: failures are reported in these formats as well."""


@dataclass(frozen=True, slots=True)
class Options(ProjectOptions):
    """The options before the verb: which project, and how much is printed in which colours."""

    verbose: bool = False
    quiet: bool = False
    color: str = "auto"


def project_places(directory: str | None, dirs: Sequence[str] | None) -> tuple[Path, tuple[Path, ...]]:
    """What -C and --dir say, or what holds where they say nothing."""
    return Path(directory or "."), tuple(map(Path, dirs or ("assistants.d",)))
