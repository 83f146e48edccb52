"""`reconciler plan`: what differs, field by field; sends nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options.completers import complete_addresses
from reconciler.cli.options.drift_options import drift_options
from reconciler.cli.options.global_options import Options
from reconciler.cli.options.shard_options import shard_option
from reconciler.cli.output.destinations import formats_option, print_diagnostics, write
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.operations.planning.shards import Shard


@verb
@click.command("plan")
@click.argument("addresses", nargs=-1, shell_complete=complete_addresses)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan to this file, for `apply PLANFILE`."
)
@click.option("--sealed", is_flag=True, help="Leave values out of the saved plan; apply computes them again.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 if there are changes.")
@click.option("--allow-deletes", type=click.IntRange(min=1), help="Allow exactly this many deletes.")
@click.option(
    "--against", metavar="git:REF", help="Compare with the files of a commit, without target and credentials."
)
@shard_option
@click.option(
    "--split", metavar="N=FILE", help="Write the shards that have changes to FILE, as the matrix of a CI job."
)
@drift_options
@formats_option
@click.pass_obj
def command(
    options: Options,
    addresses: tuple[str, ...],
    out: Path | None,
    sealed: bool,
    detailed_exitcode: bool,
    allow_deletes: int | None,
    against: str | None,
    shard: Shard | None,
    split: str | None,
    base: str,
    on_drift: str,
    resolve: str | None,
    formats: tuple[str, ...],
) -> int:
    """Sends no write requests. With ADDRESSES (KIND/KEY), it plans only these and deletes nothing."""
    from reconciler.cli.exit_codes import plan_exit
    from reconciler.cli.open_session import session_of
    from reconciler.cli.options.shard_options import split_option_value
    from reconciler.cli.output.formats import plan_renderers
    from reconciler.config.cpu_limit import cpu_limit, seconds_of
    from reconciler.engine.state import planfile
    from reconciler.formats.redact import redact
    from reconciler.operations.planning.git_base import DriftChoices
    from reconciler.operations.planning.live_plan import plan_against, plan_live
    from reconciler.operations.planning.shard_matrix import write_matrix
    from reconciler.operations.planning.shards import in_shard

    if sealed and out is None:
        raise click.UsageError("--sealed needs --out FILE")
    if against and out is not None:
        raise click.UsageError("a plan made with --against cannot be applied: remove --out")
    if shard and out is not None:
        raise click.UsageError(
            "a saved plan covers all shards, because its guards count all deletes: give --shard to `apply PLANFILE`"
        )
    parts = split_option_value(split) if split else None
    session = session_of(options)
    if against:
        with cpu_limit(seconds_of(os.environ)):
            plan, loaded = plan_against(session, addresses, against, allow_deletes)
    else:
        planned = plan_live(session, addresses, allow_deletes, DriftChoices(base, on_drift, resolve))
        plan, loaded = planned.plan, planned.loaded
    if parts:
        write_matrix(plan, parts[0], session.root / parts[1], session.root)
    if shard:
        plan = in_shard(plan, shard)
    print_diagnostics(options, (*loaded.diagnostics, *plan.diagnostics))
    write(options, formats, plan_renderers(plan, options))
    if out is not None:
        kinds = {on_target.kind.name: on_target.kind for on_target in session.kinds}
        planfile.save(redact(plan, kinds) if sealed else plan, session.root / out, session.root)
    return plan_exit(plan, detailed_exitcode)
