"""`reconciler init`: the first files of a project."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.options import Options
from reconciler.cli.output import say
from reconciler.cli.verbs import verb

if TYPE_CHECKING:
    from reconciler.config.schema.schemas import Schemas
    from reconciler.operations.starting.scaffold import Start

_IGNORED = ".reconciler/"


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
@click.option("--owner", help="Who manages; default: the name of the directory.")
@click.option("--url", help="The API's address, for a provider that has none of its own.")
@click.option(
    "--from-export",
    "export",
    type=click.Path(path_type=Path, exists=True),
    help="Write manifests for the objects in this JSON file, or in those of this directory.",
)
@click.option(
    "--from-target", "live", is_flag=True, help="Write manifests for what is live, and manage it from now on (`pull`)."
)
@click.option("--yes", is_flag=True, help="With --from-target: do not ask; needed where nobody can be asked.")
@click.option("--editor", type=click.Choice(["vscode", "none"]), help="Settings for completion and checks.")
@click.option("--ci", "forge", type=click.Choice(["github", "gitlab", "none"]), help="A job that plans and applies.")
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
    """`--target` names the provider here: local, which needs no account, or portkey, for one. No file is ever
    overwritten: what exists is kept, and said. To start from what is live, add --from-target, or run `reconciler pull`
    later.
    """
    from reconciler.config.schema.schemas import shipped
    from reconciler.operations.starting.scaffold import first_manifest, settings_text

    if export and live:
        raise click.UsageError("start from an export or from the target: --from-export or --from-target")
    schemas = shipped()
    start, wishes = _chosen(options, _Wishes(owner, options.target, url, editor, forge), schemas)
    below = {"reconciler.yaml": settings_text(start).encode()}
    if export:
        below |= _exported(options, start, export)
    elif not (live or _has_manifests(options)):
        below |= first_manifest(start, schemas)
    files = {f"{start.directory}/{path}": content for path, content in below.items()}
    files |= {path: text.encode() for path, text in _extras(options, start, wishes, schemas).items()}
    kept = _write(options, files)
    _ignore(options)
    if live:
        return _pulled(options, yes=yes)
    _tell_next(options, start, kept)
    return 0


def _pulled(options: Options, *, yes: bool) -> int:
    """Pull everything from the default target of the settings, which are there by now."""
    from reconciler.operations.project.session import session_of
    from reconciler.operations.pulling.import_objects import pull

    return pull(session_of(replace(options, target=None)), (), yes=yes, check=False)


def _chosen(options: Options, wishes: _Wishes, schemas: Schemas) -> tuple[Start, _Wishes]:
    """Everything settled: by the options, by the person at the terminal, or by default."""
    from reconciler.operations.starting.scaffold import Start, provider_lines

    asking = sys.stdin.isatty()

    def ask(said: str | None, question: str, default: str, choices: Sequence[str] = ()) -> str:
        if said is not None or not asking:
            return said or default
        kind = click.Choice(choices) if choices else None
        return str(click.prompt(question, default=default, type=kind, err=True))

    owner = ask(wishes.owner, "Who manages these assistants", _default_owner(options))
    if wishes.provider is None and asking:
        click.echo("\n".join(["Where do they run?", *provider_lines(schemas)]), err=True)
    name = ask(wishes.provider, "Provider", "local", schemas.provider_names())
    provider = schemas.provider(name)
    url = wishes.url
    if provider.url is None and not url:
        if not asking:
            raise click.BadParameter(f"{name} has no url of its own", param_hint="--url")
        url = click.prompt("The url of the API", err=True)
    start = Start(owner, provider, url, options.dirs[0].as_posix())
    _check(start, schemas)
    editor = ask(wishes.editor, "Settings for an editor", "none", ["vscode", "none"])
    forge = ask(wishes.forge, "A CI job", "none", ["github", "gitlab", "none"])
    return start, _Wishes(owner, name, url, editor, forge)


def _default_owner(options: Options) -> str:
    from reconciler.config.message_text import slug

    return slug(options.directory.absolute().name)[:32].strip("-") or "me"


def _check(start: Start, schemas: Schemas) -> None:
    """Raises ConfigError where the settings would not be accepted: an owner that cannot be one, a url that is none."""
    from reconciler.config.errors import ConfigError, has_errors
    from reconciler.config.schema.schema_messages import explain
    from reconciler.config.settings import SCHEMA
    from reconciler.config.syntax.yaml import read_yaml
    from reconciler.operations.starting.scaffold import settings_text

    documents, problems = read_yaml(settings_text(start).encode(), "reconciler.yaml")
    for document in documents:
        problems += explain(schemas.failures(SCHEMA, document.value), document, schemas.schema(SCHEMA))
    if has_errors(problems):
        raise ConfigError(problems)


def _exported(options: Options, start: Start, export: Path) -> dict[str, bytes]:
    from reconciler.config.manifests.manifest import Reading
    from reconciler.config.schema.schemas import shipped
    from reconciler.config.targets import Settings, Target
    from reconciler.operations.pulling.json_export import exported_manifests

    target = Target("start", start.provider.name)
    reading = Reading(Settings(targets={"start": target}), target, start.provider, shipped())
    files, said = exported_manifests(export, options.directory, start.directory, reading)
    say(options, said)
    return files


def _has_manifests(options: Options) -> bool:
    from reconciler.config.source.project_files import Project

    directories = [each for each in options.dirs if (options.directory / each).is_dir()]
    return any(True for _ in Project(options.directory.absolute(), directories).walk())


def _extras(options: Options, start: Start, wishes: _Wishes, schemas: Schemas) -> dict[str, str]:
    from reconciler.operations.starting.ci_pipelines import place_in_repository
    from reconciler.operations.starting.scaffold import editor_files, pipeline_files
    from reconciler.render.escape import visible

    files = editor_files(start, schemas) if wishes.editor == "vscode" else {}
    if wishes.forge not in ("github", "gitlab"):
        return files
    directory = place_in_repository(options.directory)
    jobs = pipeline_files(start, wishes.forge, directory)
    for path in jobs if directory != "." else ():
        said = f"{wishes.forge} reads it at the top of the repository only: move {directory}/{path} to {path} there"
        click.echo(f"warning: {visible(said)}", err=True)
    return files | jobs


def _write(options: Options, files: dict[str, bytes]) -> list[str]:
    """Write the files that do not exist; the others are told, and answered. Raises OSError."""
    from reconciler.config.edit.write_manifests import create_file
    from reconciler.render.escape import visible

    kept: list[str] = []
    for path, content in files.items():
        try:
            create_file(options.directory.absolute(), str(options.directory.absolute() / path), content)
        except FileExistsError:
            kept.append(path)
            click.echo(f"= {visible(path)}  exists, and is kept")
        else:
            click.echo(f"+ {visible(path)}")
    return kept


def _ignore(options: Options) -> None:
    """Have git ignore what belongs to this machine; a line is added below those of a file that exists."""
    from reconciler.config.source.referenced_file import MAX_FILE_BYTES
    from reconciler.tree import Tree

    files, name = Tree(options.directory), ".gitignore"
    text = files.read(name, MAX_FILE_BYTES).decode("utf-8") if name in files.names() else ""
    if _IGNORED in text.splitlines():
        return
    files.replace(name, f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{_IGNORED}\n".encode())
    click.echo(f"{'~' if text else '+'} .gitignore  {_IGNORED}")


def _tell_next(options: Options, start: Start, kept: list[str]) -> None:
    from reconciler.operations.starting.scaffold import EDITOR_SETTINGS

    if options.quiet:
        return
    if EDITOR_SETTINGS in kept:
        click.echo(f"{EDITOR_SETTINGS} is yours: add what the guide on editors shows", err=True)
    if start.variables and f"{start.directory}/reconciler.yaml" not in kept:
        click.echo(f"\nSet {' and '.join(start.variables)} in the environment first.")
    click.echo("\nNext: `reconciler plan` shows what would be made, `reconciler apply` makes it.")
