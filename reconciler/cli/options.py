"""What the global options say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

REMEMBERED_FORMATS: Final = "reconciler.formats"
"""Where click's context keeps what `--format` says: a failure is told in these formats as well."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options before the verb. `directory` is the project root; `dirs` are relative to it."""

    directory: Path
    dirs: tuple[Path, ...]
    target: str | None
    verbose: bool
    quiet: bool
    color: str
    allow_secret_like: bool = False


def places(directory: str | None, dirs: Sequence[str] | None) -> tuple[Path, tuple[Path, ...]]:
    """What -C and --dir say, or what holds where they say nothing."""
    return Path(directory or "."), tuple(map(Path, dirs or ("assistants.d",)))
