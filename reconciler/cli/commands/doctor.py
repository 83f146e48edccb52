"""`reconciler doctor`: what is wrong with this project, this target or this machine, and what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.operations.doctor.doctor_checks import CheckResult

_LABEL = 19


@verb
@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Output format.")
@click.pass_obj
def command(options: Options, form: str) -> int:
    """Start here if something does not work. Checks settings, files, credentials, network, API, marks and clock, one
    step after the other. Changes nothing and prints no secret. Exits 1 if a check fails.
    """
    import json

    from reconciler.cli.open_session import session_of
    from reconciler.config.message_text import count
    from reconciler.operations.doctor.connection_checks import NETWORK
    from reconciler.operations.doctor.doctor_checks import PROJECT, TARGET, Status, run_checks

    found: list[CheckResult] = []
    for finding in run_checks(session_of(options), (*PROJECT, *NETWORK, *TARGET)):
        found.append(finding)
        if form == "text" and not (options.quiet and finding.status is Status.OK):
            click.echo("\n".join(_lines(finding)))
    failed = sum(each.status is Status.FAIL for each in found)
    if form == "json":
        click.echo(json.dumps(_document(found), indent=2, ensure_ascii=False))
    elif not options.quiet:
        click.echo(f"\n{count(failed, 'check')} failed." if failed else "\nAll required checks passed.")
    return Exit.ERROR if failed else Exit.DONE


def _lines(finding: CheckResult) -> Iterator[str]:
    from reconciler.cli.output.destinations import width
    from reconciler.render.escape import visible

    label = f"{finding.status:<6}{finding.check:<{_LABEL - 6}}"
    room = max(width() - _LABEL, 20)
    first, *rest = textwrap.wrap(visible(finding.message), room) or [""]
    yield f"{label}{first}".rstrip()
    yield from (" " * _LABEL + line for line in rest)
    yield from (" " * _LABEL + line for line in textwrap.wrap(f"→ {visible(finding.remedy)}", room) if finding.remedy)


def _document(found: Sequence[CheckResult]) -> dict[str, object]:
    checks = [
        {"check": each.check, "status": each.status.value, "said": each.message, "remedy": each.remedy}
        for each in found
    ]
    return {"format_version": "1", "kind": "doctor", "checks": checks}
