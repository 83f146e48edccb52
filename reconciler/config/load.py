"""The files → desired: every manifest of the directories, checked against one target, and every problem at once."""

from __future__ import annotations

import gc
import hashlib
import json
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath

from reconciler.config.build import Refused
from reconciler.config.collections import with_files
from reconciler.config.document import Document
from reconciler.config.errors import error, has_errors, in_order, warning
from reconciler.config.extends import extended
from reconciler.config.files import Files, Found, Project
from reconciler.config.fleet import Fleet
from reconciler.config.layers import FOR_EACH, Layers, Written, layer_problems, layers_of
from reconciler.config.manifest import BLOCK, Reading, default_kind, read_manifest
from reconciler.config.markdown import split
from reconciler.config.references import reference_problems
from reconciler.config.rows import name_rows_files
from reconciler.config.schemas import Schemas, shipped
from reconciler.config.settings import Settings, Target, load_settings
from reconciler.config.tags import MAX_FILE_BYTES, Tags
from reconciler.config.text import cut
from reconciler.config.yaml import MAX_BYTES, decode, read_yaml
from reconciler.core.codes import Code
from reconciler.core.model import Address, Diagnostic, Manifest, Source
from reconciler.drivers.provider import Provider

__all__ = ["Loaded", "load", "load_settings"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The manifests for one target, by address, every problem of the files, and a digest of what is desired."""

    manifests: tuple[Manifest, ...]
    diagnostics: tuple[Diagnostic, ...]
    digest: str

    @property
    def ok(self) -> bool:
        """Whether every file was read and accepted: nothing may be deleted otherwise."""
        return not has_errors(self.diagnostics)


def load(
    root: FilePath,
    dirs: Sequence[FilePath],
    *,
    settings: Settings,
    target: Target,
    provider: Provider,
    schemas: Schemas | None = None,
    files: Files | None = None,
) -> Loaded:
    """Read every manifest below the directories, relative to `root`; on disk unless other `files` are given, whose walk
    includes the target's layers, after the directories.

    Never raises for what a file contains.
    """
    reading = Reading(settings, target, provider, schemas or shipped())
    unusable = [] if files else list(layer_problems(root, dirs, target))
    layers = [] if unusable else [FilePath(each) for each in target.layers]
    project = files or Project(root, (*dirs, *layers))
    gathered = _Manifests(project, reading, layers_of(root, target))
    with _collector_paused():
        for found in project.walk():
            gathered.add(found)
        gathered.finish()
    problems = [*unusable, *project.problems, *gathered.problems]
    if not gathered.files and not has_errors(project.problems):
        summary = f"there are no manifests in {', '.join(project.name(str(root / each)) for each in dirs)}"
        problems.append(warning(Code.NOTHING_TO_MANAGE, summary, None, hint="write one, or name another --dir"))
    spelled, unfit = with_files(project, provider, gathered.manifests)
    problems += unfit
    manifests = tuple(sorted(spelled.values(), key=lambda each: each.address))
    problems += _same_names(manifests, provider)
    problems += reference_problems(manifests, provider, reading.schemas)
    return Loaded(manifests, in_order(problems), config_digest(manifests))


def config_digest(manifests: Sequence[Manifest]) -> str:
    """A digest of addresses, bodies and options, whatever the files they came from."""
    digest = hashlib.sha256(b"[")
    for index, each in enumerate(sorted(manifests, key=lambda each: each.address)):
        content = [
            *each.address,
            each.body,
            [
                each.id,
                each.protect,
                each.on_remove,
                each.moved_from,
                each.same_name_allowed,
                *([True] if each.renew else []),
            ],
            [sorted(each.ignore), sorted(each.initial)],
            sorted([[str(step) for step in path], str(address)] for path, address in each.refs.items()),
        ]
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        digest.update(f"{',' if index else ''}{text}".encode())
    digest.update(b"]")
    return "sha256:" + digest.hexdigest()


class _Manifests:
    """The manifests met so far, and the problems."""

    def __init__(self, project: Files, reading: Reading, layers: Sequence[str]) -> None:
        self._project = project
        self._reading = reading
        self._layers = Layers(layers, default_kind(reading.provider))
        self._bases: dict[str, tuple[list[Written], list[Diagnostic]]] = {}
        self._tags = Tags(project, reading.target.name, reading.target.vars)
        self._folded: dict[Address, Manifest] = {}
        self.manifests: dict[Address, Manifest] = {}
        self.problems: list[Diagnostic] = []
        self.files = 0

    def add(self, found: Found) -> None:
        """Read one file."""
        try:
            documents, problems = self._documents(found)
        except Refused as refused:
            documents, problems = [], [refused.diagnostic]
        self.problems += problems
        self.files += bool(documents or problems)
        for document in documents:
            written = self._written(document, found, alone=len(documents) == 1, sound=not has_errors(problems))
            try:
                written = extended(written, found, self._project, self._base)
            except Refused as refused:
                self.problems.append(refused.diagnostic)
                continue
            if self._layers.names:
                self.problems += self._layers.add(written, found)
            else:
                self._take(written)

    def finish(self) -> None:
        """Take what waited for the layers above it."""
        for written in self._layers.documents():
            self._take(written)

    def _take(self, written: Written) -> None:
        """Make the manifest of a document, or those of its rows."""
        if FOR_EACH not in written.block:
            self.problems += self._judge(written)
        elif not written.document.tagged:
            fleet = Fleet(written, self._project)
            for row in fleet.documents():
                fleet.told(self._judge(self._layers.over(row)), row.document.source)
            self.problems += fleet.problems

    def _base(self, found: Found) -> tuple[list[Written], list[Diagnostic]]:
        """The documents of a file that manifests extend, read once."""
        if found.path not in self._bases:
            documents, problems = self._documents(found)
            before = len(self.problems)
            written = [self._written(each, found, alone=False, sound=True) for each in documents]
            self._bases[found.path] = written, problems + self.problems[before:]
            del self.problems[before:]
        return self._bases[found.path]

    def _documents(self, found: Found) -> tuple[list[Document], list[Diagnostic]]:
        largest = MAX_FILE_BYTES if found.suffix == ".md" else MAX_BYTES
        content = self._project.read(found.path, largest)
        if found.suffix == ".md":
            return self._markdown(content, found)
        documents, problems = read_yaml(content, found.shown)
        written = [each for each in documents if each.value is not None]
        if not written and not problems:
            hint = "write a manifest, or remove the file"
            problems = [warning(Code.EMPTY_FILE, "the file is empty", Source(found.shown, 1, 1), hint=hint)]
        return written, problems

    def _markdown(self, content: bytes, found: Found) -> tuple[list[Document], list[Diagnostic]]:
        parts = split(decode(content, found.shown, MAX_FILE_BYTES), found.shown)
        if parts is None:
            return [], []
        documents, problems = read_yaml(parts.front.encode(), found.shown)
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
        kinds = self._reading.provider.kinds
        named = block.get("kind") if isinstance(block, dict) else None
        kind = kinds.get(named or default_kind(self._reading.provider))
        field = (kind or next(iter(kinds.values()))).prose_field
        if field is None:
            yield error(Code.INVALID_VALUE, "this kind has no prose field for the text below the front matter", place)
        elif field in document.value:
            summary = f"{field} is given twice, in the front matter and as the text below it"
            hint = "keep one of them"
            yield error(Code.DUPLICATE_KEY, summary, document.key_place((field,)), hint=hint)
        else:
            document.value[field] = prose
            document.places[(field,)] = place

    def _written(self, document: Document, found: Found, alone: bool, sound: bool) -> Written:
        self.problems += name_rows_files(document, self._project, found.path)
        tagged = frozenset(document.tagged)
        self.problems += self._tags.resolve(document, found.path)
        return Written(document, found.key if alone else None, sound, tagged)

    def _judge(self, written: Written) -> list[Diagnostic]:
        """Keep the manifest of a document, if it is one for this target; the problems of it."""
        judged = read_manifest(written.document, written.key, self._reading)
        kept = self._keep(judged.manifest) if judged.manifest and written.sound else ()
        return [*judged.problems, *kept]

    def _keep(self, manifest: Manifest) -> list[Diagnostic]:
        folded = Address(manifest.address.kind, manifest.address.key.casefold())
        if first := self._folded.get(folded):
            exactly = "" if first.address == manifest.address else " (they differ only in case)"
            summary = f"{manifest.address} is declared twice{exactly}; the first is {first.source}"
            hint = "remove one, or give it another `reconciler: {key: …}`"
            return [error(Code.DUPLICATE_ADDRESS, summary, manifest.source, hint=hint)]
        self._folded[folded] = manifest
        self.manifests[manifest.address] = manifest
        return []


def _same_names(manifests: Sequence[Manifest], provider: Provider) -> Iterator[Diagnostic]:
    """Two objects that people cannot tell apart, in this fleet."""
    first: dict[tuple[str, str], Manifest] = {}
    for manifest in manifests:
        field = provider.kinds[manifest.address.kind].name_field
        name = manifest.body.get(field) if field else None
        if not isinstance(name, str) or manifest.same_name_allowed:
            continue
        folded = (manifest.address.kind, unicodedata.normalize("NFC", name).casefold())
        if twin := first.get(folded):
            summary = f"{manifest.address} has the same {field} as {twin.address}: {cut(name)}"
            hint = "rename one, or say `reconciler: {same_name: allow}`"
            yield warning(Code.SAME_NAME, summary, manifest.place((str(field),)), hint=hint)
        else:
            first[folded] = manifest


@contextmanager
def _collector_paused() -> Iterator[None]:
    # Reading makes many small objects and no cycles; looking for some takes as long again. Only here, and not while
    # anything is on the network: responses hold cycles, and would pile up.
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            # Straight to the old generation: nearly all of it is kept, so looking through it again would be in vain.
            gc.freeze()
            gc.unfreeze()
            gc.enable()
