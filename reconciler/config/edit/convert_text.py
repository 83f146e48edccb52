"""Edits the text of a manifest for a conversion: renames, moves and wraps fields in place.

Names change first, and entries that move a level up or down are moved as text, comments and all; then the values that
still differ are spliced in. The result is only good if, read again, it says exactly what it should.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from reconciler.config.schema.conversion_rules import ConversionCase, FieldRule, case_of, drops_whole
from reconciler.config.source.file_source import ManifestFile
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.frontmatter import halves
from reconciler.config.syntax.positions import Node, NotMapped, read_nodes
from reconciler.config.syntax.text_edits import TextEdit, edited, spliced
from reconciler.config.syntax.yaml import read_yaml
from reconciler.core.values.model import Body, Json

_BOM: Final = "\ufeff"
_STEP: Final = 2


class ManifestText:
    """The text of a file, one half of it in the case of Markdown, and its documents."""

    def __init__(self, content: bytes, found: ManifestFile) -> None:
        text = content.decode()
        self._mark = text[: text.startswith(_BOM)]
        self._text = text.removeprefix(_BOM)
        self._is_json = found.suffix == ".json"
        self._is_markdown = found.suffix == ".md"
        self._shown = found.shown
        parts = halves(self._text) if self._is_markdown else None
        self._start, self._end = (parts.start, parts.end) if parts else (0, len(self._text))

    def with_body(
        self, document: Document, wanted: Body, whole: ConversionCase, order: Sequence[str], below: str
    ) -> bytes:
        """The file with one document saying `wanted`, but for the field whose value is `below`. Raises NotMapped."""
        text = self._text[self._start : self._end]
        roots = read_nodes(text, is_json=self._is_json)
        place = 0 if self._is_markdown else _place(roots, document)
        body = {name: each for name, each in document.value.items() if name != below}
        goal = {name: each for name, each in wanted.items() if name != _new_name(below, whole)}
        for attempt in (self._moved, self._respliced):
            with suppress(NotMapped):
                new = attempt(text, place, body, goal, whole, order)
                if _text_of(self._documents(new)[place].value) == _text_of(goal):
                    return (self._mark + self._text[: self._start] + new + self._text[self._end :]).encode()
        raise NotMapped("no layout of it keeps its values")

    def _moved(self, text: str, place: int, body: Body, goal: Body, whole: ConversionCase, order: Sequence[str]) -> str:
        root = read_nodes(text, is_json=self._is_json)[place]
        if not goal:
            return text[: root.start] + "{}" + text[root.end :]
        text = edited(text, _without_covered(_moves(text, root, body, whole)))
        return self._spliced(text, place, self._documents(text)[place].value, goal, order, fine=True)

    def _respliced(
        self, text: str, place: int, body: Body, goal: Body, whole: ConversionCase, order: Sequence[str]
    ) -> str:
        """Fields that differ written anew, without the comments in them."""
        return self._spliced(text, place, body, goal, order, fine=False)

    def _spliced(self, text: str, place: int, now: Body, goal: Body, order: Sequence[str], *, fine: bool) -> str:
        return spliced(text, read_nodes(text, is_json=self._is_json)[place], now, goal, order=order, fine=fine)

    def _documents(self, text: str) -> list[Document]:
        documents, problems = read_yaml(text.encode(), self._shown)
        if problems:
            raise NotMapped(problems[0].summary)
        return documents


def _place(roots: Sequence[Node], document: Document) -> int:
    for place, root in enumerate(roots):
        if (root.line + 1, root.column + 1) == document.source[1:]:
            return place
    raise NotMapped("the document is not where it was")


def _new_name(name: str, case: ConversionCase) -> str:
    return (case.fields.get(name, FieldRule()).to or (name,))[0]


def _moves(text: str, node: Node, value: Json, case: ConversionCase) -> Iterator[TextEdit]:
    """New names of fields where they stand, and entries lifted out of the one that held them."""
    if node.kind != "mapping":
        return
    taken = set(value)
    for name, each in value.items():
        if name not in node.entries:
            raise NotMapped(f"no place for {name}")
        key, place = node.entries[name]
        if name == case.lift and isinstance(each, dict):
            yield from _lift(text, key, place)
            yield from _moves(text, place, each, ConversionCase(fields=case.fields))
            continue
        rule = case.fields.get(name)
        if rule is None or drops_whole(each, rule):
            continue
        new = rule.to or (name,)
        if len(new) <= 2 and (new[0] == name or new[0] not in taken):
            taken.add(new[0])
            yield from _named(text, node, key, place, new)
        yield from _moves_inside(text, place, each, rule)


def _named(text: str, around: Node, key: Node, value: Node, new: tuple[str, ...]) -> Iterator[TextEdit]:
    """Another name for an entry; with two names, an entry of that name around it."""
    quoted = [json.dumps(each) if text[key.start] == '"' else each for each in new]
    if len(new) == 1:
        if new[0] != key.name:
            yield TextEdit(key.start, key.end, quoted[0])
    elif around.flow:
        yield TextEdit(key.start, key.end, f"{quoted[0]}: {{{quoted[1]}")
        yield TextEdit(value.end, value.end, "}")
    else:
        yield TextEdit(key.start, key.end, f"{quoted[0]}:{_margin(text, key.column + _STEP)}{quoted[1]}")
        for at in _line_starts(text, key.end, value.end):
            yield TextEdit(at, at, " " * _STEP if text[at] not in "\r\n" else "")


def _without_covered(edits: Iterable[TextEdit]) -> Iterator[TextEdit]:
    """The edits without new indentation on lines that another edit removes."""
    found = list(edits)
    gone = [(each.start, each.end) for each in found if each.end > each.start]
    for each in found:
        if each.end > each.start or not any(start < each.start < end for start, end in gone):
            yield each


def _moves_inside(text: str, node: Node, value: Json, rule: FieldRule) -> Iterator[TextEdit]:
    pairs = zip(node.items, value, strict=False) if isinstance(value, list) else [(node, value)]
    for place, each in pairs:
        inner = case_of(each, rule)
        if inner and inner.drop is None:
            yield from _moves(text, place, each, inner)


def _lift(text: str, key: Node, value: Node) -> Iterator[TextEdit]:
    """The entries of `value` in the place of the entry that held them, in its column."""
    if value.kind != "mapping" or not value.entries:
        raise NotMapped(f"{key.name} is not a mapping with entries")
    (first, _), (_, last) = next(iter(value.entries.values())), list(value.entries.values())[-1]
    yield TextEdit(key.start, first.start, _comments(text, key, first))
    if value.flow:
        if "#" in text[last.end : value.end]:
            raise NotMapped(f"there is a comment at the end of {key.name}")
        yield TextEdit(last.end, value.end, "")
    if first.line == key.line:
        return
    for at in _line_starts(text, first.start, last.end):
        blanks = text[at : at + first.column - key.column]
        yield TextEdit(at, at + len(blanks) - len(blanks.lstrip(" ")), "")


def _comments(text: str, key: Node, first: Node) -> str:
    """The comments between a key and its first entry. Raises NotMapped where there is no place for them."""
    lines = [line.strip() for line in text[key.end : first.start].split("\n")[:-1] if "#" in line]
    if lines and text[: key.start].rsplit("\n", 1)[-1].strip():
        raise NotMapped(f"there is a comment between {key.name} and its entries")
    return "".join(line[line.index("#") :] + _margin(text, key.column) for line in lines)


def _line_starts(text: str, start: int, end: int) -> Iterator[int]:
    """Where the lines begin that follow the one of `start`, up to `end`."""
    while (start := text.find("\n", start) + 1 or end) < end:
        yield start


def _margin(text: str, column: int) -> str:
    """A line break in the style of the text, and spaces up to a column."""
    return ("\r\n" if "\r\n" in text else "\n") + " " * column


def _text_of(value: Mapping[str, Json]) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
