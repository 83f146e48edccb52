"""Reads the documents of a manifest file: YAML, JSON or Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.config.cpu_limit import count_file
from reconciler.config.errors import error, warning
from reconciler.config.source.file_source import FileSource, ManifestFile
from reconciler.config.source.referenced_file import MAX_FILE_BYTES
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.markdown import split
from reconciler.config.syntax.yaml import MAX_BYTES, decode, read_yaml
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.drivers.provider import Provider, default_kind


def most_bytes(suffix: str) -> int:
    """How large a file of the fleet may be: Markdown holds a text, as a file for `!file` does."""
    return MAX_FILE_BYTES if suffix == ".md" else MAX_BYTES


Read = Callable[[bytes, str], tuple[list[Document], list[Diagnostic]]]


@dataclass(frozen=True, slots=True)
class DocumentReader:
    """Reads the files of a project; a provider's kinds say where the prose of a Markdown file belongs."""

    project: FileSource
    provider: Provider

    def content(self, found: ManifestFile) -> bytes:
        """The bytes of a file. Raises Refused."""
        content = self.project.read(found.path, most_bytes(found.suffix))
        count_file(found.shown, len(content))
        return content

    def of(
        self, found: ManifestFile, content: bytes, read: Read = read_yaml
    ) -> tuple[list[Document], list[Diagnostic]]:
        """The documents of a file, and its problems. Raises Refused."""
        if found.suffix == ".md":
            return self._markdown(content, found, read)
        documents, problems = read(content, found.shown)
        written = [each for each in documents if each.value is not None]
        if not written and not problems:
            hint = "write a manifest, or remove the file"
            problems = [warning(Code.EMPTY_FILE, "the file is empty", Source(found.shown, 1, 1), hint=hint)]
        return written, problems

    def _markdown(self, content: bytes, found: ManifestFile, read: Read) -> tuple[list[Document], list[Diagnostic]]:
        parts = split(decode(content, found.shown, MAX_FILE_BYTES), found.shown)
        if parts is None:
            return [], []
        documents, problems = read(parts.front.encode(), found.shown)
        if not documents and not problems:
            documents = [Document({}, Source(found.shown, 1, 1))]
        for document in documents:
            if document.value is None:
                document.value = {}
            problems += self._add_prose(document, parts.prose, Source(found.shown, parts.line, 1))
        return documents, problems

    def _add_prose(self, document: Document, prose: str, place: Source) -> Iterator[Diagnostic]:
        if not prose.strip() or not isinstance(document.value, dict):
            return
        block = document.value.get(BLOCK)
        kinds = self.provider.kinds
        named = block.get("kind") if isinstance(block, dict) else None
        kind = kinds.get(named or default_kind(self.provider))
        field = (kind or next(iter(kinds.values()))).prose_field
        if field is None:
            yield error(Code.INVALID_VALUE, "this kind has no text field for the text below the front matter", place)
        elif field in document.value:
            summary = f"{field} is given twice, in the front matter and as the text below it"
            hint = "keep one of them"
            yield error(Code.DUPLICATE_KEY, summary, document.key_place((field,)), hint=hint)
        else:
            document.value[field] = prose
            document.places[(field,)] = place
