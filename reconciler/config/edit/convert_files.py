"""Converts manifest files to another provider's kind. Comments and layout are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reconciler.config.edit.convert_text import ManifestText
from reconciler.config.edit.overlay import FileOverlay, prose_field, read_documents
from reconciler.config.errors import ConfigError, error, in_order, warning
from reconciler.config.manifests.layers import EXTENDS
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.message_text import closest, cut, dotted, listed
from reconciler.config.schema.conversion_rules import Conversion, ConversionNote, FieldRule, converted
from reconciler.config.source.document_reader import most_bytes
from reconciler.config.source.file_source import ManifestFile
from reconciler.config.source.referenced_file import named_file
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import UnreadableFile, copied
from reconciler.config.syntax.positions import NotMapped
from reconciler.core.values.model import Json
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import default_kind

_LOST_OPTIONS: Final = {
    "id": "the object belongs to the old API: the new API gets its own object",
    "moved_from": "no object with that key exists in the new API",
}


@dataclass(frozen=True, slots=True)
class ConvertedFile:
    """What a file says, and will say, and what is to be known about it; the same twice where nothing is converted."""

    found: ManifestFile
    old: bytes
    new: bytes
    diagnostics: tuple[Diagnostic, ...]


def convert(
    drafts: FileOverlay, reading: ManifestContext, provider: str
) -> tuple[list[ConvertedFile], list[Diagnostic]]:
    """What becomes of each file, with the new contents in `drafts`, and why others could not be converted.

    Files that manifests extend are converted with them. Raises ConfigError where manifests of this target cannot become
    those of `provider`.
    """
    conversion = _conversion(reading, provider)
    spec = reading.schemas.provider(provider).kinds[conversion.kind]
    order = list(reading.schemas.schema(spec.schema)["properties"])  # as people write them
    rewriting = _Rewriting(drafts, reading, conversion, order)
    files: list[ConvertedFile] = []
    refused: list[Diagnostic] = []
    waiting = list(drafts.walk())
    known = {each.path for each in waiting}
    for found in waiting:
        try:
            file, extended = rewriting.rewrite(found)
        except UnreadableFile as problem:
            refused.append(problem.diagnostic)
            continue
        files.append(file)
        waiting += [each for each in extended if each.path not in known]
        known.update(each.path for each in extended)
    return files, refused


def _conversion(reading: ManifestContext, provider: str) -> Conversion:
    """Raises ConfigError where there is none."""
    known = reading.schemas.conversion_names()
    if provider not in known:
        near = closest(provider, known)
        hint = f"did you mean {near}?" if near else f"choose from {listed(known)}"
        raise ConfigError([error(Code.UNKNOWN_PROVIDER, f"there is no conversion to {cut(provider)}", None, hint=hint)])
    found = reading.schemas.conversion(provider)
    if found.source not in reading.provider.kinds:
        summary = f"target {reading.target.name} has no kind {found.source}, the kind that can be converted"
        hint = "choose the target of the manifests with --target"
        raise ConfigError([error(Code.UNKNOWN_KIND, summary, reading.target.source, hint=hint)])
    return found


class _Rewriting:
    """Converts files, one after the other; `order` is that of the new kind's fields."""

    def __init__(self, drafts: FileOverlay, reading: ManifestContext, conversion: Conversion, order: list[str]) -> None:
        self._drafts = drafts
        self._reading = reading
        self._conversion = conversion
        self._order = [BLOCK, *order]

    def rewrite(self, found: ManifestFile) -> tuple[ConvertedFile, list[ManifestFile]]:
        """Convert the documents of a file that are of the kind; the files they extend. Raises Refused."""
        old = self._content(found)
        diagnostics: list[Diagnostic] = []
        extended: list[ManifestFile] = []
        for document in reversed(read_documents(self._drafts, found, self._reading)):  # positions above stay right
            if not isinstance(document.value, dict):
                continue
            if self._kind(document) != self._conversion.source:
                diagnostics.append(_left(document, self._kind(document)))
                continue
            diagnostics += self._convert(found, document)
            extended += self._extended(found, document)
        return ConvertedFile(found, old, self._content(found), in_order(diagnostics)), extended

    def _extended(self, found: ManifestFile, document: Document) -> Iterator[ManifestFile]:
        name = (document.value.get(BLOCK) or {}).get(EXTENDS)
        if isinstance(name, str):
            path = named_file(self._drafts, EXTENDS, name, document.place((BLOCK, EXTENDS)), found.path)
            yield ManifestFile(path, self._drafts.name(path), "", os.path.splitext(path)[1])

    def _content(self, found: ManifestFile) -> bytes:
        return self._drafts.read(found.path, most_bytes(found.suffix))

    def _kind(self, document: Document) -> str:
        return (document.value.get(BLOCK) or {}).get("kind") or default_kind(self._reading.provider)

    def _convert(self, found: ManifestFile, document: Document) -> Iterator[Diagnostic]:
        before = document.value
        prose = prose_field(before, self._reading) if found.suffix == ".md" else ""
        body, notes = converted({name: each for name, each in before.items() if name != BLOCK}, self._conversion)
        block, lost = self._block(before.get(BLOCK))
        wanted = ({} if block is None else {BLOCK: block}) | body
        try:
            content = ManifestText(self._content(found), found).with_body(
                document, wanted, self._conversion.whole, self._order, self._below(found, document, prose)
            )
        except NotMapped as wrong:
            hint = "convert it by hand; anchors, aliases and unusual layouts are not supported"
            raise UnreadableFile(
                error(Code.NO_COUNTERPART, f"the file cannot be rewritten: {wrong}", document.source, hint=hint)
            ) from None
        self._drafts.contents[self._drafts.followed(found.path)] = content
        yield from (_note_diagnostic(document, each) for each in notes)
        yield from lost_options(document, lost)

    def _below(self, found: ManifestFile, document: Document, prose: str) -> str:
        """The field whose value is the text below the front matter; empty where there is none."""
        return prose if found.suffix == ".md" and (prose,) not in document.places else ""

    def _block(self, block: Json) -> tuple[Json, list[str]]:
        """The `reconciler:` block for the other kind, and the options that had to go."""
        if not isinstance(block, dict):
            return block, []
        lost = [name for name in _LOST_OPTIONS if name in block]
        new = {name: copied(each) for name, each in block.items() if name not in lost}
        if "kind" in new:
            new["kind"] = self._conversion.kind
        for name in ("ignore", "initial"):
            if isinstance(new.get(name), list):
                new[name] = [unit for each in new[name] for unit in self._unit(each)]
                if not new[name]:
                    del new[name]
        return new or None, lost

    def _unit(self, unit: Json) -> list[Json]:
        """The units that a unit of the old kind has become."""
        name, dot, entry = str(unit).partition(".")
        rule = self._conversion.whole.fields.get(name, FieldRule())
        if rule.drop is not None:
            return []
        return [(rule.to or (name,))[0] + dot + entry]


def lost_options(document: Document, lost: list[str]) -> Iterator[Diagnostic]:
    """Warnings for options that have no place in the new file."""
    for name in lost:
        place = document.key_place((BLOCK, name))
        yield warning(Code.NO_COUNTERPART, f"reconciler.{name} was removed", place, _LOST_OPTIONS[name])


def _note_diagnostic(document: Document, note: ConversionNote) -> Diagnostic:
    what = f"{dotted(note.path)} has no counterpart" if note.dropped else f"{dotted(note.path)} needs a review"
    return warning(Code.NO_COUNTERPART, what, document.key_place(note.path), hint=note.text)


def _left(document: Document, kind: str) -> Diagnostic:
    hint = "keep it for the old target with `reconciler: {targets: […]}`, or remove the file"
    return warning(
        Code.NO_COUNTERPART, f"kind {kind} has no counterpart and is not changed", document.source, hint=hint
    )
