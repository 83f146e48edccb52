"""Changes values in a YAML or JSON text, and leaves every other character where it is.

What differs between the value before and the value after becomes edits of spans of the text: one part of one tool, one
entry of a map. A comment above an entry goes with it; all other comments, blank lines, quotes and line ends stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from reconciler.config.syntax import yaml_emitter
from reconciler.config.syntax.positions import Node, NotMapped, line_end
from reconciler.config.syntax.yaml_emitter import BlockText, YamlStyle
from reconciler.core.values.model import ABSENT, Json

_BLOCK_HEADER: Final = re.compile(r"(?:[&!]\S*\s+)*[|>][-+0-9]*")
_BLOCK_STYLES: Final = ("|", ">")


class TextEdit(NamedTuple):
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


def edited(text: str, edits: Iterable[TextEdit]) -> str:
    """The text with edits of spans, in any order. Raises NotMapped where two meet."""
    pieces, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        if start < at:
            raise NotMapped("two changes meet")
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])


@dataclass(frozen=True, slots=True)
class _Before:
    """What stands before a value: where its colon or dash ends, and in which column its key or dash is."""

    end: int
    column: int
    dash: bool = False


def spliced(
    text: str, root: Node, before: Mapping[str, Json], after: Mapping[str, Json], *, order: Sequence[str], fine: bool
) -> str:
    """The text with the mapping at `root` changed from `before` to `after`.

    `order` gives the position of new fields. Without `fine`, fields that differ are rewritten as a whole. Raises
    NotMapped if a span cannot be determined.
    """
    splicer = _Splicer(text, root, order, fine)
    splicer.change_mapping(root, before, after)
    return splicer.result()


def aligned(before: Sequence[Json], after: Sequence[Json]) -> Iterator[tuple[int, int]]:
    """Which items of a list stay, changed or not: their places before and after, both ascending."""
    one, other = [_text_of(each) for each in before], [_text_of(each) for each in after]
    for tag, start, end, new_start, new_end in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        for place, new_place in zip(range(start, end), range(new_start, new_end), strict=False):
            if tag != "equal" and not _is_related(before[place], after[new_place]):
                break
            yield place, new_place


class _Splicer:
    def __init__(self, text: str, root: Node, order: Sequence[str], fine: bool) -> None:
        self._text = text
        self._root = root
        self._order = list(order)
        self._fine = fine
        self._style = _style_of(root)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._edits: list[TextEdit] = []

    def result(self) -> str:
        new = edited(self._text, [edit._replace(new=edit.new.replace("\n", self._newline)) for edit in self._edits])
        return new if self._text[:1] in ("\r", "\n") else new.lstrip("\r\n")  # where the first line went

    def change_mapping(self, node: Node, before: Mapping[str, Json], after: Mapping[str, Json]) -> None:
        gone = [key for key in before if key not in after]
        if node.kind != "mapping" or any(key not in node.entries for key in before):
            raise NotMapped("not a mapping whose entries have places")
        for key, value in before.items():
            name, place = node.entries[key]
            if key in after:
                colon = self._text.index(":", name.end) + 1
                self._change(place, value, after[key], _Before(colon, name.column), node)
        places = [Node("entry", key.start, value.end, key.line, key.column) for key, value in node.entries.values()]
        self._remove(node, places, [list(node.entries).index(key) for key in gone])
        for key in after:
            if key not in before:
                self._add_entry(node, key, after[key], gone)

    def _change(self, node: Node, before: Json, after: Json, intro: _Before, around: Node) -> None:
        if _text_of(before) == _text_of(after):
            return
        inside = self._fine and bool(after) and node.kind != "alias"
        if inside and isinstance(before, dict) and isinstance(after, dict):
            self.change_mapping(node, before, after)
        elif inside and isinstance(before, list) and isinstance(after, list) and len(node.items) == len(before) > 0:
            self._change_list(node, before, after)
        elif around.flow:
            self._edits.append(TextEdit(node.start, node.end, self._in_flow(node, after)))
        else:
            self._replace(node, after, intro)

    def _change_list(self, node: Node, before: list[Json], after: list[Json]) -> None:
        kept = dict(aligned(before, after))
        gone = [place for place in range(len(before)) if place not in kept]
        for place, other in kept.items():
            item = node.items[place]
            dash = self._text.rfind("-", 0, item.start) + 1
            self._change(item, before[place], after[other], _Before(dash, node.column, dash=True), node)
        self._remove(node, node.items, gone)
        for other, value in enumerate(after):
            if other not in kept.values():
                above = [place for place, stays in kept.items() if stays < other]
                self._add_item(node, above[-1] + 1 if above else 0, value)

    def _replace(self, node: Node, value: Json, intro: _Before) -> None:
        """A value in block context: what stands on the line of its key or dash, and the lines below."""
        head_start, head_end, body_start, body_end = self._region(node, intro)
        laid = self._laid(node, value, intro)
        if laid.head and head_start and self._text[head_start - 1] not in " \n":
            laid = BlockText(" " + laid.head, laid.body)
        while not laid.head and self._text[head_start - 1] == " ":
            head_start -= 1
        self._edits.append(TextEdit(head_start, head_end, laid.head))
        self._edits.append(TextEdit(body_start, body_end, "".join("\n" + line for line in laid.body)))

    def _region(self, node: Node, intro: _Before) -> tuple[int, int, int, int]:
        """The span of a value on the line of its key or dash, and the span below it."""
        if node.kind in ("mapping", "list") and not node.flow and "\n" in self._text[intro.end : node.start]:
            return intro.end, intro.end, self._line_before(node.start), node.end
        if node.style in _BLOCK_STYLES and (header := _BLOCK_HEADER.match(self._text, node.start)):
            return node.start, header.end(), line_end(self._text, header.end()), node.end
        below = line_end(self._text, node.end)
        return node.start, node.end, below, below

    def _laid(self, node: Node, value: Json, intro: _Before) -> BlockText:
        """The new value from column 0 of the file, in the style of the old one."""
        if isinstance(value, dict | list) and value:
            if node.flow and node.kind in ("mapping", "list") and node.end - node.start > 2:
                return BlockText(yaml_emitter.flow(value))
            if intro.dash:
                first, *rest = (line.removeprefix("- ") for line in yaml_emitter.item_lines(value, self._style))
                return BlockText(first, tuple(_shifted(rest, intro.column)))
            laid = yaml_emitter.laid_out(value, self._style)
            return BlockText(laid.head, tuple(_shifted(laid.body, intro.column)))
        if isinstance(value, str) and yaml_emitter.fits_block(value, blanks_kept=node.style in _BLOCK_STYLES):
            return yaml_emitter.block_scalar(value, self._text_indent(node) or intro.column + self._style.indent)
        if isinstance(value, str) and node.style == '"':
            return BlockText(yaml_emitter.double_quoted(value))
        if isinstance(value, str) and node.style == "'" and (quoted := yaml_emitter.single_quoted(value)):
            return BlockText(quoted)
        return BlockText(yaml_emitter.flow(value) if isinstance(value, dict | list) else yaml_emitter.scalar(value))

    def _text_indent(self, node: Node) -> int:
        """How far the lines of a block scalar are indented; 0 for anything else."""
        lines = self._text[node.start : node.end].splitlines()[1:] if node.style in _BLOCK_STYLES else []
        first = next((line for line in lines if line.strip()), "")
        return len(first) - len(first.lstrip(" "))

    def _in_flow(self, node: Node, value: Json) -> str:
        """A value in flow context: as JSON where the whole document is in flow style, spread over lines if that is."""
        if not self._root.flow:
            return yaml_emitter.flow(value)
        spread = isinstance(value, dict | list) and "\n" in self._text
        text = yaml_emitter.json_text(value, self._step() if spread else None)
        return text.replace("\n", "\n" + self._margin(node.start))

    def _step(self) -> str | int:
        """One step of indentation of a JSON file."""
        return self._margin(next(iter(self._root.entries.values()))[0].start) or 2

    def _margin(self, at: int) -> str:
        """The indentation of the line at an offset."""
        line = self._text[self._line_start(at) : at]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _add_entry(self, node: Node, key: str, value: Json, gone: Sequence[str]) -> None:
        """A new entry, after the last one of those that stay which comes before it in the schema's order."""
        stays = [name for name in node.entries if name not in gone]
        if not stays:
            raise NotMapped("nothing to put an entry beside")
        rank = {name: place for place, name in enumerate(self._order)} if node is self._root else {}
        before = [name for name in stays if rank.get(name, -1) < rank.get(key, len(rank))]
        sibling, place = node.entries[before[-1] if before else stays[-1]]
        if node.flow:
            name = yaml_emitter.json_text(key) if self._root.flow else yaml_emitter.key_text(key, True)
            self._add_in_flow(sibling.start, place.end, f"{name}: {self._in_flow(sibling, value)}")
        else:
            lines = _shifted(yaml_emitter.entry_lines(key, value, self._style), sibling.column)
            self._add_lines(place.end, lines)

    def _add_item(self, node: Node, place: int, value: Json) -> None:
        """A new item, before the one at `place`."""
        if node.flow and place == 0:
            raise NotMapped("nothing to put an item after")
        sibling = node.items[max(place - 1, 0)]
        if node.flow:
            self._add_in_flow(sibling.start, sibling.end, self._in_flow(sibling, value))
        else:
            lines = _shifted(yaml_emitter.item_lines(value, self._style), node.column)
            self._add_lines(sibling.end if place else self._line_before(self._first_line(node, sibling.start)), lines)

    def _add_lines(self, after: int, lines: Sequence[str]) -> None:
        at = line_end(self._text, after)
        self._edits.append(TextEdit(at, at, "".join("\n" + line for line in lines)))

    def _add_in_flow(self, start: int, end: int, new: str) -> None:
        """After a sibling; on a line of its own where that has one."""
        lead = self._text[self._line_start(start) : start]
        between = ",\n" + lead if not lead.strip() and self._line_start(start) else ", "
        self._edits.append(TextEdit(end, end, between + new))

    def _remove(self, node: Node, places: Sequence[Node], gone: Sequence[int]) -> None:
        """Take entries or items out, with the comment right above each, or with a comma in flow context."""
        if node.flow:
            self._remove_in_flow(places, set(gone))
            return
        for each in (places[at] for at in gone):
            first = self._first_line(node, each.start)
            self._edits.append(TextEdit(self._line_before(first) if first else 0, line_end(self._text, each.end), ""))

    def _remove_in_flow(self, places: Sequence[Node], gone: Set[int]) -> None:
        """Each up to the next one; those at the end from the last one that stays."""
        last = max((at for at in range(len(places)) if at not in gone), default=-1)
        if last < 0 and gone:
            raise NotMapped("everything goes")
        for at in sorted(gone):
            if at < last:
                self._edits.append(TextEdit(places[at].start, places[at + 1].start, ""))
        if len(places) - 1 in gone:
            self._edits.append(TextEdit(places[last].end, places[-1].end, ""))

    def _first_line(self, node: Node, start: int) -> int:
        """Where the first line of an entry starts: of the comment right above it, if there is one. Raises NotMapped."""
        first = self._line_start(start)
        if self._text[first:start].strip() != ("-" if node.kind == "list" else ""):
            raise NotMapped("the line holds more than the entry")
        own = first
        while (above := self._line_start(first - 1)) < first and self._is_comment(above, first, node.column):
            first = above
        return own if first == 0 else first  # what a file starts with is about the file

    def _is_comment(self, start: int, end: int, column: int) -> bool:
        line = self._text[start:end]
        return line.lstrip(" ").startswith("#") and len(line) - len(line.lstrip(" ")) == column

    def _line_start(self, at: int) -> int:
        return self._text.rfind("\n", 0, max(at, 0)) + 1

    def _line_before(self, at: int) -> int:
        """Where the line before the one of an offset ends."""
        start = self._line_start(at)
        return max(start - (2 if self._text[:start].endswith("\r\n") else 1), 0)


def _style_of(root: Node) -> YamlStyle:
    """How a text is indented, by the first value that shows it."""
    found: dict[str, int] = {}
    rest = [root]
    while rest:
        node = rest.pop()
        for key, value in node.entries.values():
            if value.kind in ("mapping", "list") and not value.flow:
                found.setdefault(value.kind, value.column - key.column)
            rest.append(value)
        rest += node.items
    indent = found.get("mapping", 0)
    return YamlStyle(indent if indent > 0 else 2, max(found.get("list", 2), 0))


def _is_related(one: Json, other: Json) -> bool:
    """Two mappings that have no entry in common are two things; a scalar is the one that stands in its place."""
    if isinstance(one, dict) and isinstance(other, dict):
        return any(other.get(name, ABSENT) == value for name, value in one.items())
    return True


def _shifted(lines: Sequence[str], columns: int) -> list[str]:
    return [" " * columns + line if line else "" for line in lines]


def _text_of(value: Json) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
