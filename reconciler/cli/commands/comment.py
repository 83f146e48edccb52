"""`reconciler comment`: keep one comment, or one drift issue, up to date on GitHub or GitLab."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.options import Options
from reconciler.cli.verbs import verb
from reconciler.exits import Exit

if TYPE_CHECKING:
    from reconciler.drivers.forge.posts import Issues, Posts

TITLE: Final = "Assistants were changed outside their files"
LONGEST: Final = 65_536
"""Characters that GitHub takes; GitLab takes more."""
_LARGEST: Final = 1 << 24
"""Bytes of the text: far more than any forge takes."""
LABEL: Final = "reconciler-drift"


@verb
@click.command("comment")
@click.option("--provider", type=click.Choice(["github", "gitlab"]), required=True, help="Where to write.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The text, from `--format markdown=FILE`.",
)
@click.option("--repository", help="OWNER/NAME, or GitLab's project number or path; default: the CI job's.")
@click.option("--pull-request", type=click.IntRange(min=1), help="Its number (GitLab: iid); default: the CI job's.")
@click.option("--note", help="A line to put above the text.")
@click.option("--drift", is_flag=True, help="Open or update one issue instead.")
@click.option("--clean", is_flag=True, help="With --drift: nothing differs, close the issue.")
@click.option("--issue-title", default=TITLE, show_default=True, help="With --drift: the title of a new issue.")
@click.option("--issue-label", default=LABEL, show_default=True, help="With --drift: its label.")
@click.pass_obj
def command(
    options: Options,
    provider: str,
    file: Path,
    repository: str | None,
    pull_request: int | None,
    note: str | None,
    drift: bool,
    clean: bool,
    issue_title: str,
    issue_label: str,
) -> int:
    """It is found again by the hidden first line of the text and by its author, and written only when it differs. The
    token comes from the environment: GITHUB_TOKEN, or GITLAB_TOKEN (GitLab's CI_JOB_TOKEN may not write comments).
    """
    from reconciler.operations.ci_context import issues_of, thread_of

    if clean and not drift:
        raise click.UsageError("--clean goes with --drift")
    if drift and pull_request:
        raise click.UsageError("--drift writes an issue: it takes no --pull-request")
    header, body = _text(options.directory, file)
    body = _noted(header, body, note) if note else body
    trace = _say if options.verbose else None
    environment: Mapping[str, str] = os.environ
    if drift:
        return _issue(
            issues_of(provider, environment, repository, issue_title, issue_label, trace), header, body, clean
        )
    thread = thread_of(provider, environment, repository, pull_request, trace)
    if thread is None:
        click.echo("no open pull request has this commit as its head: nothing to comment on")
        return Exit.DONE
    return _keep(thread, header, body)


def _issue(issues: Issues, header: str, body: str, clean: bool) -> int:
    from reconciler.drivers.forge.posts import close_all
    from reconciler.render.escape import visible

    if not clean:
        return _keep(issues, header, body)
    closed = close_all(issues, header)
    for each in closed:
        click.echo(f"closed {visible(each.url)}")
    if not closed:
        click.echo("nothing differs, and no issue is open")
    return Exit.DONE


def _keep(posts: Posts, header: str, body: str) -> int:
    from reconciler.drivers.forge.posts import keep
    from reconciler.render.escape import visible

    done, post = keep(posts, header, body)
    click.echo(f"{done} {visible(post.url or post.id)}")
    return Exit.DONE


def _text(root: Path, file: Path) -> tuple[str, str]:
    """The header and the whole text of a file. Raises ConfigError where it has no header, OSError for a link."""
    from reconciler.config.errors import ConfigError, error
    from reconciler.diagnostics import Code, Source
    from reconciler.drivers.forge.posts import header_of
    from reconciler.tree import tree_of

    tree, path = tree_of(root, file)
    body = tree.read(path, _LARGEST).decode("utf-8", "replace")
    if header := header_of(body):
        return header, body
    detail = "expected the hidden line <!-- reconciler:… --> at its beginning"
    hint = f"write it with `reconciler plan --format markdown={file.name}`"
    summary = "the text could not be found again once it is written"
    raise ConfigError([error(Code.BAD_PLAN_FILE, summary, Source(str(file), 1, 1), detail, hint)])


def _noted(header: str, body: str, note: str) -> str:
    """The text with the note under its header; the note alone where both do not fit."""
    above = f"{header}\n\n> {note}\n"
    noted = above + body.partition("\n")[2]
    return (
        noted
        if len(noted) <= LONGEST
        else f"{above}\nThe plan is too long for a comment; it is in the job's summary.\n"
    )


def _say(line: str) -> None:
    click.echo(line, err=True)
