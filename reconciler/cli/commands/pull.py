"""`reconciler pull`: write manifests for what is live, and live edits back into manifests."""

from __future__ import annotations

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb


@verb
@click.command("pull")
@click.argument("what", nargs=-1, metavar="[ID | NAME | ADDRESS]...")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation; required without a terminal.")
@click.option(
    "--check", is_flag=True, help="Exit 2 unless files and target match; without --yes or --theirs, write nothing."
)
@click.option("--theirs", is_flag=True, help="Write manual changes of these ADDRESSES (KIND/KEY) into their files.")
@click.pass_obj
def command(options: Options, what: tuple[str, ...], yes: bool, check: bool, theirs: bool) -> int:
    """Writes a manifest for each live object that nobody manages, and adds the mark of this project to the object.
    Nothing else of the object is changed. IDs or NAMEs (with the wildcards * and ?) select objects; the default is all.
    Objects of other owners are never imported.
    """
    from reconciler.cli.open_session import session_of
    from reconciler.cli.pull_steps import edit_line, pull, verify_in_sync
    from reconciler.operations.pulling.pull_edits import write_back

    session = session_of(options)
    if theirs:
        if not what:
            raise click.UsageError("--theirs needs addresses: KIND/KEY")
        for each in write_back(session, what):
            click.echo(edit_line(each))
        return verify_in_sync(session, options, what) if check else Exit.DONE
    return pull(session, options, what, yes=yes, check=check)
