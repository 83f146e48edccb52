"""Bodies that are not kept in memory, but read from their file again when somebody asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Source


class BodyWithPlaces(NamedTuple):
    """A body, and the places of its values."""

    body: Mapping[str, Json]
    places: Mapping[Path, Source]


class BodySource(Protocol):
    """Where something can be read again. Raises ConfigError where it has changed meanwhile."""

    def whole(self, what: Any) -> BodyWithPlaces:
        """What the shelf itself has called `what`."""
        ...


class LazyBody(Mapping[str, Json]):
    """A body that is read again with every question."""

    __slots__ = ("_shelf", "_what")

    def __init__(self, shelf: BodySource, what: Any) -> None:
        self._shelf, self._what = shelf, what

    def whole(self) -> BodyWithPlaces:
        """The body and the places of its values. Raises ConfigError."""
        return self._shelf.whole(self._what)

    def __getitem__(self, name: str) -> Json:
        return self.whole().body[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole().body)

    def __len__(self) -> int:
        return len(self.whole().body)


class LazyPlaces(Mapping[Path, Source]):
    """The places of the values of a body, likewise."""

    __slots__ = ("_body",)

    def __init__(self, body: LazyBody) -> None:
        self._body = body

    def __getitem__(self, path: Path) -> Source:
        return self._body.whole().places[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._body.whole().places)

    def __len__(self) -> int:
        return len(self._body.whole().places)
