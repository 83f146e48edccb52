"""Shows the loader files with changes that are not on disk yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.source.document_reader import most_bytes
from reconciler.config.source.file_source import ManifestFile
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.source.referenced_file import MAX_FILE_BYTES
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.markdown import split
from reconciler.config.syntax.yaml import decode, read_yaml
from reconciler.core.values.model import Json
from reconciler.drivers.provider import default_kind


@dataclass(slots=True)
class FileOverlay(ProjectFiles):
    """The project with new contents of some files, by path without links; `only` narrows the walk to one file."""

    contents: dict[str, bytes] = field(default_factory=dict)
    only: ManifestFile | None = None

    def read(self, path: str, largest: int) -> bytes:
        """The bytes of a file as they are to be. Raises Refused as reading the disk does."""
        draft = self.contents.get(os.path.realpath(path))
        return ProjectFiles.read(self, path, largest) if draft is None else draft

    def walk(self) -> Iterator[ManifestFile]:
        """Every manifest file, or the one."""
        yield from ProjectFiles.walk(self) if self.only is None else [self.only]


def read_documents(drafts: FileOverlay, found: ManifestFile, reading: ManifestContext) -> list[Document]:
    """The documents of a draft, their tags not resolved. Raises Refused."""
    content = drafts.read(found.path, most_bytes(found.suffix))
    if found.suffix != ".md":
        return _all_read(content, found)
    parts = split(decode(content, found.shown, MAX_FILE_BYTES), found.shown)
    documents = _all_read(parts.front.encode(), found) if parts else []
    for document in documents:
        if parts and parts.prose.strip():
            document.value.setdefault(prose_field(document.value, reading), parts.prose)
    return documents


def prose_field(value: Json, reading: ManifestContext) -> str:
    """The field that the text below front matter is the value of; empty where the kind has none."""
    named = (value.get(BLOCK) or {}).get("kind") or default_kind(reading.provider)
    kind = reading.provider.kinds.get(named)
    return (kind.prose_field if kind else None) or ""


def _all_read(content: bytes, found: ManifestFile) -> list[Document]:
    documents, problems = read_yaml(content, found.shown)
    if problems:
        raise UnreadableFile(problems[0])
    return [each for each in documents if each.value is not None]
