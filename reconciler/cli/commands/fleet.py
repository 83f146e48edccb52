"""`reconciler fleet`: the same files, worked on by many processes on many machines, over PostgreSQL."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.diagnostics import ReconcilerError


@verb
@click.group("fleet")
@click.option(
    "--database", help="URL of the PostgreSQL database; prefer the environment variable RECONCILER_FLEET_DATABASE."
)
@click.pass_context
def command(context: click.Context, database: str | None) -> None:
    """`submit` puts addresses into a PostgreSQL queue in chunks, and workers apply them. Needs `pip install
    'assistants-as-code[fleet]'`. Only workers need credentials; the queue contains only addresses.
    """
    context.meta["reconciler.database"] = database


@command.command("init")
@click.pass_context
def init(context: click.Context) -> int:
    """Create the tables, or upgrade them to this version. Safe to run again."""
    from reconciler.operations.running.workers import database_at, prepare

    with database_at(context.meta["reconciler.database"]) as database:
        prepare(database)
    click.echo("the tables are ready")
    return 0


@command.command("submit")
@click.pass_context
def submit(context: click.Context) -> int:
    """Queue the target of --target, or all targets except embedded ones.

    Reads the files and needs no credentials. Jobs left from an earlier submission are dropped.
    """
    from reconciler.operations.running.workers import Fleet, database_at

    fleet = Fleet(context.find_object(Options) or context.obj, database_at(context.meta["reconciler.database"]))
    names = fleet.names  # reports errors in the files before it connects to the database
    with fleet, fleet.database:
        for name in names:
            addresses, jobs = fleet.submit(name)
            click.echo(f"{name}: {addresses} addresses in {jobs} jobs")
    return 0


@command.command("worker")
@click.option("--processes", type=click.IntRange(1, 64), help="Number of workers; each is restarted when it ends.")
@click.option("--jobs", type=click.IntRange(1, 32), default=4, help="Concurrent jobs per worker.")
@click.option(
    "--cron",
    help="Schedule on which this worker submits its targets: five cron fields, and seconds as an optional sixth.",
)
@click.option("--heartbeat", type=click.FloatRange(min=0.2), default=3.0, help="Seconds between heartbeats.")
@click.option(
    "--silence",
    type=click.FloatRange(min=1),
    default=12.0,
    help="Seconds without a heartbeat after which other workers take the jobs.",
)
@click.pass_context
def worker(
    context: click.Context, processes: int | None, jobs: int, cron: str | None, heartbeat: float, silence: float
) -> int:
    """Process submitted jobs until stopped; with --target, only of that target.

    A worker exits with 75 when it loses PostgreSQL. --processes, systemd or Kubernetes restart it.
    """
    from reconciler.cli.output.terminal_reporter import TerminalReporter
    from reconciler.operations.running.workers import Fleet, Workers, database_at

    workers = Workers(jobs, cron, heartbeat, silence)
    options = context.find_object(Options) or context.obj
    fleet = Fleet(options, database_at(context.meta["reconciler.database"]), TerminalReporter(options))
    with fleet:
        if processes:
            return workers.supervised(fleet, processes, partial(_failed, options), partial(click.echo, err=True))
        with fleet.database:
            workers.work(fleet)
    return 0


def _failed(options: Options, problem: ReconcilerError) -> int:
    """The exit code of a worker that ended like this, which is printed."""
    from reconciler.cli.expected_errors import report_failure

    return report_failure(problem, options, ()) or Exit.DONE


@command.command("status")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_context
def show_status(context: click.Context, form: str) -> int:
    """Show how far each target is, and what was not done. Exit 2 while work is left, 5 when some was given up."""
    from reconciler.cli.output.fleet_status import status_json, status_text
    from reconciler.operations.running.workers import database_at, status

    with database_at(context.meta["reconciler.database"]) as database:
        found = status(database)
    click.echo(status_json(found) if form == "json" else status_text(found), nl=False)
    if any(not each.finished for each in found.targets):
        return Exit.CHANGES
    return Exit.PARTLY if found.problems else Exit.DONE
