"""Formats YAML: fields in the order of the schema, two spaces of indentation, same values.

Only what lies between values is made anew. Values are copied as they are spelled, lines of long ones are moved
sideways, and a quoted text of several lines becomes a block. What has no place in that is refused, never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from reconciler.config.schema.schema_fields import SchemaField
from reconciler.config.syntax import yaml_emitter
from reconciler.config.syntax.positions import Node, NotMapped, line_end, read_nodes

PlaceOf: TypeAlias = Callable[[Node], SchemaField | None]
"""The schema of a document, by its root; None where there is none, and so no order."""

_STEP: Final = 2
_TAIL: Final = re.compile(r"([ \t]*)(#[^\n]*)?")
_UNFILLED_LINE: Final = re.compile(r"\n([ \t]*)(#[^\n]*)?(?=\n|\Z)")
_MARGIN: Final = re.compile(r"\n[ \t]*")
_BLANKS: Final = re.compile(r"[ \t]*")
_COLON: Final = re.compile(r"[ \t]*:")
_MARKER: Final = re.compile(r"---(?=\s|\Z)")
_PROPERTY: Final = re.compile(r"[&!]\S*")
_BLOCK_HEADER: Final = re.compile(r"((?:[&!]\S*[ \t]+)*[|>])([-+0-9]*)([^\n]*)")
# Lines that tools look for at the top of a file: they stay there, whatever field comes first.
_MODELINE: Final = re.compile(r"#\s*(?:yaml-language-server:|yamllint |vim?:|-\*-|!)|#!")


class _Comment(NamedTuple):
    """A line without a value: a comment and its column, or a blank line."""

    column: int
    text: str


@dataclass(slots=True)
class _Piece:
    """One entry of a mapping: the comments above it, and its lines from the column of its key."""

    name: str
    above: Sequence[str]
    lines: list[str]


def canonical_yaml(text: str, place_of: PlaceOf, *, first_line: int = 1) -> str:
    """The text, whose lines end in `\\n`, in the canonical layout. Raises NotMapped, in words, where it is refused."""
    lines = list(_Layout("\n" + text, place_of, first_line).lines())
    while lines and not lines[-1]:
        lines.pop()
    return "".join(f"{line}\n" for line in lines)


class _Layout:
    def __init__(self, text: str, place_of: PlaceOf, first_line: int) -> None:
        self._text = text
        self._first_line = first_line
        self._place_of = place_of
        self._at = 0
        self._sorted = True

    def lines(self) -> Iterator[str]:
        """Every line of the new text."""
        above = self._comments()
        for root in read_nodes(self._text):
            if marker := _MARKER.match(self._text, self._at):
                self._at = marker.end()
                yield from _squeezed([each.text for each in above])
                yield "---" + self._tail()
                above = self._comments()
            yield from self._document(root, [each.text for each in above])
            below, above = self._shared(self._comments(), root, Node("", 0, 0, 0, 0), 0)
            yield from below
        self._refuse_directive(self._at < len(self._text))
        yield from _squeezed([each.text for each in above], keep_first=True)

    def _document(self, root: Node, above: list[str]) -> Iterator[str]:
        if root.kind == "scalar" and root.start == root.end:
            yield from _squeezed(above)
            return
        header, above = _header(above)
        yield from _squeezed(header)
        self._refuse_directive(self._text.startswith(("%", "..."), self._at))
        self._expect(root.start)
        self._sorted = not any(node.kind == "alias" for node in _all_nodes(root))
        if _is_block(root):
            if self._text[root.start] in "&!":
                raise NotMapped("the whole document has an anchor or a tag")
            yield from self._collection(root, above, self._place_of(root))
        else:
            first, *rest = self._leaf(root, root)
            yield from (*_squeezed(above), first, *rest)

    def _collection(self, node: Node, above: Sequence[str], place: SchemaField | None) -> list[str]:
        return self._mapping(node, above, place) if node.kind == "mapping" else self._list(node, above, place)

    def _mapping(self, node: Node, above: Sequence[str], place: SchemaField | None) -> list[str]:
        pieces: list[_Piece] = []
        previous: Node | None = None
        for name, (key, value) in node.entries.items():
            if previous is not None:
                below, comments = self._shared(self._comments(), previous, node, _STEP)
                pieces[-1].lines += below
                above = [each.text for each in comments]
            self._expect(key.start)
            pieces.append(_Piece(name, above, self._entry(key, value, node, place.child(name) if place else None)))
            previous = value
        if self._sorted and place is not None:
            rank = {name: at for at, name in enumerate(place.names())}
            pieces.sort(key=lambda piece: rank.get(piece.name, len(rank)))
        lines: list[str] = []
        for piece in pieces:
            lines += [*_squeezed(piece.above, keep_first=bool(lines)), *piece.lines]
        return lines

    def _entry(self, key: Node, value: Node, around: Node, place: SchemaField | None) -> list[str]:
        name = self._text[key.start : key.end]
        colon = _COLON.match(self._text, key.end)
        if colon is None:
            raise NotMapped("a key is not written as `name:`")
        self._at = colon.end()
        lines = self._value(value, around, place)
        return [f"{name}:{lines[0]}", *lines[1:]]

    def _list(self, node: Node, above: Sequence[str], place: SchemaField | None) -> list[str]:
        lines: list[str] = []
        previous: Node | None = None
        for item in node.items:
            if previous is not None:
                below, comments = self._shared(self._comments(), previous, node, _STEP)
                lines += below
                above = [each.text for each in comments]
            if not self._text.startswith("-", self._at):
                raise NotMapped("an item of a list does not start with a dash")
            self._at += 1
            lines += _squeezed(above, keep_first=bool(lines))
            first, *rest = self._value(item, node, place.item if place else None)
            if not first and rest and not rest[0].startswith("  #"):
                first, *rest = " " + rest[0].removeprefix("  "), *rest[1:]
            lines += ["-" + first, *rest]
            previous = item
        return lines

    def _value(self, value: Node, around: Node, place: SchemaField | None) -> list[str]:
        """What follows a colon or dash: the rest of its line, and lines below from the column of its key or dash."""
        tail = self._tail()
        if value.kind == "scalar" and value.start == value.end:
            return [tail]
        comments = self._comments()
        self._expect(value.start)
        if not _is_block(value):
            if tail or any(each.text for each in comments):
                raise NotMapped("there is a comment between a field and its value")
            lines = self._leaf(value, around)
            return [" " + lines[0], *lines[1:]]
        properties = ""
        while found := _PROPERTY.match(self._text, self._at) if self._at < _first(value).start else None:
            properties += " " + found.group()
            self._at = found.end()
            tail += self._tail()
            comments += self._comments()
        body = self._collection(value, [each.text for each in comments], place)
        return [properties + tail, *_shifted(body, _STEP)]

    def _leaf(self, value: Node, around: Node) -> list[str]:
        """A scalar or a flow collection, with the comment behind it; lines below from the column of its key or dash."""
        source = self._text[value.start : value.end]
        self._at = value.end
        if value.style in ("|", ">"):
            return self._block_text(value, around)
        if value.style in ('"', "'") and source[0] == value.style and self._becomes_block(value):
            laid = yaml_emitter.block_scalar(value.name, _STEP)
            return [laid.head + self._tail(), *laid.body]
        first, *rest = [line.rstrip(" \t") for line in source.split("\n")]
        if value.kind in ("mapping", "list"):
            lines = [first, *(_moved(line, around.column) for line in rest)]
        else:
            lines = [first, *_shifted([line.lstrip(" \t") for line in rest], _STEP)]
        lines[-1] += self._tail()
        return lines

    def _becomes_block(self, value: Node) -> bool:
        return yaml_emitter.fits_block(value.name) and "\ue000" not in value.name

    def _block_text(self, value: Node, around: Node) -> list[str]:
        header = _BLOCK_HEADER.match(self._text, value.start)
        if header is None or "+" in header[2]:
            raise NotMapped("a block of text keeps the blank lines at its end (`+`)")
        lines = self._text[line_end(self._text, value.start) + 1 : value.end].split("\n")
        step = re.sub(r"\D", "", header[2])
        filled = next((line for line in lines if line.strip(" ")), "")
        indent = around.column + int(step) if step else len(filled) - len(filled.lstrip(" "))
        if any(line[:indent].strip(" ") for line in lines):
            raise NotMapped("a block of text is not indented evenly")
        how = re.sub(r"\d", str(_STEP), header[2])
        if value.end == len(self._text) and "-" not in how:
            how += "-"  # the text ends without a line break, and one is about to follow it
        head = header[1] + how + header[3].rstrip()
        return [head, *_shifted([line[indent:] for line in lines], _STEP)] if value.end > header.end() else [head]

    def _shared(
        self, comments: list[_Comment], previous: Node, around: Node, column: int
    ) -> tuple[list[str], list[_Comment]]:
        """Comments between two entries: those that belong to the end of the one before, laid out, and the others."""
        deep = [at for at, each in enumerate(comments) if each.text and each.column > around.column]
        if not deep or not _is_block(previous):
            return [], comments
        mine, others = comments[: deep[-1] + 1], comments[deep[-1] + 1 :]
        lines = [" " * _inner(previous, each.column, column) + each.text if each.text else "" for each in mine]
        return list(_squeezed(lines, keep_first=True)), others

    def _tail(self) -> str:
        """The comment on the rest of this line, with the spaces before it."""
        found = _TAIL.match(self._text, self._at)
        assert found is not None, "it matches nothing at all, too"
        self._at = found.end()
        return found[1].replace("\t", "  ") + found[2].rstrip() if found[2] else ""

    def _comments(self) -> list[_Comment]:
        """The lines up to the next value, if the rest of this one is blank; the position is then at that value."""
        found: list[_Comment] = []
        self._at = _end(_BLANKS.match(self._text, self._at))
        while line := _UNFILLED_LINE.match(self._text, self._at):
            found.append(_Comment(len(line[1]), (line[2] or "").rstrip()))
            self._at = line.end()
        self._at = _end(_MARGIN.match(self._text, self._at), self._at)
        return found

    def _refuse_directive(self, is_one: bool) -> None:
        if is_one:
            raise NotMapped("there is a `...` or a `%` directive between documents")

    def _expect(self, start: int) -> None:
        if self._at != start:
            line = self._text.count("\n", 0, start) + self._first_line - 1
            raise NotMapped(f"line {line} has text between two values that is not a comment")


def _end(found: re.Match[str] | None, otherwise: int = 0) -> int:
    return found.end() if found else otherwise


def _is_block(node: Node) -> bool:
    return node.kind in ("mapping", "list") and not node.flow


def _first(node: Node) -> Node:
    """The key or item that a block collection starts with."""
    return next(iter(node.entries.values()))[0] if node.kind == "mapping" else node.items[0]


def _all_nodes(node: Node) -> Iterator[Node]:
    yield node
    for each in (*(value for _, value in node.entries.values()), *node.items):
        yield from _all_nodes(each)


def _inner(node: Node, at: int, column: int) -> int:
    """The column, in the new text, of a comment below the last entry of a block; `at` is its column in the old one."""
    last = list(node.entries.values())[-1][1] if node.kind == "mapping" else node.items[-1]
    return _inner(last, at, column + _STEP) if _is_block(last) and node.column < last.column <= at else column


def _header(above: list[str]) -> tuple[list[str], list[str]]:
    """The comments above the first entry: those that are about the file, and those about the entry."""
    blank = max((at for at, text in enumerate(above) if not text), default=-1)
    header, rest = above[: blank + 1], above[blank + 1 :]
    while rest and _MODELINE.match(rest[0]):
        header.append(rest.pop(0))
    return header, rest


def _squeezed(lines: Sequence[str], *, keep_first: bool = False) -> Iterator[str]:
    """The lines with one blank line for several, and none in front unless that is to be kept."""
    kept = keep_first
    for line in lines:
        if line or kept:
            yield line
        kept = bool(line)


def _moved(line: str, column: int) -> str:
    """A line of a flow collection, from the column of the key it belongs to."""
    text = line.lstrip(" ")
    if text.startswith("\t"):
        raise NotMapped("a line is indented with tabs")
    return " " * max(len(line) - len(text) - column, 0) + text if text else ""


def _shifted(lines: Sequence[str], columns: int) -> list[str]:
    return [" " * columns + line if line else "" for line in lines]
