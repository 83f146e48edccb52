"""Which project, and which of its targets: what an operation needs to know before it reads anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProjectOptions:
    """`directory` is the project root; `dirs` have the manifests, relative to it. No `target` means the default one."""

    directory: Path
    dirs: tuple[Path, ...]
    target: str | None = None
    allow_secret_like: bool = False
