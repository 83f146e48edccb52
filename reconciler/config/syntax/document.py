"""A parsed document: its value, and the position of everything in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from reconciler.config.syntax.yaml_scalars import Tagged
from reconciler.core.values.model import Address, Json, Path
from reconciler.diagnostics import Source

BLOCK: Final = "reconciler"
"""The field of a manifest or policy that holds options for this tool, and is never sent."""


class ParserPosition(Protocol):
    """A position as parsers count it: from 0, where every `Source` counts from 1."""

    @property
    def line(self) -> int:
        """The line, from 0."""

    @property
    def column(self) -> int:
        """The column in it, from 0."""


class Position(NamedTuple):
    """The plainest `ParserPosition`."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """One document: its value, and where everything in it stands.

    `places` holds the place of every value, `keys` the mark of every mapping key, both by the path of the value;
    `tagged` the leaves still to be resolved, or refused; `spelled` numbers that were not written as they print; `refs`
    what `!ref` names, where.
    """

    value: Json
    source: Source
    places: dict[Path, Source] = field(default_factory=dict)
    keys: dict[Path, ParserPosition] = field(default_factory=dict)
    tagged: dict[Path, Tagged] = field(default_factory=dict)
    spelled: dict[Path, str] = field(default_factory=dict)
    refs: dict[Path, Address] = field(default_factory=dict)

    def place(self, path: Path) -> Source:
        """The place of the value at `path`, or of the nearest value around it."""
        for length in range(len(path), 0, -1):
            if found := self.places.get(path[:length]):
                return found
        return self.places.get((), self.source)

    def key_place(self, path: Path) -> Source:
        """The place of the key that names the value at `path`."""
        mark = self.keys.get(path)
        return self.place(path) if mark is None else Source(self.source.file, mark.line + 1, mark.column + 1)
