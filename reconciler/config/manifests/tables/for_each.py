"""Expands a manifest with `reconciler: {for_each: …}` into one document for each row of a table.

Texts that stand in the manifest are templates, and the keys behind `!ref`. What other tags stand for is not, and
nothing else is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from reconciler.config.errors import error, has_errors
from reconciler.config.manifests.layers import FOR_EACH, ResolvedDocument
from reconciler.config.manifests.lazy_bodies import BodyWithPlaces, LazyBody
from reconciler.config.manifests.tables.rows import TableRow, rows_of
from reconciler.config.manifests.tags import replace_at
from reconciler.config.message_text import cut, dotted
from reconciler.config.source.file_source import FileSource
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.core.references import placeholder
from reconciler.core.values.model import Address, Json, Path
from reconciler.diagnostics import Code, Diagnostic, Source

if TYPE_CHECKING:
    from reconciler.config.manifests.tables.templates import CompiledTemplate

MOST_BAD_ROWS: Final = 20
_KEY: Final[Path] = (BLOCK, "key")
_WHERE: Final[Path] = (BLOCK, FOR_EACH)


_Ways: TypeAlias = dict[str | int, Any]  # step by step, down to where nothing follows


class _Slot(NamedTuple):
    """A place to fill: how, whether the text is one expression, and the kind where it is the key of a reference."""

    fill: CompiledTemplate
    is_whole: bool
    kind: str | None


@dataclass(slots=True)
class ForEach:
    """A document with `for_each`; `problems` is complete when all of `documents` were taken and `report_problems`."""

    written: ResolvedDocument
    project: FileSource
    problems: list[Diagnostic] = field(default_factory=list)
    _bad_rows: int = 0
    _templates: Mapping[Path, _Slot] = field(default_factory=dict)
    _plain: Mapping[str, Json] = field(default_factory=dict)
    _ways: _Ways = field(default_factory=dict)
    _known: set[tuple[Source | None, str]] = field(default_factory=set)

    def documents(self) -> Iterator[ResolvedDocument]:
        """One document for each row, whose source is the row."""
        try:
            self._templates = self._compiled()
            if has_errors(self.problems):
                return
            self._plain, self._ways = _without_rows(self.written.document.value), _ways(self._templates)
            for row in rows_of(self.written.document, self.project):
                if self._bad_rows >= MOST_BAD_ROWS:
                    summary = f"{MOST_BAD_ROWS} rows have problems; the rows after this one were not checked"
                    raise UnreadableFile(error(Code.INVALID_VALUE, summary, row.place))
                if made := self._filled(row):
                    packed = json.dumps([*row.place, row.values], separators=(",", ":")).encode()
                    yield ResolvedDocument(made, None, self.written.sound, again=LazyBody(self, packed))
        except UnreadableFile as refused:
            self.problems.append(refused.diagnostic)

    def keys(self) -> Iterator[str]:
        """The key of each row, without filling the rest of its document."""
        from reconciler.config.manifests.tables.expressions import TemplateFault

        try:
            templates = self._compiled()
            if has_errors(self.problems):
                return
            fill = templates[_KEY].fill
            for row in rows_of(self.written.document, self.project):
                yield str(fill({"row": row.values, **row.values}))
        except TemplateFault as fault:
            place = self.written.document.place(_KEY)
            self.problems.append(error(Code.INVALID_VALUE, f"{dotted(_KEY)} cannot be rendered: {fault}", place))
        except UnreadableFile as refused:
            self.problems.append(refused.diagnostic)

    def whole(self, what: bytes) -> BodyWithPlaces:
        """The body of a row, made again."""
        file, line, column, values = json.loads(what)
        document = self._filled(TableRow(values, Source(file, line, column)))
        assert document is not None, "a row that was filled can be filled"
        return BodyWithPlaces({name: value for name, value in document.value.items() if name != BLOCK}, document.places)

    def report_problems(self, problems: Sequence[Diagnostic], row: Source) -> None:
        """Note what is wrong with the document of one row: where it is the same for every row, only once."""
        self._bad_rows += has_errors(problems)
        for problem in problems:
            if (problem.source, problem.summary) in self._known:
                continue
            self._known.add((problem.source, problem.summary))
            summary = problem.summary if problem.source == row else f"{problem.summary} (row {row.file}:{row.line})"
            fits = "write `{{ column | lower | replace(' ', '-') }}` in the key: it must be valid in every row"
            is_key = problem.code is Code.BAD_KEY and problem.source == self.written.document.place(_KEY)
            hint = fits if is_key else problem.hint
            self.problems.append(replace(problem, summary=summary, hint=hint))

    def _compiled(self) -> dict[Path, _Slot]:
        """Every text of the document that is a template, ready to be filled."""
        # Here, because it costs a tenth of a second that a project without fleets is not to pay.
        from reconciler.config.manifests.tables.expressions import TemplateFault
        from reconciler.config.manifests.tables.templates import compiled_template, is_template

        document = self.written.document
        found: dict[Path, _Slot] = {}
        texts = [(path, text, None) for path, text in _texts(document.value, ()) if path not in self.written.verbatim]
        references = [(path, address.key, address.kind) for path, address in document.refs.items()]
        for path, text, kind in [*texts, *references]:
            if path[:2] == _WHERE or not is_template(text):
                continue
            try:
                found[path] = _Slot(*compiled_template(text), kind)
            except TemplateFault as fault:
                summary = f"{dotted(path)} is not a template: {fault}"
                self.problems.append(error(Code.INVALID_VALUE, summary, document.place(path)))
        if _KEY not in found and not self.problems:
            hint = 'write `key: "some/{{ column }}"`, with a column that differs in every row'
            summary = "each row needs its own key"
            self.problems.append(error(Code.BAD_KEY, summary, document.place(_KEY), hint=hint))
        return found

    def _filled(self, row: TableRow) -> Document | None:
        """The document of one row; None where a template does not fit it."""
        from reconciler.config.manifests.tables.expressions import StepBudget, TemplateFault, UnknownColumn

        around = self.written.document
        columns = {"row": row.values, **row.values}
        document = replace(around, value=_fresh(self._plain, self._ways), source=row.place, keys={})
        places: dict[Path, Source] = {}
        refs: dict[Path, Address] = {}
        steps = StepBudget()
        for path, slot in self._templates.items():
            try:
                value = slot.fill(columns, steps)
            except TemplateFault as fault:
                columns_there = f"one of {cut(', '.join(row.values))}" if isinstance(fault, UnknownColumn) else ""
                summary = f"{dotted(path)} cannot be rendered: {fault}"
                self.report_problems([error(Code.INVALID_VALUE, summary, around.place(path), columns_there)], row.place)
                return None
            if slot.kind is not None:
                refs[path] = Address(slot.kind, str(value))
                value = placeholder(refs[path])
            elif slot.is_whole:
                places[path] = row.place
            replace_at(document, path, str(value) if path == _KEY else value)
        # Most rows share all of their places with the manifest.
        document.places = {**around.places, **places} if places else around.places
        document.refs = {**around.refs, **refs} if refs else around.refs
        return document


def _texts(value: Json, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for part, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(each, (*path, part))


def _without_rows(value: Mapping[str, Json]) -> dict[str, Json]:
    block = {name: each for name, each in value[BLOCK].items() if name != FOR_EACH}
    return {name: block if name == BLOCK else each for name, each in value.items()}


def _ways(places: Iterable[Path]) -> _Ways:
    """The steps to all of these places, as a tree."""
    ways: _Ways = {}
    for path in places:
        inner = ways
        for step in path:
            inner = inner.setdefault(step, {})
    return ways


def _fresh(value: Json, ways: _Ways) -> Json:
    """A copy of the value in which these places can be filled; all else is shared by the rows."""
    if not ways:
        return value
    copy: Json = dict(value) if isinstance(value, dict) else list(value)
    for step, inner in ways.items():
        copy[step] = _fresh(copy[step], inner)
    return copy
