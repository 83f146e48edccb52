"""`reconciler run`: plan and apply again and again, in one process."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("run")
@click.option("--interval", type=click.FloatRange(min=0.1), default=300.0, help="Seconds between passes.")
@click.option("--jitter", type=click.FloatRange(0, 1), default=0.1, help="Random share of the interval.")
@click.option(
    "--on-drift",
    type=click.Choice(["revert", "keep", "fail"]),
    default="revert",
    help="What to do with fields that were changed outside these files.",
)
@click.option(
    "--listen", metavar="HOST:PORT", help="Serve /healthz, /livez, /readyz and /metrics here; port 0 picks a free port."
)
@click.option(
    "--pass-limit",
    type=click.FloatRange(min=0.1),
    default=1800.0,
    help="Seconds after which /healthz reports a pass as stuck.",
)
@click.option("--passes", type=click.IntRange(min=1), help="Stop after this many passes over each target.")
@click.option("--traces", is_flag=True, help="Send OpenTelemetry traces to OTEL_EXPORTER_OTLP_ENDPOINT.")
@click.pass_obj
def command(
    options: Options,
    interval: float,
    jitter: float,
    on_drift: str,
    listen: str | None,
    pass_limit: float,
    passes: int | None,
    traces: bool,
) -> int:
    """Reconciles the target of --target, or all of them. Reads the files again in each pass. Logs one JSON line per
    event. A target that fails is retried after increasing pauses; others are not affected. Nothing is deleted unless
    the settings have `prune: owned` and the deletion guard allows it.
    """
    from dataclasses import replace

    from reconciler.cli.output.event_log import log
    from reconciler.cli.output.terminal_reporter import TerminalReporter
    from reconciler.operations.running.passes import run
    from reconciler.operations.running.target_loop import PassSchedule

    ended = run(
        options,
        PassSchedule(interval, jitter, passes, pass_limit),
        log,
        on_drift=on_drift,
        listen=listen,
        traces=traces,
        reporter=TerminalReporter(replace(options, quiet=True)),
    )
    if ended.cut_short:
        return Exit.INTERRUPTED
    return Exit.PARTLY if ended.failing and passes else Exit.DONE
