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
    """Check every manifest against every target it is for: all problems at once, no network, no credentials."""
    from reconciler.commands.session import Session
    from reconciler.config.errors import ConfigError, has_errors, in_order

    found: list[Diagnostic] = []
    manifests: set[Address] = set()
    names: list[str] = []
    session = Session(options)
    for name in [options.target] if options.target else sorted(session.settings.targets):
        names.append(name)
        session = Session(replace(options, target=name))
        try:
            loaded = session.load()
        except ConfigError as problem:
            found += problem.diagnostics
        else:
            found += loaded.diagnostics
            manifests |= {manifest.address for manifest in loaded.manifests}
    say(options, in_order(found))
    if has_errors(found):
        count = sum(has_errors([each]) for each in in_order(found))
        click.echo(f"{count} problem{'s' if count != 1 else ''}; nothing was sent anywhere", err=True)
        return Exit.ERROR
    if not options.quiet:
        click.echo(f"{len(manifests)} manifests are valid for {', '.join(map(str, names))}")
    return Exit.DONE
