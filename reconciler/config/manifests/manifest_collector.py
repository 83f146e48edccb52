"""Collects the manifests of one target, file by file, with the problems of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.config.checks.across_manifests import name_hash
from reconciler.config.errors import error, has_errors
from reconciler.config.manifests.compact_loader import AcceptedManifest, CompactLoader
from reconciler.config.manifests.digests import content_digest
from reconciler.config.manifests.layers import FOR_EACH, Layers, ResolvedDocument, extended
from reconciler.config.manifests.manifest import ManifestContext, read_manifest
from reconciler.config.manifests.tables.for_each import ForEach
from reconciler.config.manifests.tables.rows import name_rows_files
from reconciler.config.manifests.tags import Tags
from reconciler.config.manifests.validation_cache import ValidationCache
from reconciler.config.source.document_reader import DocumentReader
from reconciler.config.source.file_source import FileSource, ManifestFile
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.core.values.model import Address
from reconciler.core.values.semantics import Kind
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import default_kind


class Manifests:
    """The manifests met so far, and the problems."""

    def __init__(self, project: FileSource, reading: ManifestContext, layers: Sequence[str]) -> None:
        self.project = project
        self.reading = reading
        self.layers = Layers(layers, default_kind(reading.provider))
        self._bases: dict[str, tuple[list[ResolvedDocument], list[Diagnostic]]] = {}
        self._tags = Tags(project, reading.target.name, reading.target.vars)
        self._reader = DocumentReader(project, reading.provider)
        self._lean: CompactLoader | None = None
        self.accepted: dict[Address, AcceptedManifest] = {}
        self._folded: dict[Address, Address] = {}  # of addresses that are not folded themselves
        self.problems: list[Diagnostic] = []
        self.elsewhere: set[Address] = set()
        self.files = 0

    def read_lean(self, kinds: Mapping[str, Kind], memory: ValidationCache | None) -> None:
        """Keep bodies and places only where a file is out of the ordinary."""
        self._lean = CompactLoader(self._reader, self._tags, self.reading, kinds, memory)

    def add(self, found: ManifestFile) -> None:
        """Read one file."""
        if self._lean and (accepted := self._lean.accept(found)) is not None:
            self.files += 1
            for each in accepted:
                self.problems += self._keep(each)
            return
        try:
            documents, problems = self._documents(found)
        except UnreadableFile as refused:
            documents, problems = [], [refused.diagnostic]
        self.problems += problems
        self.files += bool(documents or problems)
        for document in documents:
            written = self._written(document, found, alone=len(documents) == 1, sound=not has_errors(problems))
            try:
                written = extended(written, found, self.project, self._base)
            except UnreadableFile as refused:
                self.problems.append(refused.diagnostic)
                continue
            if self.layers.names:
                self.problems += self.layers.add(written, found)
            else:
                self.take(written)

    def finish(self) -> None:
        """Take what waited for the layers above it."""
        for written in self.layers.documents():
            self.take(written)
        self._folded.clear()
        if self._lean:
            self.elsewhere |= self._lean.elsewhere
            self._lean.done()

    def take(self, written: ResolvedDocument) -> None:
        """Make the manifest of a document, or those of its rows."""
        if FOR_EACH not in written.block:
            self.problems += self._judge(written)
        elif not written.document.tagged:
            fleet = ForEach(written, self.project)
            for row in fleet.documents():
                fleet.report_problems(self._judge(self.layers.over(row)), row.document.source)
            self.problems += fleet.problems

    def _base(self, found: ManifestFile) -> tuple[list[ResolvedDocument], list[Diagnostic]]:
        """The documents of a file that manifests extend, read once."""
        if found.path not in self._bases:
            documents, problems = self._documents(found)
            before = len(self.problems)
            written = [self._written(each, found, alone=False, sound=True) for each in documents]
            self._bases[found.path] = written, problems + self.problems[before:]
            del self.problems[before:]
        return self._bases[found.path]

    def _documents(self, found: ManifestFile) -> tuple[list[Document], list[Diagnostic]]:
        return self._reader.of(found, self._reader.content(found))

    def _written(self, document: Document, found: ManifestFile, alone: bool, sound: bool) -> ResolvedDocument:
        self.problems += name_rows_files(document, self.project, found.path)
        tagged = frozenset(document.tagged)
        self.problems += self._tags.resolve(document, found.path)
        return ResolvedDocument(document, found.key if alone else None, sound, tagged)

    def _judge(self, written: ResolvedDocument) -> list[Diagnostic]:
        """Keep the manifest of a document, if it is one for this target; the problems of it."""
        judged = read_manifest(written.document, written.key, self.reading)
        self.elsewhere |= judged.elsewhere
        if judged.manifest is None or not written.sound:
            return judged.problems
        manifest = judged.manifest
        field = self.reading.provider.kinds[manifest.address.kind].name_field
        name, content = manifest.body.get(field or ""), content_digest(manifest)
        if self._lean and written.again:
            manifest = self._lean.row(manifest, written.again)
        accepted = AcceptedManifest(manifest, name_hash(manifest.address.kind, name), content)
        return [*judged.problems, *self._keep(accepted)]

    def _keep(self, accepted: AcceptedManifest) -> list[Diagnostic]:
        address = accepted.manifest.address
        folded = Address(address.kind, address.key.casefold())
        same = self._folded.get(folded, folded)
        if first := self.accepted.get(same):
            exactly = "" if same == address else " (they differ only in case)"
            summary = f"{address} is declared twice{exactly}; the first is {first.manifest.source}"
            hint = "remove one, or give it another `reconciler: {key: …}`"
            return [error(Code.DUPLICATE_ADDRESS, summary, accepted.manifest.source, hint=hint)]
        if address != folded:
            self._folded[folded] = address
        self.accepted[address] = accepted
        return []
