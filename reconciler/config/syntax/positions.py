"""Finds where every value of a YAML or JSON text begins and ends, for edits in place.

A library that reads a file and writes it again cannot promise that: it drops blank lines, moves comments and folds long
texts. Only positions are taken from the parser here, the same one that reads manifests; offsets count characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from reconciler.core.values.model import Path

_Parser: Final[Any] = getattr(getattr(yaml, "_yaml", None), "CParser", None) or yaml.SafeLoader
# Line breaks to the parser, and to no one else: of the same width, so that offsets stay right.
_ODD: Final = re.compile("[\x7f\x85\u2028\u2029]")
_CLOSING: Final = (MappingEndEvent, SequenceEndEvent)
_JSON_ESCAPE: Final = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")


class NotMapped(Exception):
    """The text has a form whose positions cannot be determined."""


@dataclass(slots=True)
class Node:
    """A value in a text, properties (`&anchor`, `!tag`) included: `text[start:end]`, without what only follows it.

    `line` and `column` count from 0. `style` is the mark a quoted or block scalar starts with. `entries` holds keys and
    values of a mapping, `items` the values of a list.
    """

    kind: str
    start: int
    end: int
    line: int
    column: int
    flow: bool = False
    style: str = ""
    tag: str | None = None
    name: str = ""
    entries: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)

    def at(self, path: Path) -> Node:
        """The node of the value at `path`. Raises NotMapped where it has none of its own, as below an alias."""
        node = self
        for part in path:
            if isinstance(part, int) and part < len(node.items):
                node = node.items[part]
            elif isinstance(part, str) and part in node.entries:
                node = node.entries[part][1]
            else:
                raise NotMapped(f"no place for {part!r}")
        return node


def read_nodes(text: str, *, is_json: bool = False) -> list[Node]:
    """The root of each document of a text that the loader accepts. Raises NotMapped."""
    plain = _ODD.sub("\ue000", text)
    if is_json:
        plain = _JSON_ESCAPE.sub(lambda found: "x" * len(found.group()), plain)
    try:
        return list(_Mapper(text, _Parser(plain.encode()).get_event, is_json).documents())
    except (yaml.YAMLError, RecursionError) as wrong:
        raise NotMapped(str(wrong)) from None


def line_end(text: str, at: int) -> int:
    """Where the line of an offset ends, before its line break."""
    end = text.find("\n", at)
    if end < 0:
        return len(text)
    return end - 1 if end > at and text[end - 1] == "\r" else end


class _Mapper:
    def __init__(self, text: str, next_event: Callable[[], Any], is_json: bool) -> None:
        self._text = text
        self._next = next_event
        self._is_json = is_json

    def documents(self) -> Iterator[Node]:
        while (event := self._next()) is not None:
            if type(event) is DocumentStartEvent:
                yield self._node(self._next(), False)

    def _node(self, event: Any, in_flow: bool) -> Node:
        start, end = event.start_mark, event.end_mark
        node = Node("scalar", start.index, end.index, start.line, start.column, in_flow)
        if type(event) is AliasEvent:
            node.kind = "alias"
            return node
        node.tag = event.tag
        if type(event) is ScalarEvent:
            node.style, node.name = event.style or "", event.value
            node.end = self._trimmed(node.start, node.end) if node.style in ("|", ">") else node.end
            return node
        node.kind = "mapping" if type(event) is MappingStartEvent else "list"
        node.flow = bool(event.flow_style)
        self._fill(node)
        return node

    def _fill(self, node: Node) -> None:
        last = node
        event: Any = self._next()
        while type(event) not in _CLOSING:
            last = self._node(event, node.flow)
            if node.kind == "list":
                node.items.append(last)
            else:
                key, last = last, self._node(self._next(), node.flow)
                node.entries[self._key(key)] = key, last
            event = self._next()
        node.end = event.end_mark.index if node.flow else last.end

    def _key(self, key: Node) -> str:
        return str(json.loads(self._text[key.start : key.end], strict=False)) if self._is_json else key.name

    def _trimmed(self, start: int, end: int) -> int:
        """The end of a block scalar: with the trailing spaces of its last line, without the blank lines below it."""
        filled = start + len(self._text[start:end].rstrip(" \t\r\n"))
        return line_end(self._text, filled)
