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
@click.option("--database", help="postgresql://…; better given as RECONCILER_FLEET_DATABASE.")
@click.pass_context
def command(context: click.Context, database: str | None) -> None:
    """Needs `pip install 'assistants-as-code[fleet]'`. Credentials stay with the workers; the queue holds
    addresses and nothing else.
    """
    context.meta["reconciler.database"] = database


@command.command("init")
@click.pass_context
def init(context: click.Context) -> int:
    """Create the tables, or bring them up to this version. May be run again at any time."""
    from reconciler.operations.running.workers import database_at, prepare

    with database_at(context.meta["reconciler.database"]) as database:
        prepare(database)
    click.echo("the tables are ready")
    return 0


@command.command("submit")
@click.pass_context
def submit(context: click.Context) -> int:
    """Put what is to be reconciled into the queue: the target of --target, or all but embedded ones.

    Reads the files and needs no credentials. What is left of an earlier submission is dropped.
    """
    from reconciler.operations.running.workers import Fleet, database_at

    fleet = Fleet(context.find_object(Options) or context.obj, database_at(context.meta["reconciler.database"]))
    names = fleet.names  # what is wrong with the files is said before the database is asked
    with fleet, fleet.database:
        for name in names:
            addresses, jobs = fleet.submit(name)
            click.echo(f"{name}: {addresses} addresses in {jobs} jobs")
    return 0


@command.command("worker")
@click.option("--processes", type=click.IntRange(1, 64), help="So many workers, each started again when it ends.")
@click.option("--jobs", type=click.IntRange(1, 32), default=4, help="Jobs at once in a worker.")
@click.option("--cron", help="Submit what this worker is for at these times: five fields, and seconds as a sixth.")
@click.option("--heartbeat", type=click.FloatRange(min=0.2), default=3.0, help="Seconds between signs of life.")
@click.option("--silence", type=click.FloatRange(min=1), default=12.0, help="Seconds after which jobs go to others.")
@click.pass_context
def worker(
    context: click.Context, processes: int | None, jobs: int, cron: str | None, heartbeat: float, silence: float
) -> int:
    """Work on what was submitted, until it is stopped. With --target, only on that.

    A worker ends when PostgreSQL goes, with 75; --processes, systemd or Kubernetes start it again.
    """
    from reconciler.cli.output.reporter import TerminalReporter
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
