"""Loads the manifests for one target, and reports every problem of the files at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath

from reconciler.config.checks.across_manifests import reference_problems, same_ids, same_names
from reconciler.config.errors import has_errors, in_order, warning
from reconciler.config.manifests.digests import config_digest, content_digest
from reconciler.config.manifests.layers import layer_problems, layers_of
from reconciler.config.manifests.list_addresses import other_target_addresses
from reconciler.config.manifests.manifest import ManifestContext
from reconciler.config.manifests.manifest_collector import Manifests
from reconciler.config.manifests.member_lists import with_member_lists
from reconciler.config.manifests.validation_cache import ValidationCache
from reconciler.config.schema.schemas import Schemas, shipped
from reconciler.config.source.file_source import FileSource
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.targets import Settings, Target
from reconciler.core.values.model import Address, Manifest
from reconciler.core.values.semantics import Kind
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import Provider


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
    files: FileSource | None = None,
    secret_like_allowed: bool = False,
    kinds: Mapping[str, Kind] | None = None,
    memory: ValidationCache | None = None,
) -> Loaded:
    """Read every manifest below the directories, relative to `root`; on disk unless other `files` are given, whose walk
    includes the target's layers, after the directories. Texts shaped like keys are refused unless they are allowed.

    With the target's `kinds` (as the core compares them), most bodies and places are not kept, but read again when
    somebody asks; a `memory` then spares reading what was accepted before. Never raises for what a file contains;
    raises ConfigError where one that is read again has changed meanwhile.
    """
    reading = ManifestContext(settings, target, provider, schemas or shipped(), secret_like_allowed)
    unusable = [] if files else list(layer_problems(root, dirs, target))
    layers = [] if unusable else [FilePath(each) for each in target.layers]
    disk = ProjectFiles(root, (*dirs, *layers)) if files is None else None
    project: FileSource = files or disk  # type: ignore[assignment]
    gathered = Manifests(project, reading, layers_of(root, target))
    if kinds is not None and not target.layers:
        gathered.read_lean(kinds, memory)
    for found in project.walk():
        gathered.add(found)
    gathered.finish()
    elsewhere, unread = other_target_addresses(root, reading) if files is None else (set(), ())
    problems = [*unusable, *project.problems, *gathered.problems, *unread]
    if not gathered.files and not has_errors(project.problems):
        summary = f"there are no manifests in {', '.join(project.name(str(root / each)) for each in dirs)}"
        problems.append(warning(Code.NOTHING_TO_MANAGE, summary, None, hint="write one, or choose another --dir"))
    read = {address: each.manifest for address, each in gathered.accepted.items()}
    spelled, unfit = with_member_lists(project, reading, read)
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
    problems += same_ids(manifests)
    problems += reference_problems(manifests, target.name, provider, reading.schemas)
    elsewhere |= gathered.elsewhere
    return Loaded(manifests, in_order(problems), digest, frozenset(elsewhere.difference(read)))
