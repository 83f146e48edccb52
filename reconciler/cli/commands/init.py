"""`reconciler init`: the first files of a project."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options.global_options import Options
from reconciler.cli.output.destinations import print_diagnostics
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.config.schema.schemas import Schemas
    from reconciler.operations.starting.scaffold import ProjectChoices


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the options say; None where they leave it open."""

    owner: str | None
    provider: str | None
    url: str | None
    editor: str | None
    forge: str | None


@verb
@click.command("init")
@click.option("--owner", help="Owner of the objects; default: the name of the directory.")
@click.option("--url", help="URL of the API, for a provider without a default.")
@click.option(
    "--from-export",
    "export",
    type=click.Path(path_type=Path, exists=True),
    help="Write manifests for the objects in this JSON file, or in the JSON files of this directory.",
)
@click.option("--from-target", "live", is_flag=True, help="Import the live objects of the target, as `pull` does.")
@click.option(
    "--yes", is_flag=True, help="With --from-target: do not ask for confirmation; required without a terminal."
)
@click.option(
    "--editor", type=click.Choice(["vscode", "none"]), help="Write editor settings for completion and checks."
)
@click.option(
    "--ci", "forge", type=click.Choice(["github", "gitlab", "none"]), help="Write a CI job that plans and applies."
)
@click.pass_obj
def command(
    options: Options,
    owner: str | None,
    url: str | None,
    export: Path | None,
    live: bool,
    yes: bool,
    editor: str | None,
    forge: str | None,
) -> int:
    """`--target` names the provider: local, which needs no account, or one of `reconciler providers`. On a terminal, it
    prompts for everything that is not given as an option. It never overwrites a file: existing files are listed and not
    changed. To start from live objects, add --from-target, or run `reconciler pull` later.
    """
    from reconciler.config.schema.schemas import shipped
    from reconciler.operations.starting.new_project import IGNORED, exported_files, has_manifests, ignore_state
    from reconciler.operations.starting.scaffold import first_manifest, settings_text

    if export and live:
        raise click.UsageError("choose one of --from-export and --from-target")
    schemas = shipped()
    start, wishes = _chosen(options, _Wishes(owner, options.target, url, editor, forge), schemas)
    below = {"reconciler.yaml": settings_text(start).encode()}
    if export:
        exported, problems = exported_files(options, start, export)
        print_diagnostics(options, problems)
        below |= exported
    elif not (live or has_manifests(options)):
        below |= first_manifest(start, schemas)
    files = {f"{start.directory}/{path}": content for path, content in below.items()}
    files |= {path: text.encode() for path, text in _extras(options, start, wishes, schemas).items()}
    kept = _write(options, files)
    if sign := ignore_state(options.directory):
        click.echo(f"{sign} .gitignore  {IGNORED}")
    if live:
        return _pulled(options, yes=yes)
    _print_next_steps(options, start, kept)
    return 0


def _pulled(options: Options, *, yes: bool) -> int:
    """Pull everything from the default target of the settings, which are there by now."""
    from reconciler.cli.open_session import session_of
    from reconciler.cli.pull_steps import pull

    options = replace(options, target=None)
    return pull(session_of(options), options, (), yes=yes, check=False)


def _chosen(options: Options, wishes: _Wishes, schemas: Schemas) -> tuple[ProjectChoices, _Wishes]:
    """Everything settled: by the options, by the person at the terminal, or by default."""
    from reconciler.operations.starting.new_project import check, default_owner
    from reconciler.operations.starting.scaffold import ProjectChoices, provider_lines

    asking = sys.stdin.isatty()

    def ask(given: str | None, question: str, default: str, choices: Sequence[str] = ()) -> str:
        if given is not None or not asking:
            return given or default
        kind = click.Choice(choices) if choices else None
        return str(click.prompt(question, default=default, type=kind, err=True))

    owner = ask(wishes.owner, "Owner of these assistants", default_owner(options.directory))
    if wishes.provider is None and asking:
        click.echo("\n".join(["Where do the assistants run?", *provider_lines(schemas)]), err=True)
    name = ask(wishes.provider, "Provider", "local", schemas.provider_names())
    provider = schemas.provider(name)
    url = wishes.url
    if provider.url is None and not url:
        if not asking:
            raise click.BadParameter(f"{name} has no default url", param_hint="--url")
        url = click.prompt("URL of the API", err=True)
    start = ProjectChoices(owner, provider, url, options.dirs[0].as_posix())
    check(start, schemas)
    editor = ask(wishes.editor, "Editor settings", "none", ["vscode", "none"])
    forge = ask(wishes.forge, "CI job", "none", ["github", "gitlab", "none"])
    return start, _Wishes(owner, name, url, editor, forge)


def _extras(options: Options, start: ProjectChoices, wishes: _Wishes, schemas: Schemas) -> dict[str, str]:
    from reconciler.operations.starting.ci_pipelines import place_in_repository
    from reconciler.operations.starting.scaffold import editor_files, pipeline_files
    from reconciler.render.escape import visible

    files = editor_files(start, schemas) if wishes.editor == "vscode" else {}
    if wishes.forge not in ("github", "gitlab"):
        return files
    directory = place_in_repository(options.directory)
    jobs = pipeline_files(start, wishes.forge, directory)
    for path in jobs if directory != "." else ():
        text = (
            f"{wishes.forge} reads this file only at the top of the repository: move {directory}/{path} to {path} there"
        )
        click.echo(f"warning: {visible(text)}", err=True)
    return files | jobs


def _write(options: Options, files: dict[str, bytes]) -> list[str]:
    """Write the files that do not exist; the others are reported, and returned. Raises OSError."""
    from reconciler.operations.starting.new_project import create_files
    from reconciler.render.escape import visible

    kept: list[str] = []
    for path, created in create_files(options.directory, files):
        if not created:
            kept.append(path)
        click.echo(f"+ {visible(path)}" if created else f"= {visible(path)}  exists, not changed")
    return kept


def _print_next_steps(options: Options, start: ProjectChoices, kept: list[str]) -> None:
    from reconciler.operations.starting.scaffold import EDITOR_SETTINGS

    if options.quiet:
        return
    if EDITOR_SETTINGS in kept:
        click.echo(f"{EDITOR_SETTINGS} exists: add the settings from the guide on editors", err=True)
    if start.variables and f"{start.directory}/reconciler.yaml" not in kept:
        click.echo(f"\nSet {' and '.join(start.variables)} in the environment first.")
    click.echo("\nNext: `reconciler plan` shows what would be created, `reconciler apply` creates it.")
