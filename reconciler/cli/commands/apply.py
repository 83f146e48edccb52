"""`reconciler apply`: make the target look like the files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.completers import complete_addresses
from reconciler.cli.options.drift_options import drift_options
from reconciler.cli.options.global_options import Options
from reconciler.cli.options.shard_options import shard_option
from reconciler.cli.output.destinations import OUTCOME_FORMATS, destinations, formats_option, print_diagnostics, write
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.core.plan import Plan
    from reconciler.engine.snapshot import Snapshot
    from reconciler.formats.outcome import Outcome
    from reconciler.operations.planning.git_base import DriftChoices
    from reconciler.operations.planning.shards import Shard
    from reconciler.operations.project.session import Session


@verb
@click.command("apply")
@click.argument("what", nargs=-1, metavar="[PLANFILE | ADDRESS...]", shell_complete=complete_addresses)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
@click.option("--allow-deletes", type=click.IntRange(min=1), help="Allow exactly this many deletes.")
@click.option(
    "--on-error", type=click.Choice(["continue", "stop"]), default="continue", help="What to do after a failure."
)
@click.option(
    "--parallelism",
    type=click.IntRange(1, 64),
    help="Number of concurrent requests; default: the target's concurrency.",
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write a JSON report of the apply to this file."
)
@click.option(
    "--rollback-out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a plan that undoes the apply to this new file.",
)
@shard_option
@drift_options
@formats_option
@click.pass_obj
def command(
    options: Options,
    what: tuple[str, ...],
    yes: bool,
    allow_deletes: int | None,
    on_error: str,
    parallelism: int | None,
    report: Path | None,
    rollback_out: Path | None,
    shard: Shard | None,
    base: str,
    on_drift: str,
    resolve: str | None,
    formats: tuple[str, ...],
) -> int:
    """Sends only the fields that differ, and nothing else. With PLANFILE (from `plan --out` or `--rollback-out`), it
    applies exactly that plan, unless the objects in it have changed since. Changes that are already done are not
    repeated, so it is safe to run a partly failed apply again.
    """
    from reconciler.cli.confirmation import apply_confirmed
    from reconciler.cli.exit_codes import apply_exit
    from reconciler.cli.open_session import hold_lock_until_signal, session_of
    from reconciler.cli.output.formats import apply_renderers
    from reconciler.operations.applying.apply_artifacts import check_destination, write_report, write_rollback
    from reconciler.operations.applying.apply_plan import carry_out, fresh_plan
    from reconciler.operations.planning.git_base import DriftChoices
    from reconciler.operations.planning.shards import in_shard

    destinations(formats, OUTCOME_FORMATS)
    session, choices = session_of(options), DriftChoices(base, on_drift, resolve)
    saved = Path(what[0]) if len(what) == 1 and _is_plan_file(session, what[0]) else None
    if shard and not saved:
        raise _unsaved(shard)
    for record, new in ((report, False), (rollback_out, True)):
        if record is not None:
            check_destination(session.root / record, new=new)
    with hold_lock_until_signal(session):
        if saved:
            plan, snapshot = _saved(session, saved, allow_deletes, choices)
        else:
            planned = fresh_plan(session, what, allow_deletes, choices)
            print_diagnostics(options, planned.loaded.diagnostics)
            plan, snapshot = planned.plan, planned.snapshot
        if shard:
            plan = in_shard(plan, shard)
        print_diagnostics(options, plan.diagnostics)
        _show(options, plan, formats)
        outcomes: list[Outcome] = []
        if any(change.is_due for change in plan.changes):
            if not yes:
                if not apply_confirmed():
                    click.echo("nothing was sent", err=True)
                    return Exit.ERROR
                snapshot = replace(snapshot, read_at=float("-inf"))  # whoever was asked took their time
            outcomes = carry_out(session, plan, snapshot, parallelism=parallelism, stop_on_error=on_error == "stop")
    if report is not None:
        write_report(session.root, session.root / report, plan, outcomes)
    if rollback_out is not None:
        write_rollback(session.root, session.root / rollback_out, plan, snapshot, outcomes)
    write(options, formats, apply_renderers(plan, outcomes, options))
    return apply_exit(plan, outcomes, session.stop.is_set())


def _unsaved(shard: Shard) -> click.UsageError:
    """Why a shard needs a saved plan, and what to run."""
    return click.UsageError(
        "--shard needs a saved plan: its guard counts the deletes of all shards. Without one, each shard "
        "changes the number of deletes that the next shard must allow. Run:\n  reconciler plan --out "
        f"plan.json\n  reconciler apply plan.json --shard {shard}"
    )


def _is_plan_file(session: Session, what: str) -> bool:
    """Whether it is a file: of a plan, since no manifest is named by its file."""
    return what.endswith(".json") or ((session.root / what).is_file() and not what.endswith((".yaml", ".yml", ".md")))


def _saved(session: Session, file: Path, allow_deletes: int | None, choices: DriftChoices) -> tuple[Plan, Snapshot]:
    """A saved plan, for this target, owner and state of the files, and no other."""
    from reconciler.engine.state import planfile
    from reconciler.operations.applying.apply_plan import saved_plan
    from reconciler.operations.planning.git_base import check_lock_file

    if choices.on_drift != "revert" or choices.resolve:
        raise click.UsageError("a saved plan already contains this choice: give --on-drift and --resolve to `plan`")
    check_lock_file(session, choices)
    return saved_plan(session, planfile.load(session.root / file, session.root), allow_deletes)


def _show(options: Options, plan: Plan, formats: Sequence[str]) -> None:
    """The plan before it is applied: on stdout, or on stderr where stdout is for a machine."""
    from reconciler.cli.output.formats import plan_renderers

    machine = any(name != "text" and file is None for name, file in destinations(formats, OUTCOME_FORMATS))
    if not (options.quiet and machine):
        click.echo(plan_renderers(plan, options)["text"](not machine), nl=False, err=machine)
