"""Reads the rows of a table one at a time: from a CSV file, a JSON file, or a list in the manifest."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import Any, Final, NamedTuple

from reconciler.config.cpu_limit import count_file
from reconciler.config.errors import error
from reconciler.config.manifests.layers import FOR_EACH
from reconciler.config.message_text import count, cut, short_json
from reconciler.config.source.file_source import FileSource
from reconciler.config.source.referenced_file import named_file
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import MAX_DEPTH, UnreadableFile
from reconciler.config.syntax.yaml import decode
from reconciler.config.syntax.yaml_scalars import RefusedScalar, Tagged, read_plain
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic, Source

ROW_TAGS: Final = ("!csv", "!json")
MAX_ROW_BYTES: Final = 64 * 1024
MAX_ROWS_BYTES: Final = 64 * 1024 * 1024
MAX_ROWS: Final = 200_000
"""Of one fleet: a file of the largest size may hold a hundred times as many, and each is a manifest in memory."""
_MAX_WRITTEN: Final = 4 * MAX_ROW_BYTES
"""Characters of a row of CSV with all its quotes and commas."""
_FIRST_LOOK: Final = 4096
_WHERE: Final[Path] = (BLOCK, FOR_EACH)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


class TableRow(NamedTuple):
    """What one row says, by column, and where it stands."""

    values: Mapping[str, Json]
    place: Source


@dataclass(frozen=True, slots=True)
class RowsFile:
    """What `!csv FILE` or `!json FILE` stands for."""

    tag: str
    path: str


def name_rows_files(document: Document, project: FileSource, file: str) -> Iterator[Diagnostic]:
    """Put a `RowsFile` where the document says `!csv` or `!json`; problems where that cannot be."""
    for path, tagged in list(document.tagged.items()):
        if tagged.tag not in ROW_TAGS:
            continue
        place = document.place(path)
        document.tagged[path] = Tagged("", tagged.text)  # refused, unless it is replaced
        if path != _WHERE:
            hint = f"write `reconciler: {{for_each: {tagged}}}`"
            yield error(Code.BAD_TAG, f"{tagged.tag} can only be used for the rows of `for_each`", place, hint=hint)
            continue
        try:
            found = RowsFile(tagged.tag, named_file(project, tagged.tag, tagged.text, place, file))
        except UnreadableFile as refused:
            yield refused.diagnostic
        else:
            document.value[BLOCK][FOR_EACH] = found
            del document.tagged[path]


def rows_of(document: Document, project: FileSource) -> Iterator[TableRow]:
    """Every row that `for_each` names. Raises Refused, also after some rows."""
    for number, row in enumerate(_rows(document, project)):
        if number >= MAX_ROWS:
            hint = "write several manifests, each with its own file"
            raise UnreadableFile(
                error(Code.TOO_LARGE, f"`for_each` has at most {MAX_ROWS:,} rows", row.place, hint=hint)
            )
        count_file(row.place.file)
        yield row


def _rows(document: Document, project: FileSource) -> Iterator[TableRow]:
    source = document.value[BLOCK][FOR_EACH]
    if isinstance(source, RowsFile):
        name = project.name(source.path)
        content = project.read(source.path, MAX_ROWS_BYTES)
        count_file(name, len(content))
        text = decode(content, name, MAX_ROWS_BYTES)
        yield from _csv_rows(text, name) if source.tag == "!csv" else _json_rows(text, name)
    elif isinstance(source, list):
        for index, values in enumerate(source):
            yield _row(values, document.place((*_WHERE, index)))
    else:
        summary = f"for_each needs rows, not {short_json(source)}"
        hint = "write !csv FILE, !json FILE, or a list of mappings"
        raise UnreadableFile(error(Code.INVALID_VALUE, summary, document.place(_WHERE), hint=hint))


def _csv_rows(text: str, name: str) -> Iterator[TableRow]:
    written = _CsvLines(text)
    lines = csv.reader(written, strict=True)
    columns: list[str] = []
    while True:
        place = Source(name, lines.line_num + 1, 1)
        written.begin(place)
        try:
            cells = next(lines, None)
        except csv.Error as wrong:
            raise UnreadableFile(error(Code.INVALID_VALUE, f"not valid CSV: {wrong}", place)) from None
        if cells is None:
            return
        if not cells:
            continue
        if not columns:
            columns = _columns(cells, place)
        elif len(cells) != len(columns):
            summary = f"the row has {count(len(cells), 'cell')}, but there are {count(len(columns), 'column')}"
            hint = "put a text with commas into double quotes; an empty cell still needs its comma"
            raise UnreadableFile(error(Code.INVALID_VALUE, summary, place, hint=hint))
        else:
            yield TableRow(dict(zip(columns, cells, strict=True)), _short(sum(map(len, cells)), place))


class _CsvLines:
    """The lines of a CSV file. Raises Refused where those of one row are too long together, before they are read."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self._row = Source("", 1, 1)
        self._left = 0

    def begin(self, row: Source) -> None:
        """The next row begins at this place."""
        self._row, self._left = row, _MAX_WRITTEN

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._left -= len(line)
        if self._left < 0:
            raise _too_long(f"more than {_MAX_WRITTEN:,}", self._row)
        return line


def _columns(cells: list[str], place: Source) -> list[str]:
    """The names in the first line. Raises Refused."""
    if len(cells) == 1 and ";" in cells[0]:
        summary = "columns are separated by commas, and the first line of this file has ;"
        raise UnreadableFile(error(Code.INVALID_VALUE, summary, place, hint="save it with commas: a,b instead of a;b"))
    times = Counter(cells)
    wrong = next((each for each in cells if not each.strip() or each != each.strip() or times[each] > 1), None)
    if wrong is None:
        return cells
    problem = "is given twice" if wrong.strip() and times[wrong] > 1 else "has no name, or spaces around it"
    summary = f"the first line names the columns; {short_json(wrong)} {problem}"
    raise UnreadableFile(error(Code.INVALID_VALUE, summary, place, hint="give every column a unique name"))


def _json_rows(text: str, name: str) -> Iterator[TableRow]:
    """The mappings of one list, each decoded when its turn comes."""
    at = _after_blank(text, 0)
    if text[at : at + 1] != "[":
        hint = 'write [{"column": "value"}, …]'
        raise UnreadableFile(error(Code.INVALID_VALUE, "rows are a list of mappings", Source(name, 1, 1), hint=hint))
    line, line_start = 1 + text.count("\n", 0, at), text.rfind("\n", 0, at) + 1
    expected = "["
    while True:
        start = _after_blank(text, at + 1)
        line, line_start = _line_at(text, at, start, line, line_start)
        place = Source(name, line, start - line_start + 1)
        if expected == "[" and text[start : start + 1] == "]":
            break
        values, end = _decoded(text, start, place)
        yield _row(values, _short(end - start, place))
        at = _after_blank(text, end)
        line, line_start = _line_at(text, start, at, line, line_start)
        expected = text[at : at + 1]
        if expected != ",":
            start = at
            break
    if text[start : start + 1] != "]" or _after_blank(text, start + 1) < len(text):
        place = Source(name, line, start - line_start + 1)
        raise UnreadableFile(
            error(Code.INVALID_VALUE, "not valid JSON: expected a comma or the end of the list", place)
        )


def _line_at(text: str, before: int, here: int, line: int, line_start: int) -> tuple[int, int]:
    """The line of a place and where that begins, from those of a place before it: no line is looked through twice."""
    return line + text.count("\n", before, here), max(line_start, text.rfind("\n", before, here) + 1)


def _decoded(text: str, start: int, place: Source) -> tuple[Json, int]:
    """The value that begins there, and where it ends. No more is read than a row may have. Raises Refused."""
    window = text[start : start + _FIRST_LOOK]
    try:
        try:
            values, length = _DECODER.raw_decode(window)
        except JSONDecodeError:  # cut in the middle, perhaps
            window = text[start : start + MAX_ROW_BYTES + 1]
            values, length = _DECODER.raw_decode(window)
    except JSONDecodeError as wrong:
        if len(window) > MAX_ROW_BYTES and (wrong.pos > MAX_ROW_BYTES - 20 or wrong.msg.startswith("Unterminated")):
            raise _too_long(f"more than {MAX_ROW_BYTES:,}", place) from None
        lines = window.count("\n", 0, wrong.pos)
        place = Source(place.file, place.line + lines, wrong.colno if lines else place.column + wrong.pos)
        raise UnreadableFile(error(Code.INVALID_VALUE, f"not valid JSON: {wrong.msg}", place)) from None
    except (RefusedScalar, ValueError, RecursionError) as wrong:
        raise UnreadableFile(error(Code.INVALID_VALUE, f"a row cannot be read: {cut(str(wrong))}", place)) from None
    return values, start + length


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _row(values: Json, place: Source) -> TableRow:
    if not isinstance(values, dict):
        summary = f"a row is a mapping of columns, not {short_json(values)}"
        raise UnreadableFile(error(Code.INVALID_VALUE, summary, place, hint="write {column: value}"))
    if _is_deeper(values, MAX_DEPTH):
        raise UnreadableFile(error(Code.INVALID_VALUE, f"the row is nested deeper than {MAX_DEPTH} levels", place))
    return TableRow(values, place)


def _is_deeper(value: Json, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)


def _short(length: int, place: Source) -> Source:
    """The place, if the row is not too long. Raises Refused."""
    if length > MAX_ROW_BYTES:
        raise _too_long(f"{length:,}", place)
    return place


def _too_long(length: str, place: Source) -> UnreadableFile:
    summary = f"the row has {length} characters; the limit is {MAX_ROW_BYTES:,}"
    hint = "keep long texts in files, and name them with !file"
    return UnreadableFile(error(Code.TOO_LARGE, summary, place, hint=hint))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is given twice")
    if any(_SURROGATE.search(each) for pair in pairs for each in pair if isinstance(each, str)):
        raise ValueError("half of a surrogate pair is not a character")
    return found


def _refuse(word: str) -> Json:
    raise ValueError(f"{word} is not a number that JSON can represent")


_DECODER: Final = JSONDecoder(
    object_pairs_hook=_unique, parse_int=read_plain, parse_float=read_plain, parse_constant=_refuse
)
