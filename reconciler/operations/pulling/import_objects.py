"""What `pull` does: choose, write manifests, read them back, and only then mark the objects as ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click

from reconciler.cli.output import say
from reconciler.config.edit.write_manifests import create_file, real_directory
from reconciler.config.errors import ConfigError, error
from reconciler.config.manifests.digests import config_digest
from reconciler.config.manifests.load import Loaded
from reconciler.config.source.project_files import Project
from reconciler.core.decide import decide_update
from reconciler.core.ownership import Ownership
from reconciler.core.plan import Plan, in_order, match_all
from reconciler.core.values.model import Action, Change, Manifest
from reconciler.diagnostics import Code, Diagnostic
from reconciler.engine.snapshot import Snapshot
from reconciler.exits import Exit
from reconciler.formats.outcome import Outcome, Result
from reconciler.operations.applying.apply_plan import carry_out, exit_of
from reconciler.operations.project.session import Session
from reconciler.operations.pulling.import_selection import Selection, select
from reconciler.operations.pulling.imported_manifests import Draft, drafts
from reconciler.render.escape import visible
from reconciler.tree import tree_of

AGREED: Final = "The plan is empty: files and target agree."


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a pull would do."""

    loaded: Loaded
    sight: Snapshot
    ownerships: Sequence[Ownership]
    selection: Selection
    drafts: Sequence[Draft]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.drafts or self.selection.written)


def pull(session: Session, wishes: Sequence[str], *, yes: bool, check: bool) -> int:
    """Write manifests for the chosen live objects and adopt them. Raises ConfigError, RemoteError, OSError."""
    prepared = prepare(session, wishes)
    _show(session, prepared)
    if check and not yes:
        if prepared.is_empty:
            return prove(session, ())
        _say(session, "Nothing was written: this is what `pull` would do.")
        prove(session, (), "Apart from that, files and target agree.")
        return Exit.CHANGES
    if prepared.is_empty:
        _say(session, "Nothing to pull.")
    elif not (yes or _confirmed()):
        click.echo("nothing was written", err=True)
        return Exit.ERROR
    elif code := _carry_out(session, prepared):
        return code
    return prove(session, ()) if check else Exit.DONE


def prepare(session: Session, wishes: Sequence[str]) -> Prepared:
    """Read files and target, and say what is to be written. Raises ConfigError where a wish means nothing, OSError."""
    directory = real_directory(session.root, session.options.dirs[0])
    loaded = session.load() if directory.is_dir() else Loaded((), (), config_digest(()))
    # That there is no manifest yet is why people pull.
    say(session.options, [each for each in loaded.diagnostics if each.code is not Code.NOTHING_TO_MANAGE])
    sight = session.refresh({manifest.address.kind for manifest in loaded.manifests})
    ownerships = _ownerships(session, loaded, sight)
    selection = select(ownerships, wishes)
    if missing := [wish for wish in wishes if wish not in selection.matched]:
        hint = "name objects by their id, or by their name, in which * and ? stand for others"
        raise ConfigError([error(Code.NOT_FOUND, f"nothing live is {wish!r}", None, "", hint) for wish in missing])
    return Prepared(loaded, sight, ownerships, selection, drafts(session, str(directory), loaded, selection))


def prove(session: Session, addresses: Sequence[str], agreed: str = AGREED) -> Exit:
    """Plan again, from a new reading; the plan is shown unless it is empty: then `agreed` is said."""
    from reconciler.cli.output import write
    from reconciler.cli.output_formats import plan_renderers
    from reconciler.operations.planning.live_plan import plan_live

    if not _directory(session).is_dir():
        return Exit.DONE  # no manifests, so nothing to plan
    plan = plan_live(session, addresses, None).plan
    say(session.options, plan.diagnostics)
    if any(change.action is not Action.NOOP or change.blocked for change in plan.changes):
        write(session.options, (), plan_renderers(plan, session.options))
        return Exit.CHANGES
    _say(session, agreed)
    return Exit.DONE


def _ownerships(session: Session, loaded: Loaded, sight: Snapshot) -> list[Ownership]:
    matches = match_all(session.scope((), loaded, None), loaded.manifests, sight.observed)
    return [Ownership(matched, session.owner, session.digests) for matched in matches.values()]


def _directory(session: Session) -> Path:
    """Where new manifests go."""
    return session.root / session.options.dirs[0]


def _show(session: Session, prepared: Prepared) -> None:
    """One line for each file, and for each object that is left alone."""
    directory = session.options.dirs[0].as_posix()
    for draft in prepared.drafts:
        for path in draft.files:
            click.echo(f"+ {visible(f'{directory}/{path}')}  {draft.manifest.address}  {visible(draft.chosen.live.id)}")
    for _, manifest, live in prepared.selection.written:
        click.echo(f"→ {visible(manifest.source.file)}  {manifest.address}  {visible(live.id)}  is written already")
    for id, why in prepared.selection.left:
        click.echo(f"! {visible(id)}  left out: {visible(why)}")


def _confirmed() -> bool:
    """Ask. Raises ConfigError where nobody is there to be asked."""
    if not sys.stdin.isatty():
        summary = "nobody is here to confirm, so nothing was written"
        raise ConfigError([error(Code.CONFIRMATION_REQUIRED, summary, None, "", "add --yes")])
    return click.confirm("Write these files and manage these objects from now on?", err=True)


def _carry_out(session: Session, prepared: Prepared) -> Exit:
    """Files first, then marks: what is interrupted in between is found by the next pull, and finished."""
    manifests = _written(session, prepared.drafts)
    adopted = [(d.chosen.ownership, manifests[d.manifest.address], d.chosen.live) for d in prepared.drafts]
    changes = [ownership.adopt(m, live.id) for ownership, m, live in (*adopted, *prepared.selection.written)]
    changes = [replace(change, number=number) for number, change in enumerate(changes)]
    kinds = [ownership.kind.name for ownership in prepared.ownerships]
    plan = Plan(session.identity, session.owner, prepared.loaded.digest, in_order(changes, kinds), {})
    outcomes = carry_out(session, plan, prepared.sight)
    say(session.options, [_refused(change) for change in changes if change.blocked])
    say(session.options, [outcome.error for outcome in outcomes if outcome.error])
    say(session.options, [finding for outcome in outcomes for finding in outcome.findings])
    _tell(session, prepared, changes, outcomes)
    code = exit_of(plan, outcomes, session.stop.is_set())
    # The files are written, whatever became of the marks.
    return Exit.PARTLY if code is Exit.ERROR else code


def _tell(session: Session, prepared: Prepared, changes: Sequence[Change], outcomes: Sequence[Outcome]) -> None:
    files = sum(len(draft.files) for draft in prepared.drafts)
    noops = sum(change.action is Action.NOOP for change in changes)
    done = noops + sum(outcome.result in (Result.DONE, Result.ALREADY_APPLIED) for outcome in outcomes)
    left = f"; {len(prepared.selection.left)} left out" if prepared.selection.left else ""
    _say(session, f"{files} files written, {done} of {len(changes)} objects managed from now on{left}.")
    if done < len(changes):
        click.echo("the files stay: `reconciler pull` again does the rest", err=True)


def _say(session: Session, line: str) -> None:
    if not session.options.quiet:
        click.echo(line)


def _refused(change: Change) -> Diagnostic:
    return error(Code.BLOCKED, f"{change.address}: {change.blocked.hint if change.blocked else ''}", change.source)


def _written(session: Session, wanted: Sequence[Draft]) -> dict[object, Manifest]:
    """Write the files, read all manifests back, and compare. Where that fails, what was written is taken away again."""
    directory = _directory(session)
    project = Project(session.root, session.options.dirs)
    made: list[str] = []
    try:
        for draft in wanted:
            for path, content in draft.files.items():
                file = str(directory / path)
                if not project.holds(os.path.realpath(file)):
                    raise ConfigError(
                        [error(Code.FILE_REFUSED, f"{project.name(file)} leads outside the project", None)]
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


def _reproduces(draft: Draft, manifest: Manifest | None) -> bool:
    """Whether a manifest that was read back would change nothing of its object."""
    if manifest is None or manifest.body != draft.manifest.body:
        return False
    planner, live = draft.chosen.ownership, draft.chosen.live
    return not decide_update(planner.kind, manifest, live.body, None).writes


def _misread(draft: Draft) -> Diagnostic:
    summary = f"the manifest of {draft.chosen.live.id} would not say what is live, so nothing was written"
    return error(Code.FILE_REFUSED, summary, None, "", "please report it, with the object")
