"""Importing live objects: choose, write manifests, read them back, and only then mark the objects as ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from reconciler.config.edit.write_manifests import create_file, real_directory
from reconciler.config.errors import ConfigError, error
from reconciler.config.manifests.digests import config_digest
from reconciler.config.manifests.load import Loaded
from reconciler.config.source.project_files import ProjectFiles
from reconciler.core.decide import decide_update
from reconciler.core.ownership import Ownership
from reconciler.core.plan import Plan, in_order, match_all
from reconciler.core.values.model import Action, Change, Manifest
from reconciler.diagnostics import Code, Diagnostic
from reconciler.engine.snapshot import Snapshot
from reconciler.formats.outcome import Outcome, Result
from reconciler.operations.applying.apply_plan import carry_out
from reconciler.operations.project.session import Session
from reconciler.operations.pulling.pull_selection import Selection, select
from reconciler.operations.pulling.pulled_manifests import DraftManifest, draft_manifests
from reconciler.tree import tree_of


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Everything an import would do."""

    loaded: Loaded
    snapshot: Snapshot
    ownerships: Sequence[Ownership]
    selection: Selection
    drafts: Sequence[DraftManifest]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.drafts or self.selection.written)


@dataclass(frozen=True, slots=True)
class Imported:
    """The plan of marks that was carried out once the files were written, and what happened to each."""

    plan: Plan
    outcomes: Sequence[Outcome]

    @property
    def managed(self) -> int:
        """How many objects are managed now, of those that were to be."""
        noops = sum(change.action is Action.NOOP for change in self.plan.changes)
        return noops + sum(outcome.result in (Result.DONE, Result.ALREADY_APPLIED) for outcome in self.outcomes)

    @property
    def refused(self) -> list[Diagnostic]:
        """Why objects could not be marked."""
        return [_refused(change) for change in self.plan.changes if change.blocked]


def plan_import(session: Session, wishes: Sequence[str]) -> ImportPlan:
    """Read files and target, and say what is to be written. Raises ConfigError where a wish means nothing, OSError."""
    directory = real_directory(session.root, session.options.dirs[0])
    loaded = session.load() if directory.is_dir() else Loaded((), (), config_digest(()))
    # That there is no manifest yet is why people pull.
    session.reporter.diagnostics(each for each in loaded.diagnostics if each.code is not Code.NOTHING_TO_MANAGE)
    snapshot = session.refresh({manifest.address.kind for manifest in loaded.manifests})
    ownerships = _ownerships(session, loaded, snapshot)
    selection = select(ownerships, wishes)
    if missing := [wish for wish in wishes if wish not in selection.matched]:
        hint = "give ids or names; names may have the wildcards * and ?"
        raise ConfigError(
            [error(Code.NOT_FOUND, f"no live object matches {wish!r}", None, "", hint) for wish in missing]
        )
    return ImportPlan(
        loaded, snapshot, ownerships, selection, draft_manifests(session, str(directory), loaded, selection)
    )


def import_objects(session: Session, planned: ImportPlan) -> Imported:
    """Files first, then marks: what is interrupted in between is found by the next import, and finished.

    Raises ConfigError, RemoteError, OSError.
    """
    manifests = _written(session, planned.drafts)
    adopted = [(d.chosen.ownership, manifests[d.manifest.address], d.chosen.live) for d in planned.drafts]
    changes = [ownership.adopt(m, live.id) for ownership, m, live in (*adopted, *planned.selection.written)]
    changes = [replace(change, number=number) for number, change in enumerate(changes)]
    kinds = [ownership.kind.name for ownership in planned.ownerships]
    plan = Plan(session.identity, session.owner, planned.loaded.digest, in_order(changes, kinds), {})
    return Imported(plan, carry_out(session, plan, planned.snapshot))


def _ownerships(session: Session, loaded: Loaded, snapshot: Snapshot) -> list[Ownership]:
    matches = match_all(session.scope((), loaded, None), loaded.manifests, snapshot.observed)
    return [Ownership(matched, session.owner, session.digests) for matched in matches.values()]


def _refused(change: Change) -> Diagnostic:
    return error(Code.BLOCKED, f"{change.address}: {change.blocked.hint if change.blocked else ''}", change.source)


def _written(session: Session, wanted: Sequence[DraftManifest]) -> dict[object, Manifest]:
    """Write the files, read all manifests back, and compare. Where that fails, what was written is taken away again."""
    directory = session.root / session.options.dirs[0]
    project = ProjectFiles(session.root, session.options.dirs)
    made: list[str] = []
    try:
        for draft in wanted:
            for path, content in draft.files.items():
                file = str(directory / path)
                if not project.holds(os.path.realpath(file)):
                    raise ConfigError(
                        [error(Code.FILE_REFUSED, f"{project.name(file)} points outside the project", None)]
                    )
                create_file(session.root, file, content)
                made.append(file)
        manifests: dict[object, Manifest] = {each.address: each for each in session.load().manifests}
        if wrong := [draft for draft in wanted if not _reproduces(draft, manifests.get(draft.manifest.address))]:
            raise ConfigError([_misread(draft) for draft in wrong])
    except BaseException:
        for file in made:
            tree, name = tree_of(session.root, file)
            tree.remove(name)
        raise
    return manifests


def _reproduces(draft: DraftManifest, manifest: Manifest | None) -> bool:
    """Whether a manifest that was read back would change nothing of its object."""
    if manifest is None or manifest.body != draft.manifest.body:
        return False
    planner, live = draft.chosen.ownership, draft.chosen.live
    return not decide_update(planner.kind, manifest, live.body, None).writes


def _misread(draft: DraftManifest) -> Diagnostic:
    summary = f"the manifest of {draft.chosen.live.id} would not match the live object, so nothing was written"
    return error(Code.FILE_REFUSED, summary, None, "", "please report it, with the object")
