"""`reconciler convert`: manifests of one API rewritten for another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Options
from reconciler.cli.output import say, tell_file
from reconciler.cli.verbs import verb
from reconciler.exits import Exit

if TYPE_CHECKING:
    from reconciler.config.edit.overlay import Drafts
    from reconciler.diagnostics import Diagnostic
    from reconciler.operations.project.session import Session


@verb
@click.command("convert")
@click.option("--to", "provider", required=True, metavar="PROVIDER", help="The provider whose kind they become.")
@click.option("--write", is_flag=True, help="Write the files; without it, nothing is written.")
@click.option("--diff", is_flag=True, help="Show every line that changes.")
@click.pass_obj
def command(options: Options, provider: str, write: bool, diff: bool) -> int:
    """Says for each file what has no counterpart there and what to do instead, and what is still missing afterwards.
    Live objects are not touched: the new target gets objects of its own.
    """
    from reconciler.config.edit.convert_files import convert
    from reconciler.config.edit.overlay import Drafts
    from reconciler.config.manifests.manifest import Reading
    from reconciler.operations.project.session import Session
    from reconciler.tree import rewrite

    session = Session(options)
    reading = Reading(session.settings, session.target, session.provider, session.schemas)
    drafts = Drafts(session.root, [*options.dirs, *(Path(layer) for layer in session.target.layers)])
    files, refused = convert(drafts, reading, provider)
    for each in files:
        if each.new != each.old:
            tell_file(each.found.shown, each.old, each.new, diff)
    say(options, [*drafts.problems, *refused, *(told for each in files for told in each.said)])
    missing = _missing(session, drafts, provider) if drafts.contents and not refused else []
    if missing:
        click.echo(
            f"\nStill to be done by hand, by lines {'of the new files' if write else 'as they will be'}:", err=True
        )
        say(options, missing, drafts)
    if write:
        for path, content in drafts.contents.items():
            rewrite(session.root, path, content)
    if not options.quiet:
        click.echo(_next(provider, len(drafts.contents), write), err=True)
    return Exit.ERROR if refused or drafts.problems else Exit.DONE


def _missing(session: Session, drafts: Drafts, provider: str) -> list[Diagnostic]:
    """What the new provider's schema has against the files as they are to be."""
    from dataclasses import replace

    from reconciler.config.manifests.load import load

    loaded = load(
        session.root,
        session.options.dirs,
        settings=session.settings,
        target=replace(session.target, provider=provider),
        provider=session.schemas.provider(provider),
        schemas=session.schemas,
        files=drafts,
    )
    return [each for each in loaded.diagnostics if each not in drafts.problems]


def _next(provider: str, count: int, write: bool) -> str:
    if not count:
        return "Nothing to convert."
    files = "1 file" if count == 1 else f"{count} files"
    if not write:
        return f"\n{files} would change; --diff shows the lines, --write writes them."
    return f"\n{files} written. Next: give reconciler.yaml a target with `provider: {provider}`, and plan on it."
