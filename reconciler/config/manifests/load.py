"""The files → desired: every manifest of the directories, checked against one target, and every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from reconciler.config.checks.duplicate_names import hash_of_name, same_names
from reconciler.config.checks.reference_checks import reference_problems
from reconciler.config.errors import error, has_errors, in_order, warning
from reconciler.config.manifests.compact_loader import Accepted, Lean
from reconciler.config.manifests.digests import config_digest, content_digest
from reconciler.config.manifests.extends import extended
from reconciler.config.manifests.layers import FOR_EACH, Layers, Written, layer_problems, layers_of
from reconciler.config.manifests.manifest import Reading, read_manifest
from reconciler.config.manifests.member_lists import with_files
from reconciler.config.manifests.tables.for_each import Fleet
from reconciler.config.manifests.tables.rows import name_rows_files
from reconciler.config.manifests.tags import Tags
from reconciler.config.manifests.validation_cache import Memory
from reconciler.config.message_text import cut
from reconciler.config.schema.schemas import Schemas, shipped
from reconciler.config.source.document_reader import Documents
from reconciler.config.source.project_files import Files, Found, Project
from reconciler.config.syntax.document import BLOCK, Document
from reconciler.config.syntax.document_builder import Refused
from reconciler.config.targets import Settings, Target
from reconciler.core.values.model import Address, Manifest
from reconciler.core.values.semantics import Kind
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import Provider, default_kind


@dataclass(frozen=True, slots=True)
class Loaded:
    """The manifests for one target, by address, every problem of the files, and a digest of what is desired.

    `elsewhere` are addresses that have a manifest for another target.
    """

    manifests: tuple[Manifest, ...]
    diagnostics: tuple[Diagnostic, ...]
    digest: str
    elsewhere: frozenset[Address] = frozenset()

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
    secret_like_allowed: bool = False,
    kinds: Mapping[str, Kind] | None = None,
    memory: Memory | None = None,
) -> Loaded:
    """Read every manifest below the directories, relative to `root`; on disk unless other `files` are given, whose walk
    includes the target's layers, after the directories. Texts shaped like keys are refused unless they are allowed.

    With the target's `kinds` (as the core compares them), most bodies and places are not kept, but read again when
    somebody asks; a `memory` then spares reading what was accepted before. Never raises for what a file contains;
    raises ConfigError where one that is read again has changed meanwhile.
    """
    reading = Reading(settings, target, provider, schemas or shipped(), secret_like_allowed)
    unusable = [] if files else list(layer_problems(root, dirs, target))
    layers = [] if unusable else [FilePath(each) for each in target.layers]
    disk = Project(root, (*dirs, *layers)) if files is None else None
    project: Files = files or disk  # type: ignore[assignment]
    gathered = Manifests(project, reading, layers_of(root, target))
    if kinds is not None and not target.layers:
        gathered.read_lean(kinds, memory)
    for found in project.walk():
        gathered.add(found)
    gathered.finish()
    from reconciler.config.manifests.other_target_layers import (
        in_layers_of_others,  # here, because it gathers manifests as this does
    )

    elsewhere, unread = in_layers_of_others(root, reading) if files is None else (set(), ())
    problems = [*unusable, *project.problems, *gathered.problems, *unread]
    if not gathered.files and not has_errors(project.problems):
        summary = f"there are no manifests in {', '.join(project.name(str(root / each)) for each in dirs)}"
        problems.append(warning(Code.NOTHING_TO_MANAGE, summary, None, hint="write one, or name another --dir"))
    read = {address: each.manifest for address, each in gathered.accepted.items()}
    spelled, unfit = with_files(project, reading, read)
    problems += unfit
    if disk is not None and (refused := list(disk.ignored())):
        if kinds is not None and any(each.source for each in refused):  # read again, with all places
            return load(
                root,
                dirs,
                settings=settings,
                target=target,
                provider=provider,
                schemas=schemas,
                secret_like_allowed=secret_like_allowed,
            )
        # Nothing else is reported: it may quote what git ignores.
        return Loaded((), in_order(refused), config_digest(()))
    manifests = tuple(sorted(spelled.values(), key=lambda each: each.address))
    accepted = gathered.accepted
    digest = config_digest(
        accepted[each.address].content if read.get(each.address) is each else content_digest(each) for each in manifests
    )
    named = ((accepted[each.address].name, each) for each in manifests if each.address in accepted)
    problems += same_names(named, provider)
    problems += _same_ids(manifests)
    problems += reference_problems(manifests, target.name, provider, reading.schemas)
    elsewhere |= gathered.elsewhere
    return Loaded(manifests, in_order(problems), digest, frozenset(elsewhere.difference(read)))


class Manifests:
    """The manifests met so far, and the problems."""

    def __init__(self, project: Files, reading: Reading, layers: Sequence[str]) -> None:
        self.project = project
        self.reading = reading
        self.layers = Layers(layers, default_kind(reading.provider))
        self._bases: dict[str, tuple[list[Written], list[Diagnostic]]] = {}
        self._tags = Tags(project, reading.target.name, reading.target.vars)
        self._reader = Documents(project, reading.provider)
        self._lean: Lean | None = None
        self.accepted: dict[Address, Accepted] = {}
        self._folded: dict[Address, Address] = {}  # of addresses that are not folded themselves
        self.problems: list[Diagnostic] = []
        self.elsewhere: set[Address] = set()
        self.files = 0

    def read_lean(self, kinds: Mapping[str, Kind], memory: Memory | None) -> None:
        """Keep bodies and places only where a file is out of the ordinary."""
        self._lean = Lean(self._reader, self._tags, self.reading, kinds, memory)

    def add(self, found: Found) -> None:
        """Read one file."""
        if self._lean and (accepted := self._lean.accept(found)) is not None:
            self.files += 1
            for each in accepted:
                self.problems += self._keep(each)
            return
        try:
            documents, problems = self._documents(found)
        except Refused as refused:
            documents, problems = [], [refused.diagnostic]
        self.problems += problems
        self.files += bool(documents or problems)
        for document in documents:
            written = self._written(document, found, alone=len(documents) == 1, sound=not has_errors(problems))
            try:
                written = extended(written, found, self.project, self._base)
            except Refused as refused:
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

    def take(self, written: Written) -> None:
        """Make the manifest of a document, or those of its rows."""
        if FOR_EACH not in written.block:
            self.problems += self._judge(written)
        elif not written.document.tagged:
            fleet = Fleet(written, self.project)
            for row in fleet.documents():
                fleet.told(self._judge(self.layers.over(row)), row.document.source)
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
        return self._reader.of(found, self._reader.content(found))

    def _written(self, document: Document, found: Found, alone: bool, sound: bool) -> Written:
        self.problems += name_rows_files(document, self.project, found.path)
        tagged = frozenset(document.tagged)
        self.problems += self._tags.resolve(document, found.path)
        return Written(document, found.key if alone else None, sound, tagged)

    def _judge(self, written: Written) -> list[Diagnostic]:
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
        accepted = Accepted(manifest, hash_of_name(manifest.address.kind, name), content)
        return [*judged.problems, *self._keep(accepted)]

    def _keep(self, accepted: Accepted) -> list[Diagnostic]:
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


def _same_ids(manifests: Sequence[Manifest]) -> Iterator[Diagnostic]:
    """Two manifests for one object: each would undo what the other says."""
    first: dict[tuple[str, str], Manifest] = {}
    for manifest in (each for each in manifests if each.id is not None):
        other = first.setdefault((manifest.address.kind, manifest.id or ""), manifest)
        if other is not manifest:
            bound = f"{manifest.address} is bound to {cut(manifest.id or '')}"
            summary = f"{bound}, and so is {other.address} ({other.source})"
            yield error(Code.SAME_ID, summary, manifest.place((BLOCK, "id")), hint="remove the `id` of one of them")
