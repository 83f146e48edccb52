"""Places in files as `file:line`, with a link where the files can be browsed."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

from reconciler.diagnostics import Source
from reconciler.render.escape import visible


class Checkout(NamedTuple):
    """Where the project's files are for a forge: `below` its checkout's root (a path that ends with `/`, or empty), and
    what the URL of a file in the checkout begins with (`links`; empty where it cannot be browsed)."""

    below: str = ""
    links: str = ""


ELSEWHERE = Checkout()


class Location(NamedTuple):
    """A place in a file as safe texts; line and column count from 1.

    `file` is for people, from the project's root; `path` for a forge, from the checkout's; `url` is empty where there
    is nothing to link.
    """

    file: str
    line: int
    column: int
    path: str
    url: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def location_of(source: Source | None, checkout: Checkout = ELSEWHERE) -> Location | None:
    """The place of a value, where it has one."""
    return None if source is None else location_in(source, checkout)


def location_in(source: Source, checkout: Checkout) -> Location:
    """The place of what certainly has one."""
    file, path = visible(source.file), visible(checkout.below + source.file)
    inside = ".." not in path.split("/") and not source.file.startswith("/")
    url = f"{checkout.links}{quote(path)}#L{source.line}" if checkout.links and inside else ""
    return Location(file, source.line, source.column, path, url)
