"""`reconciler validate`: the files alone, offline."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.commands.options import Options
from reconciler.commands.output import say
from reconciler.core.model import Address, Diagnostic
from reconciler.exits import Exit


@click.command("validate")
@click.pass_obj
def command(options: Options) -> int:
    """Check every manifest against every target it is for: all problems at once, no network, no credentials.

    Exit 4 where the files are right, and only policies are not kept.
    """
    from reconciler.commands.session import Session
    from reconciler.config.errors import ConfigError, has_errors, in_order
    from reconciler.config.judging import judge_manifests
    from reconciler.config.policies import Policies, load_policies

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
    for name in [options.target] if options.target else sorted(session.settings.targets):
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
    told = in_order([*found, *policies.warnings, *refused])
    say(options, told)
    if has_errors(told):
        count = sum(has_errors([each]) for each in told)
        click.echo(f"{count} problem{'s' if count != 1 else ''}; nothing was sent anywhere", err=True)
        return Exit.ERROR if has_errors(found) else Exit.BLOCKED
    if not options.quiet:
        counted = "1 manifest is" if len(manifests) == 1 else f"{len(manifests)} manifests are"
        click.echo(f"{counted} valid for {', '.join(map(str, names))}")
    return Exit.DONE
