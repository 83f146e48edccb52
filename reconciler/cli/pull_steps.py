"""What `pull`, and `init --from-target`, print and ask while live objects become manifests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from reconciler.cli.confirmation import ask_to_apply
from reconciler.cli.exit_codes import apply_exit
from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import print_diagnostics, write
from reconciler.cli.output.formats import plan_renderers
from reconciler.core.values.model import Action
from reconciler.operations.planning.live_plan import plan_live
from reconciler.operations.project.session import Session
from reconciler.operations.pulling.pull_edits import WrittenBack
from reconciler.operations.pulling.pull_objects import Imported, ImportPlan, import_objects, plan_import
from reconciler.render.escape import visible

IN_SYNC: Final = "No changes: files and target match."


def pull(session: Session, options: Options, wishes: Sequence[str], *, yes: bool, check: bool) -> int:
    """Write manifests for the chosen live objects and adopt them. Raises ConfigError, RemoteError, OSError."""
    planned = plan_import(session, wishes)
    _show(options, planned)
    if check and not yes:
        if planned.is_empty:
            return verify_in_sync(session, options, ())
        _print(options, "Nothing was written: this is what `pull` would do.")
        verify_in_sync(session, options, (), "Otherwise, files and target match.")
        return Exit.CHANGES
    if planned.is_empty:
        _print(options, "Nothing to pull.")
    elif not (
        yes
        or ask_to_apply(
            "Write these files and start managing these objects?",
            "cannot ask for confirmation (stdin is not a terminal); nothing was written",
        )
    ):
        click.echo("nothing was written", err=True)
        return Exit.ERROR
    elif code := _carry_out(session, options, planned):
        return code
    return verify_in_sync(session, options, ()) if check else Exit.DONE


def verify_in_sync(session: Session, options: Options, addresses: Sequence[str], agreed: str = IN_SYNC) -> Exit:
    """Plan again, from a new reading; the plan is shown unless it is empty: then `agreed` is printed."""
    if not (session.root / options.dirs[0]).is_dir():
        return Exit.DONE  # no manifests, so nothing to plan
    plan = plan_live(session, addresses, None).plan
    print_diagnostics(options, plan.diagnostics)
    if any(change.action is not Action.NOOP or change.blocked for change in plan.changes):
        write(options, (), plan_renderers(plan, options))
        return Exit.CHANGES
    _print(options, agreed)
    return Exit.DONE


def edit_line(written: WrittenBack) -> str:
    """The line for an address whose live edits were written into its files."""
    if not written.units:
        return f"= {written.address}  the file matches the live object"
    files = ", ".join(written.files)
    return f"~ {visible(files)}  {written.address}  {visible(', '.join('.'.join(unit) for unit in written.units))}"


def _show(options: Options, planned: ImportPlan) -> None:
    """One line for each file, and for each object that is left alone."""
    directory = options.dirs[0].as_posix()
    for draft in planned.drafts:
        for path in draft.files:
            click.echo(f"+ {visible(f'{directory}/{path}')}  {draft.manifest.address}  {visible(draft.chosen.live.id)}")
    for _, manifest, live in planned.selection.written:
        click.echo(f"→ {visible(manifest.source.file)}  {manifest.address}  {visible(live.id)}  already written")
    for id, why in planned.selection.left:
        click.echo(f"! {visible(id)}  left out: {visible(why)}")


def _carry_out(session: Session, options: Options, planned: ImportPlan) -> Exit:
    imported = import_objects(session, planned)
    print_diagnostics(options, imported.refused)
    print_diagnostics(options, [outcome.error for outcome in imported.outcomes if outcome.error])
    print_diagnostics(options, [finding for outcome in imported.outcomes for finding in outcome.findings])
    _print_result(options, planned, imported)
    code = apply_exit(imported.plan, imported.outcomes, session.stop.is_set())
    # The files are written, whatever became of the marks.
    return Exit.PARTLY if code is Exit.ERROR else code


def _print_result(options: Options, planned: ImportPlan, imported: Imported) -> None:
    files = sum(len(draft.files) for draft in planned.drafts)
    done, changes = imported.managed, len(imported.plan.changes)
    left = f"; {len(planned.selection.left)} left out" if planned.selection.left else ""
    _print(options, f"{files} files written, {done} of {changes} objects now managed{left}.")
    if done < changes:
        click.echo("the files stay: run `reconciler pull` again for the rest", err=True)


def _print(options: Options, line: str) -> None:
    if not options.quiet:
        click.echo(line)
