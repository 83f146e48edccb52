"""The protocol of a place that manifests are read from: the disk (`project_files`), or a commit (`git`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final, NamedTuple, Protocol

from reconciler.diagnostics import Diagnostic, Source

SUFFIXES: Final = (".yaml", ".yml", ".json", ".md")
SETTINGS: Final = "reconciler.yaml"


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file of the fleet: where it is, how messages name it, and its path below the directory without suffix."""

    path: str
    shown: str
    key: str
    suffix: str


class FileMention(NamedTuple):
    """Where a manifest names a file whose content becomes part of what is sent, and in what words."""

    wording: str
    place: Source | None


class FileSource(Protocol):
    """Where manifests are read from: the disk, or a commit.

    `problems` collects what the walk refuses, `named` the files that manifests name, by path without links.
    """

    problems: list[Diagnostic]
    named: dict[str, FileMention]

    @property
    def root(self) -> FilePath:
        """The root of the project."""
        ...

    @property
    def directories(self) -> Sequence[FilePath]:
        """The directories of manifests."""
        ...

    def name(self, path: str) -> str:
        """How messages name a file."""
        ...

    def settings(self) -> list[str]:
        """The settings files at the top of the directories."""
        ...

    def walk(self) -> Iterator[ManifestFile]:
        """Every manifest file, sorted."""
        ...

    def read(self, path: str, largest: int) -> bytes:
        """The bytes of a regular file, at most `largest` and one more. Raises Refused."""
        ...

    def followed(self, path: str) -> str:
        """The path without links. Raises ValueError where it is refused, OSError where nothing is there."""
        ...

    def matching(self, pattern: str) -> list[str]:
        """The files that an absolute pattern matches, sorted; they are not followed yet. Raises Refused."""
        ...

    def measured(self, path: str, largest: int) -> tuple[str, int]:
        """The SHA-256 (hexadecimal) and the size of a regular file; one larger than `largest` is not read to its end.

        Raises Refused.
        """
        ...
