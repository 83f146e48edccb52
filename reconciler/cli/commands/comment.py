"""`reconciler comment`: keep one comment, or one drift issue, up to date on GitHub or GitLab."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.exits import Exit
from reconciler.cli.options.global_options import Options
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.drivers.forge.posts import Issues, Posts

TITLE: Final = "Assistants were changed outside their files"
LABEL: Final = "reconciler-drift"


@verb
@click.command("comment")
@click.option("--provider", type=click.Choice(["github", "gitlab"]), required=True, help="Where to post.")
@click.option(
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File with the text, from `--format markdown=FILE`.",
)
@click.option(
    "--repository", help="GitHub's OWNER/NAME, or GitLab's project number or path; default: that of the CI job."
)
@click.option(
    "--pull-request",
    type=click.IntRange(min=1),
    help="Number of the pull request (GitLab: iid); default: that of the CI job.",
)
@click.option("--note", help="Line to put above the text.")
@click.option("--drift", is_flag=True, help="Open or update one issue instead.")
@click.option("--clean", is_flag=True, help="With --drift: close the issue, because nothing differs.")
@click.option("--issue-title", default=TITLE, show_default=True, help="With --drift: title of a new issue.")
@click.option("--issue-label", default=LABEL, show_default=True, help="With --drift: label of the issue.")
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
    """Updates the same comment or issue each time: it is found by its hidden first line and its author, and written
    only if it differs. The token comes from the environment variable GITHUB_TOKEN or GITLAB_TOKEN (GitLab's
    CI_JOB_TOKEN cannot write comments).
    """
    from reconciler.operations.commenting.ci_context import issues_of, thread_of
    from reconciler.operations.commenting.comment_text import load_comment, with_note

    if clean and not drift:
        raise click.UsageError("--clean needs --drift")
    if drift and pull_request:
        raise click.UsageError("--drift writes an issue: remove --pull-request")
    header, body = load_comment(options.directory, file)
    body = with_note(header, body, note) if note else body
    trace = _print_line if options.verbose else None
    if drift:
        with issues_of(provider, os.environ, repository, issue_title, issue_label, trace) as issues:
            return _close(issues, header) if clean else _keep(issues, header, body)
    with thread_of(provider, os.environ, repository, pull_request, trace) as thread:
        if thread is not None:
            return _keep(thread, header, body)
    click.echo("no open pull request has this commit as its head: nothing to comment on")
    return Exit.DONE


def _close(issues: Issues, header: str) -> int:
    from reconciler.drivers.forge.posts import close_all
    from reconciler.render.escape import visible

    closed = close_all(issues, header)
    for each in closed:
        click.echo(f"closed {visible(each.url)}")
    if not closed:
        click.echo("no drift, and no open issue")
    return Exit.DONE


def _keep(posts: Posts, header: str, body: str) -> int:
    from reconciler.drivers.forge.posts import keep
    from reconciler.render.escape import visible

    done, post = keep(posts, header, body)
    click.echo(f"{done} {visible(post.url or post.id)}")
    return Exit.DONE


def _print_line(line: str) -> None:
    click.echo(line, err=True)
