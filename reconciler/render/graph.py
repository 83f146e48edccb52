"""Draws references between resources as Mermaid, DOT or SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from reconciler.core.references import depths
from reconciler.core.values.model import Address, Manifest
from reconciler.render.escape import visible

_COLUMN: Final = 300
_ROW: Final = 44
_BOX: Final = (240, 28)
_MARGIN: Final = 20
_LONGEST: Final = 34


@dataclass(frozen=True, slots=True)
class Graph:
    """Resources and their references: `uses` has those that each one refers to, sorted."""

    uses: Mapping[Address, Sequence[Address]]

    @property
    def edges(self) -> list[tuple[Address, Address]]:
        """Each reference once: from the one that refers to the one that is referred to."""
        return [(address, other) for address, others in self.uses.items() for other in others]


def graph_of(manifests: Iterable[Manifest]) -> Graph:
    """The graph of manifests whose references lead somewhere and not in a circle."""
    return Graph({m.address: sorted(set(m.refs.values())) for m in sorted(manifests, key=lambda each: each.address)})


def mermaid(graph: Graph) -> str:
    """A flowchart in Mermaid; names are quoted, and what could end a quote is an entity."""
    names = {address: f"n{number}" for number, address in enumerate(graph.uses)}
    lines = [f'  {names[address]}["{_entities(address)}"]' for address in graph.uses]
    lines += [f"  {names[one]} --> {names[other]}" for one, other in graph.edges]
    return "\n".join(["flowchart LR", *lines]) + "\n"


def dot(graph: Graph) -> str:
    """A digraph in the language of Graphviz."""
    lines = [f"  {_quoted(address)};" for address in graph.uses]
    lines += [f"  {_quoted(one)} -> {_quoted(other)};" for one, other in graph.edges]
    return "\n".join(["digraph reconciler {", "  rankdir=LR; node [shape=box];", *lines, "}"]) + "\n"


def svg(graph: Graph) -> str:
    """A picture with a column for each depth: what refers to nothing stands on the right."""
    found = depths(graph.uses)
    deepest = max(found.values(), default=0)
    places: dict[Address, tuple[int, int]] = {}
    heights = [0] * (deepest + 1)
    for address, depth in found.items():
        places[address] = (_MARGIN + (deepest - depth) * _COLUMN, _MARGIN + heights[depth] * _ROW)
        heights[depth] += 1
    width = 2 * _MARGIN + deepest * _COLUMN + _BOX[0]
    height = 2 * _MARGIN + max(heights) * _ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" style="font: 12px sans-serif">'
    arrow = '<marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    parts = [head, f'<defs>{arrow}<path d="M0 0 8 4 0 8z" fill="#666"/></marker></defs>']
    parts += [_line(places[one], places[other]) for one, other in graph.edges]
    parts += [_box(address, *place) for address, place in places.items()]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(one: tuple[int, int], other: tuple[int, int]) -> str:
    x, y = one[0] + _BOX[0], one[1] + _BOX[1] // 2
    end_x, end_y = other[0], other[1] + _BOX[1] // 2
    middle = (x + end_x) // 2
    path = f"M{x} {y}C{middle} {y} {middle} {end_y} {end_x} {end_y}"
    return f'<path d="{path}" fill="none" stroke="#666" marker-end="url(#a)"/>'


def _box(address: Address, x: int, y: int) -> str:
    name = visible(str(address))
    short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    box = f'<rect x="{x}" y="{y}" width="{_BOX[0]}" height="{_BOX[1]}" rx="4" fill="#eef3fb" stroke="#4a6fa5"/>'
    return f'<g><title>{escape(name)}</title>{box}<text x="{x + 8}" y="{y + 18}">{escape(short)}</text></g>'


def _quoted(address: Address) -> str:
    return '"' + visible(str(address)).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _entities(address: Address) -> str:
    return "".join(c if c.isalnum() or c in "/._- " else f"#{ord(c)};" for c in visible(str(address)))
