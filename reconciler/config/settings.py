"""Reads and checks `reconciler.yaml`: the owner, whether to prune, and the targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, Final

from reconciler.config.allowed_headers import check_name, header_text, is_secret
from reconciler.config.checks.secret_detection import IN_SETTINGS, masked, secret_like
from reconciler.config.checks.text_search import joined_texts
from reconciler.config.errors import ConfigError, error, has_errors, in_order
from reconciler.config.message_text import closest, cut
from reconciler.config.schema.schema_messages import schema_diagnostics
from reconciler.config.schema.schemas import Schemas, shipped
from reconciler.config.shared_accounts import shared_accounts
from reconciler.config.source.file_source import SETTINGS, FileSource
from reconciler.config.source.project_files import ProjectFiles
from reconciler.config.syntax.document import Document
from reconciler.config.syntax.document_builder import UnreadableFile
from reconciler.config.syntax.yaml import MAX_BYTES, read_yaml
from reconciler.config.syntax.yaml_scalars import Tagged
from reconciler.config.targets import LOCAL, EnvRef, Marks, Prune, Settings, Target, unknown_target
from reconciler.core.values.model import Json, Path
from reconciler.diagnostics import Code, Diagnostic, Source
from reconciler.drivers.credentials.allow_lists import HEADERS
from reconciler.drivers.gateway_routes import has_several_routes

SCHEMA: Final = "settings.schema.json"
NO_ENVIRONMENT: Final[Mapping[str, str]] = MappingProxyType({})


def load_settings(
    root: FilePath,
    dirs: Sequence[FilePath],
    schemas: Schemas | None = None,
    files: FileSource | None = None,
    environment: Mapping[str, str] = NO_ENVIRONMENT,
) -> Settings:
    """Read `reconciler.yaml` from the top of the directories, on disk unless other `files` are given.

    The `environment` says which headers may be set beside those of the provider. Raises ConfigError with every problem.
    """
    project = files or ProjectFiles(root, dirs)
    found = project.settings()
    if not found:
        _refuse_elsewhere(root, dirs, on_disk=files is None)
        return Settings()
    if len(found) > 1:
        summary = f"there are two settings files; the other is {project.name(found[0])}"
        raise ConfigError(
            [error(Code.INVALID_SETTINGS, summary, Source(project.name(found[1]), 1, 1), hint="keep one")]
        )
    name = project.name(found[0])
    try:
        content = project.read(_without_links(project, found[0]), MAX_BYTES)
    except UnreadableFile as refused:
        raise ConfigError([refused.diagnostic]) from None
    if schemas is None or schemas is shipped():
        return _as_shipped(content, name, environment.get(HEADERS, ""))
    return _parsed(content, name, schemas, environment)


@lru_cache(maxsize=2)
def _as_shipped(content: bytes, name: str, allowed_headers: str) -> Settings:
    """The settings where no provider of a project decides: passes over many targets find the same bytes each time."""
    return _parsed(content, name, shipped(), {HEADERS: allowed_headers})


def _parsed(content: bytes, name: str, schemas: Schemas, environment: Mapping[str, str]) -> Settings:
    documents, problems = read_yaml(content, name)
    if len(documents) > 1:
        problems.append(error(Code.INVALID_SETTINGS, "settings are one document", documents[1].source))
    if problems or not documents or documents[0].value is None:
        if problems:
            raise ConfigError(in_order(problems))
        return Settings()
    return _settings(documents[0], schemas, environment)


def _without_links(project: FileSource, path: str) -> str:
    try:
        return project.followed(path)
    except (ValueError, OSError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else f"it {wrong}"
        place = Source(project.name(path), 1, 1)
        raise UnreadableFile(error(Code.FILE_REFUSED, f"cannot read the settings: {reason}", place)) from None


def _refuse_elsewhere(root: FilePath, dirs: Sequence[FilePath], *, on_disk: bool) -> None:
    """Refuse settings beside the directory: passed over, the commands would work on another target than is meant."""
    if on_disk and dirs and (root / SETTINGS).is_file():
        home = (dirs[0] / SETTINGS).as_posix()
        summary = f"settings are read from {home}, so this file has no effect"
        place = Source(SETTINGS, 1, 1)
        raise ConfigError([error(Code.INVALID_SETTINGS, summary, place, hint=f"move it: git mv {SETTINGS} {home}")])


def _settings(document: Document, schemas: Schemas, environment: Mapping[str, str]) -> Settings:
    value = document.value
    found, secrets = secret_like(document, joined_texts(document.value), hint=IN_SETTINGS)
    wrong = schema_diagnostics(schemas.failures(SCHEMA, value), document, schemas.schema(SCHEMA))
    problems = [*found, *masked([*_misplaced_tags(document), *wrong], secrets)]
    if has_errors(problems):
        raise ConfigError(in_order(problems))
    fields: dict[str, Any] = value.get("targets", {})
    targets = {name: _target(name, each, document) for name, each in fields.items()}
    targets.setdefault(LOCAL, Target(LOCAL, LOCAL))
    default = value.get("default_target", LOCAL)
    if default not in targets:
        problems.append(unknown_target(default, targets, document.place(("default_target",))))
    refused: dict[str, list[Diagnostic]] = {name: [] for name in targets}
    for name, target in targets.items():
        problems += _check_target(target, document, schemas)
        for each in _check_headers(target, document, schemas, environment):
            (refused[name] if each.code is Code.HEADER_REFUSED else problems).append(each)
    if has_errors(problems):
        raise ConfigError(in_order(problems))
    prune = Prune(value.get("prune", Prune.NONE))
    place = document.key_place(("targets",)) if fields else document.source
    settings = Settings(value.get("owner"), prune, default, targets, place, refused)
    if shared := list(shared_accounts(settings, schemas)):
        raise ConfigError(in_order(shared))
    return settings


def _misplaced_tags(document: Document) -> Iterator[Diagnostic]:
    for path, tagged in document.tagged.items():
        if tagged.tag == "":
            continue
        place = document.place(path)
        if tagged.tag != "!env":
            yield error(Code.BAD_TAG, f"{tagged.tag} cannot be used in the settings", place, hint="write the value")
        elif not _takes_secret(path):
            hint = "!env is for the credentials, the headers and the lock of a target"
            yield error(Code.BAD_TAG, "!env cannot be used here", place, hint=hint)
        elif not tagged.text.replace("_", "a").isalnum() or not tagged.text.isascii() or tagged.text[0].isdigit():
            yield error(Code.BAD_TAG, "!env needs the name of an environment variable", place)


def _takes_secret(path: Path) -> bool:
    match path:
        case ("targets", _, "credentials" | "headers", _) | ("targets", _, "lock", "url"):
            return True
    return False


def _target(name: str, fields: Mapping[str, Any], document: Document) -> Target:
    def value(group: str, key: str, found: Json) -> Any:
        if not isinstance(found, Tagged):
            return found
        return EnvRef(found.text, document.place(("targets", name, group, key)), name, f"{group}.{key}")

    def values(group: str) -> dict[str, Any]:
        return {key: value(group, key, each) for key, each in fields.get(group, {}).items()}

    layers = enumerate(fields.get("layers", ()))
    return Target(
        name=name,
        provider=fields["provider"],
        url=fields.get("url"),
        headers=values("headers"),
        credentials=values("credentials"),
        limits=fields.get("limits", {}),
        vars=fields.get("vars", {}),
        marks=Marks(fields.get("marks", Marks.NAMES)),
        layers={each: document.place(("targets", name, "layers", index)) for index, each in layers},
        lock=values("lock").get("url"),
        owner=fields.get("owner"),
        route=fields.get("route"),
        source=document.key_place(("targets", name)),
    )


def _check_target(target: Target, document: Document, schemas: Schemas) -> Iterator[Diagnostic]:
    base: Path = ("targets", target.name)
    for name, each in target.credentials.items():
        if not isinstance(each, EnvRef):
            yield _plain_secret(f"the credential {cut(name)}", document.place((*base, "credentials", name)))
    if isinstance(target.lock, str) and not target.lock.startswith("s3://"):
        yield _plain_secret("the url of a database", document.place((*base, "lock", "url")))
    try:
        provider = schemas.provider(target.provider, document.place((*base, "provider")))
    except ConfigError as unknown:
        yield from unknown.diagnostics
        return
    if target.route is not None and provider.route_header is None:
        summary = f"the provider {provider.name} does not report which route a response came from"
        yield error(Code.INVALID_SETTINGS, summary, document.place((*base, "route")), hint="remove `route`")
    for name in target.credentials:
        if name not in provider.credentials:
            known = sorted(provider.credentials)
            near = closest(name, known)
            hint = f"did you mean {near}?" if near else f"it has {', '.join(known) or 'none'}"
            summary = f"the provider {provider.name} has no credential {cut(name)}"
            yield error(Code.INVALID_SETTINGS, summary, document.key_place((*base, "credentials", name)), hint=hint)
    if target.url is None and provider.url is None:
        summary = f"the target {target.name} has no url, and the provider {provider.name} has no default"
        yield error(Code.INVALID_SETTINGS, summary, document.key_place(base), hint="add `url: https://…`")


def _check_headers(
    target: Target, document: Document, schemas: Schemas, environment: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """Errors in the headers of a target that can be found without the values of variables."""
    try:
        provider = schemas.provider(target.provider)
    except ConfigError:
        return  # the check of the target reports it
    spelt: set[str] = set()
    for name, header in target.headers.items():
        place = document.place(("targets", target.name, "headers", name))
        if name.lower() in spelt:
            yield error(Code.INVALID_SETTINGS, f"the header {cut(name)} is given twice", place, hint="keep one")
        spelt.add(name.lower())
        try:
            if isinstance(header, EnvRef):
                check_name(provider, name, environment, place)
            elif is_secret(provider, name):
                yield _plain_secret(f"the header {cut(name)}", place)
            elif has_several_routes(provider, name, header_text(provider, name, header, environment, place)):
                hint = "choose one upstream: each has its own objects"
                summary = f"the header {cut(name)} routes to several upstreams"
                yield error(Code.INVALID_SETTINGS, summary, place, hint=hint)
        except ConfigError as refused:
            yield from refused.diagnostics


def _plain_secret(what: str, place: Source) -> Diagnostic:
    hint = "write !env NAME, with the name of the environment variable that holds it"
    return error(Code.INVALID_SETTINGS, f"{what} is a secret and cannot be in a file", place, hint=hint)
