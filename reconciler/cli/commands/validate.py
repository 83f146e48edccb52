"""`reconciler validate`: the files alone, offline."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Options
from reconciler.cli.output import PROBLEM_FORMATS, remembered, say
from reconciler.cli.verbs import verb
from reconciler.exits import Exit

if TYPE_CHECKING:
    from reconciler.core.values.model import Address
    from reconciler.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class _Checked:
    """What is wrong with the files, what policies refuse, how many manifests there are, and the targets' names."""

    found: tuple[Diagnostic, ...]
    refused: tuple[Diagnostic, ...]
    manifests: int
    targets: tuple[str, ...]


@verb
@click.command("validate")
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="F[=FILE]",
    callback=remembered(PROBLEM_FORMATS),
    help=f"{', '.join(PROBLEM_FORMATS)}. With =FILE into a file. Can be repeated.",
)
@click.pass_obj
def command(options: Options, formats: tuple[str, ...]) -> int:
    """Exit 4 where the files are right, and only policies are not kept."""
    from reconciler.cli.output_formats import write_problems
    from reconciler.config.cpu_limit import limited, seconds_of
    from reconciler.config.errors import has_errors, in_order

    with limited(seconds_of(os.environ)):
        checked = _checked(options)
    told = in_order([*checked.found, *checked.refused])
    say(options, told)
    write_problems(told, options, formats)
    if has_errors(told):
        count = sum(has_errors([each]) for each in told)
        click.echo(f"{count} problem{'s' if count != 1 else ''}; nothing was sent anywhere", err=True)
        return Exit.ERROR if has_errors(checked.found) else Exit.BLOCKED
    if not options.quiet and "text" in {each.partition("=")[0] for each in formats or ("text",)}:
        counted = "1 manifest is" if checked.manifests == 1 else f"{checked.manifests} manifests are"
        click.echo(f"{counted} valid for {', '.join(checked.targets)}")
    return Exit.DONE


def _checked(options: Options) -> _Checked:
    """Read the files for every target that they are for. Raises ConfigError for settings that cannot be read."""
    from reconciler.config.checks.policies import Policies, load_policies
    from reconciler.config.checks.policy_checks import judge_manifests
    from reconciler.config.errors import ConfigError
    from reconciler.operations.project.session import Session

    found: list[Diagnostic] = []
    refused: list[Diagnostic] = []
    policies = Policies()
    manifests: set[Address] = set()
    names: list[str] = []
    session = Session(options)
    try:
        policies = load_policies(session.root, session.settings, session.schemas)
    except ConfigError as problem:
        found += problem.diagnostics
    for name in [options.target] if options.target else session.settings.meant:
        names.append(name)
        session = Session(replace(options, target=name))
        try:
            loaded = session.load(lean=True)
        except ConfigError as problem:
            found += problem.diagnostics
        else:
            found += loaded.diagnostics
            refused += judge_manifests(policies, loaded.manifests, name, session.provider, session.schemas)
            manifests |= {manifest.address for manifest in loaded.manifests}
    return _Checked((*found, *policies.warnings), tuple(refused), len(manifests), tuple(names))
